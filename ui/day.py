"""A tenant's calls of one day in figures: the same hours of yesterday beside them, and what is usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from engine.kernel.actor import scoped
from engine.kernel.db import db, now
from media.models import Call

#: so many calls of a day are looked at; beyond that the figures are of the newest
LIMIT = 50_000
WEEKS = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """What the figures need of a call."""

    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None

    @property
    def gave_up(self) -> bool:
        """The caller left before anybody or anything answered."""
        return self.answered_at is None and self.ended_at is not None


@dataclass(frozen=True)
class Day:
    """Calls between two midnights of the viewer's zone, by hour."""

    zone: ZoneInfo
    calls: Sequence[Seen] = field(default_factory=tuple)

    def by_hour(self, *, gave_up: bool | None = None) -> list[int]:
        """Return 24 counts."""
        counts = [0] * 24
        for call in self.calls:
            if gave_up is None or call.gave_up is gave_up:
                counts[call.started_at.astimezone(self.zone).hour] += 1
        return counts

    def until(self, clock: datetime) -> Day:
        """Return the part of the day before the time of day of ``clock``."""
        limit = clock.astimezone(self.zone).time()
        return Day(self.zone, [call for call in self.calls if call.started_at.astimezone(self.zone).time() <= limit])

    @property
    def answered(self) -> int:
        """How many calls were answered."""
        return sum(call.answered_at is not None for call in self.calls)

    @property
    def gave_up(self) -> int:
        """How many callers left before."""
        return sum(call.gave_up for call in self.calls)

    @property
    def answered_share(self) -> float | None:
        """Percent of the calls that are decided; None when there are none."""
        decided = self.answered + self.gave_up
        return 100 * self.answered / decided if decided else None

    @property
    def average_length(self) -> timedelta | None:
        """How long answered calls lasted."""
        lengths = [call.ended_at - call.answered_at for call in self.calls if call.answered_at and call.ended_at]
        return sum(lengths, timedelta()) / len(lengths) if lengths else None


def midnight(zone: ZoneInfo, days_ago: int = 0) -> datetime:
    """Return the beginning of a day on the viewer's clock."""
    here = now().astimezone(zone) - timedelta(days=days_ago)
    return here.replace(hour=0, minute=0, second=0, microsecond=0)


def calls_of_day(zone: ZoneInfo, days_ago: int = 0) -> Day:
    """Read the actor's calls of a day."""
    begin, end = midnight(zone, days_ago), midnight(zone, days_ago - 1)
    query = scoped(Call, Call.started_at, Call.answered_at, Call.ended_at).where(
        Call.started_at >= begin, Call.started_at < end
    )
    rows = db.session.execute(query.order_by(Call.started_at.desc()).limit(LIMIT))
    return Day(zone, [Seen(*row) for row in rows])


def usual_day(zone: ZoneInfo) -> list[float] | None:
    """Return the average of the same weekday over the last weeks by hour; None when nothing was going on then."""
    days = [calls_of_day(zone, 7 * week).by_hour() for week in range(1, WEEKS + 1)]
    busy = [day for day in days if any(day)]
    return [round(sum(hour) / len(busy), 1) for hour in zip(*busy, strict=True)] if busy else None
