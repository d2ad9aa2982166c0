"""Messages and signals between instances (BPMN 2.0, 10.5.1): who receives what was sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.definitions.models import StartSubscription
from engine.definitions.store import definition_by_id
from engine.execution.events import insert_event, known, send_event
from engine.execution.records import Instance, Subscription
from engine.execution.starting import start_definition
from engine.kernel.db import db


def send_message(
    name: str,
    *,
    tenant_id: str,
    payload: dict[str, Any],
    correlation: str = "",
    instance_id: str | None = None,
    key: str,
    actor_id: str = "system",
) -> int:
    """Send a message and return how many instances receive it, resumed or started.

    With ``instance_id`` it goes to that instance, which takes it when one of its tokens waits for it at the time of
    delivery, after all events that came before. Otherwise each process that waits for the name with this correlation
    value gets it once, in its oldest waiting instance, and each process with such a start event is started.
    A repeated ``key`` is not sent again.
    """
    body = {"name": name, "correlation": correlation, "payload": payload}
    if instance_id is not None:
        return int(send_event(instance_id, "message", body, key=key, actor_id=actor_id))
    receivers = 0
    for instance in _waiting(name, tenant_id, correlation):
        if known(f"{key}:{instance.id}") is None:
            insert_event(instance, "message", body, key=f"{key}:{instance.id}", actor_id=actor_id)
            receivers += 1
    return receivers + start_by_event("message", name, tenant_id, payload, key=key, actor_id=actor_id)


def _waiting(name: str, tenant_id: str, correlation: str) -> list[Instance]:
    statement = (
        select(Instance)
        .join(Subscription, Subscription.instance_id == Instance.id)
        .where(
            Subscription.tenant_id == tenant_id,
            Subscription.kind == "message",
            Subscription.name == name,
            Subscription.correlation == correlation,
        )
        .order_by(Subscription.id)
    )
    oldest: dict[str, Instance] = {}
    for instance in db.session.scalars(statement):
        oldest.setdefault(instance.process_id, instance)
    return list(oldest.values())


def send_signal(
    name: str, *, tenant_id: str, payload: dict[str, Any], key: str, actor_id: str = "system", sender: str | None = None
) -> int:
    """Broadcast a signal (BPMN 2.0, 10.5.5) to every instance of the tenant that waits for it, except ``sender``.

    The sending instance has already taken it by itself. Returns how many instances receive it, resumed or started.
    """
    statement = (
        select(Instance)
        .join(Subscription, Subscription.instance_id == Instance.id)
        .where(Subscription.tenant_id == tenant_id, Subscription.kind == "signal", Subscription.name == name)
        .distinct()
    )
    receivers = 0
    for instance in db.session.scalars(statement).all():
        if instance.id != sender and known(f"{key}:{instance.id}") is None:
            body = {"name": name, "payload": payload}
            insert_event(instance, "signal", body, key=f"{key}:{instance.id}", actor_id=actor_id)
            receivers += 1
    return receivers + start_by_event("signal", name, tenant_id, payload, key=key, actor_id=actor_id)


def start_by_event(kind: str, name: str, tenant_id: str, payload: dict[str, Any], *, key: str, actor_id: str) -> int:
    """Start every process of the tenant whose newest version has a start event for this message or signal."""
    statement = select(StartSubscription).where(
        StartSubscription.tenant_id == tenant_id, StartSubscription.kind == kind, StartSubscription.name == name
    )
    started = 0
    for subscription in db.session.scalars(statement).all():
        start_key = f"{key}:{subscription.definition_id}:{subscription.element_id}"
        if known(f"start:{start_key}") is None:
            start_definition(
                definition_by_id(subscription.definition_id),
                tenant_id=tenant_id,
                data=payload,
                actor_id=actor_id,
                key=start_key,
                element=subscription.element_id,
            )
            started += 1
    return started
