"""Kamailio's own database: a SQLite file beside ours, or the schema ``edge`` of our PostgreSQL database.

Kamailio reads accounts and agents from it and keeps registrations and dialogs in it. It is a projection: it may
be lost, and is rebuilt from our tables at every start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    NullPool,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    text,
)
from sqlalchemy.engine import make_url

from engine.kernel.settings import Settings

SCHEMA = "edge"

# Kamailio compares these with what its modules were built for and refuses to start on others.
VERSIONS = {
    "version": 1,
    "subscriber": 7,
    "location": 9,
    "location_attrs": 1,
    "dispatcher": 4,
    "dialog": 7,
    "dialog_vars": 1,
}

metadata = MetaData()


def _text(name: str, length: int, default: str | None = "") -> Column[str]:
    return Column(name, String(length), nullable=default is None, server_default=default)


def _number(name: str, default: str | None = "0") -> Column[int]:
    return Column(name, Integer, nullable=default is None, server_default=default)


def _instant(name: str) -> Column[Any]:
    return Column(name, DateTime, nullable=False, server_default="2030-05-28 21:32:15")


version = Table(
    "version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("table_name", String(32), nullable=False, unique=True),
    _number("table_version"),
)

#: accounts that may register and call; ``address`` is what it may register, ``trunk`` 1 means its From is believed
subscriber = Table(
    "subscriber",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(64), nullable=False, unique=True),
    _text("domain", 64),
    _text("ha1", 128),
    _text("number", 32),
    _text("display_name", 64),
    _text("address", 64),
    _number("trunk"),
)

location = Table(
    "location",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ruid", String(64), nullable=False, unique=True, server_default=""),
    _text("username", 64),
    _text("domain", 64, None),
    _text("contact", 512),
    _text("received", 128, None),
    _text("path", 512, None),
    _instant("expires"),
    Column("q", Float, nullable=False, server_default="1.0"),
    _text("callid", 255),
    _number("cseq", "1"),
    _instant("last_modified"),
    _number("flags"),
    _number("cflags"),
    _text("user_agent", 255),
    _text("socket", 64, None),
    _number("methods", None),
    _text("instance", 255, None),
    _number("reg_id"),
    _number("server_id"),
    _number("connection_id"),
    _number("keepalive"),
    _number("partition"),
    Index("location_account", "username", "domain", "contact"),
    Index("location_expires", "expires"),
    Index("location_connection", "server_id", "connection_id"),
)

location_attrs = Table(
    "location_attrs",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("ruid", 64),
    _text("username", 64),
    _text("domain", 64, None),
    _text("aname", 64),
    _number("atype"),
    _text("avalue", 512),
    _instant("last_modified"),
    Index("location_attrs_record", "username", "domain", "ruid"),
)

dispatcher = Table(
    "dispatcher",
    metadata,
    Column("id", Integer, primary_key=True),
    _number("setid"),
    _text("destination", 192),
    _number("flags"),
    _number("priority"),
    _text("attrs", 128),
    _text("description", 64),
)

dialog = Table(
    "dialog",
    metadata,
    Column("id", Integer, primary_key=True),
    _number("hash_entry"),
    _number("hash_id"),
    _text("callid", 255),
    _text("from_uri", 255),
    _text("from_tag", 128),
    _text("to_uri", 255),
    _text("to_tag", 128),
    _text("caller_cseq", 20),
    _text("callee_cseq", 20),
    _text("caller_route_set", 512, None),
    _text("callee_route_set", 512, None),
    _text("caller_contact", 255),
    _text("callee_contact", 255),
    _text("caller_sock", 64),
    _text("callee_sock", 64),
    _number("state"),
    _number("start_time"),
    _number("timeout"),
    _number("sflags"),
    _number("iflags"),
    _text("toroute_name", 32, None),
    _text("req_uri", 255),
    _text("xdata", 512, None),
    Index("dialog_hash", "hash_entry", "hash_id"),
)

dialog_vars = Table(
    "dialog_vars",
    metadata,
    Column("id", Integer, primary_key=True),
    _number("hash_entry"),
    _number("hash_id"),
    _text("dialog_key", 128),
    _text("dialog_value", 512),
    UniqueConstraint("hash_entry", "hash_id", "dialog_key"),
)


def is_postgresql(settings: Settings) -> bool:
    """Whether the deployment, and so Kamailio's database, is on PostgreSQL."""
    return make_url(settings.database).get_backend_name() == "postgresql"


def sqlite_path(settings: Settings) -> Path:
    """Return Kamailio's SQLite file."""
    return settings.data_dir.absolute() / "edge.db"


@lru_cache(maxsize=4)
def _engine(database: str, postgresql: bool) -> Engine:
    if postgresql:
        return create_engine(database, poolclass=NullPool, connect_args={"options": f"-c search_path={SCHEMA}"})
    engine = create_engine(database, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the transaction is begun below, as a writing one
        # Kamailio, which writes to the same file, reads on while we write only in this journal mode.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA busy_timeout=5000")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


@contextmanager
def edge_transaction(settings: Settings, *, write: bool = True) -> Iterator[Connection]:
    """Open a short transaction on Kamailio's database, apart from any unit of work of ours."""
    postgresql = is_postgresql(settings)
    database = settings.database if postgresql else f"sqlite:///{sqlite_path(settings)}"
    with _engine(database, postgresql).execution_options(write=write).begin() as connection:
        yield connection


_known: set[str] = set()


def ensure_edge_database(settings: Settings) -> None:
    """Create Kamailio's database unless this process has seen it: accounts may be older than Kamailio's first start."""
    name = settings.database if is_postgresql(settings) else str(sqlite_path(settings))
    if name not in _known or not (is_postgresql(settings) or sqlite_path(settings).exists()):
        create_edge_database(settings)
        _known.add(name)


def create_edge_database(settings: Settings) -> None:
    """Create what is missing of Kamailio's database; what is there stays."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with edge_transaction(settings) as connection:
        if is_postgresql(settings):
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        metadata.create_all(connection)
        known = set(connection.scalars(version.select().with_only_columns(version.c.table_name)))
        missing = [
            {"table_name": name, "table_version": number} for name, number in VERSIONS.items() if name not in known
        ]
        if missing:
            connection.execute(insert(version), missing)
