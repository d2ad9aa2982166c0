"""A token: SpiffWorkflow's task without the tree.

SpiffWorkflow keeps every task that was ever reached, and predicts those that may come, in one tree that each step
walks. Here a token exists from its arrival at a node until it leaves; what it did is in the history. So memory and
the cost of a step do not depend on how long the instance has run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from SpiffWorkflow.task import Task, TaskState

from engine.kernel.db import new_id
from engine.semantics.wait import Wait

if TYPE_CHECKING:
    from engine.semantics.machine import Machine
    from engine.semantics.node import Node
    from engine.semantics.scope import Scope

#: where a token goes on when it runs (again): at the start of its node, with an answer, or out of it
Phase = Literal["enter", "answer", "leave"]
#: an armed token only listens, for its host activity, its event-based gateway, or its scope
Role = Literal["token", "boundary", "gateway", "event_subprocess"]


@dataclass(slots=True)
class Work:
    """What the token's history will say that it did."""

    operation: str | None = None
    input: dict[str, Any] | None = None
    output: Any = None
    rules: list[Any] | None = None


class Token(Task):
    """One token at one node.

    ``data`` are its variables and ``stamps`` says when (by the machine's count) each was written since its scope was
    entered: where tokens meet, the latest write of a variable wins. Values are never changed in place, so that tokens
    may share them; a fork copies them all the same.
    """

    def __init__(
        self,
        scope: Scope,
        node: Node,
        *,
        data: dict[str, Any],
        stamps: dict[str, int],
        entered_at: datetime,
        came_from: str | None = None,
        role: Role = "token",
        token_id: str | None = None,
    ) -> None:
        super().__init__(scope, node, None, TaskState.READY, token_id or new_id())
        self.data = data
        self.stamps = stamps
        self.entered_at = entered_at
        self.came_from = came_from
        self.role = role
        #: for a listener: the token it is armed for
        self.host: str | None = None
        #: listeners that are armed for it
        self.listeners: list[Token] = []
        #: the sequence flow it arrived by
        self.flow: str | None = None
        self.phase: Phase = "enter"
        self.answer: Any = None
        self.wait: Wait | None = None
        #: variables written at this node, for the history
        self.changes: dict[str, Any] = {}
        self.work: Work | None = None
        self.attempt = 1
        #: how often in a row it was put off because the outside world was unwell
        self.tries = 0
        #: who completed it, when not the instance's starter
        self.actor: str | None = None
        #: local variables of the node's input mapping
        self.locals: dict[str, Any] | None = None
        #: one of the instances of a multi-instance or looping activity
        self.inner = False
        #: progress of a multi-instance or looping activity
        self.loop: dict[str, Any] | None = None
        #: the scope that this token's subprocess or multi-instance body runs in
        self.child: Scope | None = None
        #: it keeps something outside: a timer, a subscription, a user task, an operation, a child instance
        self.holds = False
        #: id of its open incident
        self.incident: str | None = None
        #: its encoded form, while that is still true
        self.fragment: Any = None

    @property
    def scope(self) -> Scope:
        """The scope it lives in."""
        scope: Scope = self.workflow
        return scope

    @property
    def node(self) -> Node:
        """The node it is at."""
        node: Node = self.task_spec
        return node

    @property
    def machine(self) -> Machine:
        """The running instance."""
        return self.scope.machine

    @property
    def context(self) -> Mapping[str, Any]:
        """What its expressions see: its variables, and over them the node's local ones."""
        return {**self.data, **self.locals} if self.locals else self.data

    def _set_state(self, value: int) -> None:
        """Set the state; SpiffWorkflow's logging of each change is left out."""
        self._state = value
        self.scope.machine.touched[self.id] = self

    def write(self, values: Mapping[str, Any]) -> None:
        """Set variables."""
        if not values:
            return
        self.machine.effects.check(values)
        stamp = self.machine.stamp()
        for name, value in values.items():
            self.data[name] = value
            self.stamps[name] = stamp
        self.changes.update(values)
        self.machine.touched[self.id] = self

    def absorb(self, data: Mapping[str, Any], stamps: Mapping[str, int]) -> None:
        """Take over what others wrote later than this token."""
        self.machine.touched[self.id] = self
        merge(self.data, self.stamps, data, stamps)


def merge(
    data: dict[str, Any], stamps: dict[str, int], other: Mapping[str, Any], other_stamps: Mapping[str, int]
) -> None:
    """Put into ``data`` what was written later in ``other``; a name without a value there was removed."""
    for name, stamp in other_stamps.items():
        if stamp > stamps.get(name, -1):
            stamps[name] = stamp
            if name in other:
                data[name] = other[name]
            else:
                data.pop(name, None)
