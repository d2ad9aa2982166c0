"""Live news: one subscription a process, spread over browsers, filtered by tenant, repaired after a loss."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import redis
from flask import Flask

from engine.execution.records import Instance
from engine.kernel.actor import Actor, acting_as
from engine.kernel.bus import LIVE_CHANNEL, announce
from engine.kernel.db import db, new_id, unit_of_work
from engine.kernel.errors import TransientError
from tests import support
from ui.live import BACKLOG, MAX_STREAMS, RESYNC, Hub, Listener, permitted_topics

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def news_of(listener: Listener, count: int, timeout: float = 5.0) -> list[bytes]:
    """Return the next ``count`` frames after the opening one."""
    found: list[bytes] = []

    def read() -> None:
        for frame in listener.frames(lifetime=timeout):
            if not frame.startswith((b"retry", b":")):
                found.append(frame)
            if len(found) == count:
                return

    thread = threading.Thread(target=read)
    thread.start()
    thread.join(timeout + 1)
    return found


@pytest.fixture
def hub(redis_server: str) -> Iterator[Hub]:
    hub = Hub(lambda: redis.Redis.from_url(redis_server))
    yield hub
    hub.close()


def data_of(frame: bytes) -> dict[str, object]:
    return orjson.loads(frame.split(b"data: ", 1)[1])


@on_sqlite
def test_news_reach_only_those_who_listen_to_the_topic(app: Flask, redis_server: str, hub: Hub) -> None:
    mine, other = hub.join(frozenset({"instance:a"})), hub.join(frozenset({"instance:b"}))
    announce("instance:b", version=1)
    announce("instance:a", version=2)
    assert data_of(news_of(mine, 1)[0]) == {"topic": "instance:a", "version": 2}
    assert data_of(news_of(other, 1)[0]) == {"topic": "instance:b", "version": 1}
    assert mine._news.empty()


@on_sqlite
def test_all_browsers_share_one_subscription(app: Flask, redis_server: str, hub: Hub) -> None:
    with redis.Redis.from_url(redis_server) as client:
        before = client.pubsub_numsub(LIVE_CHANNEL)[0][1]
        listeners = [hub.join(frozenset({"tasks:t"})) for _ in range(5)]
        assert client.pubsub_numsub(LIVE_CHANNEL)[0][1] == before + 1
    announce("tasks:t", task="x")
    assert all(data_of(news_of(listener, 1)[0])["task"] == "x" for listener in listeners)


def test_after_the_bus_was_away_everybody_reads_again(data_dir: Path) -> None:
    where = {"url": ""}
    hub = Hub(lambda: redis.Redis.from_url(where["url"], socket_connect_timeout=1))
    with support.redis_server(data_dir) as url:
        where["url"] = url
        listener = hub.join(frozenset({"instance:a"}))
        with redis.Redis.from_url(url) as client:
            client.publish(LIVE_CHANNEL, b'{"topic":"instance:a"}')
        assert news_of(listener, 1)[0].startswith(b"event: news")
    (data_dir / "again").mkdir()
    with support.redis_server(data_dir / "again") as url:
        where["url"] = url
        assert news_of(listener, 1, timeout=15) == [RESYNC]
        with redis.Redis.from_url(url) as client:
            client.publish(LIVE_CHANNEL, b'{"topic":"instance:a","n":2}')
        assert data_of(news_of(listener, 1)[0])["n"] == 2
        hub.close()


def test_a_browser_that_does_not_read_is_told_to_read_again() -> None:
    listener = Listener(frozenset({"instance:a"}))
    for number in range(BACKLOG + 10):
        listener.put(b"event: news\ndata: %d\n\n" % number)
    frames = listener.frames(lifetime=1)
    next(frames)
    assert next(frames).endswith(RESYNC)
    assert RESYNC not in next(frames)


def test_quiet_streams_are_kept_alive_and_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.live.HEARTBEAT_S", 0.05)
    started = time.monotonic()
    frames = list(Listener(frozenset()).frames(lifetime=0.3))
    assert 0.3 <= time.monotonic() - started < 1
    assert frames[0].startswith(b"retry: ")
    assert 4 <= frames.count(b": heartbeat\n\n") <= 7


@on_sqlite
def test_a_full_process_refuses_and_a_leaving_browser_makes_room(app: Flask, redis_server: str, hub: Hub) -> None:
    listeners = [hub.join(frozenset({"instance:a"})) for _ in range(MAX_STREAMS)]
    with pytest.raises(TransientError):
        hub.join(frozenset({"instance:a"}))
    hub.leave(listeners[0])
    hub.join(frozenset({"instance:a"}))
    for listener in listeners[1:]:
        hub.leave(listener)
    assert len(hub._by_topic["instance:a"]) == 1


@pytest.fixture
def instances(app: Flask) -> Iterator[dict[str, str]]:
    """One instance of each of two tenants."""
    with unit_of_work():
        made = {}
        for tenant in ("mine", "theirs"):
            instance = Instance(
                id=new_id(), tenant_id=tenant, definition_id="d", process_id="p", status="waiting", started_by="system"
            )
            db.session.add(instance)
            made[tenant] = instance.id
    return made


@on_sqlite
def test_foreign_topics_are_left_out(app: Flask, instances: dict[str, str]) -> None:
    actor = Actor("u", "mine", frozenset({"mine"}), frozenset({"agent"}))
    consumer = Actor("c", "mine", frozenset({"mine"}), frozenset({"consumer"}))
    wanted = [
        f"instance:{instances['mine']}",
        f"instance:{instances['theirs']}",
        "tasks:mine",
        "tasks:theirs",
        "other:mine",
    ]
    with acting_as(actor), unit_of_work(write=False):
        assert permitted_topics(wanted, actor) == {f"instance:{instances['mine']}", "tasks:mine"}
        assert permitted_topics(wanted, consumer) == frozenset()
