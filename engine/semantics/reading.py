"""What an element says beyond its type: mappings, operations, forms, event definitions, loops."""

from __future__ import annotations

from typing import Any

from engine.expressions import compile_expression, compile_script, compile_timer, compile_value
from engine.semantics import events, subprocess, tasks, triggers
from engine.semantics.activity import Activity
from engine.semantics.errors import Unparsable
from engine.semantics.loops import Loop, MultiInstance, StandardLoop
from engine.semantics.mapping import Assignment
from engine.semantics.node import Node
from engine.semantics.xml import (
    BPMN,
    CMS,
    child,
    event_definition,
    extension,
    extension_attribute,
    header,
    mappings,
    text_of,
)


def kind_of(element: Any, usual: type[Node]) -> type[Node]:
    """Return the class for an element, which may depend on more than its tag."""
    if usual is subprocess.Subprocess and element.get("triggeredByEvent") == "true":
        return subprocess.EventSubprocess
    if usual is tasks.SendTask and extension(element, "taskDefinition") is None:
        return tasks.MessageSendTask
    return usual


def read(node: Node, element: Any, parser: Any) -> None:
    """Fill a node from its element. Raises ``Unparsable`` or ``ExpressionError``."""
    node.default_flow_id = element.get("default")
    if isinstance(node, Activity):
        node.inputs_map = _assignments(element, "input")
        node.outputs_map = _assignments(element, "output")
        node.loop = _loop(node, element)
    match node:
        case tasks.ScriptTask():
            _read_script(node, element)
        case tasks.RuleTask():
            node.decision = extension_attribute(element, "calledDecision", "decisionId") or ""
            node.result_variable = extension_attribute(element, "calledDecision", "resultVariable")
            if not node.decision:
                raise Unparsable(node.bpmn_id, "A business rule task names its decision (zeebe:calledDecision).")
        case tasks.OperationTask():
            _read_operation(node, element)
        case tasks.UserTask():
            _read_user_task(node, element)
        case tasks.ReceiveTask() | tasks.MessageSendTask():
            node.trigger = _message(node, element, parser)
        case subprocess.CallActivity():
            _read_call(node, element)
        case events.Event():
            _read_event(node, element, parser)


def _assignments(element: Any, direction: str) -> list[Assignment]:
    return [Assignment(target, compile_value(source)) for source, target in mappings(element, direction)]


def _read_script(node: tasks.ScriptTask, element: Any) -> None:
    expression = extension_attribute(element, "script", "expression")
    if expression is not None:
        node.expression = compile_expression(expression)
        node.result_variable = extension_attribute(element, "script", "resultVariable")
    else:
        text = child(element, "script")
        node.script = compile_script((text.text if text is not None else None) or "")


def _read_operation(node: tasks.OperationTask, element: Any) -> None:
    operation = extension_attribute(element, "taskDefinition", "type")
    if operation is None:
        raise Unparsable(node.bpmn_id, "A service task names its operation (zeebe:taskDefinition).")
    node.operation = compile_value(operation)
    node.result_variable = header(element, "resultVariable")


def _read_user_task(node: tasks.UserTask, element: Any) -> None:
    node.form_id = extension_attribute(element, "formDefinition", "formId")
    node.screen = extension_attribute(element, "screen", "name", CMS)
    for name, tag, attribute in (
        ("assignee", "assignmentDefinition", "assignee"),
        ("candidate_groups", "assignmentDefinition", "candidateGroups"),
        ("candidate_users", "assignmentDefinition", "candidateUsers"),
        ("due", "taskSchedule", "dueDate"),
        ("follow_up", "taskSchedule", "followUpDate"),
        ("priority", "priorityDefinition", "priority"),
    ):
        value = extension_attribute(element, tag, attribute)
        if value is not None:
            setattr(node, name, compile_value(value))


def _read_call(node: subprocess.CallActivity, element: Any) -> None:
    process = extension_attribute(element, "calledElement", "processId") or element.get("calledElement")
    if not process:
        raise Unparsable(node.bpmn_id, "A call activity names the process it calls.")
    node.process = compile_value(process)
    node.propagate_parent = extension_attribute(element, "calledElement", "propagateAllParentVariables") != "false"
    node.propagate_child = extension_attribute(element, "calledElement", "propagateAllChildVariables") != "false"


# -- events -------------------------------------------------------------------------------------------------------


