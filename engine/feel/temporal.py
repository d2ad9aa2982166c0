"""Dates, times and durations: reading their ISO 8601 texts, and calculating with them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.feel.values import YearsMonths, kind

_DATE = re.compile(r"(-?\d{4,9})-(\d\d)-(\d\d)", re.ASCII)
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d(?::\d\d)?|@[\w/+-]+)?", re.ASCII)
_DURATION = re.compile(
    r"(-)?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d*)?)S)?)?", re.ASCII
)
_WEEKS = re.compile(r"(-)?P(\d+)W", re.ASCII)


def zone_of(text: str) -> tzinfo:
    """Return the zone of ``Z``, ``+01:00`` or ``@Europe/Berlin``. Raises ``ValueError``."""
    if text == "Z":
        return UTC
    if text.startswith("@"):
        try:
            return ZoneInfo(text[1:])
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {text[1:]!r}") from error
    hours, minutes, *seconds = (int(part) for part in text[1:].split(":"))
    if hours > 18 or minutes > 59:
        raise ValueError(f"{text!r} is no offset")
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0)
    return timezone(-offset if text[0] == "-" else offset)


def parse_date(text: str) -> date:
    """Read ``2027-01-31``. Raises ``ValueError``."""
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a date such as 2027-01-31")
    return date(*map(int, match.groups()))


def parse_time(text: str) -> time:
    """Read ``23:59:00``, with fraction and zone if any. Raises ``ValueError``."""
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a time such as 23:59:00")
    hour, minute, second, fraction, zone = match.groups()
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    return time(int(hour), int(minute), int(second), micro, zone_of(zone) if zone else None)


def parse_date_and_time(text: str) -> datetime:
    """Read ``2027-01-31T23:59:00Z``; a bare date is its midnight. Raises ``ValueError``."""
    day, separator, clock = text.partition("T")
    if not separator:
        return datetime.combine(parse_date(day), time())
    if clock.startswith("24:00:00"):
        return datetime.combine(parse_date(day) + timedelta(1), parse_time("00" + clock[2:]))
    return datetime.combine(parse_date(day), parse_time(clock))


def parse_duration(text: str) -> timedelta | YearsMonths:
    """Read an ISO 8601 duration. Raises ``ValueError``; months and days do not mix."""
    weeks = _WEEKS.fullmatch(text)
    if weeks:
        return timedelta(weeks=int(weeks[2])) * (-1 if weeks[1] else 1)
    match = _DURATION.fullmatch(text)
    if not match or text.endswith(("P", "T")):
        raise ValueError(f"{text!r} is not a duration such as P1DT2H or P1Y2M")
    sign = -1 if match[1] else 1
    years, months, days, hours, minutes, seconds = match.groups()[1:]
    if years or months:
        if days or hours or minutes or seconds:
            raise ValueError(f"{text!r} mixes months with days: their length differs")
        return YearsMonths(sign * (int(years or 0) * 12 + int(months or 0)))
    micro = int(Decimal(seconds or 0).scaleb(6))
    length = timedelta(days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), microseconds=micro)
    return sign * length


def parse_literal(text: str) -> Any:
    """Read the text of an ``@"…"`` literal. Raises ``ValueError``."""
    if text.lstrip("-").startswith("P"):
        return parse_duration(text)
    if "T" in text:
        return parse_date_and_time(text)
    return parse_time(text) if _TIME.fullmatch(text) else parse_date(text)


def add_months(value: date, months: int) -> date:
    """Add months; the day is clamped to the month's last. Keeps the time of a ``datetime``."""
    year, month = divmod(value.year * 12 + value.month - 1 + months, 12)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month]
    return value.replace(year=year, month=month + 1, day=min(value.day, last))


def shift(value: Any, duration: timedelta | YearsMonths) -> Any:
    """Add a duration to a date, time, or date and time. None where the kinds do not fit."""
    of = kind(value)
    if isinstance(duration, YearsMonths):
        return add_months(value, duration.months) if of in ("date", "date and time") else None
    if of == "date":
        return (datetime.combine(value, time()) + duration).date()
    if of == "date and time":
        if isinstance(value.tzinfo, ZoneInfo):  # elapsed time, not the wall clock's
            return (value.astimezone(UTC) + duration).astimezone(value.tzinfo)
        return value + duration
    if of == "time":
        return (datetime.combine(date(2000, 1, 3), value) + duration).timetz()
    return None


def difference(left: Any, right: Any) -> timedelta | None:
    """Subtract two instants, dates or times. None where one has a zone and the other has none."""
    left_of, right_of = kind(left), kind(right)
    if left_of == right_of == "time":
        day = date(2000, 1, 1)
        left, right = datetime.combine(day, left), datetime.combine(day, right)
    elif {left_of, right_of} <= {"date", "date and time"}:
        left = datetime.combine(left, time(), UTC if _zone(right) else None) if left_of == "date" else left
        right = datetime.combine(right, time(), UTC if _zone(left) else None) if right_of == "date" else right
    else:
        return None
    if (left.utcoffset() is None) != (right.utcoffset() is None):
        return None
    return left - right if left.utcoffset() is None else left.astimezone(UTC) - right.astimezone(UTC)


def _zone(value: Any) -> tzinfo | None:
    return getattr(value, "tzinfo", None)


def member(value: Any, name: str) -> Any:
    """Return a property such as ``.year`` or ``.hours``. Raises ``KeyError`` when the value has none of the name."""
    of = kind(value)
    if of == "years and months duration":
        years, months = divmod(abs(value.months), 12)
        sign = -1 if value.months < 0 else 1
        return {"years": sign * years, "months": sign * months}[name]
    if of == "days and time duration":
        micro = value // timedelta(microseconds=1)
        sign, micro = (-1, -micro) if micro < 0 else (1, micro)
        seconds = Decimal(micro % 60_000_000).scaleb(-6)
        return {
            "days": sign * (micro // 86_400_000_000),
            "hours": sign * (micro // 3_600_000_000 % 24),
            "minutes": sign * (micro // 60_000_000 % 60),
            "seconds": sign * (int(seconds) if seconds == int(seconds) else seconds),
        }[name]
    if name in ("year", "month", "day") and of != "time":
        return getattr(value, name)
    if name == "weekday" and of != "time":
        return value.isoweekday()
    if name in ("hour", "minute") and of != "date":
        return getattr(value, name)
    if name == "second" and of != "date":
        return value.second if not value.microsecond else value.second + Decimal(value.microsecond).scaleb(-6)
    if name == "time offset" and of != "date":
        return value.utcoffset()
    if name == "timezone" and of != "date":
        return getattr(value.tzinfo, "key", None)
    raise KeyError(name)
