"""Lint: the drawing itself. Elements, flows, gateways and what is reachable."""

from __future__ import annotations

from collections import Counter
from typing import Any

from engine.definitions.documents import bpmn, local
from engine.definitions.elements import (
    GATEWAYS,
    NODES,
    SILENT,
    SUBPROCESSES,
    event_definitions,
    event_kind,
    flows,
    is_event_subprocess,
    nodes,
    scopes,
)
from engine.definitions.findings import Findings, article

_UNSUPPORTED = {
    "complexGateway": "Draw the rule with an inclusive or exclusive gateway.",
    "transaction": "Use a subprocess with error boundary events.",
    "adHocSubProcess": "Draw the order of the tasks, or use parallel user tasks.",
    "dataStoreReference": "Read and write stored data with operations.",
    "dataStore": "Read and write stored data with operations.",
    "dataInput": "Map inputs with zeebe:ioMapping.",
    "dataInputAssociation": "Map inputs with zeebe:ioMapping.",
    "dataOutputAssociation": "Map outputs with zeebe:ioMapping.",
    "ioSpecification": "Map inputs and outputs with zeebe:ioMapping.",
    "ioBinding": "Map inputs and outputs with zeebe:ioMapping.",
    "choreography": "Draw a process.",
    "conversation": "Draw a process.",
    "globalTask": "Call a process instead.",
    "globalUserTask": "Call a process instead.",
    "globalScriptTask": "Call a process instead.",
    "globalManualTask": "Call a process instead.",
    "globalBusinessRuleTask": "Call a process instead.",
    "correlationSubscription": "Write the correlation key at the message: zeebe:subscription.",
    "subChoreography": "Draw a process.",
    "choreographyTask": "Draw a process.",
}
#: histories are searched by these
LONGEST_ID = 200
_KNOWN_IN_SCOPE = NODES | SILENT | {"sequenceFlow"}
_PARTS = frozenset(
    (
        *("conditionExpression", "script", "timeDate", "timeDuration", "timeCycle", "condition", "loopCardinality"),
        *("loopDataInputRef", "loopDataOutputRef", "inputDataItem", "outputDataItem", "completionCondition"),
        *("loopCondition", "multiInstanceLoopCharacteristics", "standardLoopCharacteristics", "flowNodeRef", "lane"),
        *("childLaneSet", "text", "eventDefinitionRef"),
    )
)


def check_elements(findings: Findings, process: Any) -> None:
    """Refuse by name whatever the engine does not execute."""
    for element in process.iter():
        name = local(element)
        if name in _UNSUPPORTED and element.tag == bpmn(name):
            findings.report(
                element, "element.unsupported", f"The engine does not execute {article(name)}.", _UNSUPPORTED[name]
            )
        if element.get("isForCompensation") == "true":
            findings.report(
                element,
                "element.unsupported",
                "The engine does not execute compensation.",
                "Draw the undoing steps after an error boundary event.",
            )
        for attribute, rule in (("startQuantity", "1"), ("completionQuantity", "1")):
            if element.get(attribute, rule) != rule:
                findings.report(
                    element,
                    "element.unsupported",
                    f"The engine does not execute a {attribute} other than 1.",
                    "Use a parallel gateway or a multi-instance activity.",
                )
        if name == "eventBasedGateway" and (
            element.get("instantiate") == "true" or element.get("eventGatewayType") == "Parallel"
        ):
            findings.report(
                element,
                "element.unsupported",
                "The engine does not start processes at an event-based gateway.",
                "Use several start events.",
            )
    for scope in scopes(process):
        for child in scope:
            kind = local(child)
            if child.tag == bpmn(kind) and kind not in _KNOWN_IN_SCOPE | _PARTS | set(_UNSUPPORTED):
                findings.report(
                    child,
                    "element.unsupported",
                    f"The engine does not know a {kind}.",
                    "Remove it or draw it with tasks, events and gateways.",
                )


def check_ids(findings: Findings, root: Any) -> None:
    """Ids name elements in histories: each is used once."""
    counted = Counter(element.get("id") for element in root.iter() if element.get("id") and element.tag.startswith("{"))
    seen = set()
    for element in root.iter():
        name = element.get("id")
        if name and counted[name] > 1 and name in seen:
            findings.report(element, "element.id", f"The id {name!r} is used more than once.", "Give it another id.")
        seen.add(name)
        if name and len(name) > LONGEST_ID:
            findings.report(
                element, "element.id", f"An id is longer than {LONGEST_ID} characters.", "Give it a shorter id."
            )


def check_flows(findings: Findings, process: Any) -> None:
    """Sequence flows join nodes of one scope; nodes are reached by flows."""
    for scope in scopes(process):
        inside = {node.get("id"): node for node in nodes(scope)}
        found = flows(scope)
        for flow in found:
            for end in ("sourceRef", "targetRef"):
                if flow.get(end) not in inside:
                    findings.report(
                        flow,
                        "flow.dangling",
                        f"The flow's {end} {flow.get(end)!r} is not an element of the same process or subprocess.",
                        "Draw the flow again; boundaries are crossed by events, not by flows.",
                    )
        _check_reach(findings, scope, inside, found)
        leaving: dict[str, list[Any]] = {}
        for flow in found:
            leaving.setdefault(flow.get("sourceRef"), []).append(flow)
        for node in inside.values():
            _check_splits(findings, node, leaving.get(node.get("id"), []))


