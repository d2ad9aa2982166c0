"""The host's end of the protocol for tests of the agent alone: what a test does, the agent believes."""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from media.protocol import (
    AGENTS,
    FIELD,
    HOSTS,
    Acknowledge,
    Action,
    Command,
    Event,
    Resend,
    Sign,
    agent_stream,
    decode,
    encode,
    inbox_stream,
)
from tests import support

ROOT = Path(__file__).parents[2]


class Line:
    """One call as the driver sees it."""

    def __init__(self, driver: Driver, incoming: Event) -> None:
        self.driver, self.id, self.incoming = driver, incoming.call, incoming
        self.events: list[Event] = [incoming]
        self.epoch = 1
        self._seen = threading.Condition()

    def take(self, event: Event) -> None:
        with self._seen:
            if event.seq == 0 or event.seq not in [known.seq for known in self.events]:
                self.events.append(event)
            self._seen.notify_all()

    def wait(self, what: str, timeout: float = 10, *, command: str = "") -> Event:
        """Return the event ``what`` (of ``command``)."""
        deadline = time.monotonic() + timeout
        with self._seen:
            while True:
                for event in self.events:
                    if event.event == what and event.id == command:
                        return event
                left = deadline - time.monotonic()
                assert left > 0, f"no {what} {command} within {timeout} s, but {[e.event for e in self.events]}"
                self._seen.wait(left)

    def order(self, action: Action, *, epoch: int | None = None, id: str = "") -> str:
        """Send a command and return its id."""
        name = id or f"token{next(self.driver.numbers)}:1"
        command = Command(name, self.id, epoch or self.epoch, self.driver.name, action, instance="instance")
        self.driver.say(self.incoming.agent, command)
        return name

    def do(self, action: Action, timeout: float = 15) -> Any:
        """Send a command and return its result, or its error's code."""
        data = self.wait("result", timeout, command=self.order(action)).data
        return data["result"] if "result" in data else data["error"]["code"]


class Driver:
    """Gives signs of life as a host, acknowledges events, collects them by call."""

    def __init__(self, url: str, name: str = "interactive-1", *, acknowledge: bool = True) -> None:
        self.redis = redis.Redis.from_url(url)
        self.name, self.acknowledge = name, acknowledge
        self.numbers = itertools.count(1)
        self.lines: dict[str, Line] = {}
        self.raw: list[Event] = []
        self._calls: queue.Queue[Line] = queue.Queue()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=job, daemon=True) for job in (self._live, self._read)]

    def __enter__(self) -> Driver:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(3)
        self.redis.close()

    def say(self, agent: str, message: Any) -> None:
        """Write to an agent's stream."""
        self.redis.xadd(agent_stream(agent), {FIELD: encode(message)})

    def next_call(self, timeout: float = 10) -> Line:
        """Return the next call that comes in."""
        return self._calls.get(timeout=timeout)

    def signs(self) -> dict[str, Sign]:
        """Return the agents' signs of life."""
        return {name.decode(): Sign.decode(raw) for name, raw in self.redis.hgetall(AGENTS).items()}

    def _live(self) -> None:
        for beat in itertools.count(1):
            with contextlib.suppress(redis.RedisError):
                self.redis.hset(HOSTS, self.name, Sign(boot="test", beat=beat).encode())
            if self._stopping.wait(0.5):
                return

    def _read(self) -> None:
        last = b"0-0"
        stream = inbox_stream(self.name)
        while not self._stopping.is_set():
            try:
                for _, entries in self.redis.xread({stream: last}, block=200):
                    for last, fields in entries:  # noqa: B007
                        self._take(decode(fields[FIELD.encode()]))
            except redis.RedisError:
                time.sleep(0.1)

    def _take(self, event: Any) -> None:
        assert isinstance(event, Event)
        self.raw.append(event)
        if event.call not in self.lines:
            if event.event != "incoming":
                self.say(event.agent, Resend(event.call, 0))
                return
            self.lines[event.call] = line = Line(self, event)
            self._calls.put(line)
        line = self.lines[event.call]
        line.take(event)
        if self.acknowledge and event.seq:
            self.say(event.agent, Acknowledge(event.call, event.seq, line.epoch, self.name))


@contextmanager
def agent(
    data_dir: Path, redis_url: str, port: int, *, rtp_port: int, number: int = 1, edge_port: int = 9, slots: int = 4
) -> Iterator[Any]:
    """Run a real agent; its SIP port is ``port``."""
    environ = {
        **os.environ,
        "CMS_DATA_DIR": str(data_dir),
        "CMS_REDIS_URL": redis_url,
        "CMS_AGENT_PORT": str(port - number),
        "CMS_RTP_PORT": str(rtp_port - 100 * (number - 1)),
        "CMS_SIP_PORT": str(edge_port),
        "CMS_AGENT_SLOTS": str(slots),
    }
    name = f"agent-{number}"
    log = (data_dir / f"{name}.log").open("ab")
    argv = [sys.executable, "-m", "media.agent", "--name", name]
    with support.program(argv, cwd=ROOT, env=environ, stdout=log, stderr=log) as process:
        with redis.Redis.from_url(redis_url) as client:
            support.wait_until(lambda: _alive(client, name, process.pid), what=f"{name}'s sign of life")
        yield process
    log.close()


def _alive(client: redis.Redis, name: str, pid: int) -> bool:
    raw = client.hget(AGENTS, name)
    return raw is not None and Sign.decode(raw).pid == pid
