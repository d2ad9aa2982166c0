"""Demo data: two extensions, and two numbers with the applications that answer them."""

from __future__ import annotations

from sqlalchemy import select

from engine import api
from engine.kernel.db import db
from engine.kernel.errors import NotFound
from engine.kernel.settings import Settings
from engine.kernel.types import Secret
from modules.identity import User
from modules.identity.demo import demo_customer
from modules.inventory import PhoneNumber, add_number, bind
from modules.portals.pbx.applications import create_application
from modules.portals.pbx.extensions import create_extension
from modules.portals.pbx.models import Extension

APPLICATIONS = (("1000", "Memo line", "clid_memo"), ("2000", "Company menu", "company_ivr"))
EXTENSIONS = (("201", "Reception", "reception@larkspur.example"), ("202", "Anna Weber", "anna@larkspur.example"))


def extension_password(settings: Settings) -> str:
    """Return the SIP password of the demo extensions, made once per deployment."""
    return settings.secret("demo_sip_password")[:20]


def create_demo(settings: Settings) -> None:
    """Add what is missing of the demo inside the open unit of work. Needs the shipped diagrams to be deployed."""
    customer = demo_customer()
    password = Secret(extension_password(settings))
    if db.session.scalar(select(Extension.id).where(Extension.tenant_id == customer.id).limit(1)) is None:
        for number, name, email in EXTENSIONS:
            user_id = db.session.scalar(select(User.id).where(User.email == email))
            create_extension(tenant_id=customer.id, number=number, name=name, password=password, user_id=user_id)
    for number, name, process_id in APPLICATIONS:
        if db.session.scalar(select(PhoneNumber.id).where(PhoneNumber.number == number)) is not None:
            continue
        try:
            api.find_definition(process_id, tenant_id=customer.id)
        except NotFound:
            continue  # lint refused the shipped diagram; the log says why
        application = create_application(tenant_id=customer.id, name=name, process_id=process_id)
        bind(add_number(number, tenant_id=customer.id, label=name), application.id)
