"""The tree of tenants."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.kernel.db import db
from engine.kernel.errors import NotFound
from modules.identity.models import Tenant

#: kind of the one tenant at the top of the tree
OPERATOR = "operator"


def subtree_of(tenant_id: str) -> frozenset[str]:
    """Return the ids of a tenant and of all below it."""
    tree = select(Tenant.id).where(Tenant.id == tenant_id).cte(recursive=True)
    tree = tree.union_all(select(Tenant.id).where(Tenant.parent_id == tree.c.id))
    return frozenset(db.session.scalars(select(tree.c.id)))


def ancestors_of(tenant_id: str) -> list[str]:
    """Return the ids of a tenant and of all above it, from below to the operator."""
    found: list[str] = []
    current: str | None = tenant_id
    while current is not None and current not in found:
        found.append(current)
        current = db.session.scalar(select(Tenant.parent_id).where(Tenant.id == current))
    return found


def find_tenant(tenant_id: str) -> Tenant:
    """Return the tenant. Raises ``NotFound``."""
    tenant = db.session.get(Tenant, tenant_id)
    if tenant is None:
        raise NotFound("There is no such tenant.", code="identity.tenant_unknown")
    return tenant


def operator_tenant() -> Tenant:
    """Return the tenant at the top of the tree. Raises ``NotFound`` before the platform was set up."""
    tenant = db.session.scalar(select(Tenant).where(Tenant.kind == OPERATOR))
    if tenant is None:
        raise NotFound("There is no operator yet: create the demo data or an administrator.", code="identity.empty")
    return tenant


def create_tenant(
    *, name: str, kind: str = "customer", parent_id: str | None = None, branding: dict[str, Any] | None = None
) -> Tenant:
    """Add a tenant below ``parent_id``; only the operator has none."""
    tenant = Tenant(name=name, kind=kind, parent_id=parent_id, branding=branding or {})
    db.session.add(tenant)
    db.session.flush()
    return tenant
