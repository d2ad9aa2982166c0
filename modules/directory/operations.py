"""What diagrams can ask the directory."""

from __future__ import annotations

from typing_extensions import TypedDict

from engine.operations import operation, operation_context
from modules.directory.contacts import lookup


class FoundContact(TypedDict):
    """Who a number belongs to; empty texts when nobody is known."""

    known: bool
    id: str
    name: str
    organisation: str
    language: str
    email: str
    consent: str


@operation("directory.find_contact", idempotent=True)
def find_contact(*, number: str) -> FoundContact:
    """Find the contact of the tenant who has this phone number."""
    contact = lookup(number, operation_context().tenant_id)
    if contact is None:
        return {
            "known": False, "id": "", "name": "", "organisation": "", "language": "", "email": "", "consent": "unknown"
        }  # fmt: skip
    return {
        "known": True,
        "id": contact.id,
        "name": contact.name,
        "organisation": contact.organisation,
        "language": contact.language,
        "email": contact.email,
        "consent": contact.consent,
    }
