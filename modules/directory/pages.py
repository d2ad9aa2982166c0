"""The contacts page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import String, cast, func, or_, select

from engine.kernel.actor import current_actor, scoped
from engine.kernel.db import db, settings_in_force
from engine.kernel.errors import InvalidInput
from engine.kernel.types import E164
from engine.pages import (
    STAFF,
    Column,
    Empty,
    Form,
    Hit,
    Importer,
    Link,
    ListPage,
    Phone,
    Preview,
    SearchProvider,
    Section,
    Status,
    View,
    add_list,
    add_search,
)
from modules.directory.contacts import add_contact, change_contact, known_numbers
from modules.directory.models import Contact, ContactNumber
from modules.identity import User

URL = "/directory/contacts"
EDITORS = ("administrator", "customer_admin", "supervisor", "agent")
LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese"}
CONSENT = (("given", "Given"), ("partly", "Partly"), ("refused", "Refused"), ("unknown", "Not asked"))
_CONSENT_CHIP = {
    "given": Status("completed", "Given"),
    "partly": Status("waiting", "Partly", "circle-dashed"),
    "refused": Status("cancelled", "Refused"),
    "unknown": Status("suspended", "Not asked", "help-circle"),
}


def _consent(contact: Contact) -> Status:
    return _CONSENT_CHIP.get(contact.consent, _CONSENT_CHIP["unknown"])


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())


def _has_number(text: str) -> Any:
    """Numbers that begin with what was typed; ``030`` and ``+4930`` find the same ones by their digits."""
    digits = _digits(text).removeprefix("00")
    pattern = f"%{digits[1:]}%" if digits.startswith("0") else f"%{digits}%"
    numbers = select(ContactNumber.contact_id).where(ContactNumber.number.like(pattern))
    return Contact.id.in_(numbers)


def _search(text: str) -> Any:
    plain = [column.icontains(text, autoescape=True) for column in (Contact.name, Contact.organisation, Contact.email)]
    return or_(*plain, _has_number(text)) if len(_digits(text)) >= 3 else or_(*plain)


def _tag_choices() -> list[tuple[str, str]]:
    """The tags in use. They are kept as JSON, so they are gathered here."""
    used: set[str] = set()
    for tags in db.session.scalars(scoped(Contact, Contact.tags).distinct()):
        used.update(tags)
    return [(tag, tag) for tag in sorted(used)]


def _has_tag(text: str) -> Any:
    from_text = func.lower(_as_text(Contact.tags))
    return from_text.contains(f'"{text.lower()}"', autoescape=True)


def _as_text(column: Any) -> Any:
    """JSON as text, the same on both databases."""
    return cast(column, String)


def preview(contact: Contact) -> Preview:
    """What stands beside the list."""
    owner = db.session.get(User, contact.owner_id) if contact.owner_id else None
    reach: list[tuple[str, Any]] = [(item.label or "Number", Phone(item.number)) for item in contact.numbers]
    if contact.email:
        reach.append(("Mail", Link(contact.email, f"mailto:{contact.email}")))
    sections = [
        Section(
            "Details",
            facts=[
                ("Organisation", contact.organisation),
                ("Language", LANGUAGES.get(contact.language, contact.language)),
                ("Consent", _consent(contact)),
                ("Owner", owner.name if owner else None),
                ("Changed", contact.changed_at),
            ],
        ),
        Section("Contact info", facts=reach),
        Section("Roles", labels=contact.tags),
    ]
    if contact.note:
        sections.append(Section("Note", text=contact.note, open=False))
    links = [Link("Call", f"tel:{contact.number}", "phone")] if contact.number else []
    if contact.email:
        links.append(Link("Mail", f"mailto:{contact.email}", "mail"))
    return Preview(contact.name, sections, subtitle=contact.organisation, links=links)


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "title": "Name", "maxLength": 120},
        "organisation": {"type": "string", "title": "Organisation", "maxLength": 120},
        "numbers": {
            "type": "array",
            "title": "Numbers",
            "maxItems": 10,
            "description": "The first one is shown in lists. Callers are recognised by any of them.",
            "items": {
                "type": "object",
                "title": "Number",
                "required": ["number"],
                "properties": {
                    "number": {"type": "string", "title": "Number", "format": "dialable"},
                    "label": {"type": "string", "title": "Kind", "enum": ["Mobile", "Work", "Home", "Fax"]},
                },
            },
        },
        "email": {"type": "string", "title": "Mail", "format": "email", "maxLength": 200},
        "language": {
            "type": "string",
            "title": "Language",
            "oneOf": [{"const": key, "title": title} for key, title in LANGUAGES.items()],
        },
        "tags": {
            "type": "array",
            "title": "Roles",
            "items": {"type": "string", "title": "Role", "maxLength": 40},
            "description": "What this contact is to you, such as Patient or Supplier.",
            "maxItems": 12,
        },
        "consent": {
            "type": "string",
            "title": "Consent to calls and recordings",
            "default": "unknown",
            "oneOf": [{"const": key, "title": title} for key, title in CONSENT],
        },
        "owner_id": {"type": "string", "title": "Looked after by"},
        "note": {"type": "string", "title": "Note", "maxLength": 2000},
    },
}
UI: dict[str, Any] = {
    "consent": {"ui:widget": "select"},
    "owner_id": {"ui:widget": "select"},
    "language": {"ui:widget": "select"},
    "note": {"ui:widget": "textarea"},
}


def form(contact: Contact | None) -> Form:
    """The form for a new or a known contact, with the tenant's users as owners."""
    users = db.session.scalars(scoped(User).where(User.active.is_(True)).order_by(User.name))
    owners = [{"const": user.id, "title": user.name} for user in users if user.role_names - {"consumer"}]
    properties = dict(SCHEMA["properties"])
    if owners:
        properties["owner_id"] = {**properties["owner_id"], "oneOf": owners}
    else:
        del properties["owner_id"]
    schema = {**SCHEMA, "properties": properties}
    if contact is None:
        return Form(schema, {}, UI)
    data = {name: getattr(contact, name) for name in ("name", "organisation", "email", "language", "consent", "note")}
    data |= {"tags": contact.tags, "owner_id": contact.owner_id}
    data["numbers"] = [{"number": item.number, "label": item.label} for item in contact.numbers]
    return Form(schema, data, UI)


