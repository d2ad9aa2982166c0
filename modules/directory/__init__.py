"""The directory: whom a tenant knows, by which numbers, and what they agreed to.

Public: the operation ``directory.find_contact``; ``Contact``, ``ContactNumber``, ``contact_by_id``, ``lookup``.
"""

from modules.directory.contacts import contact_by_id, lookup
from modules.directory.models import Contact, ContactNumber
from modules.directory.operations import find_contact

REQUIRES: tuple[str, ...] = ("modules.identity",)

__all__ = ["REQUIRES", "Contact", "ContactNumber", "contact_by_id", "find_contact", "lookup"]
