"""The clock: finds due timers and lost work, and rings. It may be killed and doubled at will."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from engine.execution import hosting, sweeps
from engine.kernel.bus import connect_bus
from engine.kernel.db import process_app
from engine.kernel.settings import Settings

log = structlog.get_logger()

TURN_S = 0.2
#: in the register of hosts, where its sign of life is looked for
NAME = "clock"


@dataclass
class Sweep:
    """Something that is done again and again."""

    work: Callable[[], object]
    every: float
    next_at: float = 0.0


_registered: list[Sweep] = []


def register_sweep(work: Callable[[], object], every: float = 30.0) -> None:
    """Let the clock call ``work`` about that often (seconds), outside any unit of work; failures are logged."""
    _registered.append(Sweep(work, every))


def run_clock(settings: Settings) -> None:
    """Run the clock until SIGTERM."""
    process_app(settings)
    connect_bus(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    hosting.register_host(NAME, NAME)
    own = [
        Sweep(lambda: hosting.sign_of_life(NAME), 1.0),
        Sweep(sweeps.fire_timers, TURN_S),
        Sweep(sweeps.start_by_timers, 1.0),
        Sweep(sweeps.enqueue_due, 1.0),
        Sweep(sweeps.forget_delivered, 3600.0),
    ]
    log.info("clock_ready")
    while not stopping.wait(TURN_S):
        run_due([*own, *_registered])


def run_due(due: list[Sweep]) -> None:
    """Do what is due now."""
    for sweep in due:
        moment = time.monotonic()
        if moment >= sweep.next_at:
            sweep.next_at = moment + sweep.every
            try:
                sweep.work()
            except Exception:
                log.exception("sweep_failed", sweep=getattr(sweep.work, "__name__", str(sweep.work)))
