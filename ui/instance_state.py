"""What the instance page shows, as data: finished tokens, open tokens, incidents and calls of one instance."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine import api
from engine.api import Definition, History, Instance
from engine.kernel.actor import scoped
from engine.kernel.db import db, now
from engine.kernel.errors import NotFound
from engine.kernel.types import to_json
from media.models import Call, Recording
from modules.identity import User
from ui.moments import micros

#: finished tokens that the page loads; of a longer history it shows the end
WINDOW = 1000
ENDED = frozenset({"completed", "cancelled"})


def visible_instance(instance_id: str) -> Instance:
    """Return an instance of the actor's tenants. Raises ``NotFound``."""
    found = db.session.scalar(scoped(Instance).where(Instance.id == instance_id))
    if found is None:
        raise NotFound("There is no such instance, or it belongs to somebody else.", code="instance.unknown")
    return found


def instance_state(instance: Instance, *, after: int = 0) -> dict[str, Any]:
    """Return the page's data: history rows after ``after``, and everything else as it is now."""
    shown = api.show(instance.id, history=False)
    start = after or _window_start(instance.id)
    tokens = [token | {"entered": micros(token["since"])} for token in shown["tokens"]]
    attempts = {incident["token"]: incident["attempts"] for incident in shown["incidents"]}
    for token in tokens:
        token["attempts"] = attempts.get(token["id"], 1)
    state = {
        "id": instance.id,
        "status": shown["status"],
        "open": shown["status"] not in ENDED,
        "now": micros(now()),
        "ended": micros(instance.ended_at) if instance.ended_at else None,
        "tokens": tokens,
        "incidents": shown["incidents"],
        "rows": [_row(row) for row in api.history(instance.id, after=start)],
    }
    if not after:
        state["base"] = api.state_at(instance.id, start)["data"] if start else {}
        state["skipped"] = start > 0
    _name_actors(state["rows"])
    return state


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"entered": micros(row["entered_at"]), "left": micros(row["left_at"])}


def _window_start(instance_id: str) -> int:
    """Return the id of the last row that is left out, 0 when all are shown."""
    older = (
        select(History.id).where(History.instance_id == instance_id).order_by(History.id.desc()).offset(WINDOW).limit(1)
    )
    return db.session.scalar(older) or 0


def _name_actors(rows: list[dict[str, Any]]) -> None:
    people = {row["actor"] for row in rows} - {"system", None}
    if not people:
        return
    names = dict(db.session.execute(select(User.id, User.name).where(User.id.in_(people))).all())
    for row in rows:
        row["actor_name"] = names.get(row["actor"], row["actor"])


def calls_of(instance_id: str) -> list[tuple[Call, list[Recording]]]:
    """Return the calls that an instance serves, newest first, each with its recordings."""
    calls = list(
        db.session.scalars(scoped(Call).where(Call.instance_id == instance_id).order_by(Call.started_at.desc()))
    )
    made = scoped(Recording).where(Recording.call_id.in_([call.id for call in calls])).order_by(Recording.created_at)
    recordings = list(db.session.scalars(made)) if calls else []
    return [(call, [item for item in recordings if item.call_id == call.id]) for call in calls]


def person(user_id: str | None) -> str:
    """Return a user's name for people; the platform itself is ``the platform``."""
    if not user_id or user_id == "system":
        return "the platform"
    return db.session.scalar(select(User.name).where(User.id == user_id)) or user_id


def newest_version(instance: Instance) -> tuple[int, int, str]:
    """Return the instance's version, the newest one, and the newest definition's id."""
    mine = api.definition_by_id(instance.definition_id)
    newest = db.session.scalar(
        select(Definition)
        .where(Definition.tenant_id == mine.tenant_id, Definition.process_id == mine.process_id)
        .order_by(Definition.version.desc())
        .limit(1)
    )
    assert newest is not None
    return mine.version, newest.version, newest.id


def embedded(state: dict[str, Any]) -> str:
    """Return the state as JSON that may stand inside a script element."""
    return to_json(state).decode().replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
