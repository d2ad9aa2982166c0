"""Reading the bus: streams with consumer groups, which Redis may lose at any moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import redis
import structlog

from engine.kernel.bus import BUS_LOST, bus

log = structlog.get_logger()

GROUP = "cms"

Entry = tuple[str, bytes, dict[bytes, bytes]]


class Streams:
    """Reads several streams as one consumer; ``ok`` is False while Redis does not answer."""

    def __init__(self, consumer: str, names: Iterable[str]) -> None:
        self.consumer = consumer
        self.names = list(names)
        self.ok = False
        self._prepared = False

    def read(self, block_ms: int) -> list[Entry]:
        """Return new entries, waiting for at most ``block_ms``; none while Redis is away.

        After a start or a loss, entries that were read before but not acknowledged come first.
        """
        try:
            if not self._prepared:
                self._prepare()
                pending = self._read("0", None)
                if pending:
                    self._prepared = False  # more may follow once these are acknowledged
                    return pending
            entries = self._read(">", block_ms)
        except redis.ResponseError as error:
            if not str(error).startswith(("NOGROUP", "UNBLOCKED")):
                log.warning("stream_refused", error=str(error))
            self._prepared = False
            return []
        except BUS_LOST as error:
            if self.ok:
                log.warning("bus_lost", error=str(error))
            self.ok = self._prepared = False
            return []
        self.ok = True
        return entries

    def _prepare(self) -> None:
        for name in self.names:
            try:
                bus().xgroup_create(name, GROUP, id="0", mkstream=True)
            except redis.ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise
        self._prepared = True

    def _read(self, start: str, block_ms: int | None) -> list[Entry]:
        answer: Any = bus().xreadgroup(GROUP, self.consumer, dict.fromkeys(self.names, start), count=64, block=block_ms)
        return [(stream.decode(), entry_id, fields) for stream, found in answer or [] for entry_id, fields in found]

    def again(self) -> None:
        """Read entries that are not acknowledged once more."""
        self._prepared = False

    def done(self, stream: str, entry_id: bytes) -> None:
        """Acknowledge an entry and delete it; a loss of Redis only means that it comes again."""
        try:
            with bus().pipeline(transaction=False) as pipeline:
                pipeline.xack(stream, GROUP, entry_id)
                pipeline.xdel(stream, entry_id)
                pipeline.execute()
        except redis.RedisError as error:
            log.warning("entry_not_acknowledged", stream=stream, error=str(error))
