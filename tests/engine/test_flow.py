"""Tokens, gateways and loops."""

from __future__ import annotations

import pytest

from engine import api
from engine.kernel.db import unit_of_work
from tests.engine.conftest import Engine
from tests.engine.diagrams import boundary, element, end, flows, script, start, user

LOOP = (
    start()
    + user("ask")
    + script("add", "n = n + 1")
    + element("exclusiveGateway", "more", default="more_ask")
    + end()
    + flows("start>ask>add>more>ask", "more>end:=n >= limit")
)


def test_straight_through_leaves_a_row_for_each_token(engine: Engine) -> None:
    definition = engine.deploy(
        start() + script("a", "x = 1") + script("b", "y = x + 1") + end() + flows("start>a>b>end")
    )
    found = engine.show(engine.start(definition, {"z": 0}))
    assert found["status"] == "completed"
    assert found["data"] == {"x": 1, "y": 2, "z": 0}
    assert [(row["element"], row["changes"], row["from"]) for row in found["history"]] == [
        ("start", {}, None),
        ("a", {"x": 1}, "start"),
        ("b", {"y": 2}, "a"),
        ("end", {}, "b"),
    ]


def test_plain_tasks_complete_at_once_and_a_process_needs_no_end_event(engine: Engine) -> None:
    definition = engine.deploy(start() + element("task", "a") + element("manualTask", "b") + flows("start>a>b"))
    instance = engine.start(definition)
    assert engine.show(instance)["status"] == "completed"
    assert engine.path(instance)[:3] == ["start", "a", "b"]


def test_loop_of_two_thousand_turns(engine: Engine) -> None:
    body = LOOP.replace("userTask", "manualTask")
    instance = engine.start(engine.deploy(body), {"n": 0, "limit": 2000})
    found = engine.show(instance)
    assert found["status"] == "completed"
    assert found["data"]["n"] == 2000
    assert len(found["history"]) == 2 + 3 * 2000


@pytest.mark.parametrize("cold", [False, True])
def test_loop_with_a_person_in_it(engine: Engine, cold: bool) -> None:
    instance = engine.start(engine.deploy(LOOP), {"n": 0, "limit": 3})
    for _ in range(3):
        assert [token["element"] for token in engine.show(instance)["tokens"]] == ["ask"]
        if cold:
            engine.cool()
        engine.complete()
    assert engine.show(instance)["data"]["n"] == 3
    assert engine.show(instance)["status"] == "completed"


@pytest.mark.parametrize("cold", [False, True])
def test_parallel_branches_do_not_see_each_other_and_the_latest_write_wins(engine: Engine, cold: bool) -> None:
    body = (
        start()
        + element("parallelGateway", "fork")
        + user("a")
        + user("b")
        + script("in_a", "x = 'a'; d['a'] = 1")
        + script("in_b", "seen = d; y = x")
        + element("parallelGateway", "join")
        + end()
        + flows("start>fork>a>in_a>join", "fork>b>in_b>join>end")
    )
    instance = engine.start(engine.deploy(body), {"x": "start", "d": {"k": 0}})
    for name in ("a", "b"):
        if cold:
            engine.cool()
        engine.complete(name=name)
    found = engine.show(instance)
    assert found["status"] == "completed"
    assert found["data"] == {"x": "a", "d": {"k": 0, "a": 1}, "seen": {"k": 0}, "y": "start"}


@pytest.mark.parametrize("cold", [False, True])
def test_inclusive_join_waits_for_those_that_can_still_come(engine: Engine, cold: bool) -> None:
    body = (
        start()
        + element("inclusiveGateway", "split", default="split_c")
        + user("a")
        + user("b")
        + user("c")
        + element("inclusiveGateway", "join")
        + end()
        + flows("start>split", "split>a:=x > 1", "split>b:=x > 2", "split>c", "a>join>end", "b>join", "c>join")
    )
    definition = engine.deploy(body)
    both = engine.start(definition, {"x": 3})
    assert {task.name for task in engine.tasks()} == {"a", "b"}
    engine.complete(name="b")
    assert engine.show(both)["status"] == "waiting"
    if cold:
        engine.cool()
    engine.complete(name="a")
    assert engine.show(both)["status"] == "completed"
    assert engine.path(both).count("end") == 1
    engine.start(definition, {"x": 0})
    assert [task.name for task in engine.tasks()] == ["c"]


