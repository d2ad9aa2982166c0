"""The home page: what goes on now, and how the day has been. Every figure is counted from the tenant's own rows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, redirect, render_template
from flask.typing import ResponseReturnValue

from engine import api
from engine.api import Instance
from engine.definitions.models import Definition
from engine.kernel.actor import scoped
from engine.kernel.db import db, now
from engine.kernel.settings import Settings
from engine.pages import EVERYONE, STAFF, NavItem, add_to_navigation, allow, may_open
from media.models import Call
from modules.directory import lookup
from modules.portals.communicator import Memo
from ui import probes
from ui.day import Day, calls_of_day, midnight, usual_day
from ui.filters import duration, local, zone
from ui.inbox import actor, entries

blueprint = Blueprint("home", __name__)

add_to_navigation(NavItem("", "Home", "/", (EVERYONE,), order=0, icon="home"))

#: what people call the parts of the platform, and how the names of their probes begin
PARTS = (
    ("Calls in and out", ("agent", "kamailio", "edge", "rtpengine", "sip")),
    ("Processes", ("interactive", "batch", "clock", "worker", "host", "redis")),
    ("Mail", ("catcher", "mail", "smtp")),
    ("Reports", ("reporter", "reports")),
)
HEALTH_AGE_S = 20.0
_health: tuple[float, probes.Readiness] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the day with its change against yesterday at this time."""

    title: str
    value: str
    change: str
    good: bool | None
    curve: list[int]
    status: str


@blueprint.get("/")
@allow(EVERYONE)
def index() -> ResponseReturnValue:
    """Show the day at a glance; consumers have a page of their own."""
    roles = actor().roles
    if roles == {"consumer"} and "me.index" in current_app.view_functions:
        return redirect("/me")
    today = calls_of_day(zone())
    hours = {"answered": today.by_hour(gave_up=False), "gave_up": today.by_hour(gave_up=True)}
    return render_template(
        "home.html",
        greeting=_greeting(),
        figures=_figures(today),
        hours={**hours, "usual": usual_day(zone()), "now": local(now()).hour},
        total=len(today.calls),
        tasks=entries(),
        recent=_recent(),
        incidents=_incidents(),
        topics=" ".join(f"calls:{tenant}" for tenant in sorted(actor().tenant_ids)),
        staff=may_open(roles, STAFF),
        **_live(),
    )


@blueprint.get("/home/calls")
@allow(EVERYONE)
def live_calls() -> ResponseReturnValue:
    """Return the calls that go on now, for the page to swap in when news arrive."""
    return render_template("home_calls.html", **_live())


@blueprint.get("/bell")
@allow(EVERYONE)
def bell() -> ResponseReturnValue:
    """Return what needs attention: incidents, for those who may mend them, and overdue tasks."""
    found = api.list_incidents(actor().tenant_ids, limit=5) if _incidents() else []
    return render_template("bell.html", incidents=found, late=[entry for entry in entries() if entry.late][:5])


@blueprint.get("/home/health")
@allow(EVERYONE)
def health_card() -> ResponseReturnValue:
    """Return the state of the platform's parts."""
    found = readiness(current_app.extensions["cms_settings"])
    return render_template("home_health.html", parts=_parts(found))


@blueprint.get("/health/summary")
@allow(EVERYONE)
def health_summary() -> dict[str, Any]:
    """Tell in a few words how the platform is, for the foot of the navigation, and how many notices the bell has."""
    notices = _incidents() + sum(entry.late for entry in entries())
    sick = [title for title, missing in _parts(readiness(current_app.extensions["cms_settings"])) if missing]
    if not sick:
        return {"status": "completed", "text": "All normal", "notices": notices}
    text = f"{sick[0]}: see Home" if len(sick) == 1 else f"{len(sick)} parts do not answer"
    return {"status": "waiting", "text": text, "notices": notices}


