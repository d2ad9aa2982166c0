"""Event definitions (BPMN 2.0, 10.5.5): what an event waits for, or throws."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition

from engine.expressions import Cycle, Expression, as_timer
from engine.feel.temporal import shift
from engine.semantics.wait import Wait


class Trigger(EventDefinition):
    """What an event waits for, or throws. The base is the event without definition."""

    kind = "none"
    #: a token or listener has to wait for it; errors and escalations find their catcher by themselves
    waits = False
    #: code of an error or escalation; None catches every code
    code: str | None = None

    def wait(self, context: Mapping[str, Any], now: datetime) -> Wait:
        """Evaluate the expressions of a trigger that waits."""
        raise NotImplementedError(self.kind)

    def holds(self, context: Mapping[str, Any]) -> bool:
        """Say whether the condition of a conditional event is true."""
        raise NotImplementedError(self.kind)


def due_at(value: Any, now: datetime) -> datetime:
    """Return when a timer's value is first due."""
    timer = as_timer(value)
    if isinstance(timer, Cycle):
        return timer.start or shift(now, timer.interval)
    return timer if isinstance(timer, datetime) else shift(now, timer)


def next_time(wait: Wait) -> Wait | None:
    """Return the wait for the next time of a repeating timer."""
    if wait.interval is None or wait.due_at is None or wait.repeats == 0:
        return None
    left = None if wait.repeats is None else wait.repeats - 1
    return Wait("timer", due_at=shift(wait.due_at, wait.interval), interval=wait.interval, repeats=left)


class TimerTrigger(Trigger):
    """A date, a duration, or a cycle."""

    kind = "timer"
    waits = True

    def __init__(self, expression: Expression) -> None:
        super().__init__()
        self.expression = expression

    def wait(self, context: Mapping[str, Any], now: datetime) -> Wait:
        timer = as_timer(self.expression.evaluate(context))
        if isinstance(timer, Cycle):
            repeats = None if timer.repetitions is None else timer.repetitions - 1
            return Wait("timer", due_at=due_at(timer, now), interval=timer.interval, repeats=repeats)
        return Wait("timer", due_at=due_at(timer, now))


class MessageTrigger(Trigger):
    """A message, by name and by the value of its correlation key."""

    kind = "message"
    waits = True

    def __init__(self, message: Expression, correlation: Expression | None) -> None:
        super().__init__()
        self.message = message
        self.correlation = correlation

    def wait(self, context: Mapping[str, Any], now: datetime) -> Wait:
        name, correlation = self.address(context)
        return Wait("message", name=name, correlation=correlation)

    def address(self, context: Mapping[str, Any]) -> tuple[str, str]:
        """Return the message's name and correlation value, as text."""
        key = self.correlation.evaluate(context) if self.correlation is not None else None
        return str(self.message.evaluate(context)), "" if key is None else str(key)


class SignalTrigger(Trigger):
    """A signal, by name."""

    kind = "signal"
    waits = True

    def __init__(self, signal: Expression) -> None:
        super().__init__()
        self.signal = signal

    def wait(self, context: Mapping[str, Any], now: datetime) -> Wait:
        return Wait("signal", name=str(self.signal.evaluate(context)))


class ConditionTrigger(Trigger):
    """A condition over the variables; it fires when it becomes true."""

    kind = "condition"
    waits = True

    def __init__(self, condition: Expression) -> None:
        super().__init__()
        self.condition = condition

    def wait(self, context: Mapping[str, Any], now: datetime) -> Wait:
        return Wait("condition")

    def holds(self, context: Mapping[str, Any]) -> bool:
        return self.condition.evaluate(context) is True


class ErrorTrigger(Trigger):
    """A BPMN error, by code."""

    kind = "error"

    def __init__(self, code: str | None) -> None:
        super().__init__()
        self.code = code


class EscalationTrigger(Trigger):
    """An escalation, by code."""

    kind = "escalation"

    def __init__(self, code: str | None) -> None:
        super().__init__()
        self.code = code


class TerminateTrigger(Trigger):
    """The end of everything in the scope."""

    kind = "terminate"
