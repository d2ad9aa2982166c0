"""Tables of the PBX portal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.kernel.db import Identified, TenantOwned, db, now


class Application(Identified, TenantOwned, db.Model):
    """A published diagram with the parameters a customer filled in; numbers are bound to it."""

    __tablename__ = "application"

    name: Mapped[str]
    #: diagram it is made of
    process_id: Mapped[str] = mapped_column(index=True)
    #: version it stays with; empty: every call takes the newest
    definition_id: Mapped[str | None] = mapped_column(String(32))
    #: what the customer filled in, by the definition's JSON schema; what is missing has the schema's default
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Extension(Identified, TenantOwned, db.Model):
    """A short number of a tenant that rings a phone."""

    __tablename__ = "extension"
    __table_args__ = (UniqueConstraint("tenant_id", "number"),)

    #: two to six digits, unique within the tenant
    number: Mapped[str] = mapped_column(String(6))
    #: who or what it rings
    name: Mapped[str]
    #: user whose extension it is
    user_id: Mapped[str | None] = mapped_column(String(32), index=True)
    #: account that its phone registers with
    sip_account_id: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(default=now)
