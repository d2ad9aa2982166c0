"""How values are written for people: times in the tenant's zone, numbers with spaces, durations as clocks."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g, url_for
from flask_security import current_user
from markupsafe import Markup

from engine.kernel.db import db, now
from engine.kernel.errors import InvalidInput
from engine.kernel.types import E164
from modules.identity import Tenant

DASH = "—"
HUES = ("#be185d", "#0e7490", "#7c3aed", "#a16207", "#15803d", "#1d4ed8")


def init_filters(app: Flask) -> None:
    """Add the filters and globals that all templates use."""
    app.jinja_env.filters.update(
        when=when,
        exact=exact,
        clock=clock,
        day=day,
        weekday=weekday,
        spark=spark,
        ago=ago,
        duration=duration,
        phone=phone,
        thousands=thousands,
        size=size,
        initials=initials,
        hue=hue,
        short=short,
    )
    app.jinja_env.globals["asset"] = asset
    app.jinja_env.globals["now"] = now
    app.jinja_env.globals["has_view"] = lambda endpoint: endpoint in app.view_functions


def zone() -> ZoneInfo:
    """Return the zone the viewer sees times in: his tenant's."""
    if "zone" not in g:
        name = "UTC"
        if current_user and current_user.is_authenticated:
            tenant = db.session.get(Tenant, current_user.tenant_id)
            name = tenant.timezone if tenant else name
        g.zone = ZoneInfo(name)
    return g.zone


def local(value: datetime) -> datetime:
    """Return the instant on the viewer's clock."""
    return value.astimezone(zone())


def when(value: datetime | None) -> str:
    """Relative day and time, for lists: ``Today 10:42``, ``Yesterday``, ``Mon 16:20``, ``12 Jun``, ``12 Jun 2024``."""
    if value is None:
        return DASH
    there, here = local(value), local(now())
    days = (here.date() - there.date()).days
    if days == 0:
        return f"Today {there:%H:%M}"
    if days == 1:
        return f"Yesterday {there:%H:%M}"
    if 1 < days < 7:
        return f"{there:%a %H:%M}"
    if days == -1:
        return f"Tomorrow {there:%H:%M}"
    return f"{there.day} {there:%b}" + ("" if there.year == here.year else f" {there.year}")


def exact(value: datetime | None) -> str:
    """Full time, for history and details: ``17 Jun 2025 10:41:58``."""
    return f"{local(value).day} {local(value):%b %Y %H:%M:%S}" if value else DASH


def clock(value: datetime | None) -> str:
    """Time of day: ``10:41``."""
    return f"{local(value):%H:%M}" if value else DASH


def day(value: date | datetime | None) -> str:
    """A day: ``17 June 2025``."""
    if value is None:
        return DASH
    there = local(value) if isinstance(value, datetime) else value
    return f"{there.day} {there:%B %Y}"


def weekday(value: datetime) -> str:
    """Name of the day: ``Tuesday``."""
    return f"{local(value):%A}"


def spark(values: list[int], status: str) -> Markup:
    """A small curve without axes; nothing when there is nothing to see."""
    if len(values) < 2 or not any(values):
        return Markup('<span class="no-curve"></span>')
    top, step = max(values), 100 / (len(values) - 1)
    points = [f"{at * step:.1f} {25 - value / top * 22:.1f}" for at, value in enumerate(values)]
    line = "M" + "L".join(points)
    return Markup(
        '<svg class="{}" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">'
        '<path d="{}L100 28L0 28Z" fill="var(--f)" opacity=".1"/>'
        '<path d="{}" fill="none" stroke="var(--f)" stroke-width="1.5" vector-effect="non-scaling-stroke"/></svg>'
    ).format(status, line, line)


def ago(value: datetime | None) -> str:
    """Distance from now: ``18 min``, ``2 h``, ``3 d``, without a direction."""
    if value is None:
        return DASH
    seconds = abs((now() - value.astimezone(UTC)).total_seconds())
    if seconds < 60:
        return f"{int(seconds)} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 86_400:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86_400)} d"


def duration(value: float | timedelta | None) -> str:
    """A length of time as a clock: ``0:42``, ``1:02:03``."""
    if value is None:
        return DASH
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def phone(value: str | None) -> str:
    """A number as people write it; extensions and withheld ones too."""
    if not value:
        return "Number withheld"
    if not value.startswith("+"):
        return value
    try:
        return E164(value).display()
    except InvalidInput:
        return value


def thousands(value: float | Decimal | None) -> str:
    """A count with separators: ``1,284``."""
    return DASH if value is None else f"{value:,}"


def size(value: int | None) -> str:
    """Bytes for people: ``12 kB``."""
    if value is None:
        return DASH
    amount = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1000
    return DASH


def initials(name: str | None) -> str:
    """Two letters for an avatar."""
    words = [word for word in (name or "?").replace("-", " ").split() if word[0].isalnum()] or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def hue(name: str | None) -> str:
    """A colour that always belongs to the same name."""
    return HUES[hashlib.sha256((name or "").encode()).digest()[0] % len(HUES)]


def short(value: str | None) -> str:
    """The part of an identifier that people quote."""
    return (value or "")[-6:]


def asset(path: str) -> str:
    """Return the URL of a static file that changes with its content, so that browsers may keep it for good."""
    return url_for("static", filename=path, v=_stamp(str(Path(__file__).parent / "static" / path)))


@lru_cache(maxsize=256)
def _stamp(path: str) -> str:
    file = Path(path)
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10] if file.exists() else "missing"


def as_text(value: Any) -> str:
    """Any value in one line, for exports and generic tables."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return local(value).isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case list() | tuple() | set() | frozenset():
            return ", ".join(as_text(item) for item in value)
    return str(value)
