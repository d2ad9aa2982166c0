"""How memos are told to people: times in the tenant's zone, numbers and outcomes in words."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from engine.kernel.types import E164

#: outcome → what it is called, and the status colour it is shown in
OUTCOMES = {
    "call_back": ("Call back", "waiting"),
    "hand_over": ("Hand over", "running"),
    "file": ("Filed, nothing to do", "completed"),
}


def day(value: date | datetime, zone: str) -> str:
    """Return ``23 November 2026``, of an instant in the zone."""
    local = value.astimezone(ZoneInfo(zone)) if isinstance(value, datetime) else value
    return format_date(local, "d MMMM y", locale="en")


def moment(value: datetime, zone: str, *, weekday: bool = False) -> str:
    """Return ``23 November 2026, 10:43`` in the zone."""
    pattern = "EEEE, d MMMM y, HH:mm" if weekday else "d MMMM y, HH:mm"
    return format_datetime(value, pattern, tzinfo=ZoneInfo(zone), locale="en")


def length(seconds: float) -> str:
    """Return ``0:42``."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"


def number(text: str) -> str:
    """Return a number as people write it; extensions as they are, "" for withheld ones."""
    return E164(text).display() if text.startswith("+") else text
