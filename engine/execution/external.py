"""External operations: a worker runs them after the commit, at least once, and answers with an event."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from pydantic import BaseModel
from redis import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import or_, update

from engine.execution import codec
from engine.execution.answers import Failure, resume
from engine.execution.records import Outbox
from engine.execution.trouble import code_of, sentence
from engine.kernel.actor import Actor, acting_as
from engine.kernel.bus import bus
from engine.kernel.db import db, now, unit_of_work
from engine.kernel.errors import BusinessError, InvalidInput, TransientError
from engine.operations import OperationContext, Pending, find_operation, running

log = structlog.get_logger()

JOB_QUEUE = "external"
#: how long a worker may have an operation before another one gets it
LEASE = timedelta(minutes=5)
#: pauses after a TransientError; after the last one it is an incident
PAUSES = (timedelta(seconds=2), timedelta(seconds=10), timedelta(seconds=60), timedelta(minutes=5))


def job_queue() -> Queue:
    """Return the RQ queue of external operations."""
    return Queue(JOB_QUEUE, connection=bus(), serializer=JSONSerializer)


def jobs_waiting() -> int:
    """Return how many jobs wait for a worker; none while Redis is away."""
    try:
        return int(job_queue().count)
    except RedisError:
        return 0


def enqueue(rows: list[Outbox]) -> None:
    """Carry external operations: put a job for each into the queue. Without Redis the sweep does it later."""
    try:
        for row in rows:
            job_queue().enqueue(run_operation, row.id, result_ttl=0, failure_ttl=3600, job_timeout=LEASE.seconds)
    except RedisError as error:
        log.warning("jobs_not_enqueued", count=len(rows), error=str(error))


_worker_name = "worker"


def name_worker(name: str) -> None:
    """Say who takes operations in this process, and give back those that it had when it was killed."""
    global _worker_name
    _worker_name = name
    with unit_of_work():
        db.session.execute(update(Outbox).where(Outbox.taken_by == name).values(taken_by=None, next_at=now()))


def run_operation(outbox_id: str) -> None:
    """Run one external operation (an RQ job).

    The operation has its actor and context but no open unit of work; it may use ``db.session``, which then begins
    one whose commit also holds the answer, or open short ones of its own around a slow effect.
    """
    row = _take(outbox_id)
    if row is None:
        return
    context = OperationContext(row.instance_id, row.token_id, row.element_id, row.attempt, row.tenant_id, row.actor_id)
    actor = Actor(row.actor_id, row.tenant_id, frozenset({row.tenant_id}))
    try:
        with unit_of_work(lazy=True), acting_as(actor), running(context):
            result = _call(row)
            if isinstance(result, Pending):
                return  # somebody else answers
            _answer(row, result=result)
    except TransientError as error:
        _put_off(row, error)
    except BusinessError as error:
        _fail(row, Failure("fault" if isinstance(error, InvalidInput) else "business", error.code, error.message))
    except Exception as error:
        log.exception("operation_failed", operation=row.operation, key=row.key)
        _fail(row, Failure("fault", code_of(error), sentence(error)))


def _take(outbox_id: str) -> Outbox | None:
    """Take a row unless it is gone or another worker has it."""
    with unit_of_work() as session:
        taken = session.execute(
            update(Outbox)
            .where(Outbox.id == outbox_id, or_(Outbox.taken_by.is_(None), Outbox.next_at <= now()))
            .values(taken_by=_worker_name, next_at=now() + LEASE, tries=Outbox.tries + 1),
            execution_options={"synchronize_session": False},
        )
        if taken.rowcount != 1:
            return None
        row: Outbox | None = session.get(Outbox, outbox_id)
        session.expunge_all()
        return row


def _call(row: Outbox) -> Any:
    operation = find_operation(row.operation)
    result = operation.function(**operation.validate(codec.restore(row.payload)))
    return result.model_dump() if isinstance(result, BaseModel) else result


def _answer(row: Outbox, *, result: Any = None, error: Failure | None = None) -> None:
    resume(row.instance_id, row.token_id, row.attempt, result=result, error=error, key=f"result:{row.key}")


def _fail(row: Outbox, failure: Failure) -> None:
    with unit_of_work():
        _answer(row, error=failure)


def _put_off(row: Outbox, error: TransientError) -> None:
    """Try again after a pause that grows, in the end give up."""
    if row.tries > len(PAUSES):
        _fail(row, Failure("fault", error.code, error.message))
        return
    with unit_of_work():
        db.session.execute(
            update(Outbox).where(Outbox.id == row.id).values(taken_by=None, next_at=now() + PAUSES[row.tries - 1]),
            execution_options={"synchronize_session": False},
        )
    log.warning("operation_put_off", operation=row.operation, key=row.key, tries=row.tries, error=error.message)
