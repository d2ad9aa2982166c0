"""Timers, messages, signals, escalations, errors, conditions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.execution.records import Subscription, Timer
from tests.engine.conftest import Engine
from tests.engine.diagrams import boundary, element, end, extended, flows, message, script, start, timer, user

PAID = (
    '<bpmn:message id="paid" name="paid"><bpmn:extensionElements>'
    '<zeebe:subscription correlationKey="=order"/></bpmn:extensionElements></bpmn:message>'
)


def catch(element_id: str, inner: str) -> str:
    return element("intermediateCatchEvent", element_id, inner)


def test_timer_event(engine: Engine) -> None:
    instance = engine.start(engine.deploy(start() + catch("wait", timer("PT1H")) + end() + flows("start>wait>end")))
    token = engine.show(instance)["tokens"][0]
    assert token["waiting_for"] == "timer"
    assert token["due_at"]
    engine.pass_time(timedelta(minutes=59))
    assert engine.show(instance)["status"] == "waiting"
    engine.pass_time(timedelta(minutes=2))
    assert engine.show(instance)["status"] == "completed"
    assert engine.count(Timer) == 0


@pytest.mark.parametrize("cold", [False, True])
def test_repeating_timer_beside_a_task(engine: Engine, cold: bool) -> None:
    remind = boundary("remind", "ask", timer("R2/PT1H", "timeCycle"), interrupting=False)
    body = start() + user("ask") + remind + script("count", "n = n + 1") + end() + end("reminded")
    instance = engine.start(engine.deploy(body + flows("start>ask>end", "remind>count>reminded")), {"n": 0})
    for _ in range(3):
        if cold:
            engine.cool()
        engine.pass_time(timedelta(minutes=61))
    assert engine.path(instance).count("reminded") == 2
    engine.complete()
    assert engine.show(instance)["status"] == "completed"
    assert engine.count(Timer) == 0


def test_message_goes_to_the_instance_with_the_correlation(engine: Engine) -> None:
    body = start() + catch("wait", message("paid")) + end() + flows("start>wait>end")
    definition = engine.deploy(body, definitions=PAID)
    first, second = (engine.start(definition, {"order": number}) for number in (1, 2))
    assert engine.message("paid", {"amount": 5}, correlation="3") == 0
    assert engine.message("paid", {"amount": 7}, correlation="2", key="m2") == 1
    assert engine.message("paid", {"amount": 7}, correlation="2", key="m2") == 0
    assert engine.show(first)["status"] == "waiting"
    assert engine.show(second)["data"] == {"order": 2, "amount": 7}
    assert engine.count(Subscription) == 1


def test_message_starts_a_process_and_a_repeated_key_does_not(engine: Engine) -> None:
    engine.deploy(start("start", message("paid")) + user("look") + end() + flows("start>look>end"), definitions=PAID)
    assert engine.message("paid", {"amount": 1}, key="k") == 1
    assert engine.message("paid", {"amount": 1}, key="k") == 0
    assert len(engine.tasks()) == 1
    assert engine.tasks()[0].variables == {"amount": 1}


@pytest.mark.parametrize("cold", [False, True])
def test_event_based_gateway_takes_the_first(engine: Engine, cold: bool) -> None:
    body = (
        start()
        + element("eventBasedGateway", "first")
        + catch("paid_in_time", message("paid"))
        + catch("late", timer("PT1H"))
        + end()
        + end("too_late")
        + flows("start>first>paid_in_time>end", "first>late>too_late")
    )
    definition = engine.deploy(body, definitions=PAID)
    one, two = (engine.start(definition, {"order": number}) for number in (1, 2))
    if cold:
        engine.cool()
    engine.message("paid", {"amount": 1}, correlation="1")
    assert engine.path(one) == ["start", "first", "paid_in_time", "end"]
    assert engine.show(one)["data"]["amount"] == 1
    engine.pass_time(timedelta(hours=2))
    assert engine.path(two) == ["start", "first", "late", "too_late"]
    assert engine.count(Timer) == engine.count(Subscription) == 0


def test_signal_reaches_all_who_wait(engine: Engine) -> None:
    signal = '<bpmn:signal id="alarm" name="alarm"/>'
    definition_xml = '<bpmn:signalEventDefinition signalRef="alarm"/>'
    waiting = start() + catch("wait", definition_xml) + end() + flows("start>wait>end")
    definition = engine.deploy(waiting, "waiting", definitions=signal)
    instances = [engine.start(definition) for _ in range(3)]
    body = start() + end("raise", definition_xml) + flows("start>raise")
    engine.start(engine.deploy(body, "raising", definitions=signal))
    assert [engine.show(instance)["status"] for instance in instances] == ["completed"] * 3


def test_escalation_does_not_interrupt_when_not_told_to(engine: Engine) -> None:
    escalation = '<bpmn:escalation id="help" name="help" escalationCode="help"/>'
    event = '<bpmn:escalationEventDefinition escalationRef="help"/>'
    inner = start("s") + element("intermediateThrowEvent", "cry", event) + end("e") + flows("s>cry>e")
    body = (
        start()
        + element("subProcess", "work", inner)
        + boundary("heard", "work", event, interrupting=False)
        + user("help_him")
        + end()
        + flows("start>work>end", "heard>help_him")
    )
    instance = engine.start(engine.deploy(body, definitions=escalation))
    assert "end" in engine.path(instance)
    assert engine.show(instance)["status"] == "waiting"
    engine.complete()
    assert engine.show(instance)["status"] == "completed"


def test_error_is_caught_by_the_nearest_and_by_code(engine: Engine) -> None:
    errors = '<bpmn:error id="e1" name="e1" errorCode="one"/><bpmn:error id="e2" name="e2" errorCode="two"/>'
    raised = '<bpmn:errorEventDefinition errorRef="{}"/>'
    inner = start("s") + end("raise", raised.format("e1")) + flows("s>raise")
    body = (
        start()
        + element("subProcess", "work", inner)
        + boundary("other", "work", raised.format("e2"))
        + boundary("all", "work", "<bpmn:errorEventDefinition/>")
        + end()
        + end("wrong")
        + end("right")
        + flows("start>work>end", "other>wrong", "all>right")
    )
    instance = engine.start(engine.deploy(body, definitions=errors))
    assert "right" in engine.path(instance)
    assert "wrong" not in engine.path(instance)


def test_uncaught_error_is_an_incident(engine: Engine) -> None:
    error = '<bpmn:error id="e1" name="e1" errorCode="one"/>'
    body = start() + end("raise", '<bpmn:errorEventDefinition errorRef="e1"/>') + flows("start>raise")
    found = engine.show(engine.start(engine.deploy(body, definitions=error)))
    assert found["status"] == "incident"
    assert found["incidents"][0]["error"] == "one"


@pytest.mark.parametrize("cold", [False, True])
def test_condition_fires_when_it_becomes_true(engine: Engine, cold: bool) -> None:
    condition = (
        "<bpmn:conditionalEventDefinition><bpmn:condition>=n = 2</bpmn:condition></bpmn:conditionalEventDefinition>"
    )
    handler = start("rises", condition, isInterrupting="false") + end("seen") + flows("rises>seen")
    body = (
        start()
        + user("ask")
        + script("add", "n = n + 1")
        + element("exclusiveGateway", "more", default="more_ask")
        + end()
        + element("subProcess", "watch", handler, triggeredByEvent="true")
        + flows("start>ask>add>more>ask", "more>end:=n = 4")
    )
    instance = engine.start(engine.deploy(body), {"n": 0})
    for _ in range(4):
        if cold:
            engine.cool()
        engine.complete()
    assert engine.show(instance)["status"] == "completed"
    assert engine.path(instance).count("seen") == 1


def test_wrong_timer_of_a_boundary_stops_the_token_before_the_activity_starts(engine: Engine) -> None:
    body = start() + user("ask") + boundary("late", "ask", timer("=due")) + end() + flows("start>ask>end", "late>end")
    instance = engine.start(engine.deploy(body), {"due": "soon"})
    assert engine.show(instance)["status"] == "incident"
    assert engine.tasks() == []


def test_locals_of_a_subprocess_stay_inside(engine: Engine) -> None:
    mapping = '<zeebe:ioMapping><zeebe:input source="=1" target="x"/></zeebe:ioMapping>'
    inner = start("s") + script("add", "x = x + 1; y = x") + end("e") + flows("s>add>e")
    body = start() + element("subProcess", "work", extended(mapping) + inner) + end() + flows("start>work>end")
    assert engine.show(engine.start(engine.deploy(body), {"x": 10}))["data"] == {"x": 10, "y": 2}
