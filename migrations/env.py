"""Alembic's environment: the deployment's database, and all models."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import BigInteger

from engine.kernel.db import Base, Json


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our own column types by their names."""
    if kind == "type" and item is Json:
        return "engine.kernel.db.Json"
    if kind == "type" and isinstance(item, BigInteger) and "sqlite" in item._variant_mapping:
        return 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")'
    return False


def run_migrations() -> None:
    """Migrate within one transaction; SQLite changes a table by copying it (batch)."""
    with current_app.extensions["migrate"].db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
            user_module_prefix="engine.kernel.db.",
        )
        with context.begin_transaction():
            context.run_migrations()


run_migrations()
