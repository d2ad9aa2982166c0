"""What operators do to an instance that cannot go on, or that shall not."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from engine.execution.events import ENDED, find_instance, insert_event, send_event
from engine.execution.records import Incident
from engine.kernel.db import db, new_id, now
from engine.kernel.errors import Conflict, NotFound


def list_incidents(
    tenant_ids: Collection[str] | None = None,
    *,
    instance_id: str | None = None,
    resolved: bool | None = False,
    limit: int = 500,
) -> list[Incident]:
    """Return incidents, newest first; ``resolved=None`` returns open and resolved ones."""
    statement = select(Incident).order_by(Incident.at.desc(), Incident.id.desc()).limit(limit)
    if tenant_ids is not None:
        statement = statement.where(Incident.tenant_id.in_(tenant_ids))
    if instance_id is not None:
        statement = statement.where(Incident.instance_id == instance_id)
    if resolved is not None:
        statement = statement.where(Incident.resolved_at.is_not(None) if resolved else Incident.resolved_at.is_(None))
    return list(db.session.scalars(statement))


def _open_incident(incident_id: str) -> Incident:
    incident = db.session.get(Incident, incident_id)
    if incident is None:
        raise NotFound(f"There is no incident {incident_id}.", code="incident.unknown")
    if incident.resolved_at is not None:
        raise Conflict("This incident has been resolved.", code="incident.resolved")
    return incident


def retry_incident(incident_id: str, actor_id: str) -> str:
    """Let the token try again; return the event's key. Raises ``Conflict`` when resolved meanwhile, ``NotFound``."""
    return _resolve(incident_id, "retry", actor_id)


def skip_incident(incident_id: str, actor_id: str) -> str:
    """Let the token leave its element as if done; return the event's key. Raises like ``retry_incident``."""
    return _resolve(incident_id, "skip", actor_id)


def _resolve(incident_id: str, action: str, actor_id: str) -> str:
    incident = _open_incident(incident_id)
    key = f"{action}:{incident.id}"
    if not incident.token_id:  # an event that could not be delivered: it is gone, and no token waits for the outcome
        incident.resolved_at, incident.resolution = now(), "skipped"
        return key
    payload = {"do": action, "token": incident.token_id, "incident": incident.id}
    send_event(incident.instance_id, "control", payload, key=key, actor_id=actor_id)
    return key


def cancel_instance(instance_id: str, actor_id: str) -> str:
    """End an instance: open work is cancelled, running operations are told. Returns the event's key.

    Raises ``Conflict`` when it has ended, ``NotFound``.
    """
    instance = find_instance(instance_id)
    if instance.status in ENDED:
        raise Conflict("This process has already ended.", code="instance.ended")
    key = f"cancel:{instance.id}:{new_id()}"
    insert_event(instance, "control", {"do": "cancel"}, key=key, actor_id=actor_id)
    return key
