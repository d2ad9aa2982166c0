"""Other vendors' extensions, carried over to the one dialect that the engine reads (Zeebe's).

Camunda 7 and SpiffWorkflow name operations, parameters, decisions and assignments in their own elements and
attributes; what has a plain equivalent is rewritten, and what has none stays for lint to name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

from engine.definitions.documents import bpmn, extension, local, zeebe

CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"

Note = Callable[[Any, str], None]

_PLAIN_JUEL = re.compile(r"[$#]\{([^{}]*)\}")


def _camunda(name: str) -> str:
    return f"{{{CAMUNDA}}}{name}"


def _spiff(name: str) -> str:
    return f"{{{SPIFF}}}{name}"


def feel_of(text: str) -> str:
    """Return a text with a simple ``${…}`` expression as FEEL; any other text as it is."""
    match = _PLAIN_JUEL.fullmatch(text.strip())
    if not match:
        return text
    inner = match[1].strip()
    pieces = re.split(r"(\"[^\"]*\"|'[^']*')", inner)
    for place, piece in enumerate(pieces):
        if place % 2:
            pieces[place] = '"' + piece[1:-1].replace('"', '\\"') + '"'
            continue
        piece = piece.replace("==", "=").replace("&&", " and ").replace("||", " or ")
        piece = re.sub(r"\b(eq|ne|lt|le|gt|ge)\b", lambda found: _WORDS[found[1]], piece)
        pieces[place] = re.sub(r"!\s*([A-Za-z_][\w.]*)", r"not(\1)", piece)
    return "=" + "".join(pieces).strip()


_WORDS = {"eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def _extensions(element: Any) -> Any:
    holder = element.find(bpmn("extensionElements"))
    if holder is None:
        holder = etree.Element(bpmn("extensionElements"))
        element.insert(1 if element.find(bpmn("documentation")) is not None else 0, holder)
    return holder


def _add(element: Any, tag: str, **attributes: str) -> Any:
    child = etree.SubElement(_extensions(element), zeebe(tag))
    for name, value in attributes.items():
        child.set(name, value)
    return child


def translate(root: Any, note: Note) -> None:
    """Rewrite the known extensions of every element in place."""
    for element in list(root.iter()):
        if element.nsmap and (CAMUNDA in element.nsmap.values() or SPIFF in element.nsmap.values()):
            _camunda_task(element, note)
            _camunda_mapping(element, note)
            _spiff_task(element, note)
        if local(element) in ("conditionExpression", "timeDate", "timeDuration", "timeCycle", "completionCondition"):
            text = element.text or ""
            changed = feel_of(text)
            if changed != text:
                element.text = changed
                note(element.getparent(), f"the expression {text.strip()} was read as FEEL: {changed}")


def _take(element: Any, name: str) -> str | None:
    value = element.attrib.pop(_camunda(name), None)
    return None if value is None else str(value)


def _camunda_task(element: Any, note: Note) -> None:
    topic = _take(element, "topic")
    if topic is not None:
        element.attrib.pop(_camunda("type"), None)
        _add(element, "taskDefinition", type=topic)
        note(element, f"the Camunda topic {topic} was taken as the operation's name")
    decision = _take(element, "decisionRef")
    if decision is not None:
        variable = _take(element, "resultVariable") or "result"
        _add(element, "calledDecision", decisionId=decision, resultVariable=variable)
        note(element, f"the Camunda decision {decision} is called")
    assignment = {
        name: feel_of(value)
        for name in ("assignee", "candidateGroups", "candidateUsers")
        if (value := _take(element, name)) is not None
    }
    if assignment:
        _add(element, "assignmentDefinition", **assignment)
        note(element, "the Camunda assignment was carried over")
    due = _take(element, "dueDate")
    if due is not None:
        _add(element, "taskSchedule", dueDate=feel_of(due))
    form = _take(element, "formRef")
    if form is not None:
        _add(element, "formDefinition", formId=form)


def _camunda_mapping(element: Any, note: Note) -> None:
    mapping = extension(element, _camunda("inputOutput"))
    if mapping is None:
        return
    made = extension(element, zeebe("ioMapping"))
    if made is None:
        made = _add(element, "ioMapping")
    for parameter in list(mapping):
        if len(parameter):  # lists, maps and scripts stay for lint to name
            continue
        tag = "input" if local(parameter) == "inputParameter" else "output"
        item = etree.SubElement(made, zeebe(tag))
        item.set("source", feel_of(parameter.text or ""))
        item.set("target", parameter.get("name") or "")
        mapping.remove(parameter)
    if not len(mapping):
        mapping.getparent().remove(mapping)
    note(element, "the Camunda input and output parameters were carried over")


def _spiff_task(element: Any, note: Note) -> None:
    called = extension(element, _spiff("calledDecisionId"))
    if called is not None:
        decision = (called.text or "").strip()
        called.getparent().remove(called)
        _add(element, "calledDecision", decisionId=decision, resultVariable=decision)
        note(element, f"the decision {decision} is called, its result goes to the variable of that name")
    operator = extension(element, _spiff("serviceTaskOperator"))
    if operator is None:
        return
    operator.getparent().remove(operator)
    _add(element, "taskDefinition", type=operator.get("id") or "")
    mapping = _add(element, "ioMapping")
    for parameter in operator.iter(_spiff("parameter")):
        value = parameter.get("value") or ""
        item = etree.SubElement(mapping, zeebe("input"))
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        item.set("source", value[1:-1] if quoted else f"={value}")
        item.set("target", parameter.get("id") or "")
    if operator.get("resultVariable"):
        item = etree.SubElement(mapping, zeebe("output"))
        item.set("source", "=result")
        item.set("target", operator.get("resultVariable"))
    note(element, f"the Spiff service operator {operator.get('id')} was taken as the operation's name")
