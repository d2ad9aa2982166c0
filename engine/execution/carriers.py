"""Carriers take outbox rows away after the commit: RQ for external operations, the agents' streams for media."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy import delete

from engine.execution.records import Outbox
from engine.kernel.db import unit_of_work

log = structlog.get_logger()

#: end of the key of a command that interrupts an operation
CANCEL = ":cancel"

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
    """Hand rows to their carriers; a carrier that fails is tried again by the sweep.

    Commands that interrupt an operation have no answer: once sent they are done.
    """
    for kind in {row.kind for row in rows} & carried():
        mine = [row for row in rows if row.kind == kind]
        try:
            _carriers[kind](mine)
        except Exception:
            log.exception("carrier_failed", kind=kind)
            continue
        sent = [row.id for row in mine if row.key.endswith(CANCEL)]
        if sent:
            with unit_of_work() as session:
                session.execute(delete(Outbox).where(Outbox.id.in_(sent)))
