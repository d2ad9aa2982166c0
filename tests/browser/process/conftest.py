"""A web server, a host and a browser: the pages of processes and instances as people use them."""

from __future__ import annotations

import os
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from engine import api
from engine.kernel.bus import connect_bus
from engine.kernel.db import db, process_app, unit_of_work
from engine.kernel.settings import Settings
from modules.identity.demo import admin_password, demo_customer, demo_password
from tests import support
from tests.browser.process import operations  # noqa: F401 - registers what the diagrams use
from ui import composition

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


class Site:
    """A running web server with its host, and what tests do beside the browser."""

    def __init__(self, settings: Settings, tenant_id: str) -> None:
        self.settings = settings
        self.tenant_id = tenant_id
        self.url = f"http://127.0.0.1:{settings.web_port}"

    @property
    def log(self) -> str:
        """What the server and the host have printed."""
        return (self.settings.data_dir / "log.txt").read_text(errors="replace")

    def start(self, process_id: str = "front_desk", **data: Any) -> str:
        """Start an instance."""
        with unit_of_work():
            return api.start(process_id, tenant_id=self.tenant_id, data=data, business_key=data.get("order"))

    def press(self, instance_id: str, key: str) -> float:
        """Send the caller's key; return when, in seconds of the machine's clock."""
        at = time.time()
        with unit_of_work():
            sent = api.send_message(
                "test.key",
                tenant_id=self.tenant_id,
                payload={"key": key},
                instance_id=instance_id,
                key=f"{instance_id}:{at}",
            )
        assert sent == 1
        return at

    def show(self, instance_id: str) -> dict[str, Any]:
        """Return the instance as the engine tells it."""
        with unit_of_work(write=False):
            return api.show(instance_id)

    def wait(self, instance_id: str, status: str, element: str = "") -> dict[str, Any]:
        """Wait until an instance has a status, and a token at an element."""

        def there() -> dict[str, Any] | None:
            shown = self.show(instance_id)
            at = {token["element"] for token in shown["tokens"]}
            return shown if shown["status"] == status and (not element or element in at) else None

        found: dict[str, Any] = support.wait_until(there, what=f"{status} {element}")
        return found


@pytest.fixture(scope="module")
def site(redis_url: str) -> Iterator[Site]:
    """A web server and a host on a database of their own, with the demo tenants and the test's diagram."""
    with support.short_directory() as directory:
        (port,) = support.free_ports(1)
        settings = Settings(data_dir=directory, redis_url=redis_url, web_port=port)
        app = process_app(settings)
        connect_bus(settings)
        with app.app_context():
            db.create_all()
        with unit_of_work():
            composition.create_demo(settings)
            tenant_id = demo_customer().id
            api.deploy(
                {"front_desk.bpmn": (HERE / "front_desk.bpmn").read_bytes()}, tenant_id=tenant_id, actor_id="system"
            )
        environment = os.environ | {
            "CMS_DATA_DIR": str(directory),
            "CMS_REDIS_URL": redis_url,
            "CMS_WEB_PORT": str(port),
            "PYTHONPATH": str(ROOT),
        }
        web = [sys.executable, "-m", "gunicorn", "-c", ROOT / "ui" / "gunicorn.py", "wsgi:app"]
        host = [sys.executable, "-m", "tests.browser.process.host"]
        options = {"env": environment, "cwd": ROOT}
        log = (directory / "log.txt").open("wb")
        with (
            log,
            support.program(web, stdout=log, stderr=log, **options),
            support.program(host, stdout=log, stderr=log, **options),
        ):
            running = Site(settings, tenant_id)
            support.wait_until(lambda: _serves(running.url), 30, 0.1, "the web server")
            yield running
        with app.app_context():
            db.engine.dispose()


def _serves(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/login", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def sessions(site: Site, chromium: Browser) -> dict[str, Any]:
    """Cookies of those who have logged in, by name."""
    passwords = {"admin": admin_password(site.settings)}
    kept: dict[str, Any] = {}
    for name in ("admin", "reception", "anna"):
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"{site.url}/login")
        page.fill("input[name=email]", "admin@cms.example" if name == "admin" else f"{name}@larkspur.example")
        page.fill("input[name=password]", passwords.get(name, demo_password(site.settings)))
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: "/login" not in url)  # each role has a first page of its own
        kept[name] = context.storage_state()
        context.close()
    return kept


@pytest.fixture
def visit(site: Site, chromium: Browser, sessions: dict[str, Any]) -> Iterator[Callable[..., Page]]:
    """Open an address as somebody; errors on the page fail the test."""
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def go(path: str, who: str = "reception") -> Page:
        context = chromium.new_context(
            base_url=site.url,
            storage_state=sessions[who],
            viewport={"width": 1440, "height": 900},
        )
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        answer = page.goto(path)
        assert answer is not None
        assert answer.ok, site.log[-3000:]
        return page

    yield go
    for context in opened:
        context.close()
    assert errors == []