def _import_row(cells: dict[str, str]) -> dict[str, Any]:
    """Return the data of one row. Raises ``InvalidInput`` that says why it cannot be used."""
    name, number = cells.get("name", "").strip(), cells.get("number", "").strip()
    if not name:
        raise InvalidInput("There is no name in this row.")
    try:
        parsed = str(E164.parse(number, settings_in_force().default_region))
    except InvalidInput as error:
        raise InvalidInput(f"{number!r} is not a usable phone number." if number else "There is no number.") from error
    consent = cells.get("consent", "").strip().casefold()
    words = {title.casefold(): key for key, title in CONSENT} | {key: key for key, _ in CONSENT}
    if consent and consent not in words:
        raise InvalidInput(f"Consent is given, partly, refused or empty, not {consent!r}.")
    email = cells.get("email", "").strip()
    if email and "@" not in email:
        raise InvalidInput(f"{email!r} is not a mail address.")
    return {
        "name": name[:120],
        "organisation": cells.get("organisation", "").strip()[:120],
        "numbers": [{"number": parsed, "label": cells.get("label", "").strip()[:24]}],
        "email": email[:200],
        "language": cells.get("language", "").strip()[:16],
        "tags": [tag.strip() for tag in cells.get("tags", "").replace(";", ",").split(",") if tag.strip()],
        "consent": words.get(consent, "unknown"),
    }


def _known(numbers: Iterable[str]) -> set[str]:
    actor = current_actor()
    return known_numbers(numbers, actor.tenant_id) if actor else set()


def _find(text: str, limit: int) -> list[Hit]:
    contacts = db.session.scalars(scoped(Contact).where(_search(text)).order_by(Contact.name).limit(limit))
    return [
        Hit(
            item.name, f"{URL}/{item.id}", " · ".join(part for part in (item.organisation, item.number) if part), "user"
        )
        for item in contacts
    ]


add_search(SearchProvider("Contacts", _find, STAFF, order=10))

contacts = add_list(
    ListPage(
        name="directory.contacts",
        url=URL,
        section="Directory",
        title="Contacts",
        singular="contact",
        model=Contact,
        roles=STAFF,
        edit_roles=EDITORS,
        order=10,
        columns=(
            Column("name", "Name", Contact.name, kind="person", width=164),
            Column("organisation", "Organisation", Contact.organisation),
            Column(
                "number",
                "Number",
                kind="phone",
                show=lambda row: Phone(row.number),
                where=_has_number,
                width=146,
                under=True,
            ),
            Column("tags", "Roles", kind="labels", choices=_tag_choices, where=_has_tag, width=132),
            Column(
                "consent",
                "Consent",
                Contact.consent,
                kind="status",
                show=_consent,
                choices=CONSENT,
                width=104,
                keep=True,
            ),
            Column("changed_at", "Changed", Contact.changed_at, kind="when", width=112),
        ),
        search=_search,
        sort="name",
        views=(
            View("refused", "Refused", lambda: Contact.consent == "refused"),
            View("unasked", "Not asked", lambda: Contact.consent == "unknown"),
        ),
        preview=preview,
        form=form,
        create=add_contact,
        update=change_contact,
        delete=lambda row: db.session.delete(row),
        importer=Importer(
            fields=(
                ("name", "Name", True),
                ("number", "Number", True),
                ("label", "Kind of number", False),
                ("organisation", "Organisation", False),
                ("email", "Mail", False),
                ("language", "Language", False),
                ("tags", "Roles", False),
                ("consent", "Consent", False),
            ),
            check=_import_row,
            key=lambda data: str(data["numbers"][0]["number"]),
            known=_known,
            aliases={
                "phone": "number",
                "telephone": "number",
                "mobile": "number",
                "phone number": "number",
                "full name": "name",
                "company": "organisation",
                "organization": "organisation",
                "e-mail": "email",
                "email": "email",
                "tags": "tags",
                "groups": "tags",
            },
        ),
        empty=Empty(
            "Nobody is in the directory yet",
            "Contacts are recognised when they call, and greeted by name in their language. "
            "Add one, or import the table you have.",
            "address-book",
        ),
    )
)
