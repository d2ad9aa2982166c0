"""What every process of the platform does first: log to standard error, and die with its parent."""

from __future__ import annotations

import ctypes
import logging
import signal
import sys

import structlog

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the thread that started it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def set_up_log(level: str) -> None:
    """Write ``time [level] event key=value …`` to standard error, for our own messages and for libraries'."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        stream=sys.stderr,
        level=max(logging.getLevelNamesMapping()[level], logging.WARNING),
        format="%(asctime)s [%(levelname)s] %(name)s %(message)s",
    )
