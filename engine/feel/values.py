"""The values of FEEL, and how they meet those of the process.

Numbers are ``int`` or ``Decimal`` (34 digits, as DMN demands), never floats; days and time durations are
``timedelta``, years and months durations are ``YearsMonths``; contexts are dicts, lists are lists.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from functools import total_ordering
from typing import Any
from zoneinfo import ZoneInfo

from engine.kernel.types import E164, Secret

#: IEEE 754 decimal128, the arithmetic of FEEL
DECIMAL128 = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
#: whole numbers up to here are exact in 34 digits
WHOLE_LIMIT = 10**34
#: and leave as ``int`` up to here: beyond, JSON carries them only as decimals
JSON_LIMIT = 2**63


@total_ordering
@dataclass(frozen=True, slots=True)
class YearsMonths:
    """A duration of whole months, such as ``P1Y2M``."""

    months: int

    def __lt__(self, other: YearsMonths) -> bool:
        return self.months < other.months

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return f"{'-' if self.months < 0 else ''}P{text}"


@dataclass(slots=True)
class Range:
    """An interval; an end that is None is open to infinity."""

    low: Any
    low_included: bool
    high: Any
    high_included: bool


@dataclass(frozen=True, slots=True)
class Function:
    """A function value. ``signatures`` are the accepted parameter names; the last name may end in ``*``."""

    name: str
    signatures: tuple[tuple[str, ...], ...]
    call: Callable[..., Any]
    #: fewest positional arguments
    required: int


_KINDS = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    Decimal: "number",
    str: "string",
    datetime: "date and time",
    date: "date",
    time: "time",
    timedelta: "days and time duration",
    YearsMonths: "years and months duration",
    list: "list",
    dict: "context",
    Range: "range",
    Function: "function",
}

ORDERED = frozenset(
    ("number", "string", "date and time", "date", "time", "days and time duration", "years and months duration")
)


def kind(value: Any) -> str:
    """Return the FEEL type's name; ``opaque`` for values that FEEL may carry but not look into."""
    return _KINDS.get(type(value), "opaque")


#: scalar types that enter and leave as they are
_AS_IS = frozenset((type(None), bool, str, int, Decimal, datetime, date, time, timedelta, YearsMonths, Range, Function))


def enter(value: Any) -> Any:
    """Return a process value as a FEEL value: floats as the decimal they print as, tuples and sets as lists."""
    kind_of = type(value)
    if kind_of in _AS_IS:
        return value
    if kind_of is dict:
        return {key: item if type(item) in _AS_IS else enter(item) for key, item in value.items()}
    if kind_of is list or kind_of is tuple:
        return [item if type(item) in _AS_IS else enter(item) for item in value]
    if kind_of is float:
        number = Decimal(repr(value))
        return number if number.is_finite() else None
    if isinstance(value, E164):
        return str.__str__(value)
    if isinstance(value, set | frozenset):
        return [enter(item) for item in sorted(value)]
    return value


def leave(value: Any) -> Any:
    """Return a FEEL value as a process value: whole numbers as ``int``, ranges as text, functions as None."""
    kind_of = type(value)
    if kind_of is Decimal:
        return int(value) if abs(value) < JSON_LIMIT and value == value.to_integral_value() else value
    if kind_of is int:
        return value if abs(value) < JSON_LIMIT else Decimal(value)
    if kind_of is dict:
        return {key: leave(item) for key, item in value.items()}
    if kind_of is list:
        return [leave(item) for item in value]
    if kind_of is Range:
        return text_of(value)
    if kind_of is Function:
        return None
    return value


def number_text(value: int | Decimal) -> str:
    """Return a number as FEEL writes it: plain digits, no trailing zeros."""
    if isinstance(value, int):
        return str(value)
    return format(value.normalize(DECIMAL128), "f") if value else "0"


def duration_text(value: timedelta) -> str:
    """Return a days and time duration in ISO 8601."""
    rest = value // timedelta(microseconds=1)
    sign, rest = ("-", -rest) if rest < 0 else ("", rest)
    days, rest = divmod(rest, 86_400_000_000)
    hours, rest = divmod(rest, 3_600_000_000)
    minutes, rest = divmod(rest, 60_000_000)
    seconds = number_text(Decimal(rest).scaleb(-6)) if rest else ""
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + (f"{seconds}S" if rest else "")
    if not days and not clock:
        return "PT0S"
    return f"{sign}P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")


def _zone_text(value: datetime | time) -> str:
    zone = value.tzinfo
    if zone is None:
        return ""
    if isinstance(zone, ZoneInfo):
        return f"@{zone.key}"
    if zone == timezone.utc:  # noqa: UP017 - compared with values that carry this very object
        return "Z"
    return value.isoformat()[-6:]


def _clock_text(value: datetime | time) -> str:
    fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
    return f"{value.hour:02d}:{value.minute:02d}:{value.second:02d}{fraction}{_zone_text(value)}"


def text_of(value: Any, *, quoted: bool = False) -> str:
    """Return a value as the ``string`` function writes it; ``quoted`` inside lists and contexts."""
    match kind(value):
        case "string":
            return json.dumps(value, ensure_ascii=False) if quoted else value
        case "number":
            return number_text(value)
        case "boolean":
            return "true" if value else "false"
        case "null":
            return "null"
        case "date and time":
            return f"{value.date().isoformat()}T{_clock_text(value)}"
        case "date":
            return str(value.isoformat())
        case "time":
            return _clock_text(value)
        case "days and time duration":
            return duration_text(value)
        case "list":
            return "[" + ", ".join(text_of(item, quoted=True) for item in value) + "]"
        case "context":
            return "{" + ", ".join(f"{key}: {text_of(item, quoted=True)}" for key, item in value.items()) + "}"
        case "range":
            low, high = text_of(value.low, quoted=True), text_of(value.high, quoted=True)
            return f"{'[' if value.low_included else '('}{low}..{high}{']' if value.high_included else ')'}"
        case "function":
            return f"function {value.name}"
        case _:
            return str(value) if not isinstance(value, Secret) else repr(value)
