"""Waiting for the outcome of an event that was sent a moment ago."""

from __future__ import annotations

import time

from sqlalchemy import select

from engine.execution.records import DeliveredEvent
from engine.kernel.db import unit_of_work

FIRST_PAUSE_S = 0.004
LONGEST_PAUSE_S = 0.05


def wait_for_event(key: str, timeout: float = 2.0) -> bool:
    """Wait until a host has consumed the event; False when it has not within ``timeout`` seconds.

    Call it after the commit of the unit of work that sent the event, and outside any other.
    """
    deadline = time.monotonic() + timeout
    pause = FIRST_PAUSE_S
    while True:
        with unit_of_work(write=False) as session:
            if session.scalar(select(DeliveredEvent.key).where(DeliveredEvent.key == key)) is not None:
                return True
        if time.monotonic() + pause > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_S)
