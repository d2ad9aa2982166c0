"""The ``call.*`` operations: what diagrams can do with a call.

Each returns ``Pending`` with the command for the call's agent; what the agent answers becomes the result. A call that
is over raises ``CallEnded``, which a diagram may catch as the BPMN error ``call.ended``.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any, Literal

from typing_extensions import TypedDict

from engine.kernel.db import db
from engine.operations import OperationContext, Pending, operation, operation_context
from media.calls import applications
from media.errors import CallEnded, PromptMissing
from media.models import Call
from media.prompts import find_prompt, find_sound
from media.protocol import Action, Answer, Cancel, Collect, Dial, Hangup, Play, Prompt, Record, Reject, SendDtmf
from media.recordings import absolute_path, begin_recording, find_by_command

REJECTIONS = {"busy": 486, "declined": 603, "not_found": 404, "unavailable": 480}


class Nothing(TypedDict):
    """An empty result."""


class Collected(TypedDict):
    """Keys of the caller; ``timeout``: some and then no more, ``no_input``: none at all."""

    digits: str
    reason: Literal["digits", "terminator", "timeout", "no_input"]


class Recorded(TypedDict):
    """A recording and what ended it."""

    recording: str
    duration_s: float
    reason: Literal["silence", "maximum", "key", "hangup"]


class Dialled(TypedDict):
    """How dialling went; ``duration_s`` are the seconds that both talked."""

    result: Literal["answered", "busy", "no_answer", "unavailable"]
    duration_s: float


def _ongoing(call: str) -> Call:
    """Return the call of the running instance's tenant. Raises ``CallEnded``."""
    found = db.session.get(Call, call)
    if found is None or found.tenant_id != operation_context().tenant_id or found.state == "ended":
        raise CallEnded("The caller has hung up.")
    return found


def _pending(call: Call, action: Action) -> Pending:
    return Pending({"call": call.id, "verb": action.verb, "arguments": asdict(action)})


def _cancel(context: OperationContext, parameters: dict[str, Any]) -> Pending | None:
    """Stop the command of an interrupted task."""
    call = db.session.get(Call, parameters["call"])
    if call is None or call.state == "ended":
        return None
    return _pending(call, Cancel(target=context.key))


def _cancel_record(context: OperationContext, parameters: dict[str, Any]) -> Pending | None:
    """Stop a recording that nobody wants any more; its file goes with it."""
    recording = find_by_command(context.key)
    if recording is not None and recording.reason is None:
        recording.reason = "cancelled"
    return _cancel(context, parameters)


@operation("call.answer", kind="media", raises=(CallEnded,), idempotent=True, cancel=_cancel)
def answer(*, call: str) -> Nothing | Pending:
    """Answer the call."""
    return _pending(_ongoing(call), Answer())


@operation("call.reject", kind="media", raises=(CallEnded,), idempotent=True, cancel=_cancel)
def reject(
    *, call: str, reason: Literal["busy", "declined", "not_found", "unavailable"] = "declined"
) -> Nothing | Pending:
    """Refuse a call that was not answered; the caller's provider hears the reason."""
    return _pending(_ongoing(call), Reject(status=REJECTIONS[reason]))


@operation("call.play", kind="media", raises=(CallEnded, PromptMissing), cancel=_cancel)
def play(*, call: str, prompt: str) -> Nothing | Pending:
    """Play an uploaded or shipped sound to its end."""
    ongoing = _ongoing(call)
    return _pending(ongoing, Play(find_sound(prompt, ongoing.tenant_id)))


@operation("call.say", kind="media", raises=(CallEnded,), cancel=_cancel)
def say(*, call: str, text: str, language: str = "en") -> Nothing | Pending:
    """Speak a text to its end."""
    return _pending(_ongoing(call), Play(Prompt(text=text, language=language)))


@operation("call.collect", kind="media", raises=(CallEnded, PromptMissing), cancel=_cancel)
def collect(
    *,
    call: str,
    prompt: str = "",
    language: str = "en",
    max_digits: int = 1,
    first_digit_timeout: timedelta = timedelta(seconds=5),
    inter_digit_timeout: timedelta = timedelta(seconds=3),
    terminator: str = "#",
    barge_in: bool = True,
) -> Collected | Pending:
    """Gather keys of the caller while and after a prompt is heard."""
    ongoing = _ongoing(call)
    action = Collect(
        prompt=find_prompt(prompt, language, ongoing.tenant_id),
        max_digits=max_digits,
        first_digit_timeout=first_digit_timeout.total_seconds(),
        inter_digit_timeout=inter_digit_timeout.total_seconds(),
        terminator=terminator,
        barge_in=barge_in,
    )
    return _pending(ongoing, action)


@operation("call.record", kind="media", raises=(CallEnded,), cancel=_cancel_record)
def record(
    *,
    call: str,
    max_duration: timedelta = timedelta(seconds=120),
    max_silence: timedelta = timedelta(seconds=3),
    stop_key: str = "#",
    beep: bool = True,
) -> Recorded | Pending:
    """Record the caller until he is silent, presses a key, hangs up, or has used up the time."""
    ongoing = _ongoing(call)
    recording = begin_recording(ongoing, operation_context().key)
    action = Record(
        path=str(absolute_path(recording)),
        max_duration=max_duration.total_seconds(),
        max_silence=max_silence.total_seconds(),
        stop_key=stop_key,
        beep=beep,
    )
    return _pending(ongoing, action)


@operation("call.dial", kind="media", raises=(CallEnded,), cancel=_cancel)
def dial(*, call: str, target: str, timeout: timedelta = timedelta(seconds=30)) -> Dialled | Pending:
    """Ring an extension or number and join it with the caller until one of them hangs up."""
    ongoing = _ongoing(call)
    address = applications().dial_address(ongoing.tenant_id, target)
    if address is None:
        return {"result": "unavailable", "duration_s": 0.0}
    return _pending(ongoing, Dial(target=address, caller=ongoing.from_number, timeout=timeout.total_seconds()))


@operation("call.send_dtmf", kind="media", raises=(CallEnded,), cancel=_cancel)
def send_dtmf(*, call: str, digits: str) -> Nothing | Pending:
    """Press keys towards the caller."""
    return _pending(_ongoing(call), SendDtmf(digits=digits))


@operation("call.hangup", kind="media", idempotent=True, cancel=_cancel)
def hangup(*, call: str) -> Nothing | Pending:
    """Hang up; nothing happens when the call is over already."""
    try:
        return _pending(_ongoing(call), Hangup())
    except CallEnded:
        return {}
