"""Operations of each kind: exactly once, answered later, put off, failed, interrupted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import api
from engine.execution.records import Timer
from engine.kernel.db import unit_of_work
from tests.engine import operations
from tests.engine.conftest import Engine
from tests.engine.diagrams import boundary, element, end, flows, message, service, start, timer, user

NO = '<bpmn:error id="no" name="no" errorCode="test.no"/>'
CAUGHT = '<bpmn:errorEventDefinition errorRef="no"/>'
HANG_UP = '<bpmn:message id="ended" name="call.ended"/><bpmn:message id="asked" name="asked"/>'


def counting(engine: Engine) -> str:
    return engine.deploy(
        start() + service("count", "test.count", note="hello", result="counted") + end() + flows("start>count>end")
    )


def test_transactional_operation_runs_in_the_advance(engine: Engine) -> None:
    found = engine.show(engine.start(counting(engine)))
    assert found["data"] == {"counted": {"note": "hello"}}
    row = found["history"][1]
    assert (row["operation"], row["input"], row["output"]) == ("test.count", {"note": "hello"}, {"note": "hello"})
    assert engine.effects() == 1


def test_operation_that_fails_twice_is_retried_and_leaves_one_effect(engine: Engine) -> None:
    operations.FAILURES["defect"] = 2
    instance = engine.start(counting(engine))
    for attempt in (1, 2):
        found = engine.show(instance)
        assert found["status"] == "incident"
        incident = next(item for item in found["incidents"] if item["resolved_at"] is None)
        assert (incident["error"], incident["attempts"]) == ("ValueError", attempt)
        with unit_of_work():
            api.retry_incident(incident["id"], "operator")
        engine.cool()
        engine.run()
    found = engine.show(instance)
    assert found["status"] == "completed"
    assert [item["resolution"] for item in found["incidents"]] == ["retried", "retried"]
    assert engine.effects() == 1


def test_incident_can_be_skipped(engine: Engine) -> None:
    operations.FAILURES["defect"] = 1
    instance = engine.start(counting(engine))
    with unit_of_work():
        api.skip_incident(engine.show(instance)["incidents"][0]["id"], "operator")
    engine.run()
    assert engine.show(instance)["status"] == "completed"
    assert engine.effects() == 0


def test_transient_failure_is_tried_again_by_itself(engine: Engine) -> None:
    operations.FAILURES["transient"] = 1
    instance = engine.start(counting(engine))
    assert engine.show(instance)["status"] == "waiting"
    engine.pass_time(timedelta(seconds=2))
    assert engine.show(instance)["status"] == "completed"
    assert engine.effects() == 1


def test_transient_failure_that_lasts_becomes_an_incident(engine: Engine) -> None:
    operations.FAILURES["transient"] = 9
    instance = engine.start(counting(engine))
    for _ in range(3):
        engine.pass_time(timedelta(seconds=60))
    assert engine.show(instance)["incidents"][0]["error"] == "transient"


def test_business_error_goes_to_its_boundary_and_undoes_the_effect(engine: Engine) -> None:
    operations.FAILURES["business"] = 1
    body = start() + service("count", "test.count", note="x") + boundary("caught", "count", CAUGHT) + end() + end("no_")
    instance = engine.start(engine.deploy(body + flows("start>count>end", "caught>no_"), definitions=NO))
    assert engine.path(instance) == ["start", "caught", "no_"]
    assert engine.effects() == 0


def test_wrong_parameters_are_an_incident_and_no_bpmn_error(engine: Engine) -> None:
    body = start() + service("count", "test.count", note="=what") + end()
    instance = engine.start(engine.deploy(body + flows("start>count>end")), {"what": 1})
    incident = engine.show(instance)["incidents"][0]
    assert incident["error"] == "operation.parameters"
    assert "note" in incident["message"]


@pytest.mark.parametrize("failures", [{}, {"transient": 2}])
def test_external_operation_is_answered_by_an_event(engine: Engine, failures: dict[str, int]) -> None:
    operations.FAILURES.update(failures)
    body = start() + service("mail", "test.mail", to="=who", result="sent") + end() + flows("start>mail>end")
    instance = engine.start(engine.deploy(body), {"who": "a@b"})
    assert engine.show(instance)["tokens"][0]["waiting_for"] == "operation"
    engine.cool()
    for _ in range(1 + sum(failures.values())):
        engine.work()
    found = engine.show(instance)
    assert found["status"] == "completed"
    assert found["data"]["sent"] == {"to": "a@b"}
    assert engine.effects() == 1
    assert engine.count(api.Outbox) == 0


def test_business_error_of_an_external_operation(engine: Engine) -> None:
    operations.FAILURES["business"] = 1
    body = start() + service("mail", "test.mail", to="x") + boundary("caught", "mail", CAUGHT) + end() + end("no_")
    instance = engine.start(engine.deploy(body + flows("start>mail>end", "caught>no_"), definitions=NO))
    engine.work()
    assert "no_" in engine.path(instance)
    assert engine.effects() == 0


def on_the_line(engine: Engine) -> str:
    ended = start("hung_up", message("ended")) + end("gone") + flows("hung_up>gone")
    asked = start("question", message("asked"), isInterrupting="false") + end("told") + flows("question>told")
    inner = (
        start("opens")
        + service("play", "test.play", call="c1", result="played")
        + service("after", "test.play", call="c1")
        + end("over")
        + flows("opens>play>after>over")
        + element("subProcess", "hang_up", ended, triggeredByEvent="true")
        + element("subProcess", "beside", asked, triggeredByEvent="true")
    )
    body = start() + element("subProcess", "line", inner) + user("later") + end() + flows("start>line>later>end")
    return engine.deploy(body, definitions=HANG_UP)


def test_media_operation_is_sent_after_the_commit_and_resumed(engine: Engine) -> None:
    instance = engine.start(on_the_line(engine))
    row = engine.sent[0]
    assert (row.payload, row.key) == ({"verb": "play", "call": "c1"}, f"{row.token_id}:1")
    for key in ("r1", "r1", "r2"):  # agents repeat themselves
        with unit_of_work():
            api.resume(instance, row.token_id, row.attempt, result={"ok": True}, key=key)
        engine.run()
    assert [token["element"] for token in engine.show(instance)["tokens"]] == ["line", "after"]
    assert engine.show(instance)["data"] == {"played": {"ok": True}}


@pytest.mark.parametrize("cold", [False, True])
def test_hanging_up_interrupts_a_pending_operation_and_keeps_what_was_written(engine: Engine, cold: bool) -> None:
    instance = engine.start(on_the_line(engine))
    row = engine.sent[0]
    with unit_of_work():
        api.resume(instance, row.token_id, 1, result="yes", key="r")
    engine.run()
    if cold:
        engine.cool()
    assert engine.message("call.ended", {"cause": "normal"}, instance_id=instance) == 1
    assert [engine.sent[1].key] == operations.CANCELLED
    assert engine.sent[2].payload == {"verb": "stop", "call": "c1"}
    assert engine.sent[2].key == f"{engine.sent[1].key}:cancel"
    assert engine.count(api.Outbox) == 0
    found = engine.show(instance)
    assert [token["element"] for token in found["tokens"]] == ["later"]
    assert found["data"] == {"played": "yes", "cause": "normal"}
    assert [row["outcome"] for row in found["history"] if row["element"] == "after"] == ["cancelled"]
    engine.message("call.ended", {}, instance_id=instance, key="late")  # nobody waits any more
    engine.complete()
    assert engine.show(instance)["status"] == "completed"


def test_non_interrupting_event_subprocess_runs_beside(engine: Engine) -> None:
    instance = engine.start(on_the_line(engine))
    engine.message("asked", {}, instance_id=instance)
    engine.message("asked", {}, instance_id=instance, key="again")
    assert operations.CANCELLED == []
    assert engine.path(instance).count("told") == 2
    assert [token["element"] for token in engine.show(instance)["tokens"]] == ["line", "play"]


def test_hang_up_that_comes_before_the_first_advance_waits_its_turn(engine: Engine) -> None:
    instance = engine.start(on_the_line(engine), run=False)
    engine.message("call.ended", {}, instance_id=instance)
    assert [token["element"] for token in engine.show(instance)["tokens"]] == ["later"]


def test_cancelled_instance_tells_its_operations(engine: Engine) -> None:
    instance = engine.start(on_the_line(engine))
    with unit_of_work():
        api.cancel_instance(instance, "operator")
    engine.run()
    assert engine.show(instance)["status"] == "cancelled"
    assert [engine.sent[0].key] == operations.CANCELLED


def test_timer_at_the_border_interrupts_an_operation(engine: Engine) -> None:
    ended = start("hung_up", message("ended")) + end("gone") + flows("hung_up>gone")
    inner = (
        start("opens")
        + service("play", "test.play", call="c1")
        + boundary("late", "play", timer("PT10S"))
        + end("over")
        + end("timeout")
        + flows("opens>play>over", "late>timeout")
        + element("subProcess", "hang_up", ended, triggeredByEvent="true")
    )
    body = start() + element("subProcess", "line", inner) + end() + flows("start>line>end")
    instance = engine.start(engine.deploy(body, definitions=HANG_UP))
    engine.pass_time(timedelta(seconds=11))
    assert "timeout" in engine.path(instance)
    assert engine.show(instance)["status"] == "completed"
    assert [engine.sent[0].key] == operations.CANCELLED


def test_retry_does_not_arm_boundary_events_twice(engine: Engine) -> None:
    late = boundary("late", "mail", timer("PT10M"), interrupting=False)
    body = start() + service("mail", "test.mail", to="x") + late + end() + end("reminded")
    instance = engine.start(engine.deploy(body + flows("start>mail>end", "late>reminded")))
    with unit_of_work(write=False):
        row = engine.show(instance)["tokens"][0]
    with unit_of_work():
        api.resume(instance, row["id"], 1, error=api.Failure("fault", "broken", "Broken."), key="f")
    engine.run()
    with unit_of_work():
        api.retry_incident(engine.show(instance)["incidents"][0]["id"], "operator")
    engine.run()
    assert engine.count(Timer) == 1
    engine.work()
    assert engine.show(instance)["status"] == "completed"
    assert engine.count(Timer) == 0
