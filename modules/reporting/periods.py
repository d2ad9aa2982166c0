"""Periods of a report: named ones and days from … to, always in the tenant's time zone. No clock, no database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from babel.dates import format_date

from engine.kernel.errors import InvalidInput

#: name → title; "days" takes ``from`` and ``to``
NAMED = {
    "today": "Today",
    "yesterday": "Yesterday",
    "last_7_days": "Last 7 days",
    "last_30_days": "Last 30 days",
    "this_month": "This month",
    "last_month": "Last month",
    "days": "From … to …",
}
LONGEST_DAYS = 1098


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bar of the chart. ``end`` is not part of it."""

    label: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, both ends included, as they are in ``zone``."""

    first: date
    last: date
    zone: str

    @property
    def start(self) -> datetime:
        """The instant at which it begins."""
        return self._midnight(self.first)

    @property
    def end(self) -> datetime:
        """The instant at which it is over."""
        return self._midnight(self.last + timedelta(days=1))

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def title(self) -> str:
        """``1–30 November 2026``."""
        if self.days == 1:
            return format_date(self.first, "EEEE, d MMMM y", locale="en")
        if not self._spans_months:
            return f"{self.first.day}–{format_date(self.last, 'd MMMM y', locale='en')}"
        pattern = "d MMMM" if self.first.year == self.last.year else "d MMMM y"
        ends = format_date(self.first, pattern, locale="en"), format_date(self.last, "d MMMM y", locale="en")
        return " – ".join(ends)

    @property
    def step(self) -> str:
        """What one bar stands for: ``hour``, ``day``, ``week`` or ``month``."""
        if self.days == 1:
            return "hour"
        return "day" if self.days <= 31 else "week" if self.days <= 190 else "month"

    def buckets(self) -> Iterator[Bucket]:
        """Return the bars, without gaps. Hours and days that the zone shifts have their true length."""
        seen: Counter[str] = Counter()
        for start, end in pairwise(self._edges()):
            label = self._label(start)
            # charts take equal labels for one bar; a blank at the end makes two of them
            yield Bucket(label + " " * seen[label], start, end)
            seen[label] += 1

    def _edges(self) -> list[datetime]:
        if self.step == "hour":
            hours = round((self.end - self.start) / timedelta(hours=1))
            return [self.start + timedelta(hours=n) for n in range(hours)] + [self.end]
        days = [self.first]
        while (following := _next(days[-1], self.step)) <= self.last:
            days.append(following)
        return [*map(self._midnight, days), self.end]

    def _label(self, start: datetime) -> str:
        local = start.astimezone(ZoneInfo(self.zone))
        match self.step:
            case "hour":
                return str(local.hour)
            case "week":
                return format_date(local, "d MMM", locale="en")
            case "month":
                return format_date(local, "MMM yy", locale="en")
        if self.days <= 10:
            return format_date(local, "EEE d", locale="en")
        return str(local.day)  # a bar of thirty is too narrow for more

    @property
    def _spans_months(self) -> bool:
        return (self.first.year, self.first.month) != (self.last.year, self.last.month)

    def _midnight(self, day: date) -> datetime:
        # through UTC, so that differences of instants are true lengths also where the zone shifts
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(ZoneInfo("UTC"))


def _next(day: date, step: str) -> date:
    if step == "day":
        return day + timedelta(days=1)
    if step == "week":
        return day + timedelta(days=7 - day.weekday())
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def find_period(name: str, first: str, last: str, *, today: date, zone: str) -> Period:
    """Return the period that somebody asked for. Raises ``InvalidInput`` that names the wrong field."""
    if first or last:
        return _between(first, last, today, zone)
    month = today.replace(day=1)
    match name:
        case "today":
            return Period(today, today, zone)
        case "yesterday":
            return Period(today - timedelta(days=1), today - timedelta(days=1), zone)
        case "last_7_days":
            return Period(today - timedelta(days=6), today, zone)
        case "last_30_days" | "":
            return Period(today - timedelta(days=29), today, zone)
        case "this_month":
            return Period(month, today, zone)
        case "last_month":
            end = month - timedelta(days=1)
            return Period(end.replace(day=1), end, zone)
        case "days":
            raise InvalidInput(
                "The period needs two days.", {"from": "Choose the first day.", "to": "Choose the last day."}
            )
    raise InvalidInput(f"There is no period {name!r}.", {"period": f"One of {', '.join(NAMED)}."})


def _between(first: str, last: str, today: date, zone: str) -> Period:
    days = {}
    for field, text in (("from", first), ("to", last)):
        try:
            days[field] = date.fromisoformat(text) if text else today
        except ValueError as error:
            raise InvalidInput(f"{text!r} is no day.", {field: "Write it as 2026-11-30."}) from error
    if not first:
        raise InvalidInput("The period has no first day.", {"from": "Choose the first day."})
    if days["from"] > days["to"]:
        earliest = format_date(days["from"], "d MMMM y", locale="en")
        raise InvalidInput("The period ends before it begins.", {"to": f"Choose {earliest} or later."})
    if (days["to"] - days["from"]).days >= LONGEST_DAYS:
        raise InvalidInput("The period is longer than three years.", {"from": "Choose a later first day."})
    return Period(days["from"], days["to"], zone)
