"""The database: one declarative base, one kind of transaction, and the only ``commit`` in the project.

A *unit of work* is one transaction. Processes open one with ``unit_of_work()`` for each job or event; a web
request is one unit of work that ``ui`` finishes. Operations and models use ``db.session`` and never commit.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, Connection, DateTime, Dialect, Engine, MetaData, String, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry
from sqlalchemy.types import TypeDecorator

from engine.kernel.errors import CmsError
from engine.kernel.settings import Settings
from engine.kernel.types import to_json

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant; naive values are refused. SQLite keeps ISO text without the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: instants are aware UTC")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")


class Base(DeclarativeBase):
    """Base of all models."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: UtcDateTime, dict[str, Any]: Json, list[Any]: Json, list[str]: Json},
    )


db = SQLAlchemy(
    model_class=Base,
    session_options={"expire_on_commit": False},
    engine_options={
        "json_serializer": lambda value: to_json(value).decode(),
        "json_deserializer": orjson.loads,
        "pool_pre_ping": True,
    },
)


def new_id() -> str:
    """Return a fresh identifier: 32 hex digits, sorted by the millisecond of creation (UUID version 7 layout)."""
    return f"{time.time_ns() // 1_000_000:012x}7{secrets.token_hex(10)[:19]}"


def now() -> datetime:
    """Return the present instant, aware UTC."""
    return datetime.now(UTC)


class Identified:
    """Mixin: a primary key made by ``new_id``."""

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)


class TenantOwned:
    """Mixin: the row belongs to a tenant; read it through ``engine.kernel.actor.scoped``."""

    #: owner of the row; tenants form a tree in ``modules.identity``
    tenant_id: Mapped[str] = mapped_column(String(32), index=True)


_app: Flask | None = None
#: a transaction that begins by itself, on the first use of a lazy unit of work's session, is a writing one
_lazy_write: ContextVar[bool] = ContextVar("lazy_write", default=False)


def init_database(app: Flask, settings: Settings) -> None:
    """Connect ``app`` (web or process) to the deployment's database and make it the one ``unit_of_work`` uses."""
    global _app
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database
    app.config["SQLALCHEMY_TRACK_MODIFICATIONS"] = False
    app.extensions["cms_settings"] = settings
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _tune_sqlite(db.engine, settings)
    _app = app


def process_app(settings: Settings) -> Flask:
    """Return a Flask application without pages, for processes that only need the database."""
    app = Flask("cms")
    app.config["SECRET_KEY"] = settings.secret_key
    init_database(app, settings)
    return app


def settings_in_force() -> Settings:
    """Return the settings of the connected deployment. Raises ``CmsError`` before ``init_database``."""
    if _app is None:
        raise CmsError("no database is connected: call init_database first")
    settings: Settings = _app.extensions["cms_settings"]
    return settings


def _tune_sqlite(engine: Engine, settings: Settings) -> None:
    synchronous = "FULL" if settings.durability == "full" else "NORMAL"

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by on_begin, not by the driver
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "busy_timeout=15000",
            "cache_size=-16000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails when another writer came between.
        write = connection.get_execution_options().get("write", _lazy_write.get())
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def begin(*, write: bool = True) -> None:
    """Begin the session's transaction; a reading one (``write=False``) never waits for a writer on SQLite."""
    db.session.connection(execution_options={"write": write})


def after_commit(call: Callable[[], None]) -> None:
    """Run ``call`` once the current unit of work has committed; dropped when it rolls back."""
    db.session.info.setdefault("after_commit", []).append(call)


def finish(*, commit: bool) -> None:
    """End the current unit of work: commit and run its after-commit calls, or roll back and forget them."""
    session = db.session
    calls: list[Callable[[], None]] = session.info.pop("after_commit", [])
    if not commit:
        session.rollback()
        return
    try:
        session.commit()
    except BaseException:
        session.rollback()
        raise
    for call in calls:
        call()


@contextmanager
def unit_of_work(*, write: bool = True, lazy: bool = False) -> Iterator[Any]:
    """Open one transaction with a session of its own; commit at the end, roll back on any exception.

    Yields the session. Always independent of an enclosing unit of work. A ``lazy`` one begins only when its session
    is first used, so that slow work before that keeps nobody waiting. Raises ``CmsError`` when no application was
    connected.
    """
    if _app is None:
        raise CmsError("no database is connected: call init_database first")
    with _app.app_context():
        token = _lazy_write.set(lazy and write)
        if not lazy:
            begin(write=write)
        try:
            yield db.session
        except BaseException:
            finish(commit=False)
            raise
        else:
            finish(commit=True)
        finally:
            _lazy_write.reset(token)
