"""Carriers take outbox rows away after the commit: RQ for external operations, the agents' streams for media."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from engine.execution.records import Outbox

log = structlog.get_logger()

Carrier = Callable[[list[Outbox]], None]

_carriers: dict[str, Carrier] = {}


def register_carrier(kind: str, send: Carrier) -> None:
    """Let ``send`` take the outbox rows of ``kind``.

    It is called outside a unit of work, right after the commit that wrote the rows, and again every two seconds for
    rows that are not answered: sending is at least once, receivers do each ``key`` once.
    """
    _carriers[kind] = send


def carried() -> frozenset[str]:
    """Return the kinds that this process carries."""
    return frozenset(_carriers)


def carry(rows: list[Outbox]) -> None:
    """Hand rows to their carriers; a carrier that fails is tried again by the sweep."""
    for kind in {row.kind for row in rows}:
        if kind not in _carriers:
            continue
        try:
            _carriers[kind]([row for row in rows if row.kind == kind])
        except Exception:
            log.exception("carrier_failed", kind=kind)
