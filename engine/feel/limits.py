"""Limits of one evaluation, and the causes of the nulls it met.

An expression comes from a stranger: it may loop, grow and match patterns only within a budget. Every null that
an operator or function answers for want of a better value leaves its cause here, for the author.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Context, getcontext, setcontext
from typing import Any

from engine.feel.values import DECIMAL128
from engine.kernel.errors import CmsError

STEPS = 200_000
SIZE = 4_000_000
SECONDS = 0.8
DEPTH = 120
CAUSES = 20


class FeelError(CmsError):
    """An expression cannot be read or must not go on; ``details`` has the text and the column."""

    code = "feel.error"


class FeelSyntaxError(FeelError):
    """The text is not an expression."""

    code = "feel.syntax"


class FeelLimit(FeelError):
    """The evaluation exceeded its budget of steps, size, depth or time."""

    code = "feel.limit"


class Unfit(Exception):
    """Raised by functions for arguments they have no answer for; the call answers null with this cause."""


@dataclass(slots=True)
class Run:
    """The budget of one evaluation."""

    steps: int = STEPS
    size: int = SIZE
    depth: int = 0
    deadline: float = field(default_factory=lambda: time.monotonic() + SECONDS)
    causes: list[str] = field(default_factory=list)

    def tick(self, steps: int = 1) -> None:
        """Charge loop turns and calls."""
        before = self.steps
        self.steps -= steps
        if self.steps < 0:
            raise FeelLimit(f"The expression takes more than {STEPS} steps.")
        if before >> 8 != self.steps >> 8 and time.monotonic() > self.deadline:
            raise FeelLimit(f"The expression takes longer than {SECONDS} seconds.")

    def charge(self, size: int) -> None:
        """Charge characters and list items that come into being."""
        self.size -= size
        if self.size < 0:
            raise FeelLimit("The expression builds too much text or too long lists.")

    def time_left(self) -> float:
        """Return the seconds left, at least a hundredth."""
        return max(self.deadline - time.monotonic(), 0.01)


class _Local(threading.local):
    run: Run | None = None
    context: Context | None = None


_local = _Local()


def current() -> Run:
    """Return the running evaluation's budget."""
    run = _local.run
    if run is None:
        raise FeelError("No expression is being evaluated.")
    return run


def null(cause: str) -> Any:
    """Answer null and keep the cause."""
    run = _local.run
    if run is not None and len(run.causes) < CAUSES:
        run.causes.append(cause)
    return None


@contextmanager
def running(run: Run) -> Iterator[Run]:
    """Evaluate inside the block under ``run`` and in decimal128; an evaluation inside another shares its budget."""
    if _local.run is not None:
        yield _local.run
        return
    if _local.context is None:
        _local.context = DECIMAL128.copy()  # contexts carry flags: one for each thread
    before = getcontext()
    setcontext(_local.context)
    _local.run = run
    try:
        yield run
    except RecursionError as error:
        raise FeelLimit("The expression nests or recurses too deeply.") from error
    finally:
        _local.run = None
        setcontext(before)
