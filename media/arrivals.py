"""What a host does with the events of calls, each inside one unit of work."""

from __future__ import annotations

from typing import Any

import structlog

from engine import api
from engine.kernel.db import db, now
from engine.kernel.errors import CmsError
from media.calls import Target, announce_after_commit, applications, lock_call, take_lease, tell_after_commit
from media.models import Call, CallEvent
from media.protocol import Acknowledge, Command, Event, Reject, Resend
from media.recordings import find_by_command, finish_recording, running_recordings

log = structlog.get_logger()
NOT_FOUND = 404
UNAVAILABLE = 480


def take_in(event: Event, host: str) -> None:
    """Take in an event of an agent, once and in order, and acknowledge it after the commit."""
    if event.event == "unknown":
        _lost_by_agent(event)
        return
    call = lock_call(event.call)
    if call is None and event.event == "incoming":
        call = _begin(event, host)
    if call is None:
        # Refused here or elsewhere, or over before anybody had taken it.
        _acknowledge(event, host, epoch=1)
        return
    if event.seq > call.last_seq + 1:
        tell_after_commit(event.agent, Resend(call.id, call.last_seq))
        return
    if event.seq == call.last_seq + 1:
        take_lease(call, host)
        _take_next(call, event)
    # A repeated event may come from the stream of a host that was dead meanwhile: it changes no owner.
    _acknowledge(event, call.owner, epoch=call.epoch)


def _take_next(call: Call, event: Event) -> None:
    call.last_seq = event.seq
    db.session.add(
        CallEvent(call_id=call.id, seq=event.seq, event=event.event, verb=event.verb or None, data=event.data)
    )
    match event.event:
        case "answered":
            call.state, call.answered_at = "talking", now()
            announce_after_commit(call)
        case "result":
            _result(call, event)
        case "ended":
            end_call(call, event.data["cause"], event.data["duration_s"])


def _acknowledge(event: Event, host: str, *, epoch: int) -> None:
    tell_after_commit(event.agent, Acknowledge(event.call, event.seq, epoch, host))


def _begin(event: Event, host: str) -> Call | None:
    """Start the application of the dialled number; refuse the call when there is none."""
    number, caller = event.data["to"], event.data["from"]
    try:
        target = applications().resolve(number, caller, event.data.get("account", ""))
        if target is None:
            log.info("number_unknown", number=number, call=event.call)
            _refuse(event, host, NOT_FOUND)
            return None
        with db.session.begin_nested():
            return _start(event, host, target)
    except CmsError as error:
        log.error("call_not_started", number=number, call=event.call, error=error.message)
        _refuse(event, host, UNAVAILABLE)
        return None


def _start(event: Event, host: str, target: Target) -> Call:
    call = Call(
        id=event.call,
        tenant_id=target.tenant_id,
        direction="inbound",
        from_number=event.data["from"],
        to_number=event.data["to"],
        agent=event.agent,
        agent_boot=event.boot,
        owner=host,
        epoch=1,
        last_seq=0,
        application_id=target.application_id,
        sip_call_id=event.data.get("sip_call_id", ""),
        state="ringing",
    )
    about: dict[str, Any] = {
        "id": call.id,
        "from": call.from_number,
        "to": call.to_number,
        "direction": call.direction,
        "application": target.name,
    }
    call.instance_id = api.start(
        target.process_id,
        target.definition_id,
        tenant_id=target.tenant_id,
        data={"call": about, "parameters": target.parameters},
        business_key=call.from_number or None,
        owner=host,
        key=f"call:{call.id}",
    )
    db.session.add(call)
    announce_after_commit(call)
    return call


def _refuse(event: Event, host: str, status: int) -> None:
    tell_after_commit(event.agent, Command(f"refuse:{event.call}", event.call, 1, host, Reject(status)))


def _result(call: Call, event: Event) -> None:
    """Give the answer to the token that waits for it."""
    token, attempt = _token(event.id)
    if not event.instance or token is None:
        return
    result, error = event.data.get("result"), event.data.get("error")
    if event.verb == "record" and result is not None:
        recording = find_by_command(event.id)
        if recording is not None:
            result = finish_recording(recording, call, result["reason"])
    failure = api.Failure(error["kind"], error["code"], error["message"]) if error else None
    api.resume(event.instance, token, attempt, result=result, error=failure, key=f"answer:{event.id}")


def _token(command: str) -> tuple[str | None, int]:
    """Return token and attempt of an operation's command; others have none."""
    token, _, attempt = command.partition(":")
    return (token, int(attempt)) if attempt.isdigit() else (None, 0)


def end_call(call: Call, cause: str, duration_s: float) -> None:
    """Note that the call is over and tell its instance; recordings that nobody finished are kept as they are."""
    if call.state == "ended":
        return
    for recording in running_recordings(call.id):
        result = finish_recording(recording, call, "agent_lost" if cause == "agent_lost" else "hangup")
        token, attempt = _token(recording.command)
        if call.instance_id and token is not None:
            api.resume(call.instance_id, token, attempt, result=result, key=f"answer:{recording.command}")
    call.state, call.cause, call.ended_at = "ended", cause, now()
    announce_after_commit(call)
    if call.instance_id:
        api.send_message(
            "call.ended",
            tenant_id=call.tenant_id,
            instance_id=call.instance_id,
            payload={"call": call.id, "cause": cause, "duration_s": duration_s},
            key=f"call:{call.id}:ended",
        )


def end_lost_call(call: Call) -> None:
    """End a call that its agent no longer has."""
    log.warning("call_lost", call=call.id, agent=call.agent)
    talked = (now() - call.answered_at).total_seconds() if call.answered_at else 0.0
    end_call(call, "agent_lost", round(talked, 2))


def _lost_by_agent(event: Event) -> None:
    """An agent was given a command for a call that it does not have."""
    call = lock_call(event.call)
    if call is not None:
        end_lost_call(call)
    token, attempt = _token(event.id)
    if event.instance and token is not None:
        ended = api.Failure("business", "call.ended", "The caller has hung up.")
        api.resume(event.instance, token, attempt, error=ended, key=f"answer:{event.id}")
