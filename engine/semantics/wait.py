"""What a token waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

WaitKind = Literal["timer", "message", "signal", "condition", "retry"]


@dataclass(slots=True)
class Wait:
    """A timer, message, signal or condition with its expressions evaluated, or the pause before another try."""

    kind: WaitKind
    #: message or signal name
    name: str = ""
    #: value of the correlation key; empty when the name alone decides
    correlation: str = ""
    #: when a timer is due
    due_at: datetime | None = None
    #: distance of a repeating timer
    interval: Any = None
    #: how often it still repeats after this time; None for ever
    repeats: int | None = 0
    #: id of the kept timer
    timer_id: str = ""
    #: last value of a condition: it fires when it becomes true (BPMN 2.0, 10.5.5)
    held: bool = False

    def accepts(self, kind: str, name: str, correlation: str, *, addressed: bool) -> bool:
        """Say whether a message or signal is the one; ``addressed`` ones need no correlation value."""
        if self.kind != kind or self.name != name:
            return False
        return self.correlation in {"", correlation} or (addressed and not correlation)
