"""The supervisor: circus in this process, watching one child for each row of the process table.

A child that ends is started again: the first time at once, since a call may be waiting for it, then with growing
pauses until it has lived for a minute. Children die with the supervisor even when it is killed (``setpriv
--pdeathsig``), and write to ``log/<name>.log``.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

import click
from circus import get_arbiter
from circus.arbiter import Arbiter
from circus.exc import ConflictError
from circus.stream import FileStream
from circus.watcher import Watcher

from engine.kernel.settings import Settings
from ui.cli.table import Child

#: Seconds after which a restarted child counts as well again.
WELL = 60.0
#: Pauses before the second, third, … restart in a row.
PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
LOG_SIZE = 10_000_000
LOG_FILES = 3


class Watched(Watcher):
    """A circus watcher that waits longer before each restart in a row, and says what happened."""

    failures = 0
    started = 0.0
    not_before = 0.0

    def spawn_process(self, recovery_wid: int | None = None) -> Any:
        """Start the child unless its pause is not over; circus asks again at its next check."""
        if time.monotonic() < self.not_before:
            return True
        self.started = time.monotonic()
        return super().spawn_process(recovery_wid)

    def reap_process(self, pid: int, status: int | None = None) -> None:
        """Note the end of a child, and when its successor may start."""
        known = pid in self.processes
        super().reap_process(pid, status)
        if not known or self.is_stopping() or self.is_stopped():
            return
        well = time.monotonic() - self.started > WELL
        pause = PAUSES[0 if well else min(self.failures, len(PAUSES) - 1)]
        self.failures = 1 if well else self.failures + 1
        self.not_before = time.monotonic() + pause
        say(f"{self.name} {_cause(status)}; starting it again{f' in {pause:g} s' if pause else ''}")


def _cause(status: int | None) -> str:
    if status is not None and os.WIFSIGNALED(status):
        return f"was ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended with code {os.waitstatus_to_exitcode(status) if status is not None else 'unknown'}"


def say(text: str) -> None:
    """Tell the operator, with the time of day."""
    click.echo(f"{time.strftime('%H:%M:%S')}  {text}")


def supervise(settings: Settings, children: Sequence[Child], *, started: Callable[[Arbiter], None]) -> None:
    """Run the children until SIGINT or SIGTERM. ``started`` is called in the loop once all were started."""
    logging.getLogger("circus").setLevel(logging.ERROR)
    logging.getLogger("tornado.application").addFilter(_is_news)
    arbiter = get_arbiter(
        [],
        controller=f"ipc://{settings.run_dir}/supervisor.sock",
        pubsub_endpoint=f"ipc://{settings.run_dir}/supervisor-news.sock",
        check_delay=0.5,
        proc_name="cms",
    )
    arbiter.watchers.extend(_watcher(settings, child) for child in children)
    arbiter.loop.asyncio_loop.add_signal_handler(signal.SIGCHLD, _look_now, arbiter)
    arbiter.start(cb=lambda _future: started(arbiter))


def _is_news(record: logging.LogRecord) -> bool:
    """Drop what circus reports when its periodic check meets the stop."""
    return not (record.exc_info and isinstance(record.exc_info[1], ConflictError))


def _look_now(arbiter: Arbiter) -> None:
    """Restart at once instead of at the next check."""
    try:
        arbiter.loop.add_future(arbiter.manage_watchers(), lambda future: future.exception())
    except ConflictError:  # circus is at it already, perhaps past this child
        arbiter.loop.call_later(0.05, _look_now, arbiter)


def _watcher(settings: Settings, child: Child) -> Watched:
    file = FileStream(str(settings.log_dir / f"{child.name}.log"), LOG_SIZE, LOG_FILES)
    log = {"stream": file}  # one object for both, or rotation would tear them apart
    watched: Watched = Watched.load_from_config(
        {
            "name": child.name,
            "cmd": "setpriv",
            "args": ["--pdeathsig", "KILL", "--", *child.argv],
            "env": {**os.environ, **child.environment},
            "numprocesses": 1,
            "priority": -child.stage,
            "graceful_timeout": child.grace,
            "stop_signal": child.stop_signal,
            "stdout_stream": log,
            "stderr_stream": log,
        }
    )
    return watched
