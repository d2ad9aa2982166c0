"""Fixtures of the pages: the web application with demo data, and people who use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import modules.directory.demo
import modules.identity.demo
from engine.kernel.db import db, unit_of_work
from engine.kernel.settings import Settings
from modules.identity import users
from ui.app import create_app

PASSWORD = "correct horse battery"


class Person:
    """Somebody with a browser: keeps cookies and sends the form token."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open an address."""
        return self.client.get(path, **options)

    def token(self) -> str:
        """The form token of the present session."""
        page = self.client.get("/login" if not self._known() else "/account/password").text
        found = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert found
        return found.group(1)

    def _known(self) -> bool:
        with self.client.session_transaction() as session:
            return "_user_id" in session

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Send a form."""
        return self.client.post(path, data={"csrf_token": self.token(), **(data or {})}, **options)

    def login(self, email: str, password: str = PASSWORD, path: str = "/login") -> TestResponse:
        """Fill in the login page."""
        return self.post(path, {"email": email, "password": password})


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def web(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The web application on an empty database with the demo users and contacts."""
    monkeypatch.setattr(modules.identity.demo, "admin_password", lambda _: PASSWORD)
    monkeypatch.setattr(modules.identity.demo, "demo_password", lambda _: PASSWORD)
    app = create_app(settings)
    app.config["RATELIMIT_ENABLED"] = False
    with unit_of_work():
        modules.identity.demo.create_demo(settings)
        modules.directory.demo.create_demo(settings)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def person(web: Flask) -> Callable[..., Person]:
    """Return a person: a stranger, or the demo user whose name is given (``admin``, ``reception`` …)."""

    def make(name: str = "") -> Person:
        somebody = Person(web.test_client())
        if name:
            email = "admin@cms.example" if name == "admin" else f"{name}@larkspur.example"
            answer = somebody.login(email)
            assert answer.status_code == 302, answer.text
        return somebody

    return make
