"""Tables of the directory."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.kernel.db import Identified, TenantOwned, db, now


class Contact(Identified, TenantOwned, db.Model):
    """A person or company that a tenant deals with."""

    __tablename__ = "contact"
    __table_args__ = (Index("ix_contact_tenant_name", "tenant_id", "name"),)

    name: Mapped[str]
    organisation: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    #: BCP 47 tag of the language to speak to them in; empty for the tenant's
    language: Mapped[str] = mapped_column(String(16), default="")
    #: what they are to the tenant, such as Patient or Supplier
    tags: Mapped[list[str]] = mapped_column(default=list)
    #: whether they may be called, written and recorded: ``given``, ``partly``, ``refused`` or ``unknown``
    consent: Mapped[str] = mapped_column(String(12), default="unknown")
    #: user id of who looks after them
    owner_id: Mapped[str | None] = mapped_column(String(32))
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    numbers: Mapped[list[ContactNumber]] = relationship(
        back_populates="contact", cascade="all, delete-orphan", lazy="selectin", order_by="ContactNumber.position"
    )

    @property
    def number(self) -> str | None:
        """The first number."""
        return self.numbers[0].number if self.numbers else None


class ContactNumber(Identified, TenantOwned, db.Model):
    """One way to reach a contact. A number belongs to one contact of a tenant, so that a caller is one person."""

    __tablename__ = "contact_number"
    __table_args__ = (UniqueConstraint("tenant_id", "number"),)

    contact_id: Mapped[str] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    #: E.164, or an extension of the tenant
    number: Mapped[str] = mapped_column(String(16))
    #: Mobile, Work …
    label: Mapped[str] = mapped_column(String(24), default="")
    #: the first one is shown in lists
    position: Mapped[int] = mapped_column(default=0)

    contact: Mapped[Contact] = relationship(back_populates="numbers")
