"""Tables of running instances. Other rooms read and change them only through ``engine.api``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.kernel.db import Identified, Json, TenantOwned, db, now

Sequence = BigInteger().with_variant(Integer, "sqlite")


class Instance(Identified, TenantOwned, db.Model):
    """One running or finished process."""

    __tablename__ = "instance"
    __table_args__ = (
        Index("ix_instance_tenant_started", "tenant_id", "started_at"),
        Index("ix_instance_parent", "parent_id"),
    )

    definition_id: Mapped[str] = mapped_column(String(32), index=True)
    process_id: Mapped[str] = mapped_column(index=True)
    #: running waiting completed incident cancelled suspended
    status: Mapped[str] = mapped_column(String(12), index=True)
    #: grows by one with each advance; the guard against two writers
    version: Mapped[int] = mapped_column(default=0)
    #: ``interactive`` or ``batch``
    priority: Mapped[str] = mapped_column(String(12), default="interactive")
    business_key: Mapped[str | None] = mapped_column(index=True)
    #: instance whose call activity started this one, and its token
    parent_id: Mapped[str | None] = mapped_column(String(32))
    parent_token: Mapped[str | None] = mapped_column(String(32))
    #: user id or ``system``
    started_by: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    #: host that has the instance in memory, and until when nobody else may take it
    owner: Mapped[str | None] = mapped_column(index=True)
    owned_until: Mapped[datetime | None]
    #: live state: open tokens and their data, written by ``execution.workflow``
    state: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: variables at the end, in the engine's codec; the live state is gone by then
    final_data: Mapped[bytes | None] = mapped_column(LargeBinary)


class Event(db.Model):
    """Something that happened to an instance and was not yet delivered to it. Consumed in the advance's commit."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_instance", "instance_id", "id"),)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    instance_id: Mapped[str] = mapped_column(String(32))
    #: start message signal task_completed operation_result timer control child_ended continue
    kind: Mapped[str] = mapped_column(String(24))
    #: the sender's idempotency key
    key: Mapped[str] = mapped_column(unique=True)
    #: what happened, in the engine's codec
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    #: actor who caused it
    actor_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class DeliveredEvent(db.Model):
    """Keys of consumed events, kept for a day, so that a repeated sender is recognised."""

    __tablename__ = "delivered_event"

    key: Mapped[str] = mapped_column(primary_key=True)
    #: instance that consumed it, which a repeated start returns
    instance_id: Mapped[str] = mapped_column(String(32))
    delivered_at: Mapped[datetime] = mapped_column(default=now, index=True)


class Timer(Identified, db.Model):
    """A due instant of one waiting token."""

    __tablename__ = "timer"
    __table_args__ = (UniqueConstraint("instance_id", "token_id"), Index("ix_timer_due", "fired", "due_at"))

    instance_id: Mapped[str] = mapped_column(String(32))
    token_id: Mapped[str] = mapped_column(String(32))
    due_at: Mapped[datetime]
    #: its event was inserted; the row goes with the advance that consumes it
    fired: Mapped[bool] = mapped_column(default=False)


class Subscription(Identified, db.Model):
    """A token that waits for a message or a signal."""

    __tablename__ = "subscription"
    __table_args__ = (Index("ix_subscription_lookup", "kind", "name", "correlation"),)

    tenant_id: Mapped[str] = mapped_column(String(32), index=True)
    instance_id: Mapped[str] = mapped_column(String(32), index=True)
    token_id: Mapped[str] = mapped_column(String(32))
    element_id: Mapped[str]
    #: ``message`` or ``signal``
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str]
    #: value of the correlation key; empty when the name alone decides
    correlation: Mapped[str] = mapped_column(default="")