def _read_event(node: events.Event, element: Any, parser: Any) -> None:
    if isinstance(node, events.StartEvent):
        node.interrupting = element.get("isInterrupting") != "false"
    elif isinstance(node, events.BoundaryEvent):
        node.interrupting = element.get("cancelActivity") != "false"
    definition = event_definition(element)
    if definition is None:
        node.trigger = triggers.Trigger()
        return
    match definition.tag.removeprefix(BPMN):
        case "timerEventDefinition":
            node.trigger = _timer(node, definition)
        case "messageEventDefinition":
            node.trigger = _message(node, definition, parser)
        case "signalEventDefinition":
            name = _referred(parser, definition, "signalRef")
            node.trigger = triggers.SignalTrigger(compile_value(_required(node, name, "a signal")))
        case "conditionalEventDefinition":
            condition = _required(node, text_of(definition, "condition"), "a condition")
            node.trigger = triggers.ConditionTrigger(compile_expression(condition))
        case "errorEventDefinition":
            node.trigger = triggers.ErrorTrigger(_code(parser, definition, "errorRef", "errorCode"))
            node.interrupting = True
        case "escalationEventDefinition":
            node.trigger = triggers.EscalationTrigger(_code(parser, definition, "escalationRef", "escalationCode"))
        case "terminateEventDefinition":
            node.trigger = triggers.TerminateTrigger()
        case "linkEventDefinition":
            node.trigger = triggers.Trigger()
        case other:
            raise Unparsable(node.bpmn_id, f"Events with {other} cannot be executed.")


def _required(node: Node, value: str | None, what: str) -> str:
    if not value:
        raise Unparsable(node.bpmn_id, f"The event needs {what}.")
    return value


def _timer(node: Node, definition: Any) -> triggers.TimerTrigger:
    for name in ("timeDate", "timeDuration", "timeCycle"):
        text = text_of(definition, name)
        if text is not None:
            return triggers.TimerTrigger(compile_timer(text))
    raise Unparsable(node.bpmn_id, "The timer has no date, duration or cycle.")


def _message(node: Node, definition: Any, parser: Any) -> triggers.MessageTrigger:
    message = parser.elements.get(definition.get("messageRef"))
    name = message.get("name") if message is not None else None
    key = extension_attribute(message, "subscription", "correlationKey") if message is not None else None
    return triggers.MessageTrigger(
        compile_value(_required(node, name, "a message")), compile_value(key) if key is not None else None
    )


def _referred(parser: Any, definition: Any, attribute: str) -> str | None:
    element = parser.elements.get(definition.get(attribute))
    return element.get("name") if element is not None else None


def _code(parser: Any, definition: Any, reference: str, attribute: str) -> str | None:
    """Return the code that an error or escalation definition refers to; None stands for any."""
    element = parser.elements.get(definition.get(reference))
    return element.get(attribute) or element.get("name") if element is not None else None


# -- loops --------------------------------------------------------------------------------------------------------


def _loop(node: Activity, element: Any) -> Loop | None:
    standard = child(element, "standardLoopCharacteristics")
    if standard is not None:
        condition = text_of(standard, "loopCondition")
        maximum = standard.get("loopMaximum")
        if condition is None and maximum is None:
            raise Unparsable(node.bpmn_id, "A loop has a condition, a maximum, or both.")
        return StandardLoop(
            node,
            condition=compile_expression(condition) if condition is not None else None,
            maximum=int(maximum) if maximum is not None else None,
            test_before=standard.get("testBefore") == "true",
        )
    multi = child(element, "multiInstanceLoopCharacteristics")
    return _multi_instance(node, multi) if multi is not None else None


def _multi_instance(node: Activity, multi: Any) -> MultiInstance:
    def zeebe(attribute: str) -> str | None:
        return extension_attribute(multi, "loopCharacteristics", attribute)

    collection, cardinality = zeebe("inputCollection"), text_of(multi, "loopCardinality")
    completion, output_item = text_of(multi, "completionCondition"), zeebe("outputElement")
    if collection is None and (name := text_of(multi, "loopDataInputRef")) is not None:
        collection = f"={name}"
    if collection is None and cardinality is None:
        raise Unparsable(node.bpmn_id, "A multi-instance activity has a collection or a cardinality.")
    output_name = child(multi, "outputDataItem")
    if output_item is None and output_name is not None:
        output_item = f"={output_name.get('name')}"
    input_name = child(multi, "inputDataItem")
    return MultiInstance(
        node,
        sequential=multi.get("isSequential") == "true",
        collection=compile_expression(collection) if collection is not None else None,
        cardinality=compile_expression(cardinality) if cardinality is not None else None,
        item_name=zeebe("inputElement") or (input_name.get("name") if input_name is not None else None),
        output_collection=zeebe("outputCollection") or text_of(multi, "loopDataOutputRef"),
        output_item=compile_expression(output_item) if output_item is not None else None,
        completion=compile_expression(completion) if completion is not None else None,
    )
