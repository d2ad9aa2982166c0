"""Events of agents: taken once, in order, with the lease, and acknowledged after the commit."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from engine import api
from engine.execution import codec
from engine.execution.records import Event as EngineEvent
from engine.kernel.db import db, unit_of_work
from engine.kernel.files import FileStore, StoredFile
from engine.kernel.settings import Settings
from engine.operations import OperationContext, Pending, find_operation, running
from media.carrier import MediaCarrier
from media.errors import CallEnded, PromptMissing
from media.listener import CallListener, serve_calls
from media.models import Call, CallEvent, Recording
from media.protocol import FIELD, Acknowledge, Command, Event, Play, Prompt, Record, Reject, Resend, encode
from tests.media.conftest import TENANT, Agent, Numbers
from tests.sip.caller import samples, sound

CALL = "c" * 32


@pytest.fixture
def listener(numbers: Numbers) -> CallListener:
    return serve_calls("interactive-1", release=lambda agent, before: None)


def deliver(listener: CallListener, event: Event) -> None:
    with unit_of_work():
        listener.deliver({FIELD.encode(): encode(event)})


def load(call_id: str = CALL) -> Call:
    with unit_of_work(write=False):
        call = db.session.get(Call, call_id)
        assert call is not None
        return call


def engine_events() -> list[tuple[str, dict[str, object]]]:
    with unit_of_work(write=False):
        rows = db.session.scalars(select(EngineEvent).order_by(EngineEvent.id))
        return [(row.kind, codec.decode(row.payload)) for row in rows]


def context(token: str = "token", attempt: int = 1) -> OperationContext:
    instance = load().instance_id
    assert instance is not None
    return OperationContext(instance, token, "element", attempt, TENANT, "system")


def run(name: str, **values: object) -> object:
    operation = find_operation(name)
    with unit_of_work(), running(context()):
        return operation.function(**operation.validate({"call": CALL, **values}))


def outbox(payload: dict[str, object], instance: str, key: str = "token:1") -> api.Outbox:
    token, _, rest = key.partition(":")
    return api.Outbox(
        id="o", kind="media", instance_id=instance, token_id=token, attempt=int(rest[0]), key=key, payload=payload
    )


def test_a_call_to_a_number_starts_its_application_once(listener: CallListener, agent: Agent) -> None:
    for _ in range(2):
        deliver(listener, agent.incoming(CALL))
    call = load()
    assert (call.owner, call.epoch, call.last_seq, call.state) == ("interactive-1", 1, 1, "ringing")
    assert call.instance_id
    (kind, payload), *others = engine_events()
    assert kind == "start"
    assert not others
    data = payload["data"]
    assert isinstance(data, dict)
    assert data["call"] == {
        "id": CALL,
        "from": "+4930123456",
        "to": "1000",
        "direction": "inbound",
        "application": "Memo",
    }
    assert data["parameters"] == {"language": "en"}
    assert agent.told() == [Acknowledge(CALL, 1, 1, "interactive-1")] * 2


@pytest.mark.parametrize(("number", "status"), [("4711", 404), ("1001", 480)])
def test_a_number_that_nobody_can_answer_is_refused(
    listener: CallListener, agent: Agent, number: str, status: int
) -> None:
    deliver(listener, agent.incoming(CALL, to=number))
    refusal, acknowledgement = agent.told()
    assert isinstance(refusal, Command)
    assert refusal.action == Reject(status)
    assert acknowledgement == Acknowledge(CALL, 1, 1, "interactive-1")
    with unit_of_work(write=False):
        assert db.session.get(Call, CALL) is None


def test_events_are_taken_in_order_and_the_missing_ones_asked_for(listener: CallListener, agent: Agent) -> None:
    deliver(listener, agent.incoming(CALL))
    deliver(listener, agent.event(CALL, 3, "answered"))
    assert load().state == "ringing"
    assert agent.told()[-1] == Resend(CALL, 1)
    deliver(listener, agent.event(CALL, 2, "result", {"result": {}}, id="token:1", instance=load().instance_id or ""))
    deliver(listener, agent.event(CALL, 3, "answered"))
    call = load()
    assert (call.state, call.last_seq) == ("talking", 3)
    assert call.answered_at is not None
    with unit_of_work(write=False):
        assert list(db.session.scalars(select(CallEvent.seq).order_by(CallEvent.seq))) == [1, 2, 3]
    assert [kind for kind, _ in engine_events()] == ["start", "operation_result"]


def test_another_host_that_an_agent_turns_to_takes_the_lease(listener: CallListener, agent: Agent) -> None:
    deliver(listener, agent.incoming(CALL))
    other = CallListener("interactive-2", release=lambda agent, before: None)
    deliver(other, agent.event(CALL, 2, "answered"))
    assert (load().owner, load().epoch) == ("interactive-2", 2)
    assert agent.told()[-1] == Acknowledge(CALL, 2, 2, "interactive-2")


def test_the_carrier_takes_the_lease_for_the_host_that_runs_the_instance(listener: CallListener, agent: Agent) -> None:
    deliver(listener, agent.incoming(CALL))
    call = load()
    agent.told()
    pending = run("call.say", text="Hello", language="de")
    assert isinstance(pending, Pending)
    send([outbox(pending.payload, call.instance_id or "")], "interactive-2")
    (command,) = agent.told()
    assert command == Command(
        "token:1", CALL, 2, "interactive-2", Play(Prompt(text="Hello", language="de")), call.instance_id or ""
    )
    assert load().owner == "interactive-2"


def send(rows: list[api.Outbox], host: str = "interactive-1") -> None:
    MediaCarrier(host).send(rows)


def test_the_end_is_told_to_the_instance_and_later_commands_are_answered(listener: CallListener, agent: Agent) -> None:
    deliver(listener, agent.incoming(CALL))
    pending = run("call.collect", prompt="sound:beep", max_digits=3)
    assert isinstance(pending, Pending)
    deliver(listener, agent.event(CALL, 2, "ended", {"cause": "hangup", "duration_s": 4.5}))
    call = load()
    assert (call.state, call.cause) == ("ended", "hangup")
    kind, payload = engine_events()[-1]
    assert kind == "message"
    assert payload["name"] == "call.ended"
    assert payload["payload"] == {"call": CALL, "cause": "hangup", "duration_s": 4.5}
    agent.told()
    send([outbox(pending.payload, call.instance_id or "")])
    assert agent.told() == []
    kind, payload = engine_events()[-1]
    assert kind == "operation_result"
    assert payload["error"] == {"kind": "business", "code": "call.ended", "message": "The caller has hung up."}
    with pytest.raises(CallEnded):
        run("call.say", text="Hello")
    assert run("call.hangup") == {}


def test_a_recording_becomes_a_file_of_the_tenant(listener: CallListener, agent: Agent, settings: Settings) -> None:
    deliver(listener, agent.incoming(CALL))
    pending = run("call.record", max_silence=2)
    assert isinstance(pending, Pending)
    path = Path(pending.payload["arguments"]["path"])
    sound(path, "synth", "1.5", "sine", "440")
    done = agent.event(
        CALL, 2, "result", {"result": {"duration_s": 1.5, "reason": "silence"}},
        id="token:1", verb=Record.verb, instance=load().instance_id or "",
    )  # fmt: skip
    for _ in range(2):
        deliver(listener, done)
    _, payload = engine_events()[-1]
    result = payload["result"]
    assert isinstance(result, dict)
    with unit_of_work(write=False):
        recording = db.session.get(Recording, result["recording"])
        assert recording is not None
        assert recording.duration_s == 1.5
        assert recording.stored_file_id
        stored = db.session.get(StoredFile, recording.stored_file_id)
        assert stored is not None
        assert stored.tenant_id == TENANT
        assert FileStore(settings).locate(stored) == path
    assert result == {"recording": recording.id, "duration_s": 1.5, "reason": "silence"}


def test_the_recording_of_an_agent_that_died_is_mended(listener: CallListener, agent: Agent) -> None:
    deliver(listener, agent.incoming(CALL))
    pending = run("call.record")
    assert isinstance(pending, Pending)
    path = Path(pending.payload["arguments"]["path"])
    whole = sound(path, "synth", "1", "sine", "440").read_bytes()
    path.write_bytes(whole[:4] + bytes(4) + whole[8:40] + bytes(4) + whole[44:-3])  # as SIGKILL leaves it
    deliver(listener, agent.event(CALL, 0, "unknown", id="other:1", instance=load().instance_id or ""))
    assert load().cause == "agent_lost"
    assert 7900 < len(samples(path)) < 8000
    kinds = [(kind, payload.get("result")) for kind, payload in engine_events()]
    results = [result for kind, result in kinds if kind == "operation_result" and result]
    assert results[0]["reason"] == "hangup"  # type: ignore[index]
    assert [kind for kind, _ in kinds] == ["start", "operation_result", "message", "operation_result"]


def test_a_sound_of_another_tenant_is_missing(listener: CallListener, agent: Agent, settings: Settings) -> None:
    deliver(listener, agent.incoming(CALL))
    with unit_of_work():
        stored = FileStore(settings).write("f" * 32, "greeting.wav", "audio/wav", b"RIFF")
    with pytest.raises(PromptMissing):
        run("call.play", prompt=stored.id)


def test_dialling_uses_the_address_of_the_tenants_extension(listener: CallListener, agent: Agent) -> None:
    deliver(listener, agent.incoming(CALL))
    pending = run("call.dial", target="201", timeout=12)
    assert isinstance(pending, Pending)
    assert pending.payload["arguments"] == {"target": "larkspur-201", "caller": "+4930123456", "timeout": 12.0}
    assert run("call.dial", target="299") == {"result": "unavailable", "duration_s": 0.0}


def test_interrupting_a_task_stops_its_command(listener: CallListener, agent: Agent) -> None:
    deliver(listener, agent.incoming(CALL))
    operation = find_operation("call.record")
    run("call.record")
    assert operation.cancel is not None
    with unit_of_work():
        pending = operation.cancel(context(), {"call": CALL})
    assert pending == Pending({"call": CALL, "verb": "cancel", "arguments": {"target": "token:1"}})
    with unit_of_work(write=False):
        assert [row.reason for row in db.session.scalars(select(Recording))] == ["cancelled"]


def test_an_old_entry_of_a_host_that_was_dead_changes_no_owner(listener: CallListener, agent: Agent) -> None:
    deliver(listener, agent.incoming(CALL))
    other = CallListener("interactive-2", release=lambda agent, before: None)
    answered = agent.event(CALL, 2, "answered")
    deliver(other, answered)
    deliver(listener, answered)
    assert (load().owner, load().epoch) == ("interactive-2", 2)
    assert agent.told()[-1] == Acknowledge(CALL, 2, 2, "interactive-2")


def test_a_recording_that_never_began_is_empty(listener: CallListener, agent: Agent) -> None:
    deliver(listener, agent.incoming(CALL))
    run("call.record")
    deliver(listener, agent.event(CALL, 2, "ended", {"cause": "hangup", "duration_s": 1.0}))
    with unit_of_work(write=False):
        (recording,) = db.session.scalars(select(Recording))
    assert (recording.reason, recording.duration_s, recording.stored_file_id) == ("hangup", 0.0, None)