def readiness(settings: Settings) -> probes.Readiness:
    """Return what the probes found within the last seconds: many open pages ask, the parts are asked rarely."""
    global _health
    if _health is None or time.monotonic() - _health[0] > HEALTH_AGE_S:
        _health = (time.monotonic(), probes.readiness(settings))
    return _health[1]


def _parts(found: probes.Readiness) -> list[tuple[str, list[str]]]:
    missing = [*found.waiting, *found.starting]
    known = [(title, [name for name in missing if name.startswith(heads)]) for title, heads in PARTS]
    named = {name for _, names in known for name in names}
    rest = [name for name in missing if name not in named]
    return [*known, ("Other parts", rest)] if rest else known


def _greeting() -> str:
    hour = local(now()).hour
    return "Good morning" if 4 <= hour < 12 else "Good afternoon" if hour < 18 and hour >= 12 else "Good evening"


def _figures(today: Day) -> list[Figure]:
    before = calls_of_day(zone(), 1).until(now())
    share, share_before = today.answered_share, before.answered_share
    length, length_before = today.average_length, before.average_length
    hour = local(now()).hour + 1
    curve, lost = today.by_hour()[:hour], today.by_hour(gave_up=True)[:hour]
    counted = len(today.calls) - len(before.calls)
    more_lost = today.gave_up - before.gave_up
    memos, memos_before = _memos()
    return [
        Figure("Calls today", f"{len(today.calls):,}", f"{counted:+d}", None, curve, "running"),
        Figure(
            "Answered",
            "—" if share is None else f"{share:.1f} %",
            "" if share is None or share_before is None else f"{share - share_before:+.1f} %",
            None if share is None or share_before is None else share >= share_before,
            today.by_hour(gave_up=False)[:hour],
            "completed",
        ),
        Figure("Average length", duration(length), _longer(length, length_before), None, [], "running"),
        Figure("Gave up", f"{today.gave_up:,}", f"{more_lost:+d}", more_lost <= 0, lost, "incident"),
        Figure(
            "Memos left", f"{len(memos):,}", f"{len(memos) - memos_before:+d}", None, _by_hour(memos)[:hour], "running"
        ),
    ]


def _memos() -> tuple[list[datetime], int]:
    """When today's memos were left, and how many there were yesterday by this time."""
    created = db.session.scalars(scoped(Memo, Memo.created_at).where(Memo.created_at >= midnight(zone(), 1)))
    at, today = list(created), midnight(zone())
    same_time = now() - timedelta(days=1)
    return [moment for moment in at if moment >= today], sum(moment <= same_time for moment in at)


def _by_hour(moments: list[datetime]) -> list[int]:
    counts = [0] * 24
    for moment in moments:
        counts[local(moment).hour] += 1
    return counts


def _longer(length: timedelta | None, before: timedelta | None) -> str:
    if length is None or before is None:
        return ""
    difference = (length - before).total_seconds()
    return f"{'+' if difference >= 0 else '−'}{duration(abs(difference))}"


def _live() -> dict[str, Any]:
    calls = list(
        db.session.scalars(scoped(Call).where(Call.state != "ended").order_by(Call.started_at.desc()).limit(8))
    )
    return {"live": [(call, _caller(call), _answered_by(call)) for call in calls]}


def _recent() -> list[tuple[Call, str, str]]:
    calls = db.session.scalars(scoped(Call).where(Call.state == "ended").order_by(Call.started_at.desc()).limit(6))
    return [(call, _caller(call), _answered_by(call)) for call in calls]


def _caller(call: Call) -> str:
    contact = lookup(call.from_number, call.tenant_id)
    return contact.name if contact else ""


def _answered_by(call: Call) -> str:
    """The name of the process that answers, else the number that was dialled."""
    instance = db.session.get(Instance, call.instance_id) if call.instance_id else None
    definition = db.session.get(Definition, instance.definition_id) if instance else None
    return definition.name if definition else f"To {call.to_number}"


def _incidents() -> int:
    if not may_open(actor().roles, ("administrator", "customer_admin", "supervisor")):
        return 0
    return len(api.list_incidents(actor().tenant_ids, limit=100))
