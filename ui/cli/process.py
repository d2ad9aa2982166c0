"""``cms process NAME`` (called by the supervisor): become the process of that name.

Every process can also be started by hand, on this machine or another, with the same settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import click

from engine import api
from engine.kernel.db import process_app
from engine.kernel.errors import NotFound
from engine.kernel.process import set_up_log
from engine.kernel.settings import Settings, load_settings
from media.edge import kamailio_command, prepare_edge, rtpengine_command
from media.listener import serve_calls
from ui.composition import compose


def run_host(settings: Settings, name: str) -> None:
    """Advance instances: ``interactive`` hosts also have the ear for calls."""
    compose(settings)
    kind = name.split("-")[0]
    listeners = [serve_calls(name)] if kind == "interactive" else []
    api.run_host(settings, name=name, kind=kind, listeners=listeners)


def run_worker(settings: Settings, name: str) -> None:
    """Run external operations."""
    compose(settings)
    api.run_worker(settings, name)


def run_clock(settings: Settings, _name: str) -> None:
    """Ring for what is due."""
    compose(settings)
    api.run_clock(settings)


def run_kamailio(settings: Settings, _name: str) -> None:
    """Write Kamailio's configuration, rebuild its accounts, and become it."""
    process_app(settings)
    prepare_edge(settings)
    _become(kamailio_command(settings))


def run_rtpengine(settings: Settings, _name: str) -> None:
    """Become rtpengine."""
    _become(rtpengine_command(settings))


def _become(argv: list[str]) -> None:
    os.execvp(argv[0], argv)


#: Kind of process → what runs it until SIGTERM; it gets the name, such as ``interactive-1``.
KINDS: dict[str, Callable[[Settings, str], None]] = {
    "interactive": run_host,
    "batch": run_host,
    "worker": run_worker,
    "clock": run_clock,
    "kamailio": run_kamailio,
    "rtpengine": run_rtpengine,
}


@click.command(hidden=True)
@click.argument("name")
def process(name: str) -> None:
    """Become the process NAME, such as clock or interactive-1."""
    kind = name.rstrip("0123456789").rstrip("-")
    if kind not in KINDS:
        raise NotFound(f"there is no process {name!r}; known: {', '.join(sorted(KINDS))}")
    settings = load_settings()
    set_up_log(settings.log_level)
    KINDS[kind](settings, name)
