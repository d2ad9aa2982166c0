"""Probes: does each part do its work? Asked by ``/readyz`` in short and by ``cms doctor`` at length.

A probe tries the thing itself (a write, a round trip, a command of the protocol), never whether a process exists:
one that is wedged exists too.
"""

from __future__ import annotations

import shutil
import smtplib
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Protocol

import redis
from circus.client import CircusClient
from circus.exc import CallError
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

import reports
from engine.execution.external import JOB_QUEUE
from engine.execution.records import HostRecord
from engine.kernel.db import db, new_id, now, unit_of_work
from engine.kernel.settings import Settings
from media.edge.probe import edge_probes
from media.protocol import FIELD, Command, Event, Hangup, agent_stream, decode, encode, inbox_stream
from ui.cli.table import children, names

#: A host says every second that it lives; after this long it is missed.
SILENCE = timedelta(seconds=3)
#: Seconds that a part has to answer.
PATIENCE = 2.0
#: Bytes free on the disk below which recordings are in danger.
ROOM = 500_000_000
#: How long before its end a certificate is to be renewed.
RENEWAL = timedelta(days=14)


class Finding(Protocol):
    """What a probe returns; rooms below have their own classes of this shape."""

    @property
    def name(self) -> str: ...
    @property
    def ok(self) -> bool: ...
    @property
    def detail(self) -> str: ...
    @property
    def remedy(self) -> str: ...


