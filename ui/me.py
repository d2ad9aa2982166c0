"""A consumer's own page: his memos, his calls, his documents, and nobody else's."""

from __future__ import annotations

from flask import Blueprint, render_template
from sqlalchemy import or_, select

from engine.kernel.actor import Actor, current_actor, scoped
from engine.kernel.db import db
from engine.kernel.files import StoredFile
from engine.pages import EVERYONE, NavItem, add_to_navigation, allow
from media.models import Call
from modules.portals.communicator import Memo
from modules.portals.pbx import Extension
from modules.support.calls import contact_name, length, outcome
from modules.support.memos import caller, state
from ui import files

blueprint = Blueprint("me", __name__)
LATEST = 50

add_to_navigation(NavItem("", "My calls", "/me", ("consumer",), order=20, icon="user"))


def own_file(actor: Actor, stored: StoredFile) -> bool:
    """Tell whether a file is the recording or the note of one of the actor's own memos."""
    mine = select(Memo.id).where(
        Memo.tenant_id == actor.tenant_id,
        Memo.owner_id == actor.user_id,
        or_(Memo.recording_file == stored.id, Memo.document_file == stored.id),
    )
    return db.session.scalar(mine.limit(1)) is not None


files.READERS.append(own_file)


def own_calls(actor: Actor, extensions: list[Extension]) -> list[Call]:
    """Return the latest calls to and from the actor's extensions, and those in which a memo was left for him."""
    numbers = [extension.number for extension in extensions]
    memos = select(Memo.call_id).where(Memo.owner_id == actor.user_id)
    mine = or_(Call.from_number.in_(numbers), Call.to_number.in_(numbers), Call.id.in_(memos))
    query = scoped(Call).where(Call.tenant_id == actor.tenant_id, mine)
    return list(db.session.scalars(query.order_by(Call.started_at.desc()).limit(LATEST)))


@blueprint.get("/me")
@allow(EVERYONE)
def index() -> str:
    """Show what is the user's own."""
    actor = current_actor()
    assert actor is not None  # the view is closed to strangers
    extensions = list(db.session.scalars(scoped(Extension).where(Extension.user_id == actor.user_id)))
    memos = scoped(Memo).where(Memo.owner_id == actor.user_id).order_by(Memo.recorded_at.desc()).limit(LATEST)
    return render_template(
        "me.html",
        memos=list(db.session.scalars(memos)),
        calls=own_calls(actor, extensions),
        extensions=extensions,
        caller=caller,
        memo_state=state,
        contact_name=contact_name,
        outcome=outcome,
        length=length,
    )
