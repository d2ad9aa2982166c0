"""Tables of the definitions: versions of processes, with the decisions and forms deployed beside them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.kernel.db import Identified, db, now


class Deployment(Identified, db.Model):
    """One upload: its files belong together and are never changed."""

    __tablename__ = "deployment"

    #: owner
    tenant_id: Mapped[str] = mapped_column(String(32), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    #: user id of who deployed
    created_by: Mapped[str]
    #: sha256 of the names and contents of all files
    digest: Mapped[str]


class Resource(Identified, db.Model):
    """One file of a deployment: ``bpmn``, ``dmn`` or ``form``."""

    __tablename__ = "resource"
    __table_args__ = (UniqueConstraint("deployment_id", "name"),)

    deployment_id: Mapped[str] = mapped_column(String(32), index=True)
    #: file name inside the deployment
    name: Mapped[str]
    kind: Mapped[str]
    #: as uploaded
    content: Mapped[str] = mapped_column(Text)


class Definition(Identified, db.Model):
    """One version of an executable process."""

    __tablename__ = "definition"
    __table_args__ = (UniqueConstraint("tenant_id", "process_id", "version"), Index(None, "process_id", "version"))

    tenant_id: Mapped[str] = mapped_column(String(32), index=True)
    deployment_id: Mapped[str] = mapped_column(String(32))
    #: id of the bpmn:process
    process_id: Mapped[str]
    name: Mapped[str]
    #: 1, 2, 3 … within tenant and process_id
    version: Mapped[int]
    #: file name of the diagram inside the deployment
    resource: Mapped[str]
    #: sha256 of everything that its execution depends on
    digest: Mapped[str]
    #: JSON schema of the parameters a customer fills when he makes an application of it; empty when it is none
    parameters: Mapped[dict[str, Any]]
    #: lint findings at deployment that did not forbid it
    warnings: Mapped[list[Any]]
    #: whether the tenants below the owner may use it too: the operator's application templates
    published: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)


class StartSubscription(Identified, db.Model):
    """A message, signal or timer start event of the newest version of a process."""

    __tablename__ = "start_subscription"

    tenant_id: Mapped[str] = mapped_column(String(32), index=True)
    definition_id: Mapped[str] = mapped_column(String(32), index=True)
    #: ``message`` or ``signal`` or ``timer``
    kind: Mapped[str]
    #: message or signal name
    name: Mapped[str] = mapped_column(index=True)
    element_id: Mapped[str]
    #: text of the timer's time, and when it is due next; both only for timers
    timer: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime | None] = mapped_column(index=True)
