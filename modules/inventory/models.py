"""Tables of the inventory."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from engine.kernel.db import Identified, TenantOwned, db, now


class PhoneNumber(Identified, TenantOwned, db.Model):
    """A number that can be called: a DID from a carrier, or an internal one that only phones of the platform reach."""

    __tablename__ = "phone_number"

    #: E.164, or up to eight digits for an internal number; unique in the deployment
    number: Mapped[str] = mapped_column(String(16), unique=True)
    #: what it is for, for people
    label: Mapped[str] = mapped_column(default="")
    #: application that answers it; empty: calls are refused with 404
    application_id: Mapped[str | None] = mapped_column(String(32), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
