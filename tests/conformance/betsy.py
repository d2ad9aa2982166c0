"""The betsy conformance processes (University of Bamberg), made runnable: their log scripts become operations."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from engine.kernel.errors import BusinessError
from engine.operations import operation, operation_context
from tests import support

#: where the data set lies, if it does
DATA = support.conformance_data("betsy")

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"

#: what operations have logged: (instance, text)
LOG: list[tuple[str, str]] = []

_INPUTS = re.compile(r"input([ABC]+)")
_EXPECTED = {"assertIncrement": "INCREMENT", "assertMarkerExists": "MARKER", "assertDataCorrect": "DATA"}
_SCRIPTS = {
    "INCREMENT_INTEGER_VARIABLE_AND_LOG": "INCREMENT",
    "CREATE_MARKER_FILE": "MARKER",
    "LOG_DATA": "DATA",
}


@operation("betsy.log")
def log(*, text: str) -> None:
    """Log, or fail when told so."""
    if text == "THROW_ERROR":
        raise BusinessError("thrown by the process", code="ERR_CODE")
    LOG.append((operation_context().instance_id, text))


@operation("betsy.wait", kind="external")
def wait() -> None:
    """Take longer than the test."""


@dataclass(frozen=True)
class Case:
    """One run of a process."""

    file: str
    number: int
    data: dict[str, Any]
    #: log entries, as often as they are expected
    log: Counter[str]
    #: an incident, or an uncaught error, is expected
    fails: bool
    #: a second instance is started first
    parallel: bool

    def __str__(self) -> str:
        return f"{self.file.removesuffix('.bpmn')}#{self.number}"


def cases() -> list[Case]:
    """Return all cases; none when the data set is not there."""
    if not DATA.exists():
        return []
    return [
        _case(entry["file"], number, steps)
        for entry in json.loads((DATA / "cases.json").read_text())
        for number, steps in enumerate(entry["cases"], 1)
    ]


def _case(file: str, number: int, steps: list[list[str]]) -> Case:
    data: dict[str, Any] = {"test": "", "integerVariable": 0}
    expected: Counter[str] = Counter()
    fails = parallel = False
    for step, value in steps:
        if match := _INPUTS.fullmatch(step):
            data["test"] = match[1].lower()
        elif step == "setIntegerVariable":
            data["integerVariable"] = int(value)
        elif step.startswith("assertTask"):
            expected[f"SCRIPT_{step.removeprefix('assert').lower()}"] += 1
        elif step in _EXPECTED:
            expected[_EXPECTED[step]] += 1
        fails |= step in {"assertRuntimeException", "assertGenericError", "assertErrorThrownErrorEvent"}
        parallel |= step == "useParallelProcess"
    return Case(file, number, data, expected, fails, parallel)


def runnable(file: str) -> tuple[bytes, str]:
    """Return the diagram with operations in the place of its scripts, and the id of its main process."""
    root = etree.parse(str(DATA / file)).getroot()
    for task in root.iter(BPMN + "scriptTask"):
        _replace_script(task)
    for name in ("conditionExpression", "loopCondition", "completionCondition", "condition", "loopCardinality"):
        for item in root.iter(BPMN + name):
            item.text = _translate(item.text or "")
    processes = list(root.iter(BPMN + "process"))
    wanted = Path(file).stem
    main = next((item for item in processes if item.get("id") == wanted), processes[0])
    return etree.tostring(root), main.get("id")


def _replace_script(task: Any) -> None:
    script = task.find(BPMN + "script")
    text = (script.text or "").strip() if script is not None else ""
    if script is not None:
        task.remove(script)
    task.tag = BPMN + "serviceTask"
    for attribute in ("scriptFormat",):
        task.attrib.pop(attribute, None)
    extensions = etree.Element(BPMN + "extensionElements")
    task.insert(0, extensions)
    if text == "WAIT_TEN_SECONDS":
        etree.SubElement(extensions, ZEEBE + "taskDefinition", type="betsy.wait")
        return
    etree.SubElement(extensions, ZEEBE + "taskDefinition", type="betsy.log")
    mapping = etree.SubElement(extensions, ZEEBE + "ioMapping")
    etree.SubElement(mapping, ZEEBE + "input", source=_SCRIPTS.get(text, text or "nothing"), target="text")
    if text == "INCREMENT_INTEGER_VARIABLE_AND_LOG":
        etree.SubElement(mapping, ZEEBE + "output", source="=integerVariable + 1", target="integerVariable")


def _translate(text: str) -> str:
    """Return a condition in the small Python of our diagrams."""
    text = text.strip().removeprefix("${").removesuffix("}").removesuffix(">")
    text = re.sub(r'(!?)test\.contains\("(\w)"\)', lambda m: f'{"not " if m[1] else ""}("{m[2]}" in test)', text)
    text = text.replace("&&", " and ").replace("||", " or ")
    return {"true": "True", "false": "False"}.get(text, text)
