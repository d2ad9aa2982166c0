"""Rewriting what tools leave out or write differently into the one form that lint and semantics read.

Works on the tree in place; the uploaded text stays as it was. Every change is recorded, element by element.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from lxml import etree

from engine.definitions.dialects import translate
from engine.definitions.documents import bpmn, local
from engine.definitions.elements import CONTAINERS, NODES, event_definitions, flows, nodes


@dataclass(frozen=True, slots=True)
class Edit:
    """One change: which element, and what was done to it."""

    element: str | None
    name: str | None
    line: int | None
    text: str


_REFERENCES = (
    *("messageRef", "errorRef", "signalRef", "escalationRef", "attachedToRef", "sourceRef", "targetRef"),
    *("default", "processRef", "operationRef"),
)
_NAMED = ("message", "error", "signal", "escalation")


class Normaliser:
    """Rewrites one diagram. ``edits`` tells what it did."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.edits: list[Edit] = []
        self.count = 0
        self.taken = {element.get("id") for element in root.iter()}

    def note(self, element: Any, text: str) -> None:
        """Record a change."""
        self.edits.append(Edit(element.get("id"), element.get("name"), element.sourceline, text))

    def fresh(self, prefix: str) -> str:
        """Return an unused id."""
        while True:
            self.count += 1
            name = f"cms_{prefix}_{self.count}"
            if name not in self.taken:
                return name

    def run(self) -> list[Edit]:
        """Rewrite everything."""
        translate(self.root, self.note)
        self.give_ids()
        self.strip_prefixes()
        self.inline_triggers()
        self.name_definitions()
        self.mark_executable()
        self.tidy_timers()
        for scope in [element for element in self.root.iter() if local(element) in CONTAINERS]:
            self.join_links(scope)
            self.list_flows(scope)
        return self.edits

    def give_ids(self) -> None:
        nameless = 0
        for element in self.root.iter():
            if element.get("id"):
                continue
            if local(element) == "sequenceFlow":
                element.set("id", self.fresh("flow"))
                nameless += 1
            elif local(element) in NODES | {"process"}:
                element.set("id", self.fresh("element"))
                self.note(element, f"a {local(element)} without id got one")
        if nameless:  # often all of them: one note is enough
            self.note(self.root, f"{nameless} flows without id got one")

    def strip_prefixes(self) -> None:
        """References are QNames: ``tns:msg`` means the element ``msg`` of this file."""
        ids = {element.get("id") for element in self.root.iter()}
        for element in self.root.iter():
            for attribute in _REFERENCES:
                value = element.get(attribute)
                if value and ":" in value and value not in ids and value.split(":", 1)[1] in ids:
                    element.set(attribute, value.split(":", 1)[1])

    def inline_triggers(self) -> None:
        """An event may refer to a trigger that stands beside the processes: it gets a copy of its own."""
        shared = {item.get("id"): item for item in self.root if local(item).endswith("EventDefinition")}
        for reference in list(self.root.iter(bpmn("eventDefinitionRef"))):
            name = (reference.text or "").strip()
            trigger = shared.get(name, shared.get(name.rpartition(":")[2]))
            if trigger is not None:
                event = reference.getparent()
                own = copy.deepcopy(trigger)
                own.attrib.pop("id", None)
                event.replace(reference, own)
                self.note(event, f"the shared trigger {name} was copied into the event")

    def name_definitions(self) -> None:
        for element in self.root.iterchildren(*(bpmn(tag) for tag in _NAMED)):
            if not element.get("name") and element.get("id"):
                element.set("name", element.get("id"))
            if local(element) == "error" and not element.get("errorCode"):
                element.set("errorCode", element.get("name") or element.get("id") or "")
            if local(element) == "escalation" and not element.get("escalationCode"):
                element.set("escalationCode", element.get("name") or element.get("id") or "")

    def mark_executable(self) -> None:
        for process in self.root.iterchildren(bpmn("process")):
            if process.get("isExecutable") is None and nodes(process):
                process.set("isExecutable", "true")
                self.note(process, "the process did not say whether it is executable; taken as executable")

    def tidy_timers(self) -> None:
        for timer in self.root.iter(bpmn("timeDate"), bpmn("timeDuration"), bpmn("timeCycle")):
            text = (timer.text or "").strip()
            if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
                timer.text = text[1:-1]
                self.note(timer.getparent().getparent(), f"the quotes around the time {text} were removed")
        for condition in list(self.root.iter(bpmn("conditionExpression"))):
            if not (condition.text or "").strip():
                condition.getparent().remove(condition)

    def join_links(self, scope: Any) -> None:
        """A link throw and its catch are one flow drawn in two pieces."""
        catches = {
            link.get("name") or event.get("name"): event
            for event in scope.iterchildren(bpmn("intermediateCatchEvent"))
            for link in event.iterchildren(bpmn("linkEventDefinition"))
        }
        for event in list(scope.iterchildren(bpmn("intermediateThrowEvent"))):
            for link in event.iterchildren(bpmn("linkEventDefinition")):
                target = catches.get(link.get("name") or event.get("name"))
                if target is None:
                    continue  # lint refuses a link that leads nowhere
                event.remove(link)
                flow = etree.SubElement(scope, bpmn("sequenceFlow"))
                flow.set("id", self.fresh("link"))
                flow.set("sourceRef", event.get("id"))
                flow.set("targetRef", target.get("id"))
                self.note(event, f"the link leads to {target.get('name') or target.get('id')}")
        entered = {flow.get("targetRef") for flow in flows(scope)} if catches else set()
        for event in catches.values():
            if event.get("id") in entered:
                for link in event_definitions(event):
                    event.remove(link)
                event.tag = bpmn("intermediateThrowEvent")  # passes the token on without waiting

    def list_flows(self, scope: Any) -> None:
        """Write the incoming and outgoing lists of each node from the flows, which some tools leave out."""
        ends: dict[tuple[str, str], list[str]] = {}
        for flow in flows(scope):
            for tag, end in (("incoming", "targetRef"), ("outgoing", "sourceRef")):
                ends.setdefault((tag, flow.get(end)), []).append(flow.get("id"))
        for node in nodes(scope):
            for child in list(node.iterchildren(bpmn("incoming"), bpmn("outgoing"))):
                node.remove(child)
            place = len(list(node.iterchildren(bpmn("documentation"), bpmn("extensionElements"))))
            for tag in ("incoming", "outgoing"):
                for name in ends.get((tag, node.get("id")), ()):
                    child = etree.Element(bpmn(tag))
                    child.text = name
                    node.insert(place, child)
                    place += 1


def normalise(root: Any) -> list[Edit]:
    """Rewrite a diagram in place and return what was changed."""
    return Normaliser(root).run()
