"""Commands that nobody has answered yet are sent again: sending is at least once."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, select, update

from engine.execution.records import Instance, Outbox
from engine.kernel.db import db, now, unit_of_work

RESEND = timedelta(seconds=2)
LIMIT = 500


def due_commands(host: str, kinds: frozenset[str], silent: frozenset[str]) -> list[Outbox]:
    """Return the rows of these kinds that are due, of instances that are this host's or nobody's, and postpone them.

    Rows of external operations are the clock's business (``engine.execution.sweeps``).
    """
    mine = kinds - {"external"}
    if not mine:
        return []
    with unit_of_work(write=False) as session:
        due = (
            select(Outbox)
            .join(Instance, Instance.id == Outbox.instance_id)
            .where(
                Outbox.kind.in_(mine),
                Outbox.next_at <= now(),
                or_(Instance.owner == host, Instance.owner.is_(None), Instance.owner.in_(silent)),
            )
            .limit(LIMIT)
        )
        rows = list(session.scalars(due))
        session.expunge_all()
    if rows:
        with unit_of_work():
            db.session.execute(
                update(Outbox).where(Outbox.id.in_([row.id for row in rows])).values(next_at=now() + RESEND),
                execution_options={"synchronize_session": False},
            )
    return rows
