"""Which BPMN elements there are, and which of them the engine executes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.definitions.documents import bpmn, local

TASKS = frozenset(
    (
        *("task", "userTask", "manualTask", "scriptTask", "serviceTask", "sendTask", "receiveTask"),
        "businessRuleTask",
    )
)
CONTAINERS = frozenset(("process", "subProcess", "transaction", "adHocSubProcess"))
SUBPROCESSES = CONTAINERS - {"process"}
ACTIVITIES = TASKS | SUBPROCESSES | {"callActivity"}
EVENTS = frozenset(("startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"))
GATEWAYS = frozenset(("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"))
NODES = ACTIVITIES | EVENTS | GATEWAYS

#: event definitions the engine executes, by the kind of event
EVENT_DEFINITIONS: dict[str, frozenset[str]] = {
    "startEvent": frozenset(("timer", "message", "signal", "conditional", "error", "escalation")),
    "intermediateCatchEvent": frozenset(("timer", "message", "signal", "conditional", "link")),
    "intermediateThrowEvent": frozenset(("message", "signal", "escalation", "link")),
    "boundaryEvent": frozenset(("timer", "message", "signal", "conditional", "error", "escalation")),
    "endEvent": frozenset(("message", "signal", "error", "escalation", "terminate")),
}

#: elements that say nothing to the engine
SILENT = frozenset(
    (
        *("documentation", "extensionElements", "incoming", "outgoing", "laneSet", "association", "textAnnotation"),
        *("group", "category", "monitoring", "auditing", "dataObject", "dataObjectReference", "property"),
        *("resourceRole", "performer", "potentialOwner", "humanPerformer", "collaboration", "supportedInterfaceRef"),
    )
)


@dataclass(frozen=True, slots=True)
class Element:
    """An element as histories and pages name it."""

    id: str
    name: str
    type: str


def event_definitions(event: Any) -> list[Any]:
    """Return the event definitions of an event, in order."""
    return [child for child in event if local(child).endswith("EventDefinition")]


def event_kind(definition: Any) -> str:
    """Return ``timer`` for a ``timerEventDefinition``."""
    return local(definition).removesuffix("EventDefinition")


def nodes(scope: Any) -> list[Any]:
    """Return the flow nodes directly in a process or subprocess."""
    return [child for child in scope if local(child) in NODES]


def flows(scope: Any) -> list[Any]:
    """Return the sequence flows directly in a process or subprocess."""
    return list(scope.iterchildren(bpmn("sequenceFlow")))


def scopes(process: Any) -> list[Any]:
    """Return the process and every subprocess inside it."""
    return [element for element in process.iter() if local(element) in CONTAINERS]


def is_event_subprocess(element: Any) -> bool:
    """Tell whether it is started by an event and not by a flow."""
    return local(element) in SUBPROCESSES and element.get("triggeredByEvent") == "true"


def index_elements(process: Any) -> dict[str, Element]:
    """Return every node and flow of a process by id."""
    found = {}
    for element in process.iter():
        kind = local(element)
        if (kind in NODES or kind == "sequenceFlow") and element.get("id"):
            found[element.get("id")] = Element(element.get("id"), element.get("name") or "", kind)
    return found
