"""Tables of calls: the call with its lease, what happened in it, and what was recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.kernel.db import Identified, TenantOwned, db, now

#: states of a call that is still on
ONGOING = ("ringing", "talking")


class Call(Identified, TenantOwned, db.Model):
    """One call that an application answers. The id is made by the agent that took it."""

    __tablename__ = "call"
    __table_args__ = (
        Index("ix_call_tenant_started", "tenant_id", "started_at"),
        Index("ix_call_state_owner", "state", "owner"),
    )

    #: ``inbound`` or ``outbound``
    direction: Mapped[str] = mapped_column(String(8), default="inbound")
    #: E.164 or extension; empty when the caller withheld it
    from_number: Mapped[str] = mapped_column(index=True)
    #: dialled number as the edge normalised it
    to_number: Mapped[str] = mapped_column(index=True)
    #: agent that carries it
    agent: Mapped[str] = mapped_column(index=True)
    #: that agent's life: a restarted agent has another one and none of the calls
    agent_boot: Mapped[str] = mapped_column(default="")
    #: host that holds the lease: its commands are obeyed and events come to it
    owner: Mapped[str]
    #: grows with each change of owner; agents refuse commands of an older one
    epoch: Mapped[int] = mapped_column(default=1)
    #: number of the last event that was taken in; they are taken in order
    last_seq: Mapped[int] = mapped_column(default=0)
    #: process instance that the call drives
    instance_id: Mapped[str | None] = mapped_column(String(32), index=True)
    #: application that answers the number
    application_id: Mapped[str | None] = mapped_column(String(32), index=True)
    #: SIP Call-ID of the caller's dialog
    sip_call_id: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime] = mapped_column(default=now)
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    #: why it ended: hangup cancelled rejected busy no_answer unavailable failed agent_lost
    cause: Mapped[str | None] = mapped_column(String(16))
    #: ringing talking ended
    state: Mapped[str] = mapped_column(String(8), default="ringing")


class CallEvent(db.Model):
    """Something that an agent reported of a call. Append-only."""

    __tablename__ = "call_event"
    __table_args__ = (UniqueConstraint("call_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    call_id: Mapped[str] = mapped_column(String(32))
    #: 1, 2, 3 … within the call
    seq: Mapped[int]
    #: incoming answered result ended
    event: Mapped[str] = mapped_column(String(16))
    #: verb whose result it is
    verb: Mapped[str | None] = mapped_column(String(16))
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(default=now)


class Recording(Identified, TenantOwned, db.Model):
    """Audio of a caller that ``call.record`` kept. The id is made before the agent writes the file."""

    __tablename__ = "recording"

    call_id: Mapped[str] = mapped_column(String(32), index=True)
    #: key of the command that makes it
    command: Mapped[str] = mapped_column(default="", index=True)
    #: None until the agent has finished the file, and again once it was deleted
    stored_file_id: Mapped[str | None] = mapped_column(String(32))
    #: path that the agent writes to, below the files directory
    path: Mapped[str] = mapped_column(default="")
    #: seconds of audio
    duration_s: Mapped[float] = mapped_column(default=0.0)
    #: what ended it: silence maximum key hangup agent_lost cancelled failed; None while it runs
    reason: Mapped[str | None] = mapped_column(String(12))
    created_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]
