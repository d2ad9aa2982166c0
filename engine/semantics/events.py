"""Start, end, catch, throw and boundary events (BPMN 2.0, 10.5)."""

from __future__ import annotations

from typing import Any

from engine.semantics.activity import Activity
from engine.semantics.errors import BpmnError
from engine.semantics.tasks import send
from engine.semantics.throwing import broadcast, throw_escalation
from engine.semantics.token import Token
from engine.semantics.triggers import MessageTrigger, SignalTrigger, Trigger


class Event(Activity):
    """Base of the events: what starts a token brings variables, by the output mapping or as they are."""

    trigger: Trigger
    #: what it starts takes the place of what ran; otherwise both go on
    interrupting = True

    def answered(self, token: Token, answer: Any) -> bool:
        """Bind what the event brought; an error or escalation only by the output mapping."""
        brought = answer if isinstance(answer, dict) else {}
        if self.outputs_map:
            self.take_result(token, brought, {**brought, "message": brought})
        elif self.trigger.kind not in {"error", "escalation"}:
            token.write(brought)
        return True


class StartEvent(Event):
    """Where a process, subprocess or event subprocess begins (10.5.2)."""

    type = "startEvent"

    def enter(self, token: Token) -> bool:
        """Apply the output mapping, if any."""
        self.take_result(token, None)
        return True


class CatchEvent(Event):
    """An intermediate event that waits (10.5.4)."""

    type = "intermediateCatchEvent"

    def enter(self, token: Token) -> bool:
        """Wait for the trigger; a link, or an event without definition, is passed."""
        if not self.trigger.waits:
            return True
        token.machine.hold(token, self.trigger.wait(token.context, token.machine.effects.now()))
        return False


class BoundaryEvent(Event):
    """An event at the border of an activity (10.5.4): its token appears when it happens."""

    type = "boundaryEvent"


class Throwing(Event):
    """What end and throw events do."""

    #: code of the error or escalation that is thrown
    code: str | None = None

    def enter(self, token: Token) -> bool:
        """Throw."""
        machine, trigger = token.machine, self.trigger
        if isinstance(trigger, MessageTrigger):
            send(token, trigger, token.locals)
        elif isinstance(trigger, SignalTrigger):
            name = trigger.wait(token.context, machine.effects.now()).name
            payload = dict(token.locals or {})
            broadcast(machine, name, payload)
            machine.effects.send_signal(token, name, payload)
        elif trigger.kind == "error":
            raise BpmnError(trigger.code or "")
        elif trigger.kind == "escalation":
            throw_escalation(machine, token, trigger.code or "")
        elif trigger.kind == "terminate":
            for other in token.scope.living():
                if other is not token:
                    machine.cancel(other)
        else:
            self.take_result(token, None)
        return True


class EndEvent(Throwing):
    """Where a token ends (10.5.3)."""

    type = "endEvent"


class ThrowEvent(Throwing):
    """An intermediate event that throws (10.5.4)."""

    type = "intermediateThrowEvent"
