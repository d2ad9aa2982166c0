"""One instance as people and programs see it: status, data, tokens, history, incidents."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.definitions.store import definition_by_id
from engine.execution import codec
from engine.execution import history as past
from engine.execution.events import ENDED
from engine.execution.incidents import list_incidents
from engine.execution.records import Incident, Instance, Outbox, Subscription, Timer, UserTask
from engine.execution.state import LiveToken, live_data, live_tokens
from engine.kernel.db import db
from engine.kernel.errors import NotFound


def show(instance_id: str, *, history: bool = True) -> dict[str, Any]:
    """Return everything about an instance. Raises ``NotFound``.

    ``data`` are the variables at the end, or as they stand now with the latest write of each winning; secrets are
    masked.
    """
    instance = db.session.get(Instance, instance_id)
    if instance is None:
        raise NotFound(f"There is no process instance {instance_id}.", code="instance.unknown")
    definition = definition_by_id(instance.definition_id)
    if instance.final_data is not None:
        data = codec.decode(instance.final_data)
    else:
        data = live_data(instance.state) if instance.state is not None else {}
    return {
        "id": instance.id,
        "process": instance.process_id,
        "version": definition.version,
        "tenant": instance.tenant_id,
        "status": instance.status,
        "data": codec.shown(data),
        "tokens": tokens(instance),
        "history": past.history(instance_id) if history else [],
        "incidents": [incident_json(item) for item in _incidents(instance_id)],
        "definition_id": instance.definition_id,
        "started_at": instance.started_at.isoformat(),
        "started_by": instance.started_by,
        "ended_at": instance.ended_at.isoformat() if instance.ended_at else None,
        "business_key": instance.business_key,
        "parent": instance.parent_id,
    }


def _incidents(instance_id: str) -> list[Incident]:
    found = list_incidents(instance_id=instance_id, resolved=None)
    return sorted(found, key=lambda incident: incident.resolved_at is not None)


def incident_json(incident: Incident) -> dict[str, Any]:
    """Return an incident in the shape that ``show`` prints."""
    return {
        "id": incident.id,
        "token": incident.token_id,
        "element": incident.element_id,
        "name": incident.name,
        "operation": incident.operation,
        "error": incident.error,
        "message": incident.message,
        "detail": incident.detail,
        "attempts": incident.attempts,
        "at": incident.at.isoformat(),
        "resolved_at": incident.resolved_at.isoformat() if incident.resolved_at else None,
        "resolution": incident.resolution,
    }


def tokens(instance: Instance) -> list[dict[str, Any]]:
    """Return the open tokens of an instance, each with what it waits for."""
    if instance.state is None:
        return []
    waits = _waits(instance.id)
    return [{**token_json(token), **waits.get(token.id, {})} for token in live_tokens(instance.state)]


def token_json(token: LiveToken) -> dict[str, Any]:
    """Return one open token in the shape that ``show`` prints."""
    return {
        "id": token.id,
        "element": token.element,
        "name": token.name,
        "type": token.type,
        "state": token.state,
        "since": token.since,
        "from": token.came_from,
    }


def _waits(instance_id: str) -> dict[str, dict[str, Any]]:
    """Say what each waiting token of an instance waits for, by token id."""
    found: dict[str, dict[str, Any]] = {}
    for timer in db.session.scalars(select(Timer).where(Timer.instance_id == instance_id)):
        found[timer.token_id] = {"waiting_for": "timer", "due_at": timer.due_at.isoformat()}
    for row in db.session.scalars(select(Subscription).where(Subscription.instance_id == instance_id)):
        found[row.token_id] = {"waiting_for": row.kind, row.kind: row.name, "correlation": row.correlation}
    operations = select(Outbox.token_id, Outbox.operation).where(Outbox.instance_id == instance_id)
    for token_id, operation in db.session.execute(operations):
        found[token_id] = {"waiting_for": "operation", "operation": operation}
    tasks = select(UserTask.id).where(UserTask.instance_id == instance_id, UserTask.status.in_(("open", "claimed")))
    for task_id in db.session.scalars(tasks):
        found[task_id] = {"waiting_for": "task", "task": task_id}
    children = select(Instance.id, Instance.parent_token).where(
        Instance.parent_id == instance_id, Instance.status.not_in(ENDED)
    )
    for child_id, parent_token in db.session.execute(children):
        found[str(parent_token)] = {"waiting_for": "child", "child": child_id}
    return found
