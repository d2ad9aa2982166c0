"""Periods and their bars, also across months and where clocks shift."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.errors import InvalidInput
from modules.reporting.periods import Period, find_period

BERLIN = "Europe/Berlin"
TODAY = date(2026, 11, 23)


def labels(first: str, last: str, zone: str = BERLIN) -> list[str]:
    return [bucket.label for bucket in Period(date.fromisoformat(first), date.fromisoformat(last), zone).buckets()]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("", "2026-10-25", "2026-11-23"),
        ("today", "2026-11-23", "2026-11-23"),
        ("yesterday", "2026-11-22", "2026-11-22"),
        ("last_7_days", "2026-11-17", "2026-11-23"),
        ("this_month", "2026-11-01", "2026-11-23"),
        ("last_month", "2026-10-01", "2026-10-31"),
    ],
)
def test_named_periods(name: str, first: str, last: str) -> None:
    period = find_period(name, "", "", today=TODAY, zone=BERLIN)
    assert (period.first.isoformat(), period.last.isoformat()) == (first, last)


def test_days_from_to() -> None:
    period = find_period("days", "2026-01-01", "2026-01-31", today=TODAY, zone=BERLIN)
    assert (period.days, period.title) == (31, "1–31 January 2026")
    assert find_period("", "2026-10-30", "", today=TODAY, zone=BERLIN).title == "30 October – 23 November 2026"
    assert (
        find_period("", "2025-12-30", "2026-01-02", today=TODAY, zone=BERLIN).title
        == "30 December 2025 – 2 January 2026"
    )
    assert find_period("", "2026-11-01", "", today=TODAY, zone=BERLIN).last == TODAY


@pytest.mark.parametrize(
    ("name", "first", "last", "field"),
    [
        ("next_year", "", "", "period"),
        ("days", "", "", "from"),
        ("days", "", "2026-11-01", "from"),
        ("days", "1 Nov", "2026-11-01", "from"),
        ("days", "2026-11-02", "2026-11-01", "to"),
        ("days", "2026-11-01", "2026-13-01", "to"),
        ("days", "1990-01-01", "2026-11-01", "from"),
    ],
)
def test_impossible_periods_name_the_field(name: str, first: str, last: str, field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        find_period(name, first, last, today=TODAY, zone=BERLIN)
    assert field in error.value.fields


def test_labels_suit_the_length() -> None:
    assert labels("2026-11-02", "2026-11-04") == ["Mon 2", "Tue 3", "Wed 4"]
    assert labels("2026-11-01", "2026-11-30") == [str(day) for day in range(1, 31)]
    assert labels("2026-10-30", "2026-11-12")[:4] == ["30", "31", "1", "2"]
    assert labels("2026-09-30", "2026-11-12")[:3] == ["30 Sep", "5 Oct", "12 Oct"]
    assert labels("2025-11-15", "2026-11-12")[:2] == ["Nov 25", "Dec 25"]
    assert labels("2026-11-02", "2026-11-02") == [str(hour) for hour in range(24)]


def test_days_on_which_clocks_shift() -> None:
    spring, autumn = labels("2026-03-29", "2026-03-29"), labels("2026-10-25", "2026-10-25")
    assert len(spring) == 23
    assert "2" not in spring
    assert len(autumn) == 25
    assert [label.strip() for label in autumn].count("2") == 2


@given(
    first=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    days=st.integers(0, 1097),
    zone=st.sampled_from([BERLIN, "UTC", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_bars_cover_the_period_without_gaps(first: date, days: int, zone: str) -> None:
    period = Period(first, first + timedelta(days=days), zone)
    bars = list(period.buckets())
    assert bars[0].start == period.start
    assert bars[-1].end == period.end
    assert all(one.end == other.start for one, other in pairwise(bars))
    assert all(bar.start < bar.end for bar in bars)
    assert len({bar.label for bar in bars}) == len(bars) <= 38
