"""Demo data: the operator, one customer and their users."""

from __future__ import annotations

from sqlalchemy import select

from engine.kernel.db import db
from engine.kernel.settings import Settings
from modules.identity.models import Tenant
from modules.identity.tenants import OPERATOR, create_tenant
from modules.identity.users import create_user, ensure_roles

CUSTOMER = "Larkspur Dental"


def admin_password(settings: Settings) -> str:
    """Return the first password of the demo administrator, made once per deployment."""
    return settings.secret("admin_password")[:16]


def demo_password(settings: Settings) -> str:
    """Return the password of the other demo users, made once per deployment."""
    return settings.secret("demo_password")[:16]


def create_demo(settings: Settings) -> None:
    """Add tenants and users inside the open unit of work. Does nothing when there is an operator already."""
    ensure_roles()
    if db.session.scalar(select(Tenant.id).where(Tenant.kind == OPERATOR)):
        return
    operator = create_tenant(name="Operator", kind=OPERATOR, branding={"initials": "CM"})
    customer = create_tenant(name=CUSTOMER, parent_id=operator.id, branding={"initials": "LD"})
    create_user(
        tenant_id=operator.id,
        email="admin@cms.example",
        name="Ines Duarte",
        roles=["administrator"],
        password=admin_password(settings),
    )
    password = demo_password(settings)
    for local, name, roles in (
        ("reception", "Marta Silva", ["customer_admin", "agent"]),
        ("anna", "Anna Weber", ["consumer"]),
        ("analyst", "Tomás Reis", ["analyst"]),
    ):
        create_user(tenant_id=customer.id, email=f"{local}@larkspur.example", name=name, roles=roles, password=password)


def demo_customer() -> Tenant:
    """Return the demo customer, for the demo data of other modules."""
    return db.session.execute(select(Tenant).where(Tenant.name == CUSTOMER)).scalar_one()