def test_exclusive_gateway_without_way_out_is_an_incident(engine: Engine) -> None:
    body = start() + element("exclusiveGateway", "which") + end() + end("other")
    instance = engine.start(engine.deploy(body + flows("start>which", "which>end:=x = 1", "which>other:=x = 2")))
    found = engine.show(instance)
    assert found["status"] == "incident"
    assert found["incidents"][0]["element"] == "which"
    assert found["incidents"][0]["error"] == "gateway.no_flow"
    assert found["tokens"][0]["state"] == "incident"


def test_multi_instance_collects_outputs(engine: Engine) -> None:
    loop = (
        '<bpmn:multiInstanceLoopCharacteristics isSequential="{}"><bpmn:extensionElements><zeebe:loopCharacteristics '
        'inputCollection="=items" inputElement="item" outputCollection="doubled" outputElement="=twice"/>'
        "</bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>"
    )
    for sequential in ("false", "true"):
        each = element("scriptTask", "each", f"<bpmn:script>twice = item * 2</bpmn:script>{loop.format(sequential)}")
        definition = engine.deploy(start() + each + end() + flows("start>each>end"), f"p_{sequential}")
        data = engine.show(engine.start(definition, {"items": [1, 2, 3]}))["data"]
        assert data["doubled"] == [2, 4, 6]
        assert "item" not in data
        assert "loopCounter" not in data


def test_terminate_ends_everything(engine: Engine) -> None:
    body = (
        start()
        + element("parallelGateway", "fork")
        + user("a")
        + end("stop", "<bpmn:terminateEventDefinition/>")
        + end()
        + flows("start>fork>a>end", "fork>stop")
    )
    instance = engine.start(engine.deploy(body))
    assert engine.show(instance)["status"] == "completed"
    assert engine.tasks() == []


def test_call_activity_runs_another_process(engine: Engine) -> None:
    engine.deploy(
        start() + user("inside") + script("add", "n = n + 1") + end() + flows("start>inside>add>end"), "child"
    )
    body = start() + element("callActivity", "call", calledElement="child") + end() + flows("start>call>end")
    instance = engine.start(engine.deploy(body, "parent"), {"n": 1})
    token = engine.show(instance)["tokens"][0]
    assert token["waiting_for"] == "child"
    engine.complete()
    assert engine.show(instance)["status"] == "completed"
    assert engine.show(instance)["data"] == {"n": 2}


def test_error_of_a_child_is_caught_at_the_call_activity(engine: Engine) -> None:
    error = '<bpmn:error id="err" name="err" errorCode="no"/>'
    raised = end("raise", '<bpmn:errorEventDefinition errorRef="err"/>')
    engine.deploy(start() + user("inside") + raised + flows("start>inside>raise"), "child", definitions=error)
    body = (
        start()
        + element("callActivity", "call", calledElement="child")
        + boundary("caught", "call", '<bpmn:errorEventDefinition errorRef="err"/>')
        + end()
        + end("other")
        + flows("start>call>end", "caught>other")
    )
    instance = engine.start(engine.deploy(body, "parent", definitions=error))
    engine.complete()
    assert "other" in engine.path(instance)
    assert engine.show(instance)["status"] == "completed"


def test_cancelled_child_is_an_incident_of_its_caller(engine: Engine) -> None:
    engine.deploy(start() + user("inside") + end() + flows("start>inside>end"), "child")
    body = start() + element("callActivity", "call", calledElement="child") + end() + flows("start>call>end")
    instance = engine.start(engine.deploy(body, "parent"))
    child = engine.show(instance)["tokens"][0]["child"]
    with unit_of_work():
        api.cancel_instance(child, "operator")
    engine.run()
    assert engine.tasks() == []
    assert engine.show(instance)["incidents"][0]["error"] == "child.cancelled"