class Outbox(Identified, db.Model):
    """An effect that leaves after the commit: a worker's job or a command for an agent. Deleted when answered."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("key"), Index("ix_outbox_open", "kind", "next_at"))

    #: ``external`` or ``media``
    kind: Mapped[str] = mapped_column(String(12))
    instance_id: Mapped[str] = mapped_column(String(32), index=True)
    token_id: Mapped[str] = mapped_column(String(32))
    element_id: Mapped[str]
    tenant_id: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[str]
    attempt: Mapped[int]
    #: token and attempt; ``…:cancel`` for the command that interrupts it
    key: Mapped[str]
    operation: Mapped[str]
    #: parameters (external) or command (media), written by the engine's codec
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)
    #: when it is sent (again); far in the future once somebody has taken it
    next_at: Mapped[datetime] = mapped_column(default=now)
    tries: Mapped[int] = mapped_column(default=0)
    #: worker that is doing it
    taken_by: Mapped[str | None]


class History(db.Model):
    """One row a finished token. Append-only."""

    __tablename__ = "history"
    __table_args__ = (Index("ix_history_instance", "instance_id", "id"),)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    instance_id: Mapped[str] = mapped_column(String(32))
    tenant_id: Mapped[str] = mapped_column(String(32), index=True)
    token_id: Mapped[str] = mapped_column(String(32))
    element_id: Mapped[str]
    name: Mapped[str]
    #: BPMN type, such as ``userTask``
    type: Mapped[str] = mapped_column(String(32))
    #: element that the token came from; None at a start
    came_from: Mapped[str | None]
    #: completed, cancelled (interrupted), merged (into another token at a join)
    outcome: Mapped[str] = mapped_column(String(12))
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime]
    actor_id: Mapped[str]
    #: variables that the token changed: ``{name: new value}``, secrets masked
    changes: Mapped[dict[str, Any]]
    operation: Mapped[str | None]
    input: Mapped[dict[str, Any] | None]
    output: Mapped[Any | None] = mapped_column(Json)
    #: fired DMN rules
    rules: Mapped[list[Any] | None]


class Incident(Identified, TenantOwned, db.Model):
    """A token that cannot go on without an operator."""

    __tablename__ = "incident"

    instance_id: Mapped[str] = mapped_column(String(32), index=True)
    token_id: Mapped[str] = mapped_column(String(32))
    element_id: Mapped[str]
    name: Mapped[str]
    #: operation that failed, if it was one
    operation: Mapped[str | None]
    #: code of the error
    error: Mapped[str]
    message: Mapped[str] = mapped_column(Text)
    #: traceback, for operators
    detail: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=now)
    resolved_at: Mapped[datetime | None] = mapped_column(index=True)
    #: retried edited skipped moved cancelled
    resolution: Mapped[str | None] = mapped_column(String(12))


class UserTask(Identified, TenantOwned, db.Model):
    """A token that waits for a person. The id is the token's."""

    __tablename__ = "user_task"
    __table_args__ = (Index("ix_user_task_inbox", "tenant_id", "status", "created_at"),)

    instance_id: Mapped[str] = mapped_column(String(32), index=True)
    process_id: Mapped[str]
    element_id: Mapped[str]
    name: Mapped[str]
    #: open claimed completing completed cancelled
    status: Mapped[str] = mapped_column(String(12), default="open")
    #: user id of who has it
    assignee: Mapped[str | None] = mapped_column(index=True)
    #: groups (roles) that may take it; empty: every user of the tenant
    candidate_groups: Mapped[list[str]]
    #: user ids that may take it
    candidate_users: Mapped[list[str]]
    #: registered screen, if any
    screen: Mapped[str | None]
    #: JSON schema and uiSchema of the form
    form: Mapped[dict[str, Any]]
    #: variables the form and screen are shown with
    variables: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)
    due_at: Mapped[datetime | None]
    follow_up_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    #: 0 to 100, 50 is normal
    task_priority: Mapped[int] = mapped_column(default=50)


class HostRecord(db.Model):
    """A host process and its last sign of life."""

    __tablename__ = "host"

    #: stable across restarts, such as ``interactive-1``
    name: Mapped[str] = mapped_column(primary_key=True)
    #: ``interactive`` or ``batch``
    kind: Mapped[str] = mapped_column(String(12))
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
