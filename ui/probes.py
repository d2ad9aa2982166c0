"""Probes: does each part do its work? Asked by ``/readyz`` in short and by ``cms doctor`` at length.

A probe tries the thing itself (a write, a round trip, a call of the protocol), never whether a process exists: one
that is wedged exists too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

import redis
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from engine.execution.records import HostRecord
from engine.kernel.db import db, new_id, now, unit_of_work
from engine.kernel.settings import Settings
from ui.cli.table import names

#: A host says every second that it lives; after this long it is missed.
SILENCE = timedelta(seconds=3)


@dataclass(frozen=True)
class Probe:
    """What was found: ``remedy`` says how to mend it when ``ok`` is false."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def probe_database(settings: Settings) -> Iterable[Probe]:
    """Take the write lock and read."""
    try:
        with unit_of_work():
            db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        yield Probe(
            "database",
            False,
            str(error.__cause__ or error).splitlines()[0],
            f"Look whether {db.engine.url.render_as_string()} can be reached and written, and its disk is not full.",
        )
    else:
        yield Probe("database", True, f"{db.engine.dialect.name} takes writes")


def probe_redis(settings: Settings) -> Iterable[Probe]:
    """Send one entry through a stream of its own."""
    stream = f"cms:probe:{new_id()}"
    try:
        with redis.Redis.from_url(settings.redis, socket_timeout=2, socket_connect_timeout=2) as client:
            client.xadd(stream, {"probe": "1"})
            arrived = client.xread({stream: "0"}, count=1)
            client.delete(stream)
    except redis.RedisError as error:
        yield Probe("redis", False, str(error) or type(error).__name__, "See log/redis.log; ./cms run starts it again.")
    else:
        yield Probe("redis", bool(arrived), "an entry went through a stream")


def probe_hosts(settings: Settings) -> Iterable[Probe]:
    """Look for the sign of life that hosts give between two advances."""
    with unit_of_work(write=False):
        seen = {record.name: record.seen_at for record in db.session.scalars(select(HostRecord))}
    for name in names("interactive", settings.interactive_hosts) + names("batch", settings.batch_hosts):
        silent = now() - seen[name] if name in seen else None
        detail = f"last sign of life {silent.total_seconds():.1f} s ago" if silent is not None else "never seen"
        yield Probe(
            name,
            silent is not None and silent < SILENCE,
            detail,
            f"It hangs or does not start: see log/{name}.log; end it with kill -9, and it is started again.",
        )


#: What calls and pages need.
ESSENTIAL: tuple[Callable[[Settings], Iterable[Probe]], ...] = (probe_database, probe_redis)


def missing(settings: Settings) -> list[Probe]:
    """Return what is not ready of what calls and pages need."""
    return [found for ask in ESSENTIAL for found in ask(settings) if not found.ok]
