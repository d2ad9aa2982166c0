"""Starting instances: from the API, by a message or signal, by a timer, by a call activity."""

from __future__ import annotations

from typing import Any

from engine.definitions.models import Definition
from engine.definitions.parameters import with_defaults
from engine.definitions.store import definition_by_id, find_definition
from engine.execution.events import insert_event, known
from engine.execution.records import Instance
from engine.kernel.db import db, new_id
from engine.kernel.errors import InvalidInput

PRIORITIES = ("interactive", "batch")


def start(
    process_id: str | None = None,
    definition_id: str | None = None,
    *,
    tenant_id: str,
    data: dict[str, Any],
    actor_id: str = "system",
    business_key: str | None = None,
    priority: str = "interactive",
    owner: str | None = None,
    key: str | None = None,
) -> str:
    """Start an instance of a definition, or of the newest version of a process, and return its id.

    ``owner`` names the host that shall run it (the one that has the lease on its call). A repeated ``key`` returns
    the instance that it started. Parameters of an application template that ``data`` lacks get their defaults.
    Raises ``NotFound`` for an unknown process, ``InvalidInput`` without one.
    """
    if definition_id is not None:
        definition = definition_by_id(definition_id)
    elif process_id is not None:
        definition = find_definition(process_id, tenant_id=tenant_id)
    else:
        raise InvalidInput("Say which process to start.", {"process_id": "Missing."})
    if priority not in PRIORITIES:
        raise InvalidInput(f"{priority!r} is not a priority.", {"priority": f"One of {', '.join(PRIORITIES)}."})
    if definition.parameters:
        data = {**data, "parameters": with_defaults(definition.parameters, data.get("parameters"))}
    return start_definition(
        definition,
        tenant_id=tenant_id,
        data=data,
        actor_id=actor_id,
        business_key=business_key,
        priority=priority,
        owner=owner,
        key=key,
    )


def start_definition(
    definition: Definition,
    *,
    tenant_id: str,
    data: dict[str, Any],
    actor_id: str,
    business_key: str | None = None,
    priority: str = "interactive",
    owner: str | None = None,
    key: str | None = None,
    element: str | None = None,
    parent: tuple[str, str] | None = None,
) -> str:
    """Start an instance at its none start event, or at ``element``; ``parent`` is (instance, token) of a call activity.

    For an ``element`` (a message, signal or timer start) ``data`` is the payload that its output mapping takes.
    """
    if key is not None and (started := known(f"start:{key}")) is not None:
        return started
    instance = Instance(
        id=new_id(),
        tenant_id=tenant_id,
        definition_id=definition.id,
        process_id=definition.process_id,
        status="running",
        version=0,
        priority=priority,
        business_key=business_key,
        parent_id=parent[0] if parent else None,
        parent_token=parent[1] if parent else None,
        started_by=actor_id,
        owner=owner,
    )
    db.session.add(instance)
    payload = {"data": data, "element": element}
    insert_event(instance, "start", payload, key=f"start:{key or instance.id}", actor_id=actor_id)
    return instance.id
