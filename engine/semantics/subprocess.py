"""Activities with something inside: subprocess, event subprocess, call activity (BPMN 2.0, 10.3.5)."""

from __future__ import annotations

from typing import Any

from engine.expressions import Expression
from engine.semantics.activity import Activity
from engine.semantics.errors import BpmnError
from engine.semantics.process import ProcessSpec
from engine.semantics.token import Token
from engine.semantics.triggers import Trigger


class Subprocess(Activity):
    """An embedded subprocess: a scope of its own, entered with the token's variables and the input mapping."""

    type = "subProcess"
    inner: ProcessSpec

    def enter(self, token: Token) -> bool:
        """Open the scope."""
        self.open(token, element=None, payload=None)
        return False

    def open(self, token: Token, *, element: str | None, payload: Any) -> None:
        """Open the scope and start it at its start event, or at ``element`` with ``payload``."""
        own = token.locals or {}
        token.locals = None
        base = {**token.data, **own}
        scope = token.machine.open_scope(self.inner, "subprocess", token, base, frozenset(own))
        token.machine.enter_scope(scope, element, payload, came_from=None)

    def answered(self, token: Token, answer: Any) -> bool:
        """Take over what was written inside; with an output mapping only what that says."""
        if self.outputs_map:
            self.take_result(token, answer["data"], answer["inside"])
        else:
            token.absorb(answer["data"], answer["stamps"])
        return True


class EventSubprocess(Subprocess):
    """A subprocess that is started by an event while its parent scope runs (BPMN 2.0, 13.3.4)."""

    trigger: Trigger
    interrupting = True
    start_id = ""

    def answered(self, token: Token, answer: Any) -> bool:
        """Start with what the event brought, or end like a subprocess."""
        if token.child is None and token.loop is None:
            token.loop = {"started": True}
            self.open(token, element=self.start_id, payload=answer)
            return False
        return super().answered(token, answer)


class CallActivity(Activity):
    """Another process, run as an instance of its own (BPMN 2.0, 10.3.6)."""

    type = "callActivity"
    process: Expression
    #: all variables go in when no input mapping says otherwise (zeebe:calledElement)
    propagate_parent = True
    propagate_child = True

    def enter(self, token: Token) -> bool:
        """Start the child."""
        name = str(self.process.evaluate(token.context))
        own = token.locals or {}
        token.locals = None
        data = {**token.data, **own} if self.propagate_parent else own
        token.machine.effects.call(token, name, data)
        token.holds = True
        return False

    def answered(self, token: Token, answer: Any) -> bool:
        """Take over the child's variables, or throw the error that it ended with."""
        if answer.get("error"):
            raise BpmnError(answer["error"]["code"], answer["error"]["message"])
        data = answer["data"]
        self.take_result(token, data, data if self.outputs_map or self.propagate_child else None)
        return True
