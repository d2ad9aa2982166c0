"""Accounts from the command line."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result

from engine.kernel.db import unit_of_work
from engine.kernel.settings import Settings
from modules.identity import OPERATOR, create_tenant, find_user_by_email
from ui.cli import main

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def cms(app: object, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("CMS_DATA_DIR", str(settings.data_dir))
    with unit_of_work():
        create_tenant(name="Operator", kind=OPERATOR)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments)

    return call


def test_a_user_is_added_with_a_password_to_be_changed(cms) -> None:
    done = cms("user", "add", "Ada@Example.com", "--name", "Ada", "--role", "agent")
    assert done.exit_code == 0, done.output
    made = done.output.split()[-1]
    with unit_of_work(write=False):
        user = find_user_by_email("ada@example.com")
        assert user is not None
        assert user.must_change_password
        assert user.role_names == {"agent"}
        assert PasswordHasher().verify(user.password, made)


def test_a_forgotten_password_is_replaced_and_sessions_end(cms) -> None:
    cms("user", "add", "ada@example.com", "--name", "Ada", "--role", "agent", "--password", "first password")
    with unit_of_work(write=False):
        before = find_user_by_email("ada@example.com").fs_uniquifier
    assert cms("user", "password", "ada@example.com", "--password", "second password").exit_code == 0
    with unit_of_work(write=False):
        user = find_user_by_email("ada@example.com")
        assert PasswordHasher().verify(user.password, "second password")
        assert user.fs_uniquifier != before
        assert not user.must_change_password


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("add", "x@y.example", "--name", "X", "--role", "agent", "--tenant", "Nobody"), 1, "known: Operator"),
        (("add", "x@y.example", "--name", "X", "--role", "king"), 2, "king"),
        (("add", "x@y.example", "--name", "X", "--role", "agent", "--password", "short"), 1, "too short"),
        (("password", "nobody@y.example"), 1, "nobody logs in"),
    ],
)
def test_what_cannot_be_is_refused(cms, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = cms("user", *arguments)
    assert done.exit_code == code
    assert says in done.output
