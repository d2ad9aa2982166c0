"""Lint: events, loops and what they refer to."""

from __future__ import annotations

from typing import Any

from engine.definitions.documents import bpmn, extension, local, zeebe
from engine.definitions.elements import (
    ACTIVITIES,
    EVENT_DEFINITIONS,
    EVENTS,
    SUBPROCESSES,
    event_definitions,
    event_kind,
    is_event_subprocess,
)
from engine.definitions.findings import Findings, article

_REFERRED = {"message": "messageRef", "signal": "signalRef", "error": "errorRef", "escalation": "escalationRef"}


def check_events(findings: Findings, process: Any) -> None:
    """Check every event's trigger."""
    for event in process.iter(*(bpmn(kind) for kind in EVENTS)):
        definitions = event_definitions(event)
        kind = local(event)
        if event.find(bpmn("eventDefinitionRef")) is not None or len(definitions) > 1:
            findings.report(
                event,
                "element.unsupported",
                "The engine does not execute events with several or shared triggers.",
                "Give the event one trigger of its own.",
            )
            continue
        if not definitions and kind in ("boundaryEvent", "intermediateCatchEvent"):
            findings.report(
                event, "event.trigger", "The event waits for nothing.", "Give it a timer, message or other trigger."
            )
        for definition in definitions:
            _check_trigger(findings, event, kind, definition)
        if kind == "boundaryEvent":
            _check_attachment(findings, event)


def _check_trigger(findings: Findings, event: Any, kind: str, definition: Any) -> None:
    trigger = event_kind(definition)
    names = {"startEvent": "start", "endEvent": "end", "boundaryEvent": "boundary"}
    what = f"{trigger} {names.get(kind, 'intermediate')} event"
    if trigger not in EVENT_DEFINITIONS[kind]:
        remedy = "Draw the undoing steps after an error boundary event." if trigger in ("compensate", "cancel") else (
            "Use one of: " + ", ".join(sorted(EVENT_DEFINITIONS[kind])) + "."
        )  # fmt: skip
        findings.report(event, "element.unsupported", f"The engine does not execute {article(what)}.", remedy)
        return
    if trigger == "link":
        findings.report(
            event, "event.link", "The link has no other half in this process or subprocess.", "Give both one name."
        )
    if trigger in ("error", "escalation") and kind == "startEvent" and not is_event_subprocess(event.getparent()):
        findings.report(
            event,
            "element.unsupported",
            f"{article(what).capitalize()} starts nothing but an event subprocess.",
            "Put it into an event subprocess.",
        )
    if trigger == "error" and event.get("isInterrupting" if kind == "startEvent" else "cancelActivity") == "false":
        findings.report(event, "event.error", "An error always interrupts.", "Make the event interrupting.")
    if trigger in _REFERRED:
        _check_reference(findings, event, definition, trigger)
    if trigger == "timer":
        check_timer(findings, event, definition)
    if trigger == "conditional":
        condition = definition.find(bpmn("condition"))
        if condition is None or not (condition.text or "").strip():
            findings.report(event, "event.condition", "The condition is missing.", "Write the condition.")
        else:
            findings.condition(event, condition.text, "The condition")


def _check_reference(findings: Findings, event: Any, definition: Any, trigger: str) -> None:
    reference = definition.get(_REFERRED[trigger])
    catching_all = trigger in ("error", "escalation") and local(event) in ("boundaryEvent", "startEvent")
    if not reference:
        if not catching_all:
            findings.report(
                event, "event.reference", f"The event names no {trigger}.", f"Choose or create the {trigger}."
            )
        return
    check_reference(findings, event, reference, trigger)


def check_reference(findings: Findings, element: Any, reference: str, kind: str) -> None:
    """Check that a message, signal, error or escalation is declared in the file."""
    declared = [item for item in findings.root.iterchildren(bpmn(kind)) if item.get("id") == reference]
    if not declared:
        findings.report(
            element, "event.reference", f"There is no {kind} with the id {reference!r}.", f"Choose the {kind} again."
        )
        return
    subscription = extension(declared[0], zeebe("subscription"))
    if subscription is not None:
        findings.value(declared[0], subscription.get("correlationKey") or "", "The correlation key")