def _check_reach(findings: Findings, scope: Any, inside: dict[str, Any], found: list[Any]) -> None:
    if not inside:
        what = "process" if local(scope) == "process" else "subprocess"
        findings.report(scope, "scope.empty", f"The {what} has nothing in it.", "Draw its steps or remove it.")
        return
    starts = [node for node in inside.values() if local(node) == "startEvent"]
    plain = [node for node in starts if not event_definitions(node)]
    if len(plain) > 1:
        findings.report(
            plain[1], "start.several", "There is more than one start event without a trigger.", "Keep one of them."
        )
    if is_event_subprocess(scope) and (len(starts) != 1 or plain):
        findings.report(
            scope,
            "start.event_subprocess",
            "An event subprocess has exactly one start event, with a trigger.",
            "Give its start event a message, timer, signal, error, escalation or condition.",
        )
    if local(scope) in SUBPROCESSES and not is_event_subprocess(scope) and len(starts) != len(plain):
        findings.report(
            scope,
            "start.subprocess",
            "The start event of a subprocess has a trigger.",
            "Use a start event without trigger, or make it an event subprocess.",
        )
    entered = {flow.get("targetRef") for flow in found}
    roots = [
        node
        for node in inside.values()
        if local(node) in ("startEvent", "boundaryEvent")
        or is_event_subprocess(node)
        or (not starts and node.get("id") not in entered)
    ]
    reached = set()
    waiting = [node.get("id") for node in roots]
    onward: dict[str, list[str]] = {}
    for flow in found:
        onward.setdefault(flow.get("sourceRef"), []).append(flow.get("targetRef"))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(onward.get(name, ()))
    for name, node in inside.items():
        if name not in reached and node.get("isForCompensation") != "true":
            findings.report(
                node,
                "flow.unreachable",
                "No flow leads here from a start event, so this is never executed.",
                "Connect it or remove it.",
            )


def _check_splits(findings: Findings, node: Any, outgoing: list[Any]) -> None:
    kind = local(node)
    names = [flow.get("id") for flow in outgoing]
    default = node.get("default")
    if default is not None and default not in names:
        findings.report(
            node, "flow.default", f"The default flow {default!r} does not leave here.", "Choose the default again."
        )
    conditions = {flow.get("id"): flow.find(bpmn("conditionExpression")) for flow in outgoing}
    for flow in outgoing:
        condition = conditions[flow.get("id")]
        if condition is None:
            continue
        if kind in ("parallelGateway", "eventBasedGateway"):
            findings.report(
                flow,
                "flow.condition_ignored",
                "A flow out of this gateway cannot have a condition.",
                "Remove the condition or use an exclusive or inclusive gateway.",
            )
        elif flow.get("id") == default:
            findings.report(
                flow,
                "flow.condition_ignored",
                "The default flow has a condition, which is not looked at.",
                "Remove the condition.",
                "warning",
            )
        else:
            findings.condition(flow, condition.text, "The condition")
    if kind in ("exclusiveGateway", "inclusiveGateway") and len(outgoing) > 1:
        open_flows = [flow for flow in outgoing if conditions[flow.get("id")] is None and flow.get("id") != default]
        for flow in open_flows:
            findings.report(
                flow,
                "gateway.condition_missing",
                "This way out of the gateway has no condition and is not the default.",
                "Write a condition, or make it the default flow.",
            )
        if default is None and not open_flows:
            findings.report(
                node,
                "gateway.default_missing",
                "No default flow: when no condition is true the process stops here with an incident.",
                "Make one of the ways out the default flow.",
                "warning",
            )
    if kind == "endEvent" and outgoing:
        findings.report(node, "flow.after_end", "A flow leaves an end event.", "Remove it.")


def check_joins(findings: Findings, process: Any) -> None:
    """A gateway that only passes the token on was probably meant to do more."""
    for scope in scopes(process):
        inside = {node.get("id"): node for node in nodes(scope)}
        for flow in flows(scope):
            if flow.get("sourceRef") in inside:
                _check_race(findings, inside, flow)
        for node in inside.values():
            ends = [child for child in node if child.tag in (bpmn("incoming"), bpmn("outgoing"))]
            if local(node) in GATEWAYS and len(ends) < 2:
                findings.report(
                    node, "gateway.loose", "The gateway is not connected.", "Connect it or remove it.", "warning"
                )


def _check_race(findings: Findings, inside: dict[str, Any], flow: Any) -> None:
    gateway, target = inside[flow.get("sourceRef")], inside.get(flow.get("targetRef"))
    if local(gateway) != "eventBasedGateway" or target is None:
        return
    if local(target) not in ("intermediateCatchEvent", "receiveTask"):
        findings.report(
            flow,
            "gateway.race",
            "An event-based gateway leads to catching events and receive tasks only.",
            "Put the event it waits for directly behind the gateway.",
        )


def kinds_of(event: Any) -> list[str]:
    """Return the kinds of an event's triggers."""
    return [event_kind(definition) for definition in event_definitions(event)]
