"""Live news for open pages: one server-sent-event stream a browser, fed by one Redis subscription a process.

A page names the topics it shows (``instance:<id>``, ``tasks:<tenant>``, ``calls:<tenant>``); the stream carries
only news of topics whose tenant the user may see. News may be lost at any moment: whoever hears ``resync`` or
reconnects reads the state again.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import redis
import structlog
from flask import Blueprint, Response, request
from prometheus_client import Gauge

from engine.api import Instance
from engine.kernel.actor import Actor, current_actor, scoped
from engine.kernel.bus import BUS_LOST, LIVE_CHANNEL, bus
from engine.kernel.db import db
from engine.kernel.errors import InvalidInput, TransientError
from engine.pages import EVERYONE, STAFF, allow

log = structlog.get_logger()

blueprint = Blueprint("live", __name__)

HEARTBEAT_S = 15.0
#: A stream ends after this long and the browser opens it anew, so that a revoked permission takes effect.
LIFETIME_S = 600.0
#: Each open stream occupies one of the web server's threads; some must be left for pages.
MAX_STREAMS = 48
MAX_TOPICS = 40
BACKLOG = 256

OPEN_STREAMS = Gauge("cms_live_streams", "Browsers that listen to live news in this process")


class Listener:
    """The news of one browser: a bounded queue; when it overflows the browser is told to read everything again."""

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self._news: queue.Queue[bytes] = queue.Queue(BACKLOG)
        self._overflow = threading.Event()

    def put(self, frame: bytes) -> None:
        """Hand over one frame; never blocks."""
        try:
            self._news.put_nowait(frame)
        except queue.Full:
            self._overflow.set()

    def frames(self, lifetime: float = LIFETIME_S) -> Iterator[bytes]:
        """Yield frames as they come, a heartbeat when none does, until ``lifetime`` has passed."""
        end = time.monotonic() + lifetime
        yield b"retry: 1000\nevent: open\ndata: {}\n\n"
        while (left := end - time.monotonic()) > 0:
            try:
                frame = self._news.get(timeout=min(HEARTBEAT_S, left))
            except queue.Empty:
                frame = b": heartbeat\n\n"
            if self._overflow.is_set():
                self._overflow.clear()
                frame += RESYNC
            yield frame


RESYNC = b"event: resync\ndata: {}\n\n"


class Hub:
    """Spreads the news of one Redis subscription over the listeners of this process."""

    def __init__(self, connect: Callable[[], redis.Redis]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._by_topic: dict[str, set[Listener]] = defaultdict(set)
        self._count = 0
        self._thread: threading.Thread | None = None
        self._subscribed = threading.Event()
        self._closed = threading.Event()

    def join(self, topics: frozenset[str]) -> Listener:
        """Register a browser; the subscription starts with the first. Raises ``TransientError`` when full."""
        listener = Listener(topics)
        with self._lock:
            if self._count >= MAX_STREAMS:
                raise TransientError("Too many browsers listen to this web process.", code="live.full")
            self._count += 1
            for topic in topics:
                self._by_topic[topic].add(listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="live-news", daemon=True)
                self._thread.start()
        OPEN_STREAMS.inc()
        self._subscribed.wait(2.0)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a browser that went away."""
        with self._lock:
            self._count -= 1
            for topic in listener.topics:
                self._by_topic[topic].discard(listener)
                if not self._by_topic[topic]:
                    del self._by_topic[topic]
        OPEN_STREAMS.dec()

    def spread(self, message: bytes) -> None:
        """Give one published message to the listeners of its topic."""
        try:
            topic = orjson.loads(message)["topic"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            log.warning("news_unreadable", size=len(message))
            return
        frame = b"event: news\ndata: " + message + b"\n\n"
        for listener in self._listeners(topic):
            listener.put(frame)

    def _listeners(self, topic: str | None) -> list[Listener]:
        with self._lock:
            if topic is not None:
                return list(self._by_topic.get(topic, ()))
            return list({listener for group in self._by_topic.values() for listener in group})

    def close(self) -> None:
        """End the subscription; its thread leaves within a second."""
        self._closed.set()

    def _listen(self) -> None:
        complained = False
        while not self._closed.is_set():
            try:
                with self._connect().pubsub() as subscription:
                    subscription.subscribe(LIVE_CHANNEL)
                    complained = False
                    while not self._closed.is_set():
                        # A time limit lets the client's health check notice a connection that died silently.
                        self._take(subscription.get_message(timeout=1.0))
            except BUS_LOST as error:
                if not complained:
                    log.warning("news_subscription_lost", error=str(error))
                complained = True
                self._closed.wait(0.5)

    def _take(self, message: dict[str, Any] | None) -> None:
        if message is None:
            return
        if message["type"] == "message":
            self.spread(message["data"])
        elif message["type"] == "subscribe":
            if self._subscribed.is_set():  # subscribed anew: what was announced in between is gone
                for listener in self._listeners(None):
                    listener.put(RESYNC)
            self._subscribed.set()


hub = Hub(bus)


def permitted_topics(wanted: list[str], actor: Actor) -> frozenset[str]:
    """Return those of the ``wanted`` topics that are news of tenants the actor works for."""
    if not actor.roles & set(STAFF):
        return frozenset()
    by_kind: dict[str, set[str]] = defaultdict(set)
    for topic in wanted:
        kind, _, key = topic.partition(":")
        by_kind[kind].add(key)
    instances = by_kind.get("instance", set())
    seen = set(db.session.scalars(scoped(Instance, Instance.id).where(Instance.id.in_(instances)))) if instances else ()
    topics = {f"instance:{key}" for key in seen}
    for kind in ("tasks", "calls"):
        topics |= {f"{kind}:{tenant}" for tenant in by_kind.get(kind, set()) & actor.tenant_ids}
    return frozenset(topics)


@blueprint.get("/events")
@allow(EVERYONE)
def events() -> Response:
    """Stream the news of ``?topics=a,b`` until the browser leaves."""
    wanted = [topic for topic in request.args.get("topics", "").split(",") if topic]
    if len(wanted) > MAX_TOPICS:
        raise InvalidInput("Too many topics.", {"topics": f"At most {MAX_TOPICS}."})
    actor = current_actor()
    listener = hub.join(permitted_topics(wanted, actor) if actor else frozenset())

    def stream() -> Iterator[bytes]:
        yield from listener.frames()

    response = Response(stream(), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: hub.leave(listener))
    return response
