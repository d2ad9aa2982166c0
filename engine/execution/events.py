"""The one way in: whoever wants an instance to move inserts an event row here and rings; hosts do the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import load_only

from engine.execution import codec
from engine.execution.records import DeliveredEvent, Event, Instance
from engine.kernel.bus import ring
from engine.kernel.db import after_commit, db
from engine.kernel.errors import NotFound

#: states in which an instance takes no more events
ENDED = frozenset({"completed", "cancelled"})


def known(key: str) -> str | None:
    """Return the instance that an event with this key was addressed to, consumed or not; None for a new key."""
    for model in (Event, DeliveredEvent):
        instance_id: str | None = db.session.scalar(select(model.instance_id).where(model.key == key))
        if instance_id is not None:
            return instance_id
    return None


def insert_event(instance: Instance, kind: str, payload: dict[str, Any], *, key: str, actor_id: str) -> None:
    """Insert an event for an instance and ring its host, or any host of its kind, once that has committed."""
    db.session.add(Event(instance_id=instance.id, kind=kind, key=key, payload=codec.encode(payload), actor_id=actor_id))
    bell, instance_id = instance.owner or instance.priority, instance.id
    after_commit(lambda: ring(bell, instance_id))


def send_event(instance_id: str, kind: str, payload: dict[str, Any], *, key: str, actor_id: str = "system") -> bool:
    """Insert an event unless its key was seen or the instance has ended; say whether it was inserted.

    Raises ``NotFound`` when there is no such instance.
    """
    instance = find_instance(instance_id)
    if instance.status in ENDED or known(key) is not None:
        return False
    insert_event(instance, kind, payload, key=key, actor_id=actor_id)
    return True


_ADDRESS = load_only(
    Instance.id, Instance.status, Instance.owner, Instance.priority, Instance.tenant_id, Instance.definition_id
)


def find_instance(instance_id: str) -> Instance:
    """Return the instance without its state. Raises ``NotFound``."""
    statement = select(Instance).where(Instance.id == instance_id).options(_ADDRESS)
    instance: Instance | None = db.session.scalar(statement)
    if instance is None:
        raise NotFound(f"There is no process instance {instance_id}.", code="instance.unknown")
    return instance


def statuses(instance_ids: Iterable[str]) -> dict[str, str]:
    """Return the status of each instance that exists."""
    rows = db.session.execute(select(Instance.id, Instance.status).where(Instance.id.in_(list(instance_ids))))
    return {row.id: row.status for row in rows}
