"""Lint: what tasks do. Operations and their parameters, forms, screens, decisions, scripts and calls."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from engine import schemas
from engine.definitions.documents import CMS, bpmn, extension, extension_list, local, zeebe
from engine.definitions.elements import ACTIVITIES, EVENTS, SUBPROCESSES
from engine.definitions.findings import Findings
from engine.definitions.rules_events import check_reference, hang_up_handler
from engine.expressions import Expression, ExpressionError, compile_script
from engine.kernel.errors import InvalidInput, NotFound
from engine.operations import Operation, find_operation
from engine.screens import find_screen

#: the message that ends a call; the verb that may come before anybody is on the line
HANG_UP = "call.ended"
_OFF_THE_LINE = frozenset(("call.reject",))


def check_tasks(findings: Findings, process: Any) -> None:
    """Check every task by its kind, and the mappings of every element that has them."""
    for element in process.iter():
        kind = local(element)
        if element.tag != bpmn(kind):
            continue
        inputs = _check_mappings(findings, element) if kind in ACTIVITIES | EVENTS else {}
        match kind:
            case "serviceTask" | "sendTask":
                _check_operation(findings, element, inputs)
            case "userTask":
                _check_user_task(findings, element)
            case "businessRuleTask":
                _check_decision(findings, element, inputs)
            case "scriptTask":
                _check_script(findings, element)
            case "callActivity":
                _check_call(findings, element)
            case "receiveTask":
                if element.get("messageRef"):
                    check_reference(findings, element, element.get("messageRef"), "message")
                else:
                    findings.report(
                        element, "event.reference", "The task names no message.", "Choose or create the message."
                    )


def _check_mappings(findings: Findings, element: Any) -> dict[str, Expression | None]:
    inputs: dict[str, Expression | None] = {}
    for tag in ("input", "output"):
        for item in extension_list(element, zeebe("ioMapping"), zeebe(tag)):
            target = item.get("target") or ""
            if not target:
                findings.report(item, "mapping.target", f"An {tag} has no name.", "Write the variable's name.")
                continue
            compiled = findings.value(item, item.get("source") or "", f"The {tag} {target!r}")
            if tag == "input":
                inputs[target] = compiled
    return inputs


# --- operations -----------------------------------------------------------------------------------------------


def _check_operation(findings: Findings, task: Any, inputs: dict[str, Expression | None]) -> None:
    definition = extension(task, zeebe("taskDefinition"))
    name = (definition.get("type") or "").strip() if definition is not None else ""
    throws_message = local(task) == "sendTask" and task.get("messageRef")
    if not name:
        if not throws_message:
            findings.report(
                task,
                "operation.missing",
                "The task does not say which operation it runs.",
                "Write the operation's name as the task definition's type.",
            )
        else:
            check_reference(findings, task, task.get("messageRef"), "message")
        return
    if name.startswith("="):
        findings.report(
            task, "operation.computed", "The operation's name is computed.", "Name it, and choose with a gateway."
        )
        return
    try:
        operation = find_operation(name)
    except NotFound as error:
        findings.report(task, "operation.unknown", error.message, "Choose an operation that exists.")
        return
    _check_parameters(findings, task, operation, inputs)
    if operation.kind == "media" and name not in _OFF_THE_LINE:
        _check_hang_up(findings, task, name)


def _check_parameters(
    findings: Findings, task: Any, operation: Operation, inputs: dict[str, Expression | None]
) -> None:
    fields = operation.parameters.model_fields
    known = ", ".join(fields) or "none"
    for name in inputs:
        if name not in fields:
            findings.report(
                task,
                "operation.parameter_unknown",
                f"{operation.name} has no parameter {name!r}.",
                f"Its parameters are: {known}.",
            )
    for name, field in fields.items():
        if field.is_required() and name not in inputs:
            findings.report(
                task,
                "operation.parameter_missing",
                f"{operation.name} needs the parameter {name!r}.",
                f"Map an input to {name!r}.",
            )
        compiled = inputs.get(name)
        if compiled is not None and not compiled.names and _is_constant(compiled):
            _check_constant(findings, task, operation, name, compiled)


def _is_constant(expression: Expression) -> bool:
    """Tell whether an expression without variables has one value for ever: calls such as ``now()`` have not."""
    return expression.language == "literal" or "(" not in expression.text


def _check_constant(findings: Findings, task: Any, operation: Operation, name: str, constant: Expression) -> None:
    field = operation.parameters.model_fields[name]
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
        adapter.validate_python(constant.evaluate({}))
    except ValidationError as error:
        findings.report(
            task,
            "operation.parameter_wrong",
            f"{operation.name}: {name} = {constant.text}: {error.errors()[0]['msg']}.",
            "Write a value that fits, or an expression with '='.",
        )


def _check_hang_up(findings: Findings, task: Any, name: str) -> None:
    scope = task.getparent()
    while scope is not None and local(scope) in SUBPROCESSES:
        if hang_up_handler(scope, HANG_UP):
            return
        scope = scope.getparent()
    findings.report(
        task,
        "call.hang_up",
        f"{name} is not inside a subprocess that a hang-up ends.",
        "Put the part in which somebody is on the line into a subprocess, with an event subprocess inside it that "
        f"the message {HANG_UP!r} starts, interrupting.",
    )


# --- people, decisions, scripts, calls ------------------------------------------------------------------------


def _check_user_task(findings: Findings, task: Any) -> None:
    form = extension(task, zeebe("formDefinition"))
    screen = extension(task, f"{{{CMS}}}screen")
    if form is not None:
        _check_form(findings, task, form)
    if screen is not None:
        try:
            find_screen(screen.get("name") or "")
        except NotFound as error:
            findings.report(task, "screen.unknown", error.message, "Choose a screen that exists.")
    if form is None and screen is None:
        findings.report(
            task,
            "form.missing",
            "The task has no form; people will see a plain form of all variables.",
            "Make a form and name it here.",
            "warning",
        )
    assignment = extension(task, zeebe("assignmentDefinition"))
    for name in ("assignee", "candidateGroups", "candidateUsers"):
        if assignment is not None and assignment.get(name):
            findings.value(task, assignment.get(name), f"The {name}")
    schedule = extension(task, zeebe("taskSchedule"))
    for name in ("dueDate", "followUpDate"):
        if schedule is not None and schedule.get(name):
            findings.timer(task, schedule.get(name), f"The {name}")


def _check_form(findings: Findings, task: Any, definition: Any) -> None:
    form_id = definition.get("formId") or ""
    form = findings.forms.get(form_id)
    if form is None:
        findings.report(
            task,
            "form.unknown",
            f"There is no form {form_id!r}.",
            "Upload the form's .json file together with the diagram.",
        )
        return
    findings.used.add(f"form:{form_id}")
    check_schema(findings, task, form["schema"], f"The form {form_id!r}")


def check_schema(findings: Findings, element: Any, schema: Any, what: str) -> None:
    """Check that something is a JSON Schema of an object, without references or hostile patterns."""
    try:
        schemas.check_schema(schema)
    except InvalidInput as error:
        findings.report(element, "form.schema", f"{what}: {error.message}", "Correct the JSON Schema.")


def _check_decision(findings: Findings, task: Any, inputs: dict[str, Expression | None]) -> None:
    called = extension(task, zeebe("calledDecision"))
    if called is None:
        definition = extension(task, zeebe("taskDefinition"))
        if definition is not None:
            _check_operation(findings, task, inputs)
            return
        findings.report(
            task, "decision.missing", "The task does not say which decision it makes.", "Name a decision of a DMN file."
        )
        return
    name = called.get("decisionId") or ""
    if name not in findings.decisions:
        known = ", ".join(sorted(findings.decisions)[:8])
        findings.report(
            task,
            "decision.unknown",
            f"There is no decision {name!r}.",
            f"Choose one of: {known}." if known else "Upload the .dmn file together with the diagram.",
        )
        return
    findings.used.add(f"dmn:{name}")


def _check_script(findings: Findings, task: Any) -> None:
    expression = extension(task, zeebe("script"))
    script = task.find(bpmn("script"))
    if expression is not None:
        text = (expression.get("expression") or "").strip()
        if not text:
            findings.report(task, "script.missing", "The script is empty.", "Write it.")
        else:
            findings.condition(task, text, "The script")
        if not expression.get("resultVariable"):
            findings.report(
                task, "script.result", "The script's result goes nowhere.", "Write the result variable.", "warning"
            )
    elif script is None or not (script.text or "").strip():
        findings.report(task, "script.missing", "The task has no script.", "Write it.")
    else:
        try:
            compile_script(script.text)
        except ExpressionError as error:
            findings.report(
                task,
                "script.syntax",
                f"The script cannot be run: {error.message}",
                "Scripts are assignments, if and for over the process's variables.",
            )


def _check_call(findings: Findings, activity: Any) -> None:
    called = extension(activity, zeebe("calledElement"))
    name = (called.get("processId") if called is not None else None) or activity.get("calledElement") or ""
    if not name:
        findings.report(
            activity, "call_activity.missing", "The activity does not say which process it calls.", "Name the process."
        )
    elif name.startswith("="):
        findings.value(activity, name, "The called process")