def check_timer(findings: Findings, event: Any, definition: Any) -> None:
    """Check that a timer has one time, and that it can be read."""
    times = list(definition.iterchildren(bpmn("timeDate"), bpmn("timeDuration"), bpmn("timeCycle")))
    if len(times) != 1 or not (times[0].text or "").strip():
        findings.report(
            event,
            "timer.time",
            "The timer has no time, or more than one.",
            "Write one duration (PT5M), instant or cycle (R3/PT10M).",
        )
        return
    text = times[0].text.strip()
    if local(times[0]) == "timeCycle" and not text.startswith(("R", "=", "P")):
        findings.report(
            event,
            "timer.cycle",
            f"The cycle {text!r} is not executed: cron texts are not supported.",
            "Write it in ISO 8601: R/PT1H, or R/2027-01-01T08:00:00Z/P1D.",
        )
        return
    findings.timer(event, text, "The time")


def _check_attachment(findings: Findings, event: Any) -> None:
    host = event.get("attachedToRef")
    beside = {child.get("id"): child for child in event.getparent()}
    if host not in beside or local(beside[host]) not in ACTIVITIES or is_event_subprocess(beside[host]):
        findings.report(
            event, "event.attachment", "The boundary event is attached to no activity.", "Put it on an activity's edge."
        )
    if not any(child.tag == bpmn("outgoing") for child in event):
        findings.report(
            event, "event.leads_nowhere", "Nothing follows the boundary event.", "Draw what happens then.", "warning"
        )


def check_loops(findings: Findings, process: Any) -> None:
    """Check multi-instance and loop markers."""
    for marker in process.iter(bpmn("multiInstanceLoopCharacteristics")):
        activity = marker.getparent()
        if marker.get("behavior", "All") != "All":
            findings.report(
                activity,
                "element.unsupported",
                f"The engine does not execute the multi-instance behaviour {marker.get('behavior')!r}.",
                "Remove it, or throw events from the activity.",
            )
        zeebe_loop = extension(marker, zeebe("loopCharacteristics"))
        collection = zeebe_loop.get("inputCollection") if zeebe_loop is not None else None
        cardinality = marker.find(bpmn("loopCardinality"))
        if collection:
            findings.value(activity, collection, "The collection")
        elif cardinality is not None and (cardinality.text or "").strip():
            findings.condition(activity, cardinality.text, "The number of instances")
        elif marker.find(bpmn("loopDataInputRef")) is None:
            findings.report(
                activity,
                "loop.source",
                "The multi-instance activity has neither a collection nor a number.",
                "Write the input collection or the number of instances.",
            )
        completion = marker.find(bpmn("completionCondition"))
        if completion is not None and (completion.text or "").strip():
            findings.condition(activity, completion.text, "The completion condition")
    for marker in process.iter(bpmn("standardLoopCharacteristics")):
        condition = marker.find(bpmn("loopCondition"))
        text = (condition.text or "").strip() if condition is not None else ""
        if text:
            findings.condition(marker.getparent(), text, "The loop's condition")
        elif marker.get("loopMaximum") is None:
            findings.report(
                marker.getparent(),
                "loop.endless",
                "The loop has neither a condition nor a maximum.",
                "Write the condition to go on, or a maximum.",
            )


def hang_up_handler(scope: Any, message: str) -> bool:
    """Tell whether a subprocess has an event subprocess that the message interrupts it with."""
    root = scope.getroottree().getroot()
    names = {item.get("id"): item.get("name") for item in root.iterchildren(bpmn("message"))}
    for child in scope:
        if local(child) not in SUBPROCESSES or not is_event_subprocess(child):
            continue
        for start in child.iterchildren(bpmn("startEvent")):
            if start.get("isInterrupting") == "false":
                continue
            for definition in start.iterchildren(bpmn("messageEventDefinition")):
                if names.get(definition.get("messageRef")) == message:
                    return True
    return False
