"""Tables of the communicator."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.kernel.db import Identified, TenantOwned, db, now


class Memo(Identified, TenantOwned, db.Model):
    """What one caller said, for one user, and what became of it."""

    __tablename__ = "memo"
    __table_args__ = (
        Index("ix_memo_tenant_recorded", "tenant_id", "recorded_at"),
        Index("ix_memo_owner_recorded", "owner_id", "recorded_at"),
    )

    #: user whose memo it is; None when nobody could be found
    owner_id: Mapped[str | None] = mapped_column(String(32))
    call_id: Mapped[str] = mapped_column(String(32), index=True)
    recording_id: Mapped[str] = mapped_column(String(32))
    #: stored file of the recording; None once deleted
    recording_file: Mapped[str | None] = mapped_column(String(32))
    #: process instance that takes care of it
    instance_id: Mapped[str] = mapped_column(String(32), index=True)
    #: the caller in the directory
    contact_id: Mapped[str | None] = mapped_column(String(32), index=True)
    #: E.164 or extension; empty when withheld
    caller: Mapped[str]
    #: as the directory had it when he called; empty for guests
    caller_name: Mapped[str] = mapped_column(default="")
    #: dialled number
    number: Mapped[str] = mapped_column(default="")
    recorded_at: Mapped[datetime]
    duration_s: Mapped[float]
    #: new reviewed filed deleted
    state: Mapped[str] = mapped_column(String(8), default="new", index=True)
    #: call_back hand_over file
    outcome: Mapped[str | None] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(Text, default="")
    #: day by which the caller expects a call
    call_back_by: Mapped[date | None]
    reviewer_id: Mapped[str | None] = mapped_column(String(32))
    reviewed_at: Mapped[datetime | None]
    #: stored file of the PDF note; None until filed and once deleted
    document_file: Mapped[str | None] = mapped_column(String(32))
    #: when recording, mail copy and note are to be deleted; the process does it
    delete_after: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