@dataclass(frozen=True)
class Probe:
    """What was found: ``remedy`` says how to mend it when ``ok`` is false."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def _wedged(name: str) -> str:
    return f"It hangs or does not start: see log/{name}.log; kill -9 it, and the supervisor starts it again."


def probe_supervisor(settings: Settings) -> Iterable[Finding]:
    """Ask the supervisor which of its children run."""
    client = CircusClient(endpoint=f"ipc://{settings.run_dir.absolute()}/supervisor.sock", timeout=PATIENCE)
    try:
        statuses: dict[str, str] = client.send_message("status")["statuses"]
    except CallError:
        yield Probe(
            "supervisor", False, "no answer", "Start the platform with ./cms run; if it runs, end and start it."
        )
        return
    finally:
        client.stop()
    down = sorted({child.name for child in children(settings)} - {n for n, s in statuses.items() if s == "active"})
    yield Probe("supervisor", not down, f"{len(statuses)} processes" if not down else f"down: {', '.join(down)}", "")


def probe_web(settings: Settings) -> Iterable[Finding]:
    """Fetch a page."""
    url = f"{'https' if settings.tls_certificate else 'http'}://{settings.bind}:{settings.web_port}/healthz"
    context = ssl._create_unverified_context()  # noqa: S323 - the certificate names the public host, not loopback
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE, context=context) as answer:  # noqa: S310 - our own URL
            yield Probe("web", answer.status == 200, f"{url} answers")
    except OSError as error:
        yield Probe("web", False, f"{url}: {error}", _wedged("web"))


def probe_database(settings: Settings) -> Iterable[Finding]:
    """Take the write lock and read."""
    try:
        with unit_of_work():
            db.session.execute(text("SELECT 1"))
            kind = db.engine.dialect.name
    except SQLAlchemyError as error:
        cause = str(error.__cause__ or error).splitlines()[0]
        remedy = "Look whether the database can be reached and written, and whether its disk is full."
        yield Probe("database", False, cause, remedy)
    else:
        yield Probe("database", True, f"{kind} takes writes")


def probe_redis(settings: Settings) -> Iterable[Finding]:
    """Send one entry through a stream of its own."""
    stream = f"cms:probe:{new_id()}"
    try:
        with _redis(settings) as client:
            client.xadd(stream, {"probe": "1"})
            arrived = client.xread({stream: "0"}, count=1)
            client.delete(stream)
    except redis.RedisError as error:
        yield Probe("redis", False, str(error) or type(error).__name__, _wedged("redis"))
    else:
        yield Probe("redis", bool(arrived), "an entry went through a stream")


def _redis(settings: Settings) -> redis.Redis:
    return redis.Redis.from_url(settings.redis, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)


def probe_hosts(settings: Settings) -> Iterable[Finding]:
    """Look how old the sign of life is that hosts give between two advances, and the clock between two rounds."""
    seen = _signs()
    for name in _signers(settings):
        silent = now() - seen[name] if name in seen else None
        detail = "never seen" if silent is None else f"last sign of life {silent.total_seconds():.1f} s ago"
        yield Probe(name, silent is not None and silent < SILENCE, detail, _wedged(name))


def watch_hosts(settings: Settings) -> Iterable[Finding]:
    """Wait for a fresh sign of life of each: surer than its age, and done within a second when all is well."""
    before, deadline = _signs(), time.monotonic() + SILENCE.total_seconds()
    while True:
        after = _signs()
        silent = [name for name in _signers(settings) if before.get(name) == after.get(name)]
        if not silent or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    for name in _signers(settings):
        detail = f"no sign of life for {SILENCE.total_seconds():g} s" if name in silent else "gives signs of life"
        yield Probe(name, name not in silent, detail, _wedged(name))


def _signers(settings: Settings) -> list[str]:
    hosts = names("interactive", settings.interactive_hosts) + names("batch", settings.batch_hosts)
    return [*hosts, "clock"]


def _signs() -> dict[str, datetime]:
    with unit_of_work(write=False):
        return {record.name: record.seen_at for record in db.session.scalars(select(HostRecord))}


def probe_workers(settings: Settings) -> Iterable[Finding]:
    """Have a worker do a job that does nothing, before all others."""
    try:
        with _redis(settings) as client:
            queue = Queue(JOB_QUEUE, connection=client, serializer=JSONSerializer)
            job = queue.enqueue("time.monotonic", at_front=True, result_ttl=60, failure_ttl=60)
            deadline = time.monotonic() + PATIENCE
            while not (done := job.is_finished) and time.monotonic() < deadline:
                time.sleep(0.02)
            waiting = queue.count
            job.delete()
    except redis.RedisError as error:
        yield Probe("worker", False, f"cannot be asked: {error}", "Mend redis first.")
        return
    detail = "does jobs" if done else f"no job done within {PATIENCE:g} s, {waiting} wait"
    yield Probe("worker", done, detail, f"A long job, or: {_wedged('worker-1')}")


def probe_agents(settings: Settings) -> Iterable[Finding]:
    """Give each agent a command for a call that nobody has; it answers that it does not know the call."""
    asker = f"probe-{new_id()}"
    wanted = set(names("agent", settings.agents))
    answered: set[str] = set()
    try:
        with _redis(settings) as client:
            for name in wanted:
                command = Command(id=f"{asker}:{name}", call=asker, epoch=0, host=asker, action=Hangup())
                client.xadd(agent_stream(name), {FIELD: encode(command)}, maxlen=10_000, approximate=True)
            last, deadline = b"0", time.monotonic() + PATIENCE
            while answered != wanted and (left := deadline - time.monotonic()) > 0:
                for _, entries in client.xread({inbox_stream(asker): last}, block=max(1, int(min(left, 1) * 1000))):
                    last = entries[-1][0]
                    events = [decode(entry[FIELD.encode()]) for _, entry in entries]
                    answered |= {event.agent for event in events if isinstance(event, Event)}
            client.delete(inbox_stream(asker))
    except redis.RedisError as error:
        yield Probe("agents", False, f"cannot be asked: {error}", "Mend redis first.")
        return
    for name in sorted(wanted, key=lambda item: (len(item), item)):
        detail = "answers commands" if name in answered else f"no answer within {PATIENCE:g} s"
        yield Probe(name, name in answered, detail, _wedged(name))


def probe_reporter(settings: Settings) -> Iterable[Finding]:
    """Ask the reporter, whose Java machine takes its time to start."""
    yield reports.probe(settings)


def probe_catcher(settings: Settings) -> Iterable[Finding]:
    """Greet the built-in mail catcher."""
    if settings.smtp_url:
        return
    try:
        with smtplib.SMTP("127.0.0.1", settings.catcher_port, timeout=PATIENCE) as client:
            code, _ = client.noop()
    except (OSError, smtplib.SMTPException) as error:
        yield Probe("catcher", False, str(error), _wedged("catcher"))
    else:
        yield Probe("catcher", code == 250, "takes mail")


def probe_disk(settings: Settings) -> Iterable[Finding]:
    """Look for room for recordings."""
    free = shutil.disk_usage(settings.data_dir).free
    remedy = "Make room, or move the data directory (CMS_DATA_DIR)."
    yield Probe("disk", free > ROOM, f"{free / 1e9:.1f} GB free in {settings.data_dir}", remedy)


def probe_certificate(settings: Settings) -> Iterable[Finding]:
    """Look whether the certificate is valid for some time to come."""
    if settings.tls_certificate is None:
        return
    argv = ["openssl", "x509", "-noout", "-enddate", "-checkend", str(int(RENEWAL.total_seconds()))]
    done = subprocess.run(
        [*argv, "-in", str(settings.tls_certificate)], capture_output=True, text=True, timeout=5, check=False
    )
    detail = (done.stdout or done.stderr).strip().replace("\n", ", ")
    remedy = f"Renew {settings.tls_certificate} and its key, and start the platform again."
    yield Probe("certificate", done.returncode == 0, detail, remedy)


Ask = Callable[[Settings], Iterable[Finding]]

#: What both ask.
BOTH: tuple[Ask, ...] = (
    probe_database,
    probe_redis,
    probe_workers,
    probe_agents,
    edge_probes,
    probe_reporter,
    probe_catcher,
)
#: What only ``/readyz`` asks, and what only the doctor.
READINESS: tuple[Ask, ...] = (*BOTH, probe_hosts)
DOCTOR: tuple[Ask, ...] = (probe_supervisor, probe_web, probe_disk, probe_certificate, *BOTH, watch_hosts)
#: Without one of each kind there are no pages or no calls.
ESSENTIAL = frozenset({"database", "redis", "sip", "interactive", "agent"})


@dataclass(frozen=True)
class Readiness:
    """Names of what is missing: calls and pages wait for ``waiting``; they are served without ``starting``."""

    waiting: list[str]
    starting: list[str]


def readiness(settings: Settings) -> Readiness:
    """Ask what pages and calls need."""
    found = list(chain.from_iterable(ask(settings) for ask in READINESS))
    lacking = ESSENTIAL - {_kind(item) for item in found if item.ok}
    missing = [item for item in found if not item.ok]
    return Readiness(
        waiting=[item.name for item in missing if _kind(item) in lacking],
        starting=[item.name for item in missing if _kind(item) not in lacking],
    )


def _kind(found: Finding) -> str:
    return found.name.rstrip("0123456789").rstrip("-")


def examine(settings: Settings) -> Iterator[Finding]:
    """Ask everything, one after the other."""
    for ask in DOCTOR:
        try:
            yield from ask(settings)
        except SQLAlchemyError as error:
            name = ask.__name__.removeprefix("probe_")
            yield Probe(name, False, f"cannot be asked: {str(error).splitlines()[0]}", "Mend the database first.")
