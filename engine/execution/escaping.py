"""Errors that leave a child instance: does the instance that called it catch them? (BPMN 2.0, 10.5.7)"""

from __future__ import annotations

from sqlalchemy import select

from engine.definitions.parsed import spec
from engine.execution.records import Instance
from engine.execution.state import decode
from engine.kernel.db import db
from engine.semantics.throwing import find_catcher


def is_caught_by(parent_id: str, token_id: str | None, code: str) -> bool:
    """Say whether an error thrown at the call activity ``token_id`` finds a catcher in the parent, or above it."""
    row = db.session.execute(
        select(Instance.definition_id, Instance.state, Instance.parent_id, Instance.parent_token).where(
            Instance.id == parent_id
        )
    ).one_or_none()
    if row is None or row.state is None:
        return False
    machine = decode(row.state, spec(row.definition_id).bundle, None)
    token = machine.tokens.get(token_id or "")
    if token is None:
        return False
    if find_catcher(token, "error", code) is not None:
        return True
    return row.parent_id is not None and is_caught_by(row.parent_id, row.parent_token, code)
