"""Keeping contacts: add, change, look up by number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from engine.kernel.actor import current_actor, scoped
from engine.kernel.db import db
from engine.kernel.errors import InvalidInput, NotFound, NotPermitted
from modules.directory.models import Contact, ContactNumber

_PLAIN = ("name", "organisation", "email", "language", "note", "consent")


def contact_by_id(contact_id: str) -> Contact:
    """Return a contact the actor may see. Raises ``NotFound``."""
    contact: Contact | None = db.session.scalar(scoped(Contact).where(Contact.id == contact_id))
    if contact is None:
        raise NotFound("There is no such contact.", code="directory.contact_unknown")
    return contact


def lookup(number: str, tenant_id: str) -> Contact | None:
    """Return the tenant's contact with this number, if any. A withheld number (empty) is nobody's."""
    if not number:
        return None
    query = (
        select(Contact).join(ContactNumber).where(ContactNumber.tenant_id == tenant_id, ContactNumber.number == number)
    )
    contact: Contact | None = db.session.scalar(query)
    return contact


def known_numbers(numbers: Iterable[str], tenant_id: str) -> set[str]:
    """Return those of the numbers that belong to a contact of the tenant already."""
    wanted = sorted(set(numbers))
    found: set[str] = set()
    for start in range(0, len(wanted), 500):  # databases limit how many values one statement may have
        part = wanted[start : start + 500]
        query = select(ContactNumber.number).where(ContactNumber.tenant_id == tenant_id, ContactNumber.number.in_(part))
        found.update(db.session.scalars(query))
    return found


def add_contact(data: Mapping[str, Any], *, tenant_id: str | None = None) -> Contact:
    """Add a contact to the tenant (default: the actor's). Raises ``InvalidInput`` for a number somebody else has."""
    actor = current_actor()
    owner = tenant_id or (actor.tenant_id if actor else None)
    if owner is None:
        raise NotPermitted("Nobody acts here, so it is not known whose contact this is.")
    contact = Contact(tenant_id=owner)
    change_contact(contact, data)
    db.session.add(contact)
    db.session.flush()
    return contact


def change_contact(contact: Contact, data: Mapping[str, Any]) -> None:
    """Set everything that ``data`` says; what it leaves out becomes empty. Raises ``InvalidInput``."""
    numbers = [dict(item) for item in data.get("numbers", [])]
    _check_numbers(contact, numbers)
    for name in _PLAIN:
        setattr(contact, name, data.get(name) or ("unknown" if name == "consent" else ""))
    contact.tags = list(dict.fromkeys(data.get("tags", [])))
    contact.owner_id = data.get("owner_id")
    kept = {item.number: item for item in contact.numbers}
    contact.numbers = []
    for position, item in enumerate(numbers):
        row = kept.get(item["number"]) or ContactNumber(tenant_id=contact.tenant_id, number=item["number"])
        row.label, row.position = item.get("label", ""), position
        contact.numbers.append(row)


def _check_numbers(contact: Contact, numbers: list[dict[str, Any]]) -> None:
    wrong: dict[str, str] = {}
    seen: set[str] = set()
    for position, item in enumerate(numbers):
        number, pointer = item["number"], f"/numbers/{position}/number"
        other = lookup(number, contact.tenant_id)
        if number in seen:
            wrong[pointer] = "This number is there twice. Remove one."
        elif other is not None and other.id != contact.id:
            wrong[pointer] = f"{other.name} has this number already. Remove it there first."
        seen.add(number)
    if wrong:
        raise InvalidInput("Some numbers cannot be used.", wrong, code="directory.number_taken")
