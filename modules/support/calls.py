"""The calls page: who called whom, what answered, how it ended, and what was recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from engine.kernel.actor import scoped
from engine.kernel.db import db, now
from engine.kernel.types import E164
from engine.pages import (
    STAFF,
    Audio,
    Column,
    Empty,
    Hit,
    Line,
    Link,
    ListPage,
    Phone,
    Preview,
    SearchProvider,
    Section,
    Status,
    View,
    add_list,
    add_search,
)
from media.models import Call, Recording
from modules.directory import lookup

URL = "/support/calls"
INSTANCE_VIEWERS = ("administrator", "customer_admin", "supervisor")

#: how a call ended: the status word, and what people say
CAUSES: dict[str, Status] = {
    "hangup": Status("completed", "Hung up"),
    "rejected": Status("cancelled", "Rejected"),
    "cancelled": Status("cancelled", "Gave up"),
    "busy": Status("cancelled", "Busy"),
    "no_answer": Status("cancelled", "No answer"),
    "unavailable": Status("cancelled", "Unavailable"),
    "failed": Status("incident", "Failed"),
    "agent_lost": Status("incident", "Agent lost"),
}


def outcome(call: Call) -> Status:
    """Return where a call stands, or how it ended."""
    if call.state == "talking":
        return Status("running", "Talking")
    if call.state != "ended":
        return Status("waiting", "Ringing")
    return CAUSES.get(call.cause or "hangup", Status("completed", (call.cause or "").replace("_", " ").capitalize()))


def length(call: Call) -> timedelta | None:
    """Return how long people talked; None when nobody answered."""
    return (call.ended_at or now()) - call.answered_at if call.answered_at else None


def contact_name(call: Call) -> str:
    """Return the name the tenant knows the caller by, empty when unknown."""
    contact = lookup(call.from_number, call.tenant_id)
    return contact.name if contact else ""


def written(number: str) -> str:
    """Return a number as people write it."""
    if not number:
        return "Number withheld"
    return E164(number).display() if number.startswith("+") else number


def _caller(call: Call) -> Phone | str:
    return Phone(call.from_number) if call.from_number else "Number withheld"


def recordings_of(call: Call) -> list[Recording]:
    """Return what was recorded in a call, in order."""
    query = scoped(Recording).where(Recording.call_id == call.id).order_by(Recording.created_at)
    return list(db.session.scalars(query))


def preview(call: Call) -> Preview:
    """Return what the pane beside the list shows."""
    name = contact_name(call)
    instance = f"/administration/instances/{call.instance_id}"
    links = [Link("Open instance", instance, "route", INSTANCE_VIEWERS)] if call.instance_id else []
    facts: list[tuple[str, Any]] = [
        ("From", _caller(call)),
        ("To", Phone(call.to_number)),
        ("Started", call.started_at),
        ("Answered", call.answered_at),
        ("Ended", call.ended_at),
        ("Duration", length(call)),
    ]
    technical = (
        ("Call", call.id),
        ("Agent", call.agent),
        ("Host", call.owner),
        ("SIP call", call.sip_call_id or None),
        ("Instance", call.instance_id),
    )
    return Preview(
        title=name or written(call.from_number),
        subtitle=f"{'To' if call.direction == 'inbound' else 'From'} {call.to_number}",
        status=outcome(call),
        links=links,
        sections=(Section("Call", facts), *_recordings(call), Section("Technical", technical, open=False)),
    )


def _recordings(call: Call) -> list[Section]:
    made = recordings_of(call)
    kept = [
        Audio(f"/files/{item.stored_file_id}", "Recording", item.duration_s) for item in made if item.stored_file_id
    ]
    gone = [Line("Deleted", f"{item.duration_s:.0f} s, kept for its time", "trash") for item in made if item.deleted_at]
    return [Section("Recordings", audio=kept, lines=gone, count=len(made))] if made else []


def _find(text: str) -> Any:
    digits = "".join(sign for sign in text if sign.isdigit())
    wanted = digits.lstrip("0") or text
    return or_(Call.from_number.contains(wanted, autoescape=True), Call.to_number.contains(wanted, autoescape=True))


add_list(
    ListPage(
        name="support.calls",
        url=URL,
        section="Support",
        title="Calls",
        singular="call",
        model=Call,
        roles=STAFF,
        columns=(
            Column("from_number", "From", Call.from_number, kind="phone", show=_caller),
            Column("contact", "Contact", show=contact_name),
            Column("to_number", "To", Call.to_number, kind="phone", show=lambda call: Phone(call.to_number), width=110),
            Column("started_at", "Started", Call.started_at, kind="when", width=124, under=True),
            Column("duration", "Duration", show=length, width=84),
            Column(
                "cause",
                "Outcome",
                Call.cause,
                kind="status",
                choices=[(key, status.text) for key, status in CAUSES.items()],
                show=outcome,
                width=128,
                keep=True,
            ),
        ),
        search=_find,
        sort="-started_at",
        views=(
            View("now", "Now", lambda: Call.state != "ended"),
            View("recorded", "Recorded", lambda: Call.id.in_(select(Recording.call_id))),
        ),
        preview=preview,
        empty=Empty("No calls yet", "Every call that an application answers appears here at once.", "phone"),
        row_title=lambda call: call.from_number or "withheld number",
        order=10,
    )
)


def _search(text: str, limit: int) -> list[Hit]:
    if sum(sign.isdigit() for sign in text) < 3:
        return []
    found = db.session.scalars(scoped(Call).where(_find(text)).order_by(Call.started_at.desc()).limit(limit))
    return [
        Hit(written(call.from_number), f"{URL}/{call.id}", f"to {call.to_number}", "phone-incoming") for call in found
    ]


add_search(SearchProvider("Calls", _search, STAFF, order=30))
