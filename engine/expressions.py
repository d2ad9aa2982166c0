"""Expressions of diagrams, in whichever language they are written.

``=…`` is FEEL. Without the sign a condition or script is the small Python of ``engine.scripts``, and a value (in a
mapping, an assignment, a timer) is the literal text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Protocol

from engine.feel import FeelError, YearsMonths, compile_feel
from engine.feel.temporal import parse_date_and_time, parse_duration
from engine.kernel.errors import CmsError
from engine.scripts import ScriptError, compile_python_expression, compile_python_script
from engine.scripts.compiler import PythonScript


class ExpressionError(CmsError):
    """An expression cannot be compiled, or failed; the message shows it and says where and why."""

    code = "expression.error"


class _Compiled(Protocol):
    names: frozenset[str]

    def evaluate(self, data: Mapping[str, Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; ``names`` are the variables it reads."""

    text: str
    language: str
    names: frozenset[str]
    _compiled: _Compiled | None

    def evaluate(self, data: Mapping[str, Any]) -> Any:
        """Return its value. Raises ``ExpressionError``."""
        if self._compiled is None:
            return self.text
        try:
            return self._compiled.evaluate(data)
        except (FeelError, ScriptError) as error:
            raise ExpressionError(f"{self.text}: {error.message}", expression=self.text) from error

    def why_null(self, data: Mapping[str, Any]) -> list[str]:
        """Return the causes of the nulls that FEEL meets when it evaluates this."""
        if self.language != "feel":
            return []
        return compile_feel(self.text.strip()[1:]).explain(data)[1]


@dataclass(frozen=True, slots=True)
class Script:
    """A compiled script of statements."""

    text: str
    names: frozenset[str]
    assigned: frozenset[str]
    _compiled: PythonScript

    def run(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the variables that it changed. Raises ``ExpressionError``."""
        try:
            return self._compiled.run(data)
        except (FeelError, ScriptError) as error:
            raise ExpressionError(f"script: {error.message}", expression=self.text) from error


def _compile(text: str, *, literal: bool) -> Expression:
    stripped = text.strip()
    try:
        if stripped.startswith("="):
            feel = compile_feel(stripped[1:])
            return Expression(text, "feel", feel.names, feel)
        if literal:
            return Expression(text, "literal", frozenset(), None)
        python = compile_python_expression(stripped)
        return Expression(text, "python", python.names, python)
    except (FeelError, ScriptError) as error:
        raise ExpressionError(error.message, expression=text, **error.details) from error


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """Compile a condition: ``=…`` is FEEL, else Python. Raises ``ExpressionError``."""
    return _compile(text, literal=False)


@lru_cache(maxsize=4096)
def compile_value(text: str) -> Expression:
    """Compile a value: ``=…`` is FEEL, else the text itself. Raises ``ExpressionError``."""
    return _compile(text, literal=True)


@lru_cache(maxsize=1024)
def compile_script(text: str) -> Script:
    """Compile a script of statements. Raises ``ExpressionError``."""
    try:
        compiled = compile_python_script(text)
    except ScriptError as error:
        raise ExpressionError(error.message, expression=text, **error.details) from error
    return Script(text, compiled.names, compiled.assigned, compiled)


# --- timers ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repeating timer: ``R3/PT10M``; without repetitions for ever."""

    repetitions: int | None
    interval: timedelta | YearsMonths
    start: datetime | None = None


_CYCLE = re.compile(r"R(\d{0,6})/(?:([^P/][^/]*)/)?(-?P[^/]+)")


def compile_timer(text: str) -> Expression:
    """Compile a timer: ``=…`` is FEEL, else an ISO 8601 text, which is checked. Raises ``ExpressionError``."""
    expression = compile_value(text)
    if expression.language == "literal":
        as_timer(text)
    return expression


def as_timer(value: Any) -> timedelta | YearsMonths | datetime | Cycle:
    """Return what a timer's value means: a duration, an instant (aware) or a cycle. Raises ``ExpressionError``."""
    if isinstance(value, str):
        value = _read_timer(value.strip())
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if isinstance(value, timedelta | YearsMonths | Cycle):
        return value
    raise ExpressionError(f"{value!r} is not a time: write a duration (PT5M), an instant or a cycle (R3/PT10M).")


def _read_timer(text: str) -> timedelta | YearsMonths | datetime | Cycle:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    try:
        cycle = _CYCLE.fullmatch(text)
        if cycle:
            start = parse_date_and_time(cycle[2]) if cycle[2] else None
            if start is not None and start.tzinfo is None:
                start = start.replace(tzinfo=UTC)
            return Cycle(int(cycle[1]) if cycle[1] else None, parse_duration(cycle[3]), start)
        return parse_duration(text) if text.lstrip("-").startswith("P") else parse_date_and_time(text)
    except (ValueError, OverflowError) as error:
        raise ExpressionError(
            f"{text!r} is not a time: write a duration (PT5M), an instant (2027-01-31T10:00:00Z) "
            "or a cycle (R3/PT10M).",
            expression=text,
        ) from error
