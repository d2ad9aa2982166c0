"""The upper part of the task "Review memo": who called, what he said, what is known of him."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from engine.kernel.actor import scoped
from engine.kernel.db import db
from engine.kernel.errors import NotFound
from engine.screens import screen
from media.models import Call
from modules.directory import Contact
from modules.identity import User
from modules.portals.communicator.models import Memo


@screen("communicator.review_memo", template="communicator/review_memo.html")
def review_memo(*, task_id: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Return the memo of the task, its caller as a contact, its owner and how often he called before."""
    given = variables.get("memo")
    memo_id = given.get("memo") if isinstance(given, dict) else given
    memo: Memo | None = db.session.scalar(scoped(Memo).where(Memo.id == memo_id))
    if memo is None:
        raise NotFound("The memo of this task is not there.", code="communicator.unknown")
    contact: Contact | None = None
    if memo.contact_id:
        contact = db.session.scalar(scoped(Contact).where(Contact.id == memo.contact_id))
    return {
        "memo": memo,
        "contact": contact,
        "owner": db.session.get(User, memo.owner_id) if memo.owner_id else None,
        "earlier": _earlier_calls(memo),
    }


def _earlier_calls(memo: Memo) -> int:
    if not memo.caller:
        return 0
    before = (
        select(func.count())
        .select_from(Call)
        .where(Call.tenant_id == memo.tenant_id, Call.from_number == memo.caller, Call.started_at < memo.recorded_at)
    )
    return (db.session.scalar(before.where(Call.id != memo.call_id))) or 0
