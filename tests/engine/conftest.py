"""A small engine for tests: a real host and a real clock, turned by hand in the test's own thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from engine import api
from engine.execution import carriers, external, sweeps
from engine.execution.host import Host
from engine.execution.records import Event
from engine.kernel.actor import Actor
from engine.kernel.db import unit_of_work
from tests.engine import operations
from tests.engine.diagrams import diagram

TENANT = "t1"
ANNA = Actor("anna", TENANT, frozenset({TENANT}), frozenset({"agent"}), "Anna")
BEN = Actor("ben", TENANT, frozenset({TENANT}), frozenset({"agent"}), "Ben")


class Engine:
    """Deploys, starts, and turns the host until all tokens rest."""

    def __init__(self, clock: time_machine.Traveller) -> None:
        self.clock = clock
        self.host = Host("host-1", "interactive", [])
        self.sent: list[api.Outbox] = []

    def deploy(self, body: str, process: str = "p", *, definitions: str = "", **files: bytes) -> str:
        """Deploy a process and return its definition's id."""
        content = diagram(body, process, definitions=definitions)
        with unit_of_work():
            found = api.deploy({f"{process}.bpmn": content, **files}, tenant_id=TENANT, actor_id="test")
            return found[0].id

    def start(self, definition_id: str, data: Mapping[str, Any] | None = None, *, run: bool = True, **more: Any) -> str:
        """Start an instance and let it run."""
        with unit_of_work():
            instance_id = api.start(definition_id=definition_id, tenant_id=TENANT, data=dict(data or {}), **more)
        if run:
            self.run()
        return instance_id

    def run(self) -> None:
        """Advance until no event is left."""
        for _ in range(1000):
            with unit_of_work(write=False) as session:
                waiting = list(session.scalars(select(Event.instance_id).distinct()))
            if not waiting:
                return
            for instance_id in waiting:
                self.host._advance(instance_id)
        raise AssertionError("events are left")

    def show(self, instance_id: str) -> dict[str, Any]:
        """Return the instance."""
        with unit_of_work(write=False):
            return api.show(instance_id)

    def path(self, instance_id: str) -> list[str]:
        """Return the completed elements in order."""
        return [row["element"] for row in self.show(instance_id)["history"] if row["outcome"] == "completed"]

    def tasks(self, actor: Actor = ANNA) -> list[api.UserTask]:
        """Return the open tasks."""
        with unit_of_work(write=False) as session:
            found = api.list_tasks(actor)
            session.expunge_all()
            return found

    def complete(self, data: Mapping[str, Any] | None = None, actor: Actor = ANNA, name: str | None = None) -> None:
        """Complete the oldest open task, or the one with this name, and run."""
        task = next(task for task in self.tasks(actor) if name in {None, task.name})
        with unit_of_work():
            api.complete_task(task.id, dict(data or {}), actor)
        self.run()

    def message(self, name: str, payload: Mapping[str, Any] | None = None, **more: Any) -> int:
        """Send a message and run."""
        with unit_of_work():
            key = more.pop("key", None) or f"message-{name}-{id(object())}-{len(self.sent)}"
            count = api.send_message(name, tenant_id=TENANT, payload=dict(payload or {}), key=key, **more)
        self.run()
        return count

    def pass_time(self, duration: timedelta) -> None:
        """Move the clock of this process on, let the timers fire that are due then, and run."""
        self.clock.shift(duration)
        while sweeps.fire_timers():
            self.run()

    def count(self, model: Any) -> int:
        """Return how many rows a table has."""
        with unit_of_work(write=False) as session:
            return session.scalar(select(func.count()).select_from(model)) or 0

    def effects(self) -> int:
        """Return how many effects operations have left."""
        with unit_of_work(write=False):
            return operations.effects()

    def cool(self) -> None:
        """Forget what is in memory, as a restart does."""
        self.host.advancer.hot.clear()

    def carry_media(self, rows: list[api.Outbox]) -> None:
        """Stand in the place of the bus to the agents: keep what was sent."""
        self.sent.extend(rows)

    def work(self) -> None:
        """Do the external operations as a worker does, and run."""
        with unit_of_work(write=False) as session:
            waiting = list(session.scalars(select(api.Outbox.id).where(api.Outbox.kind == "external")))
        for outbox_id in waiting:
            external.run_operation(outbox_id)
        self.run()


@pytest.fixture
def engine(app: Flask) -> Iterator[Engine]:
    """An engine on each database."""
    operations.reset()
    with unit_of_work() as session:
        operations.EFFECTS.create(session.connection())
    with time_machine.travel(datetime.now(UTC)) as clock:
        made = Engine(clock)
        api.register_carrier("media", made.carry_media)
        api.register_carrier("external", lambda rows: None)
        yield made
    carriers._carriers.clear()
