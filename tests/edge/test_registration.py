"""Registering: digest, and changes of accounts that count at once."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import update

from engine.kernel.db import db, now, unit_of_work
from engine.kernel.errors import InvalidInput
from engine.kernel.types import Secret
from media.edge.accounts import (
    SipAccount,
    delete_account,
    disable_account,
    enable_account,
    registered,
    save_account,
    sweep_accounts,
)
from tests import support
from tests.edge.conftest import PASSWORD, TENANT, Edge
from tests.edge.sip import UserAgent


def reload(account: SipAccount) -> SipAccount:
    return db.session.get_one(SipAccount, account.id)


def test_right_password_registers_and_wrong_one_does_not(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    assert edge.phone().register("201", "wrong password") == 401
    assert registered(edge.settings, "201") == []
    phone = edge.phone()
    assert phone.register("201", PASSWORD) == 200
    contacts = registered(edge.settings, "201")
    assert [contact["contact"] for contact in contacts] == [f"sip:ua@127.0.0.1:{phone.port}"]
    assert edge.phone().register("nobody", PASSWORD) == 401


def test_only_its_own_address_is_registered(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    account("202")
    assert edge.phone().register("201", PASSWORD, address="202") == 403
    account("201-desk2", address="201", number="201")
    assert edge.phone().register("201-desk2", PASSWORD, address="201") == 200
    assert len(registered(edge.settings, "201")) == 1


def test_disabled_account_is_unregistered_and_refused_within_a_second(
    edge: Edge, account: Callable[..., SipAccount]
) -> None:
    made = account("201")
    account("browser-1", address="201", number="201")
    phone, browser = edge.phone(), edge.phone()
    assert phone.register("201", PASSWORD) == 200
    assert browser.register("browser-1", PASSWORD, address="201") == 200
    started = time.monotonic()
    with unit_of_work():
        disable_account(reload(made))
    assert registered(edge.settings, "201") == []
    assert phone.register("201", PASSWORD) == 401
    assert browser.register("browser-1", PASSWORD, address="201") == 401
    assert phone.call("1000", "201", PASSWORD).answer.status == 407
    assert time.monotonic() - started < 1
    with unit_of_work():
        enable_account(reload(made))
    assert phone.register("201", PASSWORD) == 200


def test_changed_password_counts_at_once_and_ends_the_registration(
    edge: Edge, account: Callable[..., SipAccount]
) -> None:
    made = account("201")
    phone = edge.phone()
    assert phone.register("201", PASSWORD) == 200
    with unit_of_work():
        save_account(reload(made), Secret("another password"))
    assert registered(edge.settings, "201") == []
    assert phone.register("201", PASSWORD) == 401
    assert phone.register("201", "another password") == 200


def test_deleting_a_second_device_leaves_the_first_registered(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    second = account("browser-1", address="201", number="201")
    assert edge.phone().register("201", PASSWORD) == 200
    with unit_of_work():
        delete_account(reload(second))
    assert len(registered(edge.settings, "201")) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_ten_guesses_are_the_last(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    phone = edge.phone()
    assert [phone.register("201", f"guess number {n}") for n in range(11)] == [401] * 10 + [403]
    assert phone.register("201", PASSWORD) == 403


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_flood_from_elsewhere_is_ignored_while_others_are_served(edge: Edge) -> None:
    flooder, neighbour = edge.phone(host="127.0.0.2", answers_options=False), edge.phone(answers_options=False)
    for number in range(600):
        options(flooder, f"flood{number}")
    options(neighbour, "polite")
    assert neighbour.final("OPTIONS").status == 200
    support.wait_until(lambda: flooder.inbox.qsize() >= 100, what="answers")
    assert flooder.inbox.qsize() < 500


def options(agent: UserAgent, call_id: str) -> None:
    agent.request("OPTIONS", "sip:cms", sender="<sip:x@cms>;tag=1", to="<sip:cms>", call_id=call_id, cseq=1)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sweep_makes_good_what_was_not_projected(edge: Edge, account: Callable[..., SipAccount]) -> None:
    made = account("201")
    expiring = account("browser-1", address="201", number="201")
    phone = edge.phone()
    assert phone.register("201", PASSWORD) == 200
    with unit_of_work() as session:  # as if the process was killed between the commit and the projection
        session.execute(update(SipAccount).where(SipAccount.id == made.id).values(enabled=False))
        session.execute(update(SipAccount).where(SipAccount.id == expiring.id).values(expires_at=now()))
    assert sweep_accounts() == 2
    assert registered(edge.settings, "201") == []
    assert phone.register("201", PASSWORD) == 401
    with unit_of_work(write=False) as session:
        assert session.get(SipAccount, expiring.id) is None
    assert sweep_accounts() == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("username", {"username": "two words"}),
        ("username", {"username": "cms-dial"}),
        ("username", {"username": "201"}),
        ("number", {"username": "202", "number": "abc"}),
    ],
)
def test_wrong_fields_are_named(
    app: object, account: Callable[..., SipAccount], field: str, values: dict[str, str]
) -> None:
    account("201")
    with pytest.raises(InvalidInput) as refusal:
        account(**{"number": "201", **values})
    assert list(refusal.value.fields) == [field]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_short_password_is_refused(app: object) -> None:
    with pytest.raises(InvalidInput, match="12 characters"), unit_of_work():
        save_account(SipAccount(tenant_id=TENANT, username="201", number="201"), Secret("short"))


def test_accounts_made_before_the_first_start_are_there(app: object, account: Callable[..., SipAccount]) -> None:
    account("201")
    assert sweep_accounts() == 1, "only the trunk of cms dial is new"
    assert sweep_accounts() == 0
