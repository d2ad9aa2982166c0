"""Tenants as people name them on the command line."""

from __future__ import annotations

from sqlalchemy import select

from engine.kernel.db import db
from engine.kernel.errors import NotFound
from modules.identity.models import Tenant


def tenant_named(text: str) -> Tenant:
    """Return the tenant of a name or id. Raises ``NotFound`` that lists the known names."""
    tenant = db.session.scalar(select(Tenant).where((Tenant.id == text) | (Tenant.name == text)))
    if tenant is None:
        names = ", ".join(db.session.scalars(select(Tenant.name).order_by(Tenant.name)))
        raise NotFound(f"There is no tenant {text!r}; there are: {names or 'none'}.", code="identity.tenant_unknown")
    return tenant
