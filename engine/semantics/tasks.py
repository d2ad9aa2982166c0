"""The tasks (BPMN 2.0, 10.3.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.expressions import Expression, Script
from engine.semantics.activity import Activity
from engine.semantics.effects import LATER, TaskOrder
from engine.semantics.token import Token, Work
from engine.semantics.triggers import MessageTrigger, due_at


class PlainTask(Activity):
    """A task without type, or a manual task: nothing the engine could do, so the token leaves at once."""

    type = "task"

    def enter(self, token: Token) -> bool:
        """Apply the output mapping, if any."""
        self.take_result(token, None)
        return True


class ManualTask(PlainTask):
    """Work outside any system; the engine is not told about it (BPMN 2.0, 10.3.3)."""

    type = "manualTask"


class ScriptTask(Activity):
    """A script of the allow-listed language, or an expression whose value goes to ``result_variable``."""

    type = "scriptTask"
    script: Script | None = None
    expression: Expression | None = None
    result_variable: str | None = None

    def enter(self, token: Token) -> bool:
        """Run it."""
        if self.expression is not None:
            value = self.expression.evaluate(token.context)
            self.take_result(token, value, {self.result_variable: value} if self.result_variable else None)
        elif self.script is not None:
            changed = self.script.run(dict(token.context))
            self.take_result(token, None, changed)
        return True


class RuleTask(Activity):
    """A business rule task: a decision of the same deployment."""

    type = "businessRuleTask"
    decision = ""
    result_variable: str | None = None

    def enter(self, token: Token) -> bool:
        """Decide; the fired rules go to the history."""
        context = dict(token.context)
        result, rules = token.machine.effects.decide(self.decision, context)
        token.work = Work(operation=None, input=None, output=result, rules=rules)
        self.take_result(token, result, {self.result_variable: result} if self.result_variable else None)
        return True


class OperationTask(Activity):
    """A service or send task: a registered operation with the input mapping as its parameters."""

    type = "serviceTask"
    operation: Expression
    result_variable: str | None = None

    def enter(self, token: Token) -> bool:
        """Call the operation; what it did is undone when binding its result fails."""
        name = str(self.operation.evaluate(token.data))
        parameters = token.locals or {}
        token.locals = None  # parameters of the operation, no variables
        token.work = Work(operation=name, input=parameters)
        with token.machine.effects.savepoint():
            result = token.machine.effects.operate(token, name, parameters)
            if result is LATER:
                token.holds = True
                return False
            self.answered(token, result)
        return True

    def answered(self, token: Token, answer: Any) -> bool:
        """Bind the operation's result."""
        assert token.work is not None
        token.work.output = answer
        self.take_result(token, answer, {self.result_variable: answer} if self.result_variable else None)
        return True


class SendTask(OperationTask):
    """A send task that names an operation."""

    type = "sendTask"


class MessageSendTask(Activity):
    """A send task, or an end or throw event, that sends a message to other instances."""

    type = "sendTask"
    trigger: MessageTrigger

    def enter(self, token: Token) -> bool:
        """Send the input mapping, or without one all variables."""
        send(token, self.trigger, token.locals)
        return True


def send(token: Token, trigger: MessageTrigger, payload: dict[str, Any] | None) -> None:
    """Send a message with ``payload``, or with all variables."""
    name, correlation = trigger.address(token.context)
    content = dict(token.data) if payload is None else payload
    token.machine.effects.send_message(token, name, correlation, content)


class ReceiveTask(Activity):
    """A receive task waits for a message."""

    type = "receiveTask"
    trigger: MessageTrigger

    def enter(self, token: Token) -> bool:
        """Wait."""
        token.machine.hold(token, self.trigger.wait(token.context, token.machine.effects.now()))
        return False

    def answered(self, token: Token, answer: Any) -> bool:
        """Bind the message's payload."""
        self.take_result(token, answer, {**answer, "message": answer} if self.outputs_map else answer)
        return True


class UserTask(Activity):
    """A task for a person, who finds it in the inbox."""

    type = "userTask"
    form_id: str | None = None
    screen: str | None = None
    assignee: Expression | None = None
    candidate_groups: Expression | None = None
    candidate_users: Expression | None = None
    due: Expression | None = None
    follow_up: Expression | None = None
    priority: Expression | None = None

    def enter(self, token: Token) -> bool:
        """Order the task."""
        context = token.context
        assignee = self._value(self.assignee, context)
        order = TaskOrder(
            name=self.bpmn_name,
            assignee=str(assignee) if assignee else None,
            candidate_groups=_names(self._value(self.candidate_groups, context)),
            candidate_users=_names(self._value(self.candidate_users, context)),
            screen=self.screen,
            form_id=self.form_id,
            variables=dict(context),
            due_at=_instant(self._value(self.due, context), token),
            follow_up_at=_instant(self._value(self.follow_up, context), token),
            priority=int(self._value(self.priority, context) or 50),
        )
        token.machine.effects.order_task(token, order)
        token.holds = True
        return False

    @staticmethod
    def _value(expression: Expression | None, context: Any) -> Any:
        return expression.evaluate(context) if expression is not None else None

    def answered(self, token: Token, answer: Any) -> bool:
        """Bind what the person entered."""
        self.take_result(token, answer, answer)
        return True


def _names(value: Any) -> list[str]:
    """Return names given as a list, or as text with commas between."""
    if value is None:
        return []
    items = value.split(",") if isinstance(value, str) else value
    return [str(item).strip() for item in items if str(item).strip()]


def _instant(value: Any, token: Token) -> datetime | None:
    """Return the instant that a due date means: itself, or a duration from now."""
    if value is None or value == "":
        return None
    return due_at(value, token.machine.effects.now())
