"""Finding definitions."""

from __future__ import annotations

from sqlalchemy import select

from engine.definitions.models import Definition
from engine.kernel.db import db
from engine.kernel.errors import NotFound


def definition_by_id(definition_id: str) -> Definition:
    """Return a definition. Raises ``NotFound``."""
    definition = db.session.get(Definition, definition_id)
    if definition is None:
        raise NotFound(f"There is no definition {definition_id}.", code="definition.unknown")
    return definition


def find_definition(process_id: str, *, tenant_id: str, version: int | None = None) -> Definition:
    """Return a version of a process of the tenant, the newest unless one is named. Raises ``NotFound``."""
    statement = select(Definition).where(Definition.process_id == process_id, Definition.tenant_id == tenant_id)
    if version is not None:
        statement = statement.where(Definition.version == version)
    definition = db.session.scalar(statement.order_by(Definition.version.desc()).limit(1))
    if definition is None:
        raise NotFound(f"There is no process {process_id!r}.", code="process.unknown")
    return definition
