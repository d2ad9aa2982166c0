"""Examining an upload: reading, normalising and checking all its files, without storing anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.definitions import rules_events, rules_extensions, rules_structure, rules_tasks
from engine.definitions.documents import CMS, Document, Unreadable, bpmn, check_upload, extension, read_document
from engine.definitions.elements import nodes
from engine.definitions.findings import Findings
from engine.definitions.normalise import Edit, normalise
from engine.definitions.problems import Problem
from engine.dmn import Decision, DmnError, parse_decisions
from engine.semantics import Unparsable, parse


@dataclass(slots=True)
class Diagram:
    """One readable diagram of an upload, normalised."""

    document: Document
    edits: list[Edit]
    #: its executable processes
    processes: list[Any]
    #: ``form:<id>`` and ``dmn:<decision>`` that its processes use
    used: set[str]


@dataclass(slots=True)
class Examination:
    """All that is known about an upload."""

    problems: list[Problem] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    diagrams: list[Diagram] = field(default_factory=list)
    forms: dict[str, dict[str, Any]] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    #: which file a ``form:<id>`` or ``dmn:<decision>`` comes from
    origins: dict[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> list[Problem]:
        """The findings that forbid deployment."""
        return [problem for problem in self.problems if problem.severity == "error"]


#: looks up the content of a file that holds ``form:<id>`` or ``dmn:<decision>`` and was deployed before
Lookup = Callable[[str], tuple[str, bytes] | None]


def examine(files: Mapping[str, bytes], lookup: Lookup | None = None) -> Examination:
    """Read and check an upload. Never raises for bad content."""
    result = Examination()
    try:
        check_upload(dict(files))
    except Unreadable as refusal:
        result.problems.append(refusal.problem(next(iter(files), "upload")))
        return result
    for file, content in files.items():
        try:
            result.documents.append(read_document(file, content))
        except Unreadable as refusal:
            result.problems.append(refusal.problem(file))
    for document in list(result.documents):
        _collect(result, document)
    diagrams = [item for item in result.documents if item.kind == "bpmn"]
    _check_duplicates(result, diagrams)
    for document in diagrams:
        edits = normalise(document.root)
        if lookup is not None:
            _complete(result, document.root, lookup)
        result.diagrams.append(_check_diagram(result, document, edits))
    return result


def _check_duplicates(result: Examination, diagrams: list[Document]) -> None:
    """A process is drawn once in an upload."""
    seen: dict[str, str] = {}
    for document in diagrams:
        for process in document.root.iterchildren(bpmn("process")):
            name = process.get("id") or ""
            if name in seen:
                _report_twice(result, document.file, process.sourceline, f"process {name!r}", seen[name])
            seen[name] = document.file


def _report_twice(result: Examination, file: str, line: int | None, what: str, other: str) -> None:
    where = "twice in this file" if other == file else f"in {other} too"
    message, remedy = f"The {what} is {where}.", "Rename or leave out one of them."
    result.problems.append(Problem(file, None, None, line, "upload.twice", "error", message, remedy))


def _collect(result: Examination, document: Document) -> None:
    """Add a file's forms and decisions."""
    if document.form is not None:
        key = f"form:{document.form['id']}"
        if key in result.origins:
            _report_twice(result, document.file, None, f"form {document.form['id']!r}", result.origins[key])
        result.forms[document.form["id"]] = document.form
        result.origins[key] = document.file
    if document.kind == "dmn":
        try:
            decisions = parse_decisions(document.root)
        except DmnError as error:
            result.problems.append(
                Problem(
                    document.file,
                    error.details.get("element"),
                    error.details.get("name"),
                    error.details.get("line"),
                    error.code,
                    "error",
                    error.message,
                    error.details.get("remedy", "Correct the decision."),
                )
            )
            return
        for name, decision in decisions.items():
            if f"dmn:{name}" in result.origins:
                _report_twice(result, document.file, None, f"decision {name!r}", result.origins[f"dmn:{name}"])
            result.decisions[name] = decision
            result.origins[f"dmn:{name}"] = document.file


def _complete(result: Examination, root: Any, lookup: Lookup) -> None:
    """Add forms and decisions that a diagram names and the upload lacks from earlier deployments."""
    wanted = [f"form:{item.get('formId')}" for item in root.iter(f"{{{_ZEEBE}}}formDefinition")]
    wanted += [f"dmn:{item.get('decisionId')}" for item in root.iter(f"{{{_ZEEBE}}}calledDecision")]
    for name in wanted:
        if name in result.origins:
            continue
        found = lookup(name)
        if found is None or any(document.file == found[0] for document in result.documents):
            continue
        document = read_document(*found)
        result.documents.append(document)
        _collect(result, document)


_ZEEBE = "http://camunda.org/schema/zeebe/1.0"


def _check_diagram(result: Examination, document: Document, edits: list[Edit]) -> Diagram:
    findings = Findings(document.file, document.root, result.forms, result.decisions)
    executable = [item for item in document.root.iterchildren(bpmn("process")) if item.get("isExecutable") == "true"]
    if not executable:
        findings.report(
            document.root,
            "process.none",
            "The file has no executable process.",
            "Draw a process and mark it as executable.",
        )
    rules_structure.check_ids(findings, document.root)
    for process in executable:
        rules_structure.check_elements(findings, process)
        rules_structure.check_flows(findings, process)
        rules_structure.check_joins(findings, process)
        rules_events.check_events(findings, process)
        rules_events.check_loops(findings, process)
        rules_tasks.check_tasks(findings, process)
        rules_extensions.check_extensions(findings, process)
        rules_extensions.check_languages(findings, process)
        template_parameters(findings, process)
    for process in document.root.iterchildren(bpmn("process")):
        if process not in executable and nodes(process) and executable:
            findings.report(
                process,
                "process.not_executable",
                "The process is not marked as executable and is not deployed.",
                "Mark it as executable if it is meant to run.",
                "warning",
            )
    if not any(problem.severity == "error" for problem in findings.problems):
        for process in executable:
            _check_semantics(findings, process)
    result.problems += findings.problems
    result.problems += [
        Problem(
            document.file,
            edit.element,
            edit.name,
            edit.line,
            "import.changed",
            "info",
            f"Read with a change: {edit.text}.",
            "Nothing to do.",
        )
        for edit in edits
    ]
    return Diagram(document, edits, executable, findings.used)


def _check_semantics(findings: Findings, process: Any) -> None:
    """Build the executable form, which has the last word on what can be executed."""
    try:
        parse(findings.root, process.get("id"))
    except Unparsable as error:
        element = next((item for item in process.iter() if item.get("id") == error.element_id), process)
        findings.report(element, "element.unsupported", error.message, "Draw it with elements the engine executes.")


def template_parameters(findings: Findings, process: Any) -> dict[str, Any]:
    """Return the JSON schema of an application template's parameters; empty when it has none."""
    element = extension(process, f"{{{CMS}}}parameters")
    if element is None:
        return {}
    try:
        schema = json.loads(element.text or "")
    except (ValueError, RecursionError) as error:
        findings.report(
            process, "parameters.malformed", f"The parameters are not JSON: {error}.", "Write a JSON Schema."
        )
        return {}
    if not isinstance(schema, dict):
        findings.report(process, "parameters.malformed", "The parameters are no schema.", "Write a JSON Schema.")
        return {}
    rules_tasks.check_schema(findings, process, schema, "The parameters")
    return schema


def lint_files(files: Mapping[str, bytes], lookup: Lookup | None = None) -> list[Problem]:
    """Return everything that is wrong or noteworthy, in the order of files and lines."""
    return examine(files, lookup).problems
