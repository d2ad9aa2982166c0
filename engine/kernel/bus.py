"""The bus: Redis for bells, streams and live news. It may lose everything at any moment; truth is in SQL."""

from __future__ import annotations

from typing import Any

import redis
import structlog

from engine.kernel.errors import ConfigurationError
from engine.kernel.settings import Settings
from engine.kernel.types import to_json

log = structlog.get_logger()

LIVE_CHANNEL = "cms:live"
#: what a connection that is lost while one reads may raise; redis-py also lets out the error of its closed buffer
BUS_LOST = (redis.RedisError, OSError, ValueError)

_client: redis.Redis | None = None


def connect_bus(settings: Settings) -> redis.Redis:
    """Connect this process to the deployment's Redis; the connection is made on first use and remade after loss."""
    global _client
    _client = redis.Redis.from_url(settings.redis, health_check_interval=10, socket_connect_timeout=2)
    return _client


def bus() -> redis.Redis:
    """Return the process's Redis client. Raises ``ConfigurationError`` before ``connect_bus``."""
    if _client is None:
        raise ConfigurationError("no bus is connected: call connect_bus first")
    return _client


def bell_stream(kind: str) -> str:
    """Return the stream that wakes the hosts of a kind (``interactive`` or ``batch``)."""
    return f"cms:bell:{kind}"


def ring(kind: str, instance_id: str) -> None:
    """Tell the hosts of ``kind`` that an instance has events. Losing it costs at most one polling interval."""
    try:
        bus().xadd(bell_stream(kind), {"instance": instance_id}, maxlen=10_000, approximate=True)
    except redis.RedisError as error:
        log.warning("bell_lost", kind=kind, instance=instance_id, error=str(error))


def announce(topic: str, **news: Any) -> None:
    """Send live news to open pages. Topics: ``instance:<id>``, ``tasks:<tenant>``, ``calls:<tenant>``."""
    try:
        bus().publish(LIVE_CHANNEL, to_json({"topic": topic, **news}))
    except redis.RedisError as error:
        log.warning("news_lost", topic=topic, error=str(error))
