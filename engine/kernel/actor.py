"""Who acts: the person or process behind a unit of work, and what of the tenants' rows he may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select

from engine.kernel.db import TenantOwned

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """``user_id`` is a user's id or ``system``; ``tenant_ids`` are his tenant and all below it in the tree."""

    user_id: str
    tenant_id: str
    tenant_ids: frozenset[str]
    roles: frozenset[str] = field(default_factory=frozenset)
    name: str = ""


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


def current_actor() -> Actor | None:
    """Return the actor of this unit of work; None where the platform itself acts for no tenant (start-up, clock)."""
    return _actor.get()


@contextmanager
def acting_as(actor: Actor) -> Iterator[Actor]:
    """Make ``actor`` the current one inside the block."""
    token = _actor.set(actor)
    try:
        yield actor
    finally:
        _actor.reset(token)


def scoped(model: type[TenantOwned], *columns: Any) -> Select[Any]:
    """Return ``select(model)`` limited to the rows the current actor may see; without an actor, none."""
    actor = current_actor()
    visible = actor.tenant_ids if actor else frozenset()
    return select(*(columns or (model,))).where(model.tenant_id.in_(visible))
