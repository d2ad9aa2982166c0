"""``cms prepare`` (called by ``cms run``): secrets, database, migrations, and demo data at the first start.

Progress goes to standard error; the last line of standard output is a JSON list of what the operator is told once.
"""

from __future__ import annotations

import logging
from pathlib import Path

import click
import orjson
from flask import Flask
from flask_migrate import Migrate, upgrade
from sqlalchemy import exists, select

from engine.kernel.db import db, process_app, unit_of_work
from engine.kernel.settings import Settings, load_settings
from modules.identity.demo import admin_password, demo_password
from modules.identity.models import Tenant
from ui.composition import compose, create_demo

MIGRATIONS = Path(__file__).parents[2] / "migrations"
#: Made now, so that no two processes make them at the same time.
SECRETS = ("secret_key", "password_salt", "trunk_password")


@click.command(hidden=True)
def prepare() -> None:
    """Bring the deployment's data up to date."""
    settings = load_settings()
    for name in SECRETS:
        settings.secret(name)
    app = process_app(settings)
    migrate(app)
    compose(settings)
    click.echo(orjson.dumps(first_start(settings)).decode())


def migrate(app: Flask) -> None:
    """Bring the database to the newest revision."""
    Migrate(app, db, directory=str(MIGRATIONS))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with app.app_context():
        upgrade()


def first_start(settings: Settings) -> list[str]:
    """Fill an empty database with the demo data and return whom it lets in."""
    with unit_of_work():
        empty = not db.session.scalar(select(exists(select(Tenant.id))))
        create_demo(settings)
    if not empty:
        return []
    return [
        f"administrator admin@cms.example, password {admin_password(settings)} (shown only now)",
        f"demo users reception@, anna@, analyst@larkspur.example, password {demo_password(settings)}",
    ]
