"""Lint over two corpora: diagrams that are in order, and diagrams with one fault each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.definitions.lint import examine, lint_files
from engine.definitions.problems import Problem

DATA = Path(__file__).parent / "data"
GOOD = sorted(path.name for path in (DATA / "good").glob("*.bpmn"))
EXPECTED = json.loads((DATA / "refused" / "expected.json").read_text())


def errors(file: str, content: bytes) -> list[Problem]:
    return [problem for problem in lint_files({file: content}) if problem.severity == "error"]


@pytest.mark.parametrize("name", GOOD)
def test_a_diagram_in_order_has_no_errors(name: str) -> None:
    assert errors(name, (DATA / "good" / name).read_bytes()) == []


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_fault_is_named_with_its_element_and_a_remedy(name: str) -> None:
    expected = EXPECTED[name]
    found = errors(f"{name}.bpmn", (DATA / "refused" / f"{name}.bpmn").read_bytes())
    matching = [problem for problem in found if problem.rule == expected["rule"]]
    assert matching, found
    if expected["element"] is not None:
        assert expected["element"] in [problem.element for problem in matching]
    assert all(problem.message and problem.remedy for problem in found)
    assert all(problem.line for problem in matching)


def test_every_shipped_diagram_is_in_order_but_for_what_other_rooms_register() -> None:
    portals = Path(__file__).parents[2] / "bpmn" / "portals"
    files = {path.name: path.read_bytes() for path in portals.iterdir() if path.suffix in (".bpmn", ".dmn")}
    files |= {path.name: path.read_bytes() for path in (portals / "forms").iterdir()}
    outside = ("operation.unknown", "screen.unknown")
    assert [problem for problem in lint_files(files) if problem.rule not in outside] == []


def test_a_camunda_diagram_is_carried_over_and_each_change_is_told() -> None:
    examination = examine({"c.bpmn": (DATA / "good" / "camunda_style.bpmn").read_bytes()})
    assert examination.errors == []
    told = " ".join(problem.message for problem in examination.problems if problem.rule == "import.changed")
    assert "topic test.add" in told
    assert "input and output parameters" in told
    assert "assignment" in told


def test_the_same_process_form_or_decision_twice_is_refused() -> None:
    content = (DATA / "good" / "task.bpmn").read_bytes()
    (problem,) = lint_files({"a.bpmn": content, "b.bpmn": content.replace(b"Do it", b"Do that")})
    assert (problem.file, problem.rule) == ("b.bpmn", "upload.twice")
    form = b'{"id": "look", "schema": {"type": "object"}}'
    assert "upload.twice" in [item.rule for item in lint_files({"a.json": form, "b.json": form})]


def test_an_extension_that_is_not_read_is_named() -> None:
    content = (
        (DATA / "good" / "task.bpmn")
        .read_bytes()
        .replace(
            b'<bpmn:task id="n1" name="Do it"/>',
            b'<bpmn:task id="n1"><bpmn:extensionElements><zeebe:novelty/></bpmn:extensionElements></bpmn:task>',
        )
    )
    (problem,) = lint_files({"a.bpmn": content})
    assert (problem.rule, problem.severity, problem.element) == ("extension.ignored", "warning", "n1")


def test_a_trigger_shared_by_reference_is_read() -> None:
    content = (DATA / "good" / "message_start.bpmn").read_bytes()
    trigger = b'<bpmn:messageEventDefinition messageRef="tns:m"/>'
    shared = content.replace(trigger, b"<bpmn:eventDefinitionRef>tns:t</bpmn:eventDefinitionRef>").replace(
        b"</bpmn:process>", b'</bpmn:process><bpmn:messageEventDefinition id="t" messageRef="m"/>'
    )
    assert errors("a.bpmn", shared) == []


def test_a_warning_does_not_forbid() -> None:
    problems = lint_files({"u.bpmn": (DATA / "good" / "user_task.bpmn").read_bytes()})
    assert [(problem.rule, problem.severity, problem.element) for problem in problems] == [
        ("form.missing", "warning", "n1")
    ]


def test_a_message_names_unknown_operations_and_their_neighbours() -> None:
    (problem,) = errors("x.bpmn", (DATA / "refused" / "unknown_operation.bpmn").read_bytes())
    assert problem.message == "There is no operation 'test.nonsense'. test has: test.add, test.speak."
    assert problem.name == "Work"
    assert problem.file == "x.bpmn"
