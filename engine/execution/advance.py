"""The advance: the only place where instances move.

load (hot or cold) → deliver events → run to wait states → write live state, history, timers, subscriptions, user
tasks and outbox, consume event and timer rows → one commit, guarded by ``UPDATE … WHERE version = ?``. Any exception
between delivery and commit evicts the hot copy, and the events stay for the next try.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, delete, insert, select, update

from engine.definitions.parsed import spec
from engine.execution import codec, state
from engine.execution.delivery import deliver
from engine.execution.events import ENDED
from engine.execution.recorder import Recorder, final_status
from engine.execution.records import DeliveredEvent, Event, Instance, Outbox
from engine.kernel.db import now, unit_of_work
from engine.kernel.errors import Conflict
from engine.semantics import Machine

log = structlog.get_logger()

#: how long nobody else may take an instance after its host's last advance, while that host lives
LEASE = timedelta(seconds=10)
#: events consumed in one commit
BATCH = 20
#: nodes passed in one commit; an instance that wants more goes on in the next, after others had their turn
STEPS = 2000
#: instances kept in memory
HOT = 2000

_instances = Instance.__table__
_events = Event.__table__
_delivered = DeliveredEvent.__table__
_columns = [column for column in _instances.c if column.name not in {"state", "final_data"}]


@dataclass
class Hot:
    """An instance in memory, true as long as its row has this version."""

    machine: Machine
    version: int


@dataclass
class Advanced:
    """What an advance has done, for what happens after its commit."""

    instance_id: str
    tenant_id: str
    version: int
    status: str
    machine: Machine
    outbox: list[Outbox] = field(default_factory=list)
    tasks_changed: bool = False
    #: more is waiting: events beyond the batch, or tokens beyond the step limit
    more: bool = False


class Advancer:
    """Advances instances for one host and keeps the hot ones."""

    def __init__(self, host: str, is_silent: Callable[[str], bool] = lambda _: False) -> None:
        self.host = host
        self.is_silent = is_silent
        self.hot: OrderedDict[str, Hot] = OrderedDict()

    def advance(self, instance_id: str) -> Advanced | None:
        """Advance an instance by its waiting events; None when there is nothing to do or another host has it.

        Raises ``Conflict`` when another host was faster; then nothing has happened.
        """
        try:
            with unit_of_work() as session:
                done = self._advance(session.connection(), instance_id)
        except BaseException:
            self.hot.pop(instance_id, None)
            raise
        if done is not None:
            self._keep(done)
        return done

    def _keep(self, done: Advanced) -> None:
        if done.status in ENDED:
            self.hot.pop(done.instance_id, None)
            return
        self.hot[done.instance_id] = Hot(done.machine, done.version)
        self.hot.move_to_end(done.instance_id)
        while len(self.hot) > HOT:
            self.hot.popitem(last=False)

    def _advance(self, connection: Connection, instance_id: str) -> Advanced | None:
        row = connection.execute(
            select(*_columns).where(_instances.c.id == instance_id).with_for_update()
        ).one_or_none()
        if row is None or not self._may_take(row):
            return None
        events = connection.execute(
            select(_events).where(_events.c.instance_id == instance_id).order_by(_events.c.id).limit(BATCH)
        ).all()
        if not events:
            return None
        if row.status in ENDED:
            _consume(connection, instance_id, events)
            return None
        return self._move(connection, row, events)

    def _may_take(self, row: Row[Any]) -> bool:
        if row.owner is None or row.owner == self.host:
            return True
        if row.owned_until is not None and row.owned_until < now():
            return True
        return self.is_silent(row.owner)

    def _move(self, connection: Connection, row: Row[Any], events: Any) -> Advanced:
        parsed = spec(row.definition_id)
        recorder = Recorder(row, parsed)
        machine = self._load(connection, row, recorder)
        machine.effects = recorder
        rested = True
        for event in events:
            recorder.actor_id = event.actor_id
            deliver(machine, event.kind, codec.decode(event.payload), event.actor_id)
            rested = machine.run(STEPS)
            if not rested:
                events = events[: events.index(event) + 1]
                break
        status = final_status(machine)
        if status == "completed":
            assert machine.root is not None
            recorder.answer_parent(machine.root.variables()[0])
        elif status == "cancelled" and not recorder.escaped:
            recorder.answer_parent({}, {"code": "child.cancelled", "message": "The called process was cancelled."})
        recorder.flush(connection)
        _consume(connection, row.id, events)
        if not rested:
            _continue_later(connection, row)
        self._write(connection, row, machine, status)
        return Advanced(
            row.id,
            row.tenant_id,
            row.version + 1,
            status,
            machine,
            outbox=[Outbox(**values) for values in recorder.outbox.values()],
            tasks_changed=recorder.tasks_changed,
            more=not rested or len(events) == BATCH,
        )

    def _load(self, connection: Connection, row: Row[Any], recorder: Recorder) -> Machine:
        hot = self.hot.get(row.id)
        if hot is not None and hot.version == row.version:
            return hot.machine
        raw = connection.scalar(select(_instances.c.state).where(_instances.c.id == row.id))
        bundle = spec(row.definition_id).bundle
        return state.decode(raw, bundle, recorder) if raw is not None else Machine(bundle, recorder)

    def _write(self, connection: Connection, row: Row[Any], machine: Machine, status: str) -> None:
        ended = status in ENDED
        values: dict[str, Any] = {
            "version": row.version + 1,
            "status": status,
            "owner": self.host,
            "owned_until": now() + LEASE,
            "state": None if ended else state.encode(machine),
        }
        if ended:
            data = machine.root.variables()[0] if machine.root is not None else {}
            values |= {"ended_at": now(), "final_data": codec.encode(data)}
        changed = connection.execute(
            update(_instances).where(_instances.c.id == row.id, _instances.c.version == row.version).values(**values)
        )
        if changed.rowcount != 1:
            raise Conflict(f"Another host has advanced {row.id} meanwhile.", code="instance.version")


def _consume(connection: Connection, instance_id: str, events: Any) -> None:
    """Delete delivered events and keep their keys, so that repeated senders are recognised."""
    moment: datetime = now()
    connection.execute(delete(_events).where(_events.c.id.in_([event.id for event in events])))
    connection.execute(
        insert(_delivered),
        [{"key": event.key, "instance_id": instance_id, "delivered_at": moment} for event in events],
    )


def _continue_later(connection: Connection, row: Row[Any]) -> None:
    """Let the instance go on by itself in another advance."""
    connection.execute(
        insert(_events),
        {
            "instance_id": row.id,
            "kind": "continue",
            "key": f"continue:{row.id}:{row.version}",
            "payload": codec.encode({}),
            "actor_id": "system",
            "created_at": now(),
        },
    )
