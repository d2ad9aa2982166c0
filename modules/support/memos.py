"""The memos page: what callers left, for whom, and what became of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_

from engine.kernel.db import db
from engine.pages import (
    STAFF,
    Audio,
    Column,
    Empty,
    Line,
    Link,
    ListPage,
    Phone,
    Preview,
    Section,
    Status,
    View,
    add_list,
)
from modules.identity import User
from modules.portals.communicator import Memo
from modules.support.calls import INSTANCE_VIEWERS, written

STATES: dict[str, Status] = {
    "new": Status("waiting", "New"),
    "reviewed": Status("running", "Reviewed"),
    "filed": Status("completed", "Filed"),
    "deleted": Status("cancelled", "Deleted", "trash"),
}
OUTCOMES = {"call_back": "Call back", "hand_over": "Hand over", "file": "Only file it"}


def state(memo: Memo) -> Status:
    """Return where a memo stands."""
    return STATES.get(memo.state, STATES["new"])


def caller(memo: Memo) -> str:
    """Return who left it: the name the directory had, else the number."""
    return memo.caller_name or written(memo.caller)


def _user(user_id: str | None) -> str:
    user = db.session.get(User, user_id) if user_id else None
    return user.name if user else ""


def sound(memo: Memo) -> list[Section]:
    """Return the part of a preview in which a memo is heard, or what became of it."""
    if memo.recording_file:
        return [Section("Memo", audio=[Audio(f"/files/{memo.recording_file}", "Recording", memo.duration_s)])]
    if memo.deleted_at:
        return [Section("Memo", lines=[Line("Deleted when its time was over", "", "trash")])]
    return []


def document(memo: Memo) -> list[Section]:
    """Return the part of a preview with the PDF note, when there is one."""
    if not memo.document_file:
        return []
    return [Section("Documents", lines=[Line("Note (PDF)", "", "file-text", url=f"/files/{memo.document_file}")])]


def _preview(memo: Memo) -> Preview:
    facts: tuple[tuple[str, Any], ...] = (
        ("Caller", Phone(memo.caller) if memo.caller else "Number withheld"),
        ("Called", memo.number),
        ("For", _user(memo.owner_id)),
        ("Recorded", memo.recorded_at),
        ("Deleted after", memo.delete_after),
    )
    review = (
        ("Outcome", OUTCOMES.get(memo.outcome or "", memo.outcome)),
        ("Note", memo.note),
        ("Call back by", memo.call_back_by),
        ("Reviewed by", _user(memo.reviewer_id)),
        ("Reviewed", memo.reviewed_at),
    )
    return Preview(
        title=caller(memo),
        subtitle=f"Memo for {_user(memo.owner_id) or 'everybody'}",
        status=state(memo),
        links=(
            Link("Open instance", f"/administration/instances/{memo.instance_id}", "route", INSTANCE_VIEWERS),
            Link("Open call", f"/support/calls/{memo.call_id}", "phone"),
        ),
        sections=(*sound(memo), Section("Details", facts), Section("Review", review), *document(memo)),
    )


add_list(
    ListPage(
        name="support.memos",
        url="/support/memos",
        section="Support",
        title="Memos",
        singular="memo",
        model=Memo,
        roles=STAFF,
        columns=(
            Column("caller_name", "Caller", Memo.caller_name, kind="person", show=caller),
            Column("caller", "Number", Memo.caller, kind="phone", show=lambda memo: Phone(memo.caller), width=150),
            Column("owner", "For", show=lambda memo: _user(memo.owner_id)),
            Column("recorded_at", "Recorded", Memo.recorded_at, kind="when", width=132, under=True),
            Column("duration", "Length", show=lambda memo: f"{memo.duration_s:.0f} s", width=80),
            Column(
                "state",
                "State",
                Memo.state,
                kind="status",
                choices=[(name, status.text) for name, status in STATES.items()],
                show=state,
                width=116,
                keep=True,
            ),
        ),
        search=lambda text: or_(
            Memo.caller_name.icontains(text, autoescape=True),
            Memo.caller.contains(text, autoescape=True),
            Memo.note.icontains(text, autoescape=True),
        ),
        sort="-recorded_at",
        views=(View("new", "New", lambda: Memo.state == "new"),),
        preview=_preview,
        empty=Empty("No memos yet", "Bind a number to the application Caller ID memo, and call it.", "microphone"),
        row_title=caller,
        order=20,
    )
)
