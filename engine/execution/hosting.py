"""The register of hosts: signs of life, and which instances wait for a host."""

from __future__ import annotations

import os
from datetime import timedelta

from sqlalchemy import and_, or_, select, update

from engine.execution.records import Event, HostRecord, Instance
from engine.kernel.db import db, now, unit_of_work

#: a host without a sign of life for so long has lost its instances
SILENCE = timedelta(seconds=3)
#: how long a living owner has the first go at an event, even when its lease is over
PATIENCE = timedelta(seconds=2)


def register_host(name: str, kind: str) -> None:
    """Enter a host that has started."""
    with unit_of_work():
        host = db.session.get(HostRecord, name) or HostRecord(name=name)
        host.kind, host.pid, host.started_at, host.seen_at = kind, os.getpid(), now(), now()
        db.session.add(host)


def sign_of_life(name: str) -> None:
    """Say that a host is alive."""
    with unit_of_work():
        db.session.execute(update(HostRecord).where(HostRecord.name == name).values(seen_at=now()))


def retire_host(name: str) -> None:
    """Let other hosts take the instances of one that stops in good order."""
    with unit_of_work():
        db.session.execute(
            update(Instance).where(Instance.owner == name, Instance.owned_until.is_not(None)).values(owned_until=now())
        )


def silent_hosts() -> frozenset[str]:
    """Return the hosts that have not given a sign of life for too long. Needs a unit of work."""
    return frozenset(db.session.scalars(select(HostRecord.name).where(HostRecord.seen_at < now() - SILENCE)))


def waiting_instances(name: str, kind: str, silent: frozenset[str], limit: int = 200) -> list[str]:
    """Return instances of a kind that have events and that this host may take. Needs a unit of work."""
    statement = (
        select(Event.instance_id)
        .join(Instance, Instance.id == Event.instance_id)
        .where(
            Instance.priority == kind,
            or_(
                Instance.owner.is_(None),
                Instance.owner == name,
                and_(Instance.owned_until < now(), Event.created_at < now() - PATIENCE),
                Instance.owner.in_(silent),
            ),
        )
        .distinct()
        .limit(limit)
    )
    return list(db.session.scalars(statement))
