"""Events that no host has acknowledged yet, and who is to get them."""

from __future__ import annotations

import random
from collections import OrderedDict
from dataclasses import dataclass, field

from media.protocol import HOST_SILENCE, RESEND_AFTER, Event, Watch


@dataclass(slots=True)
class _Open:
    owner: str = ""
    events: OrderedDict[int, Event] = field(default_factory=OrderedDict)
    #: events up to here were sent in this round
    sent_seq: int = 0
    sent_at: float = 0.0


class Ledger:
    """Pure bookkeeping, without clock or Redis."""

    def __init__(self) -> None:
        self._calls: dict[str, _Open] = {}

    def add(self, event: Event) -> None:
        """Keep an event until it is acknowledged."""
        self._calls.setdefault(event.call, _Open()).events[event.seq] = event

    def own(self, call: str, host: str) -> None:
        """Events of the call go to ``host`` from now on."""
        entry = self._calls.setdefault(call, _Open())
        if entry.owner != host:
            entry.owner, entry.sent_seq = host, 0

    def acknowledge(self, call: str, seq: int) -> None:
        """Forget the call's events up to ``seq``."""
        entry = self._calls.get(call)
        if entry is not None:
            for known in [known for known in entry.events if known <= seq]:
                del entry.events[known]

    def again(self, call: str | None = None) -> None:
        """Send what is open of a call, or of all, once more."""
        for name, entry in self._calls.items():
            if call is None or name == call:
                entry.sent_seq = 0

    def forget(self, call: str) -> None:
        """Drop a call."""
        self._calls.pop(call, None)

    def unacknowledged(self, call: str) -> int:
        """Return how many events of the call are open."""
        entry = self._calls.get(call)
        return len(entry.events) if entry else 0

    def due(self, now: float, hosts: Watch) -> list[tuple[str, Event]]:
        """Return what is to be sent now and to which host: the new, and all again that was silent for too long."""
        found: list[tuple[str, Event]] = []
        for entry in self._calls.values():
            if not entry.events:
                continue
            if now - entry.sent_at >= RESEND_AFTER:
                entry.sent_seq = 0
            fresh = [event for seq, event in entry.events.items() if seq > entry.sent_seq]
            if not fresh:
                continue
            host = self._living_owner(entry, now, hosts)
            if host:
                found.extend((host, event) for event in fresh)
                entry.sent_seq, entry.sent_at = fresh[-1].seq, now
        return found

    @staticmethod
    def _living_owner(entry: _Open, now: float, hosts: Watch) -> str:
        silence = hosts.silence(entry.owner, now) if entry.owner else None
        if entry.owner and (silence is None or silence <= HOST_SILENCE):
            return entry.owner
        alive = hosts.alive(now, HOST_SILENCE)
        if alive:
            entry.owner = random.choice(alive)  # noqa: S311 - spreading load, not secrets
        return entry.owner
