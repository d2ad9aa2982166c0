"""Instants on pages that compare and count them: exact clocks, and whole microseconds for scripts."""

from __future__ import annotations

from datetime import datetime

from flask.sansio.app import App

from engine.kernel.db import now
from ui.filters import DASH, local, zone


def init_moments(app: App) -> None:
    """Add the filters ``micros``, ``instant``, ``clock_s``, ``moment`` and the global ``zone``."""
    app.jinja_env.filters.update(micros=micros, instant=instant, clock_s=clock_s, moment=moment)
    app.jinja_env.globals["zone"] = zone


def instant(value: str | datetime | None) -> datetime | None:
    """Read an instant that the engine wrote as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def micros(value: str | datetime) -> int:
    """Whole microseconds since 1970, the form in which scripts compare times."""
    at = instant(value)
    assert at is not None
    return round(at.timestamp() * 1_000_000)


def clock_s(value: datetime | None) -> str:
    """Time of day to the second: ``10:41:58``."""
    return f"{local(value):%H:%M:%S}" if value else DASH


def moment(value: datetime | None) -> str:
    """A time to the second, with the day unless it is today: ``10:41:58``, ``12 Jun 10:41:58``."""
    if value is None:
        return DASH
    there, here = local(value), local(now())
    day = "" if there.date() == here.date() else f"{there.day} {there:%b} "
    year = "" if there.year == here.year else f"{there.year} "
    return f"{day}{year}{there:%H:%M:%S}"
