"""Who answers a number, and which account rings for an extension."""

from collections.abc import Iterator

import pytest
from flask import Flask

from engine.kernel.actor import Actor, acting_as, scoped
from engine.kernel.db import db, unit_of_work
from engine.kernel.errors import Conflict, InvalidInput
from engine.kernel.settings import Settings
from engine.kernel.types import Secret
from media.edge import prepare_edge
from media.edge.accounts import SipAccount
from modules.identity.tenants import create_tenant
from modules.inventory import PhoneNumber, add_number, bind, find_dialled, release_number
from modules.portals.pbx import Application, TenantApplications, create_extension
from modules.portals.pbx.extensions import account_of, change_extension, disable_extension

PASSWORD = Secret("correct horse battery")


@pytest.fixture
def tenants(app: Flask, settings: Settings) -> Iterator[tuple[str, str]]:
    prepare_edge(settings)
    with unit_of_work():
        operator = create_tenant(name="Operator", kind="operator")
        yield create_tenant(name="A", parent_id=operator.id).id, create_tenant(name="B", parent_id=operator.id).id


def make_application(tenant_id: str, name: str = "Memo line") -> Application:
    application = Application(tenant_id=tenant_id, name=name, process_id="clid_memo", parameters={"greeting": "Hi"})
    db.session.add(application)
    db.session.flush()
    return application


def test_a_bound_number_is_answered_by_its_application_however_it_is_dialled(tenants: tuple[str, str]) -> None:
    application = make_application(tenants[0])
    bind(add_number("+49 30 98765", tenant_id=tenants[0]), application.id)
    for dialled in ("+493098765", "03098765", "00493098765"):
        target = TenantApplications().resolve(dialled, "+4930123456", "cms-dial")
        assert target is not None
        assert (target.tenant_id, target.process_id) == (tenants[0], "clid_memo")
        assert target.parameters == {"greeting": "Hi"}


def test_nobody_answers_an_unbound_or_unknown_number(tenants: tuple[str, str]) -> None:
    number = add_number("1000", tenant_id=tenants[0])
    assert TenantApplications().resolve("1000", "", "cms-dial") is None
    assert TenantApplications().resolve("1001", "", "cms-dial") is None
    application = make_application(tenants[0])
    bind(number, application.id)
    assert TenantApplications().resolve("1000", "", "cms-dial") is not None
    bind(number, None)
    assert TenantApplications().resolve("1000", "", "cms-dial") is None


def test_extensions_are_reached_only_from_their_own_tenant(tenants: tuple[str, str]) -> None:
    mine = create_extension(tenant_id=tenants[0], number="201", name="Anna", password=PASSWORD)
    theirs = create_extension(tenant_id=tenants[1], number="201", name="Bert", password=PASSWORD)
    names = (account_of(mine).username, account_of(theirs).username)
    assert names[0] == "201"
    assert names[0] != names[1]
    answers = TenantApplications()
    for tenant_id, name in zip(tenants, names, strict=True):
        target = answers.resolve("201", "201", name)
        assert target is not None
        assert target.tenant_id == tenant_id
        assert answers.dial_address(tenant_id, "201") == name
    assert answers.resolve("201", "+4930123456", "cms-dial") is None


def test_a_disabled_extension_does_not_ring(tenants: tuple[str, str]) -> None:
    extension = create_extension(tenant_id=tenants[0], number="201", name="Anna", password=PASSWORD)
    disable_extension(extension)
    db.session.flush()
    assert TenantApplications().dial_address(tenants[0], "201") is None


@pytest.mark.parametrize("number", ["", "1", "0201", "abc", "1234567", "２０１"])
def test_a_wrong_extension_is_refused_by_field(tenants: tuple[str, str], number: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        create_extension(tenant_id=tenants[0], number=number, name="Anna", password=PASSWORD)
    assert "/number" in caught.value.fields
    assert db.session.query(SipAccount).count() == 0


def test_a_taken_extension_is_refused(tenants: tuple[str, str]) -> None:
    create_extension(tenant_id=tenants[0], number="201", name="Anna", password=PASSWORD)
    other = create_extension(tenant_id=tenants[0], number="202", name="Bert", password=PASSWORD)
    with pytest.raises(InvalidInput):
        change_extension(other, number="201", name="Bert", user_id=None)


@pytest.mark.parametrize("number", ["", "0", "12345678901234567", "call me"])
def test_a_wrong_number_is_refused_by_field(tenants: tuple[str, str], number: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        add_number(number, tenant_id=tenants[0])
    assert "/number" in caught.value.fields


def test_a_number_has_one_owner_and_is_kept_while_it_is_answered(tenants: tuple[str, str]) -> None:
    number = add_number("030 98765", tenant_id=tenants[0])
    with pytest.raises(InvalidInput):
        add_number("+493098765", tenant_id=tenants[1])
    bind(number, make_application(tenants[0]).id)
    with pytest.raises(Conflict):
        release_number(number)
    bind(number, None)
    release_number(number)
    db.session.flush()
    assert find_dialled("+493098765") is None


def test_nobody_sees_another_tenants_numbers(tenants: tuple[str, str]) -> None:
    add_number("1000", tenant_id=tenants[0])
    with acting_as(Actor("u", tenants[1], frozenset({tenants[1]}))):
        assert db.session.scalars(scoped(PhoneNumber)).all() == []
