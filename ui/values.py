"""One value of a row as markup: the same in list cells, previews and exports."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

from engine.pages import Link, Phone, Status
from ui import filters

STATUS_ICONS = {
    "running": "player-play",
    "waiting": "hourglass",
    "completed": "circle-check",
    "incident": "alert-octagon",
    "cancelled": "ban",
    "suspended": "player-pause",
}


def shown(value: Any) -> Markup:
    """Return the value as people read it on a page."""
    match value:
        case None | "":
            return Markup('<span class="t2">—</span>')
        case Status():
            icon = value.icon or STATUS_ICONS[value.word]
            return Markup('<span class="st {}"><i class="ti ti-{}" aria-hidden="true"></i>{}</span>').format(
                value.word, icon, value.text
            )
        case Link():
            return Markup('<a href="{}">{}</a>').format(value.url, value.text)
        case Phone():
            if not value.number:
                return shown(None)
            return Markup('<span class="num">{}</span>').format(filters.phone(value.number))
        case timedelta():
            return Markup('<span class="num">{}</span>').format(filters.duration(value))
        case bool():
            return escape("Yes" if value else "No")
        case datetime():
            return Markup('<time class="num" datetime="{}" title="{}">{}</time>').format(
                value.isoformat(), filters.exact(value), filters.when(value)
            )
        case date():
            return escape(filters.day(value))
        case int() | float():
            return Markup('<span class="num">{}</span>').format(filters.thousands(value))
        case list() | tuple():
            return Markup(" ").join(Markup('<span class="lab">{}</span>').format(item) for item in value) or shown(None)
    return escape(value)


def plain(value: Any) -> str:
    """Return the value as text for an export."""
    match value:
        case Status() | Link():
            return value.text
        case Phone():
            return value.number or ""
        case timedelta():
            return filters.duration(value)
    return filters.as_text(value)


def safe_cell(text: str) -> str:
    """Return a CSV cell that no spreadsheet takes for a formula; plain numbers, with their sign, stay as they are."""
    if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not text[1:].replace(".", "", 1).isdigit():
        return "'" + text
    return text
