"""Built-in functions: dates, times, durations and intervals."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from engine.feel import temporal
from engine.feel.library import builtin, number, of_kind, string, whole
from engine.feel.limits import Unfit
from engine.feel.operators import and_, equal, greater, greater_or_equal, less, less_or_equal
from engine.feel.values import Range, YearsMonths, kind

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@builtin("date", "from", "year|month|day")
def to_date(value: Any, month: Any = None, day: Any = None) -> date:
    if month is not None or day is not None:
        return date(whole(value), whole(month), whole(day))
    if type(value) is str:
        return temporal.parse_date(value)
    if type(value) is datetime:
        return value.date()
    return of_kind(value, "date")


@builtin("time", "from", "hour|minute|second|offset")
def to_time(value: Any, minute: Any = None, second: Any = None, offset: Any = None) -> time:
    if minute is not None or second is not None:
        seconds = Decimal(number(second))
        zone = None if offset is None else timezone(of_kind(offset, "days and time duration"))
        return time(whole(value), whole(minute), int(seconds), int(seconds % 1 * 1_000_000), zone)
    if type(value) is str:
        return temporal.parse_time(value)
    if type(value) is datetime:
        return value.timetz()
    if type(value) is date:
        return time(tzinfo=UTC)
    return of_kind(value, "time")


@builtin("date and time", "from", "date|time", "year|month|day|hour|minute|second|offset")
def to_date_and_time(value: Any, clock: Any = None, *parts: Any) -> datetime:
    if parts:
        day = date(whole(value), whole(clock), whole(parts[0]))
        return datetime.combine(day, to_time(*parts[1:]))
    if clock is not None:
        if type(value) is datetime and type(clock) is str:
            return value.astimezone(temporal.zone_of(f"@{clock}"))
        return datetime.combine(to_date(of_kind(value, "date", "date and time")), of_kind(clock, "time"))
    if type(value) is str:
        return temporal.parse_date_and_time(value)
    if type(value) is date:
        return datetime.combine(value, time())
    return of_kind(value, "date and time")


@builtin("duration", "from")
def to_duration(value: Any) -> timedelta | YearsMonths:
    if type(value) is str:
        return temporal.parse_duration(value)
    return of_kind(value, "days and time duration", "years and months duration")


@builtin("years and months duration", "from|to")
def years_and_months(start: Any, end: Any) -> YearsMonths:
    def parts(value: Any) -> tuple[int, int, int, time]:
        of_kind(value, "date", "date and time")
        clock = value.time() if type(value) is datetime else time()
        return value.year, value.month, value.day, clock

    first, last, sign = parts(start), parts(end), 1
    if first > last:
        first, last, sign = last, first, -1
    months = (last[0] - first[0]) * 12 + last[1] - first[1] - (last[2:] < first[2:])
    return YearsMonths(sign * months)


@builtin("now", "")
def now() -> datetime:
    return datetime.now(UTC)


@builtin("today", "")
def today() -> date:
    return datetime.now(UTC).date()


@builtin("in time zone", "from|zone")
def in_time_zone(value: Any, zone: Any) -> datetime:
    """Return what the clocks of an IANA zone show at an instant; an extension of the standard."""
    instant = of_kind(value, "date and time")
    if instant.tzinfo is None:
        raise Unfit("the instant has no time zone")
    return instant.astimezone(temporal.zone_of(f"@{string(zone)}"))


def _day(value: Any) -> date:
    return to_date(of_kind(value, "date", "date and time"))


@builtin("day of year", "date")
def day_of_year(value: Any) -> int:
    return _day(value).timetuple().tm_yday


@builtin("day of week", "date")
def day_of_week(value: Any) -> str:
    return _DAYS[_day(value).weekday()]


@builtin("month of year", "date")
def month_of_year(value: Any) -> str:
    return _MONTHS[_day(value).month - 1]


@builtin("week of year", "date")
def week_of_year(value: Any) -> int:
    return _day(value).isocalendar()[1]


@builtin("last day of month", "date")
def last_day_of_month(value: Any) -> date:
    return temporal.add_months(_day(value).replace(day=1), 1) - timedelta(1)


# --- intervals ------------------------------------------------------------------------------------------------


def _ends(value: Any) -> tuple[Any, bool, Any, bool]:
    """Return low, included, high, included of a range, or of a point as the range of itself."""
    if type(value) is Range:
        return value.low, value.low_included, value.high, value.high_included
    if kind(value) in ("null", "boolean", "list", "context", "function", "opaque"):
        raise Unfit(f"a {kind(value)} is neither a point nor a range")
    return value, True, value, True


@builtin("before", "point1|point2", "point|range", "range|point", "range1|range2")
def before(left: Any, right: Any) -> Any:
    _, _, high, high_in = _ends(left)
    low, low_in, _, _ = _ends(right)
    return less(high, low) if high_in and low_in else less_or_equal(high, low)


@builtin("after", "point1|point2", "point|range", "range|point", "range1|range2")
def after(left: Any, right: Any) -> Any:
    return before(right, left)


@builtin("includes", "range|point", "range1|range2")
def includes(left: Any, right: Any) -> Any:
    low, low_in, high, high_in = _ends(of_kind(left, "range"))
    inner_low, inner_low_in, inner_high, inner_high_in = _ends(right)
    starts = less_or_equal(low, inner_low) if low_in or not inner_low_in else less(low, inner_low)
    ends = greater_or_equal(high, inner_high) if high_in or not inner_high_in else greater(high, inner_high)
    return and_(starts, ends)


@builtin("during", "point|range", "range1|range2")
def during(left: Any, right: Any) -> Any:
    return includes(right, left)


@builtin("overlaps", "range1|range2")
def overlaps(left: Any, right: Any) -> Any:
    one, two = before(left, right), before(right, left)
    if one is None or two is None:
        return None
    return not one and not two


@builtin("meets", "range1|range2")
def meets(left: Any, right: Any) -> Any:
    _, _, high, high_in = _ends(of_kind(left, "range"))
    low, low_in, _, _ = _ends(of_kind(right, "range"))
    return high_in and low_in and equal(high, low)


@builtin("met by", "range1|range2")
def met_by(left: Any, right: Any) -> Any:
    return meets(right, left)


@builtin("starts", "point|range", "range1|range2")
def starts(left: Any, right: Any) -> Any:
    low, low_in, high, _ = _ends(left)
    outer_low, outer_in, outer_high, _ = _ends(of_kind(right, "range"))
    if type(left) is not Range:
        return and_(outer_in, equal(low, outer_low))
    return and_(and_(low_in == outer_in, equal(low, outer_low)), less_or_equal(high, outer_high))


@builtin("finishes", "point|range", "range1|range2")
def finishes(left: Any, right: Any) -> Any:
    low, _, high, high_in = _ends(left)
    outer_low, _, outer_high, outer_in = _ends(of_kind(right, "range"))
    if type(left) is not Range:
        return and_(outer_in, equal(high, outer_high))
    return and_(and_(high_in == outer_in, equal(high, outer_high)), greater_or_equal(low, outer_low))


@builtin("started by", "range|point", "range1|range2")
def started_by(left: Any, right: Any) -> Any:
    return starts(right, left)


@builtin("finished by", "range|point", "range1|range2")
def finished_by(left: Any, right: Any) -> Any:
    return finishes(right, left)


@builtin("coincides", "point1|point2", "range1|range2")
def coincides(left: Any, right: Any) -> Any:
    low, low_in, high, high_in = _ends(left)
    other_low, other_low_in, other_high, other_high_in = _ends(right)
    same_ends = (low_in, high_in) == (other_low_in, other_high_in)
    return and_(same_ends, and_(equal(low, other_low), equal(high, other_high)))
