"""Lint: what other tools write into diagrams. Nothing that changes behaviour is passed over in silence."""

from __future__ import annotations

from typing import Any

from lxml import etree

from engine.definitions.dialects import CAMUNDA, SPIFF
from engine.definitions.documents import BPMN, CMS, ZEEBE, bpmn, local
from engine.definitions.findings import Findings

VENDORS = {
    CAMUNDA: "Camunda 7",
    SPIFF: "SpiffWorkflow",
    ZEEBE: "Camunda 8",
    "http://flowable.org/bpmn": "Flowable",
    "http://activiti.org/bpmn": "Activiti",
    CMS: "CMS",
}

#: extension elements that the engine reads
_READ = {
    ZEEBE: frozenset(
        (
            *("taskDefinition", "ioMapping", "input", "output", "taskHeaders", "header", "script", "calledDecision"),
            *("formDefinition", "assignmentDefinition", "taskSchedule", "loopCharacteristics", "calledElement"),
            "subscription",
        )
    ),
    CMS: frozenset(("parameters", "screen")),
}

#: extensions that say nothing about what is executed
_HARMLESS = frozenset(
    (
        *("userTask", "properties", "property", "versionTag", "historyTimeToLive", "asyncBefore", "asyncAfter"),
        *("exclusive", "jobPriority", "taskPriority", "isStartableInTasklist", "candidateStarterGroups", "async"),
        *("candidateStarterUsers", "diagramRelationId", "modelerTemplate", "modelerTemplateVersion", "generated"),
        *(
            "modelerTemplateIcon",
            "instructionsForEndUser",
            "unitTests",
            "documentation",
            "initiator",
            "executionPlatform",
        ),
    )
)

#: extensions without which the diagram does something else
_CHANGING = frozenset(
    (
        *("executionListener", "executionListeners", "taskListener", "taskListeners", "preScript", "postScript"),
        *("formData", "connector", "class", "delegateExpression", "expression", "inputOutput", "field", "in", "out"),
        *("errorEventDefinition", "variableName", "formProperty", "eventListener", "failedJobRetryTimeCycle"),
    )
)

_SCRIPTS = frozenset(("", "python", "feel", "text/x-python", "application/x-python"))


def check_extensions(findings: Findings, process: Any) -> None:
    """Name each extension that the engine does not read."""
    for element in process.iter():
        for name in element.attrib:
            qualified = etree.QName(name)
            if qualified.namespace in VENDORS and element.tag.startswith(f"{{{BPMN}}}"):
                _judge(findings, element, qualified.namespace, qualified.localname)
        if element.tag == bpmn("extensionElements"):
            for child in element:
                _check_child(findings, child)


def _check_child(findings: Findings, child: Any) -> None:
    namespace, name = etree.QName(child).namespace, local(child)
    if namespace in VENDORS and name not in _READ.get(namespace, frozenset()):
        _judge(findings, child, namespace, name)


def _judge(findings: Findings, element: Any, namespace: str, name: str) -> None:
    if name in _HARMLESS:
        return
    changing = name in _CHANGING
    findings.report(
        element,
        "extension.unsupported" if changing else "extension.ignored",
        f"The {VENDORS[namespace]} extension {name!r} is not carried over.",
        "Draw what it does with tasks and events, or write it in the Camunda 8 (Zeebe) way."
        if changing
        else "Remove it if nothing depends on it.",
        "error" if changing else "warning",
    )


def check_languages(findings: Findings, process: Any) -> None:
    """Refuse scripts and conditions in languages that would be read as another one."""
    for task in process.iter(bpmn("scriptTask")):
        language = (task.get("scriptFormat") or "").strip().lower()
        if language not in _SCRIPTS and task.find(bpmn("script")) is not None:
            findings.report(
                task,
                "script.language",
                f"The script is written in {language!r}.",
                "Write it as assignments, if and for of Python, or as a FEEL expression.",
            )
    for condition in process.iter(bpmn("conditionExpression")):
        language = (condition.get("language") or "").strip().lower()
        if language and "feel" not in language and language not in _SCRIPTS:
            findings.report(
                condition.getparent(),
                "expression.language",
                f"The condition is written in {language!r}.",
                "Write it in FEEL: begin it with '='.",
            )
