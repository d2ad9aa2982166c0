"""A host: the only process that advances instances.

One thread turns in a loop: read the bell and the listeners' streams, advance the instances that were named, poll for
those whose bell was lost, give a sign of life. It loses nothing when it is killed at any point: what it had not
committed is still in the event table and in its streams.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from engine.execution import carriers, external, hosting
from engine.execution.advance import Advanced, Advancer
from engine.execution.announcing import announce_advance
from engine.execution.poison import Poison
from engine.execution.resending import due_commands
from engine.execution.streams import Entry, Streams
from engine.kernel.bus import bell_stream, connect_bus
from engine.kernel.db import process_app, unit_of_work
from engine.kernel.errors import Conflict
from engine.kernel.settings import Settings

log = structlog.get_logger()

BLOCK_MS = 200
#: pause between polls for instances whose bell was lost, with and without Redis
POLL_S = 1.0
POLL_WITHOUT_BUS_S = 0.05
TICK_S = 1.0
#: how often an entry that its listener cannot take is tried
ENTRY_TRIES = 3


class Listener(Protocol):
    """Another room's ear on the bus, such as the agents' events."""

    def stream(self, host: str) -> str:
        """Return the name of its stream for this host."""

    def deliver(self, entry: dict[bytes, bytes]) -> None:
        """Take one entry, inside a unit of work; the entry is acknowledged after the commit."""

    def tick(self) -> None:
        """Look after what needs no entry; called about once a second, outside any unit of work."""


class Host:
    """One host process."""

    def __init__(self, name: str, kind: str, listeners: Sequence[Listener]) -> None:
        self.name = name
        self.kind = kind
        self.listeners = {listener.stream(name): listener for listener in listeners}
        self.bells = (bell_stream(name), bell_stream(kind))
        self.streams = Streams(name, [*self.listeners, *self.bells])
        self.silent: frozenset[str] = frozenset()
        self.advancer = Advancer(name, lambda host: host in self.silent)
        self.poison = Poison()
        #: instances to advance, in the order in which they were named
        self.pending: OrderedDict[str, None] = OrderedDict()
        self.stopping = threading.Event()
        self._next_poll = 0.0
        self._next_tick = 0.0
        self._tries: dict[bytes, int] = {}

    def run(self) -> None:
        """Work until ``stopping`` is set."""
        hosting.register_host(self.name, self.kind)
        log.info("host_ready", name=self.name, kind=self.kind)
        while not self.stopping.is_set():
            self.turn()
        hosting.retire_host(self.name)

    def turn(self) -> None:
        """Do one turn of the loop."""
        block = 1 if self.pending else BLOCK_MS
        entries = self.streams.read(block)
        for entry in entries:
            self._take(entry)
        if not entries and not self.pending and not self.streams.ok:
            self.stopping.wait(POLL_WITHOUT_BUS_S)
        moment = time.monotonic()
        if moment >= self._next_poll:
            self._next_poll = moment + (POLL_S if self.streams.ok else POLL_WITHOUT_BUS_S)
            self._guard("poll", self._poll)
        if moment >= self._next_tick:
            self._next_tick = moment + TICK_S
            self._tick()
        for _ in range(min(len(self.pending), 32)):
            self._advance(self.pending.popitem(last=False)[0])

    # -- reading ----------------------------------------------------------------------------------------------------

    def _take(self, entry: Entry) -> None:
        stream, entry_id, fields = entry
        if stream in self.bells:
            self.pending[fields[b"instance"].decode()] = None
            self.streams.done(stream, entry_id)
            return
        try:
            with unit_of_work():
                self.listeners[stream].deliver(fields)
        except Exception:
            tries = self._tries[entry_id] = self._tries.get(entry_id, 0) + 1
            log.exception("entry_failed", stream=stream, entry=entry_id.decode(), tries=tries)
            if tries < ENTRY_TRIES:
                self.streams.again()
                return
        self._tries.pop(entry_id, None)
        self.streams.done(stream, entry_id)

    def _poll(self) -> None:
        with unit_of_work(write=False):
            self.silent = hosting.silent_hosts() - {self.name}
            found = hosting.waiting_instances(self.name, self.kind, self.silent)
        for instance_id in found:
            self.pending.setdefault(instance_id)

    def _tick(self) -> None:
        self._guard("sign_of_life", lambda: hosting.sign_of_life(self.name))
        for listener in self.listeners.values():
            self._guard("listener_tick", listener.tick)
        self._guard("resend", self._resend)

    def _resend(self) -> None:
        rows = due_commands(self.name, carriers.carried(), self.silent)
        if rows:
            carriers.carry(rows)

    def _guard(self, what: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            log.exception(f"{what}_failed")

    # -- advancing --------------------------------------------------------------------------------------------------

    def _advance(self, instance_id: str) -> None:
        if not self.poison.may_try(instance_id):
            return  # the poll names it again
        try:
            done = self.advancer.advance(instance_id)
        except Conflict:
            self.pending[instance_id] = None
            return
        except Exception as error:
            log.exception("advance_failed", instance=instance_id)
            self.poison.failed(instance_id, error)
            return
        if done is not None:
            self.poison.succeeded(instance_id)
            self._afterwards(done)

    def _afterwards(self, done: Advanced) -> None:
        """Do what follows a commit. A host that is killed before this loses nothing: the sweeps do it again."""
        if done.more:
            self.pending[done.instance_id] = None
        if done.outbox:
            carriers.carry(done.outbox)
        announce_advance(done)


def run_host(settings: Settings, *, name: str, kind: str, listeners: Sequence[Listener] = ()) -> None:
    """Run a host until SIGTERM. ``kind`` is ``interactive`` or ``batch``; the name is kept across restarts."""
    process_app(settings)
    connect_bus(settings)
    carriers.register_carrier("external", external.enqueue)
    host = Host(name, kind, listeners)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: host.stopping.set())
    host.run()
