"""Tables of administration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.kernel.db import Identified, TenantOwned, db, now


class CaughtMail(Identified, TenantOwned, db.Model):
    """A mail that the built-in catcher took instead of a mail server."""

    __tablename__ = "caught_mail"
    __table_args__ = (Index("ix_caught_mail_tenant_received", "tenant_id", "received_at"),)

    #: Message-ID; a repeated mail has the same and is not kept twice
    message_id: Mapped[str] = mapped_column(unique=True)
    #: process instance that sent it, if one did
    instance_id: Mapped[str | None] = mapped_column(String(32), index=True)
    sender: Mapped[str]
    recipients: Mapped[list[str]]
    subject: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    #: empty when the mail has plain text only
    html: Mapped[str] = mapped_column(Text)
    #: ``{"file": stored file id, "name", "content_type", "size"}`` each
    attachments: Mapped[list[Any]]
    received_at: Mapped[datetime] = mapped_column(default=now)
