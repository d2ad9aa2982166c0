"""``cms migration``: write the migration that takes the tables to what the models say."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from flask_migrate import migrate as autogenerate

import ui.composition  # noqa: F401 - knows all models
from engine.kernel.db import process_app
from engine.kernel.settings import Settings
from ui.cli.prepare import MIGRATIONS, migrate


@click.command()
@click.argument("message")
def migration(message: str) -> None:
    """Write the next migration, called MESSAGE, for developers to read and complete."""
    with tempfile.TemporaryDirectory() as directory:
        app = process_app(Settings(data_dir=Path(directory)))
        migrate(app)
        number = len(list((MIGRATIONS / "versions").glob("[0-9]*.py"))) + 1
        with app.app_context():
            autogenerate(message=message, rev_id=f"{number:04}")
