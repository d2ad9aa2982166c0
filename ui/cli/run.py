"""``cms run``: bring the deployment's data up to date, start all processes, and say where to go."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
import orjson
from circus.arbiter import Arbiter
from tornado import gen
from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from engine.kernel.errors import ConfigurationError, Conflict
from engine.kernel.settings import Settings, load_settings
from ui.cli.supervisor import say, supervise
from ui.cli.table import ROOT, children

#: Longest path of a unix socket, less the longest name that we put into the run directory.
LONGEST_RUN_DIR = 107 - len("/supervisor-news.sock")
#: Seconds after which slow parts are named.
PATIENCE = 10.0


@click.command()
def run() -> None:
    """Start the whole platform here; Ctrl-C ends it."""
    started = time.monotonic()
    settings = load_settings()
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
    check(settings)
    os.chdir(ROOT)
    os.environ.update(CMS_DATA_DIR=str(settings.data_dir), PYTHONUNBUFFERED="1")
    for directory in (settings.data_dir, settings.run_dir, settings.files_dir, settings.log_dir):
        directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    with only_one(settings.run_dir / "lock"):
        news = prepare()
        table = children(settings)
        click.echo(f"  Processes: {', '.join(child.name for child in table)}")
        supervise(settings, table, started=partial(watch_readiness, settings, news, started))
    click.echo("Stopped.")


def check(settings: Settings) -> None:
    """Refuse settings that cannot work. Raises ``ConfigurationError``."""
    if len(str(settings.run_dir)) > LONGEST_RUN_DIR:
        raise ConfigurationError(f"the path of the data directory is too long for sockets: {settings.data_dir}")
    if not ipaddress.ip_address(settings.bind).is_loopback and not (settings.tls_certificate and settings.tls_key):
        raise ConfigurationError(
            f"CMS_BIND={settings.bind} is public: set CMS_TLS_CERTIFICATE and CMS_TLS_KEY, since browsers give the "
            "microphone to secure pages only"
        )


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock of a data directory. Raises ``Conflict`` that names the process which has it."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Conflict(f"{path.parent.parent} is in use by another ./cms run (process {file.read()})") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        os.set_inheritable(file.fileno(), False)
        yield


def prepare() -> list[str]:
    """Bring secrets, database and shipped diagrams up to date; return what is told once, such as a password.

    In a process of its own, whose memory is given back.
    """
    argv = [sys.executable, "-m", "ui.cli", "prepare"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return list(orjson.loads(done.stdout.splitlines()[-1]))


def watch_readiness(settings: Settings, news: list[str], started: float, arbiter: Arbiter) -> None:
    """Ask the pages whether all is well until it is, then say where to go."""
    arbiter.loop.add_callback(_until_ready, settings, news, started, arbiter)


async def _until_ready(settings: Settings, news: list[str], started: float, arbiter: Arbiter) -> None:
    said = False
    named = time.monotonic()
    missing = ["web"]
    while missing and arbiter.running:
        await gen.sleep(0.25)
        waiting, starting = await _ask(settings)
        missing = waiting + starting
        if not waiting and not said and (not starting or time.monotonic() - started > PATIENCE):
            said = True
            say(f"ready after {time.monotonic() - started:.1f} s")
            click.echo(welcome(settings, news))
        if missing and time.monotonic() - named > PATIENCE:
            say(f"still waiting for {', '.join(missing)}; see {settings.log_dir}")
            named = time.monotonic()


async def _ask(settings: Settings) -> tuple[list[str], list[str]]:
    """Return what ``/readyz`` waits for, and what is starting besides."""
    url = f"{web_url(settings, settings.bind)}/readyz"
    try:
        answer = await AsyncHTTPClient().fetch(url, raise_error=False, validate_cert=False, request_timeout=10)
        found = orjson.loads(answer.body)
        return found["waiting"], found["starting"]
    except (OSError, HTTPClientError, orjson.JSONDecodeError, KeyError):
        return ["web"], []


def web_url(settings: Settings, host: str) -> str:
    """Return where pages are, seen from ``host``."""
    return f"{'https' if settings.tls_certificate else 'http'}://{host}:{settings.web_port}"


def welcome(settings: Settings, news: list[str]) -> str:
    """Return what the operator is told once everything runs."""
    lines = [
        "",
        f"  Pages    {web_url(settings, settings.public_host)}",
        *(f"           {line}" for line in news),
        f"  Phones   SIP {settings.bind}:{settings.sip_port} (UDP, TCP); accounts are made under Services > Extensions",
        "  Numbers  1000 caller ID memo, 2000 company menu; without a phone:",
        "           ./cms dial 1000 --from +4930123456 --speak hello.wav --record heard.wav",
        f"  Logs     {settings.log_dir}",
        "",
        "  Ctrl-C ends everything.",
    ]
    return "\n".join(lines)
