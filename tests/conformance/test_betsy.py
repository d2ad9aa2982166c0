"""How many of betsy's processes do what the standard says.

Each case is judged by what its scripts have logged. What we do not execute yet is refused by lint, and counts as
wrong here; the list of them is kept, so that an element that starts or stops working shows.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine import api
from engine.execution.records import Timer
from engine.kernel.db import now, unit_of_work
from tests.conformance import betsy
from tests.engine.conftest import TENANT, Engine

#: processes that lint refuses, or whose log differs, and why
KNOWN: dict[str, str] = {
    "activities/AdHocSubProcess_Parallel.bpmn": "ad-hoc subprocesses",
    "activities/AdHocSubProcess_Sequential.bpmn": "ad-hoc subprocesses",
    "activities/CallActivity_GlobalTask.bpmn": "global tasks",
    "activities/MultiInstance_OneBehavior.bpmn": "events thrown by multi-instance behaviour",
    "activities/Token_Cardinality_Default.bpmn": "token quantities",
    "cfpatterns/WCP06_MultiChoice_ComplexGateway.bpmn": "complex gateways",
    "cfpatterns/WCP09_Structured_Discriminator_ComplexGateway.bpmn": "complex gateways",
    "cfpatterns/WCP09_Structured_Discriminator_MultiInstance.bpmn": "events thrown by multi-instance behaviour",
    "cfpatterns/WCP12_MultipleInstancesWithoutSynchronization.bpmn": "events thrown by multi-instance behaviour",
    "data/DataObject_ReadWrite_String.bpmn": "data associations",
    "errors/Token_StartQuantity_Two.bpmn": "token quantities",
    "events/Cancel_Event.bpmn": "transactions",
    "events/Compensation_EndEvent_SubProcess.bpmn": "compensation",
    "events/Compensation_EndEvent_TopLevel.bpmn": "compensation",
    "events/Compensation_StartEvent_EventSubProcess.bpmn": "compensation",
    "events/Compensation_TriggeredByCancel.bpmn": "compensation",
    "events/Multiple_IntermediateEvent_MissingEvent.bpmn": "multiple events",
    "events/Multiple_IntermediateEvent_ThrowFirstEventDefinition.bpmn": "multiple events",
    "events/Multiple_IntermediateEvent_ThrowLastEventDefinition.bpmn": "multiple events",
    "events/Multiple_Parallel_IntermediateEvent_MissingEvent.bpmn": "multiple events",
    "events/Timer_IntermediateTimeCycleEvent.bpmn": "a cycle in the flow fires once, not four times",
}

#: virtual time that a case gets
PATIENCE = timedelta(seconds=70)

CASES = betsy.cases()
pytestmark = [
    pytest.mark.skipif(not CASES, reason="the betsy data set is not at hand"),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]


def let_time_pass(engine: Engine) -> None:
    """Let the timers fire one after the other, as long as patience lasts."""
    left = PATIENCE
    while True:
        with unit_of_work(write=False) as session:
            due = session.scalar(select(func.min(Timer.due_at)))
        if due is None or due - now() > left:
            return
        step = max(due - now(), timedelta(0)) + timedelta(milliseconds=1)
        left -= step
        engine.pass_time(step)


def outcome(engine: Engine, case: betsy.Case) -> str:
    """Run a case and return what is wrong with it, or nothing."""
    content, process_id = betsy.runnable(case.file)
    betsy.LOG.clear()
    try:
        with unit_of_work() as session:
            found = api.deploy({Path(case.file).name: content}, tenant_id=TENANT, actor_id="test")
            definition = next(item.id for item in found if item.process_id == process_id)
            session.flush()
            session.expunge_all()
    except api.Refused as error:
        return "" if case.fails and not case.log else f"refused: {error.message}"
    instances = []
    if case.parallel:
        other = next(item.id for item in found if item.process_id != process_id)
        instances.append(engine.start(other, case.data))
    instances.append(engine.start(definition, case.data))
    let_time_pass(engine)
    logged = Counter(text for _, text in betsy.LOG if text.startswith(("SCRIPT", "INCREMENT", "MARKER", "DATA")))
    if logged != case.log:
        return f"logged {dict(logged)} instead of {dict(case.log)}"
    failed = any(engine.show(instance)["status"] == "incident" for instance in instances)
    return "" if failed == case.fails else f"{'an' if failed else 'no'} incident"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(engine: Engine, case: betsy.Case) -> None:
    wrong = outcome(engine, case)
    if case.file in KNOWN:
        assert wrong, f"{case} works now: take it off the list"
    else:
        assert not wrong
