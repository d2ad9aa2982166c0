"""Events that cannot be delivered because the engine itself fails on them: tried again, then set aside."""

from __future__ import annotations

import time

import structlog
from sqlalchemy import select

from engine.execution.records import DeliveredEvent, Event, Incident, Instance
from engine.execution.trouble import code_of, explain, sentence
from engine.kernel.db import db, unit_of_work

log = structlog.get_logger()

#: pauses after a failed advance, in seconds; after the last one the event becomes an incident
PAUSES = (0.1, 0.5, 2.0)


class Poison:
    """Counts the failed advances of each instance."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[int, float]] = {}

    def may_try(self, instance_id: str) -> bool:
        """Say whether the pause after the last failure is over."""
        return time.monotonic() >= self._failures.get(instance_id, (0, 0.0))[1]

    def succeeded(self, instance_id: str) -> None:
        """Forget earlier failures."""
        self._failures.pop(instance_id, None)

    def failed(self, instance_id: str, error: Exception) -> None:
        """Note a failure; after the last pause set the oldest event aside as an incident without token."""
        count, _ = self._failures.get(instance_id, (0, 0.0))
        if count < len(PAUSES):
            self._failures[instance_id] = (count + 1, time.monotonic() + PAUSES[count])
            return
        self._failures.pop(instance_id, None)
        with unit_of_work():
            _set_aside(instance_id, error)


def _set_aside(instance_id: str, error: Exception) -> None:
    event = db.session.scalar(select(Event).where(Event.instance_id == instance_id).order_by(Event.id).limit(1))
    instance = db.session.get(Instance, instance_id)
    if event is None or instance is None:
        return
    log.error("event_set_aside", instance=instance_id, kind=event.kind, key=event.key)
    db.session.add(
        Incident(
            tenant_id=instance.tenant_id,
            instance_id=instance_id,
            token_id="",
            element_id="",
            name=f"Event “{event.kind}”",
            error=code_of(error),
            message=sentence(error),
            detail=explain(error),
            attempts=len(PAUSES) + 1,
        )
    )
    db.session.add(DeliveredEvent(key=event.key, instance_id=instance_id))
    db.session.delete(event)
    instance.status = "incident"
    instance.version += 1
