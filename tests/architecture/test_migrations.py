"""The migrations make exactly the tables of the models, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import Migrate, downgrade
from sqlalchemy import inspect

import ui.composition  # noqa: F401 - knows all models
from engine.kernel.db import Base, db, process_app
from engine.kernel.settings import Settings
from ui.cli.prepare import MIGRATIONS, migrate


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, data_dir: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{data_dir / 'empty.db'}"
    url: str = request.getfixturevalue("postgres_database")
    return url


def test_migrations_make_the_tables_of_the_models(empty_database: str, data_dir: Path) -> None:
    app = process_app(Settings(data_dir=data_dir, database_url=empty_database))
    migrate(app)
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert len(inspect(connection).get_table_names()) > 10
    with app.app_context():
        db.engine.dispose()


def test_migrations_can_be_taken_back(empty_database: str, data_dir: Path) -> None:
    app = process_app(Settings(data_dir=data_dir, database_url=empty_database))
    migrate(app)
    with app.app_context():
        Migrate(app, db, directory=str(MIGRATIONS))
        downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        db.engine.dispose()
