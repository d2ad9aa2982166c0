"""Operations of the tests."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select

from engine.kernel.db import db
from engine.kernel.errors import BusinessError, TransientError
from engine.operations import OperationContext, Pending, operation, operation_context

#: one row an effect, without a unique constraint, so that doing it twice shows; no table of the platform
EFFECTS = Table(
    "test_effect",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(80)),
    Column("note", String(80)),
)

#: how often an operation still fails, by name of the failure
FAILURES: dict[str, int] = {}
CANCELLED: list[str] = []


def reset() -> None:
    """Forget what earlier tests did."""
    FAILURES.clear()
    CANCELLED.clear()


def leave_effect(note: str) -> None:
    """Insert a row."""
    db.session.execute(insert(EFFECTS).values(key=operation_context().key, note=note))


def effects() -> int:
    """Return how many effects were left."""
    return db.session.scalar(select(func.count()).select_from(EFFECTS)) or 0


@operation("test.count")
def count(*, note: str = "") -> dict[str, Any]:
    """Leave an effect, and fail as ordered."""
    leave_effect(note)
    for name, error in (
        ("defect", ValueError("broken")),
        ("transient", TransientError("unwell")),
        ("business", BusinessError("no", code="test.no")),
    ):
        if FAILURES.get(name, 0) > 0:
            FAILURES[name] -= 1
            raise error
    return {"note": note}


@operation("test.mail", kind="external", idempotent=True)
def mail(*, to: str) -> dict[str, str]:
    """Leave an effect outside the advance."""
    if FAILURES.get("transient", 0) > 0:
        FAILURES["transient"] -= 1
        raise TransientError("unwell")
    if FAILURES.get("business", 0) > 0:
        FAILURES["business"] -= 1
        raise BusinessError("no", code="test.no")
    leave_effect(to)
    return {"to": to}


def _stop(context: OperationContext, parameters: dict[str, Any]) -> Pending:
    CANCELLED.append(context.key)
    return Pending({"verb": "stop", "call": parameters["call"]})


@operation("test.play", kind="media", cancel=_stop)
def play(*, call: str) -> dict[str, Any]:
    """Play something to a caller."""
    return Pending({"verb": "play", "call": call})  # type: ignore[return-value]
