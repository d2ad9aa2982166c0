"""The main thread's work list: jobs that other threads hand over, and jobs for later."""

from __future__ import annotations

import heapq
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger("agent")


class Alarm:
    """A job for later that can be cancelled."""

    __slots__ = ("job",)

    def __init__(self, job: Callable[[], None]) -> None:
        self.job: Callable[[], None] | None = job

    def cancel(self) -> None:
        """Do not do it. Harmless when it was done."""
        self.job = None


class Loop:
    """``post`` may be called from any thread, everything else only from the main one."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._posted: deque[Callable[[], None]] = deque()
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._order = itertools.count()

    def post(self, job: Callable[[], None]) -> None:
        """Let the main thread do ``job`` at once."""
        self._posted.append(job)
        self._wake()

    def after(self, seconds: float, job: Callable[[], None]) -> Alarm:
        """Do ``job`` in ``seconds``."""
        alarm = Alarm(job)
        heapq.heappush(self._alarms, (time.monotonic() + seconds, next(self._order), alarm))
        return alarm

    def pause(self, longest: float) -> float:
        """Return how long the main thread may wait for SIP."""
        if self._posted:
            return 0.0
        if not self._alarms:
            return longest
        return min(longest, max(0.0, self._alarms[0][0] - time.monotonic()))

    def run(self) -> None:
        """Do what was posted and what is due."""
        for _ in range(len(self._posted)):
            self._do(self._posted.popleft())
        now = time.monotonic()
        while self._alarms and self._alarms[0][0] <= now:
            job = heapq.heappop(self._alarms)[2].job
            if job is not None:
                self._do(job)

    @staticmethod
    def _do(job: Callable[[], None]) -> None:
        try:
            job()
        except Exception:
            # One call's trouble must not take the other calls of this process with it.
            log.exception("a job failed")
