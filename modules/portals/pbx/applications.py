"""Applications: choose a published diagram, fill in its parameters, bind numbers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine import api
from engine.api import Definition
from engine.kernel.actor import scoped
from engine.kernel.db import db
from engine.kernel.errors import InvalidInput
from modules.inventory import PhoneNumber, bind
from modules.portals.pbx.models import Application


def templates(tenant_id: str) -> list[Definition]:
    """Return the newest versions of the diagrams that a tenant may make applications of, by name."""
    newest: dict[str, Definition] = {}
    for definition in api.list_definitions([tenant_id]):
        if not definition.parameters:
            continue
        known = newest.get(definition.process_id)
        # a tenant's own diagram stands before a published one of the same name, as when it is started
        if known is None or (known.tenant_id != tenant_id and definition.tenant_id == tenant_id):
            newest[definition.process_id] = definition
    return sorted(newest.values(), key=lambda definition: definition.name)


def definition_of(application: Application) -> Definition:
    """Return the version that the application's next call takes. Raises ``NotFound``."""
    if application.definition_id is not None:
        return api.definition_by_id(application.definition_id)
    return api.find_definition(application.process_id, tenant_id=application.tenant_id)


def create_application(
    *, tenant_id: str, name: str, process_id: str, parameters: dict[str, Any] | None = None, pinned: bool = False
) -> Application:
    """Make an application of a published diagram; missing parameters get their defaults.

    Raises ``InvalidInput`` by JSON pointer for wrong parameters or a process that is no template.
    """
    offered = {definition.process_id: definition for definition in templates(tenant_id)}
    if process_id not in offered:
        raise InvalidInput(
            f"{process_id!r} is not offered as an application.",
            {"/process_id": f"Choose one of: {', '.join(sorted(offered)) or 'none is published yet'}."},
        )
    definition = offered[process_id]
    application = Application(
        tenant_id=tenant_id, name=name, process_id=process_id, definition_id=definition.id if pinned else None
    )
    set_parameters(application, definition, parameters or {})
    db.session.add(application)
    db.session.flush()
    return application


def set_parameters(application: Application, definition: Definition, parameters: dict[str, Any]) -> None:
    """Check and keep what the customer filled in. Raises ``InvalidInput`` by JSON pointer."""
    complete = api.with_defaults(definition.parameters, parameters)
    api.check_parameters(definition.parameters, complete)
    application.parameters = complete


def numbers_of(application: Application) -> list[PhoneNumber]:
    """Return the numbers that the application answers."""
    rows = select(PhoneNumber).where(PhoneNumber.application_id == application.id).order_by(PhoneNumber.number)
    return list(db.session.scalars(rows))


def bind_numbers(application: Application, numbers: list[str]) -> None:
    """Let the application answer exactly these numbers of its tenant. Raises ``InvalidInput`` for a foreign one."""
    mine = select(PhoneNumber).where(PhoneNumber.tenant_id == application.tenant_id)
    owned = {row.number: row for row in db.session.scalars(mine)}
    unknown = [number for number in numbers if number not in owned]
    if unknown:
        raise InvalidInput(f"{unknown[0]} is not a number of yours.", {"/numbers": f"{unknown[0]} is not yours."})
    for number, row in owned.items():
        if number in numbers:
            bind(row, application.id)
        elif row.application_id == application.id:
            bind(row, None)


def delete_application(application: Application) -> None:
    """Delete an application; its numbers are answered by nobody from the next call on."""
    bind_numbers(application, [])
    db.session.delete(application)


def bind_number(number: PhoneNumber, definition: Definition) -> Application:
    """Let a process answer a number of the same tenant, by an application with its default parameters.

    An application of the tenant that is made of the process already is used again. Raises ``InvalidInput`` when the
    process has no parameters schema and so is no application, or its defaults do not satisfy it.
    """
    same = select(Application).where(
        Application.tenant_id == number.tenant_id, Application.process_id == definition.process_id
    )
    application = db.session.scalar(same.order_by(Application.created_at).limit(1)) or create_application(
        tenant_id=number.tenant_id, name=definition.name, process_id=definition.process_id
    )
    bind(number, application.id)
    return application


def numbers_of_process(process_id: str) -> list[tuple[PhoneNumber, Application]]:
    """Return the numbers, visible to the actor, whose application is made of the process."""
    rows = scoped(PhoneNumber, PhoneNumber, Application).join(Application, Application.id == PhoneNumber.application_id)
    found = db.session.execute(rows.where(Application.process_id == process_id).order_by(PhoneNumber.number))
    return [(number, application) for number, application in found]
