"""Fixtures that all rooms share.

``app`` is a process application on an empty database with all tables; a test that takes it (or ``settings`` with
``database``) runs twice, on SQLite and on PostgreSQL. Say ``@pytest.mark.parametrize("database", ["sqlite"],
indirect=True)`` where one is enough.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
import redis
from flask import Flask
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from engine.kernel.bus import connect_bus
from engine.kernel.db import Base, db, process_app
from engine.kernel.settings import Settings
from tests import support
from tests.deployment import Platform
from tests.deployment import platform as platform_of_its_own

_numbers = count(1)

#: Chromium as root on a machine without a network beyond loopback, with a microphone that beeps
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-pings",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last: their session-long Playwright keeps an event loop, beside which no other can run."""
    items.sort(key=lambda item: not {"chromium", "playwright"}.isdisjoint(getattr(item, "fixturenames", ())))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what the platform that it used has logged."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Platform):
                report.sections += [(f"log of {name}", text) for name, text in value.tails()]
    return report


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory whose name is short enough for unix sockets."""
    with support.short_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A private Redis server for the whole session."""
    with support.short_directory() as directory, support.redis_server(directory) as url:
        yield url


@pytest.fixture
def redis_server(redis_url: str) -> str:
    """The session's Redis server, emptied for this test."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    return redis_url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A private PostgreSQL cluster for the whole session; the URL of its maintenance database."""
    with support.short_directory() as directory, support.postgres_server(directory) as url:
        yield url


class _Template:
    """An empty database with all tables that are known by now, copied for each test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.tables: frozenset[str] = frozenset()

    def complete(self) -> None:
        if self.tables != frozenset(Base.metadata.tables):
            engine = create_engine(self.url)
            Base.metadata.create_all(engine)
            engine.dispose()
            self.tables = frozenset(Base.metadata.tables)


@pytest.fixture(scope="session")
def sqlite_template() -> Iterator[_Template]:
    with support.short_directory() as directory:
        yield _Template(f"sqlite:///{directory / 'template.db'}")


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> _Template:
    _maintain(postgres_url, "CREATE DATABASE template_cms")
    return _Template(postgres_url.replace("/postgres?", "/template_cms?"))


def _maintain(postgres_url: str, statement: str) -> None:
    url = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database without tables, dropped at the end."""
    name = f"test_{next(_numbers)}"
    _maintain(postgres_url, f"CREATE DATABASE {name}")
    yield postgres_url.replace("/postgres?", f"/{name}?")
    _maintain(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, data_dir: Path) -> Iterator[str]:
    """The URL of an empty database with all tables."""
    if request.param == "sqlite":
        template: _Template = request.getfixturevalue("sqlite_template")
        template.complete()
        path = data_dir / "cms.db"
        shutil.copyfile(make_url(template.url).database or "", path)
        yield f"sqlite:///{path}"
        return
    postgres_url: str = request.getfixturevalue("postgres_url")
    template = request.getfixturevalue("postgres_template")
    template.complete()
    name = f"test_{next(_numbers)}"
    _maintain(postgres_url, f"CREATE DATABASE {name} TEMPLATE template_cms STRATEGY file_copy")
    yield postgres_url.replace("/postgres?", f"/{name}?")
    _maintain(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def settings(data_dir: Path, database: str, redis_server: str) -> Settings:
    """Settings of a deployment of its own: data directory, database, Redis, free ports."""
    web, sip, ws, rtpengine, catcher = support.free_ports(5)
    return Settings(
        data_dir=data_dir,
        database_url="" if database.startswith("sqlite") else database,
        redis_url=redis_server,
        web_port=web,
        sip_port=sip,
        ws_port=ws,
        rtpengine_port=rtpengine,
        catcher_port=catcher,
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """A process application on an empty database with all tables, and a connected bus."""
    app = process_app(settings)
    connect_bus(settings)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_platform() -> Iterator[Platform]:
    """A platform on SQLite for the whole session."""
    with platform_of_its_own() as running:
        yield running


@pytest.fixture(scope="session")
def postgres_platform(postgres_url: str) -> Iterator[Platform]:
    """A platform on PostgreSQL with two interactive hosts, for the whole session."""
    _maintain(postgres_url, "CREATE DATABASE platform")
    url = postgres_url.replace("/postgres?", "/platform?")
    with platform_of_its_own(url, interactive_hosts=2) as running:
        yield running


@pytest.fixture
def platform(sqlite_platform: Platform) -> Platform:
    """The session's platform on SQLite, whole again after what an earlier test did to it."""
    sqlite_platform.wait_until_ready()
    return sqlite_platform


@pytest.fixture(params=["sqlite", "postgresql"])
def each_platform(request: pytest.FixtureRequest) -> Platform:
    """A running platform, on each database in turn."""
    name = "sqlite_platform" if request.param == "sqlite" else "postgres_platform"
    running: Platform = request.getfixturevalue(name)
    running.wait_until_ready()
    return running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, one for the whole session: Playwright allows no second one in the same thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
