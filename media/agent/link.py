"""The agent's connection to the hosts: two threads that talk to Redis and never touch pjsua2.

The reader waits for messages and posts them to the main loop. The writer keeps the ledger, sends events and the sign of
life. When Redis goes away both try again; when it comes back empty the streams are simply made anew by writing.
"""

from __future__ import annotations

import functools
import logging
import os
import platform
import queue
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from media.agent.configuration import Configuration
from media.agent.ledger import Ledger
from media.agent.resp import Resp, RespError
from media.protocol import (
    AGENTS,
    FIELD,
    HOSTS,
    STREAM_LIMIT,
    Event,
    Message,
    ProtocolError,
    Sign,
    Watch,
    agent_stream,
    decode,
    encode,
    inbox_stream,
)

log = logging.getLogger("link")
BEAT_SECONDS = 1.0
RETRY_SECONDS = 0.3
BLOCK_MILLISECONDS = 5000
#: a main thread that has not turned for so long gives no sign of life
STUCK_SECONDS = 3.0


class Link:
    """``send`` and its like may be called from the main thread at any time and never wait."""

    def __init__(self, configuration: Configuration, receive: Callable[[Message], None]) -> None:
        self.boot = secrets.token_hex(8)
        self._started = time.time()
        self._configuration = configuration
        self._receive = receive
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._ledger = Ledger()
        self._hosts = Watch()
        self._loose: list[tuple[str, Event]] = []
        self._beat = 0
        self._turned = time.monotonic()
        self._free = configuration.inbound
        self._calls: list[dict[str, Any]] = []
        self._stopping = threading.Event()
        self._writer = threading.Thread(target=self._write, name="link-writer", daemon=True)
        self._reader = threading.Thread(target=self._read, name="link-reader", daemon=True)

    def start(self) -> None:
        """Start both threads."""
        self._writer.start()
        self._reader.start()

    def stop(self) -> None:
        """Send what is open, once, and end."""
        self._stopping.set()
        self._jobs.put(lambda: None)
        self._writer.join(2.0)

    # from the main thread

    def turned(self) -> None:
        """The main thread is alive."""
        self._turned = time.monotonic()

    def describe(self, free: int, calls: list[dict[str, Any]]) -> None:
        """Replace the snapshot that goes out with the sign of life."""
        self._free, self._calls = free, calls

    def send(self, event: Event) -> None:
        """Report an event until a host acknowledges it; one without a number (``seq`` 0) only once."""
        if event.seq:
            self._jobs.put(functools.partial(self._ledger.add, event))

    def send_loose(self, host: str, event: Event) -> None:
        """Tell ``host`` once."""
        self._jobs.put(functools.partial(self._loose.append, (host, event)))

    def own(self, call: str, host: str) -> None:
        """The call belongs to ``host``."""
        self._jobs.put(functools.partial(self._ledger.own, call, host))

    def acknowledged(self, call: str, seq: int) -> None:
        """A host has committed the call's events up to ``seq``."""
        self._jobs.put(functools.partial(self._ledger.acknowledge, call, seq))

    def resend(self, call: str) -> None:
        """A host misses events of the call."""
        self._jobs.put(functools.partial(self._ledger.again, call))

    def forget(self, call: str) -> None:
        """The call is over and everything of it acknowledged."""
        self._jobs.put(functools.partial(self._ledger.forget, call))

    # the writer thread

    def _write(self) -> None:
        redis = Resp(self._configuration.redis_url)
        next_beat, broken = 0.0, False
        while not self._stopping.is_set():
            self._take_jobs(max(0.0, next_beat - time.monotonic()))
            try:
                if time.monotonic() >= next_beat:
                    self._sign_of_life(redis)
                    next_beat = time.monotonic() + BEAT_SECONDS
                self._flush(redis)
                if broken:
                    log.info("Redis is back")
                broken = False
            except RespError as error:
                if not broken:
                    log.warning("%s; calls go on and events are kept", error)
                broken = True
                self._hosts.blind(time.monotonic())
                self._ledger.again()
                next_beat = 0.0
                self._stopping.wait(RETRY_SECONDS)
            except Exception:
                # A mute agent would lose its calls for one message that went wrong.
                log.exception("the link stumbled")
                self._ledger.again()
                self._stopping.wait(RETRY_SECONDS)
        try:
            self._take_jobs(0.0)
            self._flush(redis)
            redis.call("HDEL", AGENTS, self._configuration.name)
        except RespError as error:
            log.warning("%s; open events are lost with this agent", error)
        redis.close()

    def _take_jobs(self, wait: float) -> None:
        try:
            self._jobs.get(timeout=wait)() if wait else self._jobs.get_nowait()()
            while True:
                self._jobs.get_nowait()()
        except queue.Empty:
            pass

    def _flush(self, redis: Resp) -> None:
        due = self._ledger.due(time.monotonic(), self._hosts)
        loose, self._loose[:] = list(self._loose), []
        if due or loose:
            try:
                redis.pipeline([_append(inbox_stream(host), event) for host, event in [*due, *loose]])
            except RespError:
                self._ledger.again()
                raise

    def _sign_of_life(self, redis: Resp) -> None:
        if time.monotonic() - self._turned > STUCK_SECONDS:
            log.error("the main thread does not turn: no sign of life")
            return
        self._beat += 1
        sign = Sign(
            boot=self.boot,
            beat=self._beat,
            started=self._started,
            free=self._free,
            calls=self._calls,
            lock=str(self._configuration.lock),
            machine=platform.node(),
            pid=os.getpid(),
        )
        name = self._configuration.name
        _, hosts = redis.pipeline([("HSET", AGENTS, name, sign.encode()), ("HGETALL", HOSTS)])
        signs: dict[str, Sign] = {}
        for host, raw in zip(hosts[::2], hosts[1::2], strict=True):
            try:
                signs[host.decode()] = Sign.decode(raw)
            except ProtocolError as error:
                log.warning("host %s: %s", host, error)
        self._hosts.look(signs, time.monotonic())

    # the reader thread

    def _read(self) -> None:
        redis = Resp(self._configuration.redis_url, timeout=BLOCK_MILLISECONDS / 1000 + 5)
        stream = agent_stream(self._configuration.name)
        last: str | None = None
        fresh = True
        while not self._stopping.is_set():
            try:
                if fresh:
                    last = self._position(redis, stream, last)
                    fresh = False
                reply = redis.call("XREAD", "COUNT", 50, "BLOCK", BLOCK_MILLISECONDS, "STREAMS", stream, last or "0-0")
                for entry, fields in reply[0][1] if reply else []:
                    last = entry.decode()
                    self._take_entry(fields)
            except RespError:
                fresh = True
                self._stopping.wait(RETRY_SECONDS)
            except Exception:
                log.exception("the link stumbled")
                self._stopping.wait(RETRY_SECONDS)
        redis.close()

    @staticmethod
    def _position(redis: Resp, stream: str, last: str | None) -> str:
        """Return where to read on. A new life begins at the end: what was said to the old one died with its calls."""
        newest = redis.call("XREVRANGE", stream, "+", "-", "COUNT", 1)
        end = newest[0][0].decode() if newest else "0-0"
        if last is None:
            return end
        # Redis came back empty and with an earlier clock: everything it has now is new.
        return "0-0" if newest and _stream_id(end) < _stream_id(last) else last

    def _take_entry(self, fields: list[bytes]) -> None:
        for name, raw in zip(fields[::2], fields[1::2], strict=True):
            if name == FIELD.encode():
                try:
                    self._receive(decode(raw))
                except ProtocolError as error:
                    log.warning("not understood: %s", error)


def _stream_id(text: str) -> tuple[int, int]:
    milliseconds, _, number = text.partition("-")
    return int(milliseconds), int(number)


def _append(stream: str, message: Message) -> tuple[str | bytes | int, ...]:
    return ("XADD", stream, "MAXLEN", "~", STREAM_LIMIT, "*", FIELD, encode(message))
