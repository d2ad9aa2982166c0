"""What the clock does: due timers become events, lost jobs are enqueued again, old keys are forgotten."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from engine.definitions.models import StartSubscription
from engine.definitions.store import definition_by_id
from engine.execution import codec
from engine.execution.external import enqueue, jobs_waiting
from engine.execution.records import DeliveredEvent, Event, Instance, Outbox, Timer
from engine.execution.starting import start_definition
from engine.expressions import Cycle, as_timer, compile_timer
from engine.feel.temporal import shift
from engine.kernel.bus import ring
from engine.kernel.db import after_commit, db, now, unit_of_work

#: timers fired in one commit
BATCH = 500
#: how long the keys of consumed events are kept
KEPT = timedelta(days=1)
#: pause before a job that no worker has taken is enqueued again
AGAIN = timedelta(seconds=10)


def fire_timers() -> int:
    """Insert an event for each due timer and ring; return how many."""
    with unit_of_work(write=False) as session:
        if session.scalar(select(Timer.id).where(Timer.fired.is_(False), Timer.due_at <= now()).limit(1)) is None:
            return 0
    with unit_of_work() as session:
        due = session.execute(
            select(Timer.id, Timer.instance_id, Timer.token_id, Instance.owner, Instance.priority)
            .join(Instance, Instance.id == Timer.instance_id)
            .where(Timer.fired.is_(False), Timer.due_at <= now())
            .order_by(Timer.due_at)
            .limit(BATCH)
            .with_for_update(of=Timer, skip_locked=True)
        ).all()
        if not due:
            return 0
        moment = now()
        events = [
            {
                "instance_id": row.instance_id,
                "kind": "timer",
                "key": f"timer:{row.id}",
                "payload": codec.encode({"token": row.token_id, "timer": row.id}),
                "actor_id": "system",
                "created_at": moment,
            }
            for row in due
        ]
        session.execute(insert(Event), events)
        session.execute(
            update(Timer).where(Timer.id.in_([row.id for row in due])).values(fired=True),
            execution_options={"synchronize_session": False},
        )
        bells = {row.instance_id: row.owner or row.priority for row in due}
        after_commit(lambda: _ring_all(bells))
    return len(due)


def _ring_all(bells: dict[str, str]) -> None:
    for instance_id, bell in bells.items():
        ring(bell, instance_id)


def start_by_timers() -> int:
    """Start the processes whose timer start event is due; return how many."""
    started = 0
    with unit_of_work(write=False) as session:
        due = list(
            session.scalars(
                select(StartSubscription.id).where(StartSubscription.kind == "timer", StartSubscription.due_at <= now())
            )
        )
    for subscription_id in due:
        with unit_of_work() as session:
            row = session.get(StartSubscription, subscription_id)
            if row is not None and row.due_at is not None and row.due_at <= now():
                _start(row)
                started += 1
    return started


def _start(row: StartSubscription) -> None:
    start_definition(
        definition_by_id(row.definition_id),
        tenant_id=row.tenant_id,
        data={},
        actor_id="system",
        priority="batch",
        element=row.element_id,
        key=f"timer:{row.id}:{row.due_at.isoformat()}" if row.due_at else None,
    )
    timer = as_timer(compile_timer(row.timer or "").evaluate({}))
    if not isinstance(timer, Cycle) or row.due_at is None:
        row.due_at = None
        return
    following = shift(row.due_at, timer.interval)
    while following <= now():  # what was missed while nothing ran is not made up for
        following = shift(following, timer.interval)
    row.due_at = following


def enqueue_due() -> int:
    """Enqueue external operations that no worker has, or whose worker is lost; return how many.

    While the workers are far behind nothing is enqueued twice.
    """
    if jobs_waiting() > BATCH:
        return 0
    with unit_of_work(write=False) as session:
        rows = list(
            session.scalars(
                select(Outbox)
                .where(Outbox.kind == "external", Outbox.next_at <= now())
                .order_by(Outbox.next_at)
                .limit(BATCH)
            )
        )
        session.expunge_all()
    if rows:
        with unit_of_work():
            db.session.execute(
                update(Outbox)
                .where(Outbox.id.in_([row.id for row in rows]))
                .values(next_at=now() + AGAIN, taken_by=None),
                execution_options={"synchronize_session": False},
            )
        enqueue(rows)
    return len(rows)


def forget_delivered() -> None:
    """Forget the keys of events that were consumed long ago."""
    with unit_of_work():
        db.session.execute(delete(DeliveredEvent).where(DeliveredEvent.delivered_at < now() - KEPT))
