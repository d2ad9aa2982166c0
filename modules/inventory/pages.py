"""The numbers page."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from engine.kernel.actor import current_actor
from engine.kernel.db import db
from engine.pages import STAFF, Column, Empty, Form, ListPage, Phone, Preview, Section, Status, View, add_list
from modules.identity import Tenant
from modules.inventory.models import PhoneNumber
from modules.inventory.numbers import add_number, change_number, release_number

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["number"],
    "additionalProperties": False,
    "properties": {
        "number": {
            "type": "string",
            "title": "Number",
            "maxLength": 24,
            "description": "An internal number such as 1000, or a public one such as +49 30 123456.",
        },
        "label": {"type": "string", "title": "What it is for", "maxLength": 80},
    },
}


def _status(row: PhoneNumber) -> Status:
    if row.application_id:
        return Status("completed", "Answered")
    return Status("waiting", "Nobody answers", "phone-off")


def _preview(row: PhoneNumber) -> Preview:
    facts = [
        ("Status", _status(row)),
        ("Reached from", "Everywhere" if row.number.startswith("+") else "Phones of the platform"),
        ("Since", row.created_at),
    ]
    return Preview(row.number, [Section("Details", facts=facts)], subtitle=row.label)


def _form(row: PhoneNumber | None) -> Form:
    """Only a new number is given to a tenant: calls and recordings of an old one stay where they are."""
    if row is not None:
        return Form(SCHEMA, {"number": row.number, "label": row.label})
    actor = current_actor()
    visible = actor.tenant_ids if actor else frozenset()
    tenants = db.session.scalars(select(Tenant).where(Tenant.id.in_(visible)).order_by(Tenant.name))
    options = [{"const": tenant.id, "title": tenant.name} for tenant in tenants]
    tenant = {"type": "string", "title": "Belongs to", "oneOf": options}
    properties = {**SCHEMA["properties"], "tenant_id": tenant}
    schema = {**SCHEMA, "required": ["number", "tenant_id"], "properties": properties}
    return Form(schema, {}, {"tenant_id": {"ui:widget": "select"}})


def _create(data: dict[str, Any]) -> PhoneNumber:
    return add_number(data["number"], tenant_id=data["tenant_id"], label=data.get("label", ""))


def _update(row: PhoneNumber, data: dict[str, Any]) -> None:
    change_number(row, number=data["number"], label=data.get("label", ""))


numbers = add_list(
    ListPage(
        name="inventory.numbers",
        url="/inventory/numbers",
        section="Inventory",
        title="Numbers",
        singular="number",
        model=PhoneNumber,
        roles=STAFF,
        edit_roles=("administrator",),
        columns=(
            Column("number", "Number", PhoneNumber.number, kind="phone", show=lambda row: Phone(row.number), width=180),
            Column("label", "What it is for", PhoneNumber.label, under=True),
            Column("status", "Status", kind="status", show=_status, keep=True, width=150),
            Column("created_at", "Since", PhoneNumber.created_at, kind="when", width=130),
        ),
        search=lambda text: or_(
            PhoneNumber.number.contains(text.replace(" ", ""), autoescape=True),
            PhoneNumber.label.icontains(text, autoescape=True),
        ),
        sort="number",
        views=(View("free", "Free", lambda: PhoneNumber.application_id.is_(None)),),
        preview=_preview,
        form=_form,
        create=_create,
        update=_update,
        delete=release_number,
        row_title=lambda row: str(row.number),
        empty=Empty("No numbers yet", "Add the numbers people call; then bind them to an application.", "hash"),
    )
)
