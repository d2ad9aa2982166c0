"""What all activities share (BPMN 2.0, 10.3): input and output mappings, boundary events, loops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.semantics.mapping import Assignment, evaluate_all
from engine.semantics.node import Node
from engine.semantics.scope import Scope
from engine.semantics.token import Token

if TYPE_CHECKING:
    from engine.semantics.loops import Loop


class Activity(Node):
    """An activity: it may have local variables, an output mapping, boundary events, and be repeated."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.inputs_map: list[Assignment] = []
        self.outputs_map: list[Assignment] = []
        self.loop: Loop | None = None

    def begin(self, token: Token) -> bool:
        """Enter the activity, and arm its boundary events when it does not end at once.

        What the boundary events wait for is evaluated first, so that a wrong expression stops the token before the
        activity has done anything.
        """
        waits = []
        if not token.inner:
            now = token.machine.effects.now()
            waits = [(node, node.trigger.wait(token.data, now)) for node in self.boundaries if node.trigger.waits]
        done = self.loop.begin(token) if self.loop is not None and not token.inner else self.enter_mapped(token)
        if not done and not token.listeners and token.id in token.machine.tokens:  # a retry finds them armed
            for node, wait in waits:
                token.machine.listen(token, token.scope, node, wait, "boundary")
        return done

    def enter_mapped(self, token: Token) -> bool:
        """Evaluate the input mapping, then do what the activity is for."""
        if self.inputs_map:
            token.locals = evaluate_all(self.inputs_map, token.data)
        return self.enter(token)

    def _run(self, my_task: Token) -> bool | None:
        if my_task.phase == "answer" and self.loop is not None and not my_task.inner:
            return True if self.loop.answered(my_task, my_task.answer) else None
        return super()._run(my_task)

    def take_result(self, token: Token, result: Any, merged: Mapping[str, Any] | None = None) -> None:
        """Bind what the activity brought: by its output mapping, which also sees ``result``, else ``merged`` as is."""
        if self.outputs_map:
            token.write(evaluate_all(self.outputs_map, {**token.context, **(merged or {}), "result": result}))
        elif merged:
            token.write(merged)

    def instance_left(self, token: Token) -> None:
        """One instance of a repeated activity is done."""
        assert self.loop is not None
        self.loop.instance_done(token)

    def inner_ended(self, token: Token, scope: Scope) -> None:
        """The scope that the activity ran in has ended; its variables are the answer."""
        data, stamps = scope.outgoing()
        inside = dict(scope.written()[0]) if self.outputs_map else {}
        token.machine.answer(token, {"data": data, "stamps": stamps, "inside": inside})
