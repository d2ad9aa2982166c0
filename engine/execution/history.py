"""Reading history: the rows that finished tokens left, and what an instance's data was at any of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.execution.records import History
from engine.kernel.db import db

#: how a variable that a token removed stands in ``changes``
REMOVED = {"$removed": True}


def as_json(row: History) -> dict[str, Any]:
    """Return one row in the shape that ``show`` prints."""
    return {
        "id": row.id,
        "token": row.token_id,
        "element": row.element_id,
        "name": row.name,
        "type": row.type,
        "outcome": row.outcome,
        "from": row.came_from,
        "entered_at": row.entered_at.isoformat(),
        "left_at": row.left_at.isoformat(),
        "actor": row.actor_id,
        "changes": row.changes,
        "operation": row.operation,
        "input": row.input,
        "output": row.output,
        "rules": row.rules,
    }


def history(instance_id: str, *, after: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the finished tokens of an instance in the order in which they finished, from row ``after`` on."""
    statement = select(History).where(History.instance_id == instance_id, History.id > after).order_by(History.id)
    if limit is not None:
        statement = statement.limit(limit)
    return [as_json(row) for row in db.session.scalars(statement)]


def state_at(instance_id: str, history_id: int) -> dict[str, Any]:
    """Return the data right after a history row, and the elements at which tokens were then that finished later.

    Values are those of the history: secrets masked, decimals as text.
    """
    rows = db.session.scalars(select(History).where(History.instance_id == instance_id).order_by(History.id)).all()
    data: dict[str, Any] = {}
    moment = None
    for row in rows:
        if row.id > history_id:
            break
        moment = row.left_at
        for name, value in row.changes.items():
            if value == REMOVED:
                data.pop(name, None)
            else:
                data[name] = value
    tokens = [
        {"id": row.token_id, "element": row.element_id, "name": row.name, "type": row.type, "from": row.came_from}
        for row in rows
        if moment is not None and row.id > history_id and row.entered_at <= moment
    ]
    return {"data": data, "tokens": tokens}
