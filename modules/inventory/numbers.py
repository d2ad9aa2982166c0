"""Keeping numbers: add, bind to an application, find what was dialled."""

from __future__ import annotations

import re
from contextlib import suppress

from sqlalchemy import select

from engine.kernel.db import db, settings_in_force
from engine.kernel.errors import Conflict, InvalidInput
from engine.kernel.types import E164
from modules.inventory.models import PhoneNumber

_INTERNAL = re.compile(r"[0-9]{2,8}")


def normalise(text: str) -> str:
    """Return a number as it is kept: internal digits, or E.164. Raises ``InvalidInput`` for field ``number``."""
    compact = re.sub(r"[\s()/.-]", "", text)
    if _INTERNAL.fullmatch(compact) and not compact.startswith("0"):
        return compact
    try:
        return str(E164.parse(text, settings_in_force().default_region))
    except InvalidInput as error:
        raise InvalidInput(
            f"{text!r} cannot be called.",
            {"/number": "Use two to eight digits for an internal number, else + and the country code."},
            code="inventory.number_invalid",
        ) from error


def add_number(number: str, *, tenant_id: str, label: str = "") -> PhoneNumber:
    """Add a number to a tenant. Raises ``InvalidInput`` when it is none, or somebody has it."""
    kept = normalise(number)
    _refuse_taken(kept, "")
    row = PhoneNumber(tenant_id=tenant_id, number=kept, label=label)
    db.session.add(row)
    db.session.flush()
    return row


def change_number(row: PhoneNumber, *, number: str, label: str) -> None:
    """Change a number or what it is for. Raises ``InvalidInput`` like ``add_number``."""
    kept = normalise(number)
    _refuse_taken(kept, row.id)
    row.number, row.label = kept, label


def _refuse_taken(number: str, own_id: str) -> None:
    with db.session.no_autoflush:
        owner = db.session.scalar(select(PhoneNumber.id).where(PhoneNumber.number == number))
    if owner is not None and owner != own_id:
        raise InvalidInput(
            f"{number} is in use already.",
            {"/number": "This number is in use: choose another."},
            code="inventory.taken",
        )


def release_number(row: PhoneNumber) -> None:
    """Delete a number. Raises ``Conflict`` while an application answers it."""
    if row.application_id is not None:
        raise Conflict(f"{row.number} is answered by an application: unbind it first.", code="inventory.bound")
    db.session.delete(row)


def bind(row: PhoneNumber, application_id: str | None) -> None:
    """Let an application answer the number from the next call on; None: nobody answers it."""
    row.application_id = application_id


def find_dialled(dialled: str) -> PhoneNumber | None:
    """Return the number that somebody dialled, in whatever form phones send it; None: it is not ours."""
    candidates = [dialled]
    with suppress(InvalidInput):
        candidates.append(normalise(dialled))
    found: PhoneNumber | None = db.session.scalar(select(PhoneNumber).where(PhoneNumber.number.in_(candidates)))
    return found
