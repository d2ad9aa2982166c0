"""What running tokens ask of their surroundings: the port between meaning (here) and persistence (``execution``)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from engine.semantics.token import Token
    from engine.semantics.wait import Wait


class _Later:
    """The one value of ``LATER``."""

    def __repr__(self) -> str:
        return "LATER"


#: returned by ``Effects.operate`` when the answer will come as an event
LATER = _Later()


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """A user task as its diagram orders it, expressions evaluated."""

    name: str
    assignee: str | None
    candidate_groups: list[str]
    candidate_users: list[str]
    screen: str | None
    form_id: str | None
    variables: dict[str, Any]
    due_at: datetime | None
    follow_up_at: datetime | None
    priority: int


class Effects(Protocol):
    """Implemented by ``engine.execution.recorder``; everything it does becomes durable with the advance's commit."""

    def now(self) -> datetime:
        """Return the instant of this advance."""

    def check(self, values: Mapping[str, Any]) -> None:
        """Raise when a value cannot be kept in process data."""

    def finished(self, token: Token, outcome: str) -> None:
        """Write the token's history: ``completed``, ``cancelled`` or ``merged``."""

    def wait(self, token: Token, wait: Wait) -> None:
        """Keep the timer or subscription that will wake the token."""

    def release(self, token: Token, *, cancelled: bool) -> None:
        """Drop what the token held: timers, subscriptions, its user task, its operation, its child instance."""

    def savepoint(self) -> AbstractContextManager[Any]:
        """Undo what operations did in the block when it raises."""

    def operate(self, token: Token, operation: str, parameters: dict[str, Any]) -> Any:
        """Run an operation or hand it to its carrier; return its result or ``LATER``."""

    def decide(self, decision: str, data: dict[str, Any]) -> tuple[Any, list[Any]]:
        """Evaluate a decision; return its result and the rules that fired."""

    def order_task(self, token: Token, order: TaskOrder) -> None:
        """Put a user task into the inbox."""

    def call(self, token: Token, process: str, data: dict[str, Any]) -> None:
        """Start a child instance for a call activity."""

    def send_message(self, token: Token, name: str, correlation: str, payload: dict[str, Any]) -> None:
        """Send a message to other instances."""

    def send_signal(self, token: Token, name: str, payload: dict[str, Any]) -> None:
        """Broadcast a signal to other instances."""

    def escape(self, token: Token, code: str, message: str) -> bool:
        """Hand an uncaught error to the instance that called this one; False when nobody there would catch it."""

    def incident(self, token: Token, error: Exception) -> None:
        """Record that the token cannot go on."""

    def recovered(self, token: Token, resolution: str) -> None:
        """Record how the token's incident ended: ``retried``, ``skipped`` or ``cancelled``."""
