"""A scope: the process itself, an embedded subprocess, or the instances of a multi-instance activity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from SpiffWorkflow.workflow import Workflow

from engine.semantics.token import Token, merge

if TYPE_CHECKING:
    from engine.semantics.machine import Machine
    from engine.semantics.process import ProcessSpec

ScopeKind = Literal["process", "subprocess", "instances"]


class Scope(Workflow):
    """Tokens that live and end together (BPMN 2.0, 13.3.4). It is complete when none of them is left.

    Each starts with the variables that the scope was entered with (``base``). What ended tokens have written gathers
    in ``data`` and ``stamps``, and leaves with the scope, except ``local_names``.
    """

    def __init__(
        self,
        machine: Machine,
        spec: ProcessSpec,
        *,
        scope_id: str,
        kind: ScopeKind,
        host: Token | None,
        base: dict[str, Any],
        local_names: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(spec, deserializing=True)
        self.machine = machine
        self.id = scope_id
        self.kind = kind
        self.host = host
        self.base = base
        self.local_names = local_names
        self.stamps: dict[str, int] = {}
        #: tokens that wait at a converging gateway: node id → flow id → oldest first
        self.arrived: dict[str, dict[str, list[Token]]] = {}
        #: how many tokens, listeners aside, are left
        self.live = 0
        #: its encoded form, while that is still true
        self.fragment: Any = None

    @property
    def parent(self) -> Scope | None:
        """The enclosing scope."""
        return self.host.scope if self.host is not None else None

    def living(self) -> list[Token]:
        """Return its tokens, without listeners."""
        return [token for token in self.tasks.values() if token.role == "token"]

    def listeners(self) -> list[Token]:
        """Return the listeners armed for the scope itself: starts of event subprocesses."""
        return [token for token in self.tasks.values() if token.role == "event_subprocess"]

    def add(self, token: Token) -> None:
        """Take a token in."""
        self.tasks[token.id] = token
        if token.role == "token":
            self.live += 1

    def remove(self, token: Token) -> None:
        """Let a token go."""
        if self.tasks.pop(token.id, None) is not None and token.role == "token":
            self.live -= 1

    def absorb(self, data: Mapping[str, Any], stamps: Mapping[str, int]) -> None:
        """Keep what an ended token has written."""
        self.machine.touched_scopes[self.id] = self
        merge(self.data, self.stamps, data, stamps)

    def written(self) -> tuple[dict[str, Any], dict[str, int]]:
        """Return what was written in this scope and below so far: the latest value of each name, and its stamp."""
        data, stamps = dict(self.data), dict(self.stamps)
        for token in self.living():
            merge(data, stamps, token.data, token.stamps)
            if token.child is not None:
                merge(data, stamps, *token.child.outgoing())
        return data, stamps

    def outgoing(self) -> tuple[dict[str, Any], dict[str, int]]:
        """Return what of ``written`` the enclosing scope gets to see."""
        data, stamps = self.written()
        for name in self.local_names:
            data.pop(name, None)
            stamps.pop(name, None)
        return data, stamps

    def variables(self) -> tuple[dict[str, Any], dict[str, int]]:
        """Return all variables as they stand now, for a token that starts in the midst of this scope."""
        data, stamps = self.written()
        return {**{name: value for name, value in self.base.items() if name not in stamps}, **data}, stamps
