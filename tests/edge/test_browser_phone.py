"""The browser phone in Chromium, through Kamailio and rtpengine, to an agent's socket: what is heard and pressed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from sqlalchemy import select, update
from werkzeug.serving import make_server

import modules.identity.demo
from engine.kernel.db import db, now, unit_of_work
from engine.kernel.settings import Settings
from engine.kernel.types import Secret
from media.edge import rtpengine_command
from media.edge.accounts import SipAccount, disable_account, registered, sweep_accounts
from media.edge.browser import PAGES, lend_account
from modules.identity import find_user_by_email
from modules.inventory import add_number, bind
from modules.portals.pbx import Application, Extension, create_extension
from tests import support
from tests.edge.conftest import TENANT, Edge, unprivileged
from tests.edge.rtp import Media
from ui.app import create_app

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """One agent only, so that no call waits for another that is not there."""
    return settings.model_copy(update={"agents": 1})


@pytest.fixture
def office(edge: Edge) -> Iterator[Edge]:
    """An edge with rtpengine, the demo users, Anna's extension 201 and a number 1000 that is answered."""
    with unit_of_work():
        modules.identity.demo.create_demo(edge.settings)
        anna = find_user_by_email("anna@larkspur.example")
        create_extension(
            tenant_id=anna.tenant_id, number="201", name=anna.name, password=Secret("x" * 20), user_id=anna.id
        )
        application = Application(tenant_id=anna.tenant_id, name="Memo line", process_id="clid_memo", parameters={})
        db.session.add(application)
        db.session.flush()
        bind(add_number("1000", tenant_id=anna.tenant_id), application.id)
    with unprivileged(rtpengine_command(edge.settings)):
        yield edge


@pytest.fixture
def site(office: Edge) -> Iterator[str]:
    """The pages on their own port; its address."""
    server = make_server("127.0.0.1", office.settings.web_port, create_app(office.settings), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{office.settings.web_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def phone(chromium: Browser, site: str, office: Edge) -> Iterator[Page]:
    """Anna's browser on the phone page, registered."""
    context = chromium.new_context(permissions=["microphone"])
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console", lambda line: problems.append(line.text) if line.type == "error" and "409" not in line.text else None
    )
    page.goto(f"{site}/login?next=/phone")
    page.get_by_label("Mail address").fill("anna@larkspur.example")
    page.get_by_label("Password").fill(modules.identity.demo.demo_password(office.settings))
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{site}/phone")
    try:
        expect(page.locator("#phone")).to_have_attribute("data-state", "ready", timeout=20_000)
    except AssertionError as error:
        raise AssertionError(f"{problems} {office.log[-2000:]}") from error
    yield page
    context.close()
    assert problems == []


def _is_problem(line: ConsoleMessage) -> bool:
    """Errors count, but for a refusal that the page shows."""
    return line.type == "error" and "409 (CONFLICT)" not in line.text


def statistics(page: Page) -> dict[str, Any]:
    return page.evaluate("cms.phone.statistics()")


def test_a_call_is_heard_both_ways_and_a_key_arrives(phone: Page, office: Edge) -> None:
    agent = office.agent(1)
    phone.get_by_role("button", name="Call Memo line, 1000").click()
    invite = agent.expect("INVITE")
    assert "sip:201@" in invite["from"]
    expect(phone.get_by_role("heading", name="Memo line")).to_be_visible()
    media = Media(invite.body)
    agent.reply(invite, 180, "Ringing", body=media.answer)  # as pjsua2 does, which lets ICE finish early
    expect(phone.locator("#phone")).to_have_attribute("data-state", "calling")
    at_agent = agent.accept(invite, media.answer)
    agent.expect("ACK")
    expect(phone.locator("#phone")).to_have_attribute("data-state", "talking")
    support.wait_until(lambda: media.received > 60, what="media from the browser")
    support.wait_until(lambda: statistics(phone)["received"] > 60, what="media to the browser")
    found = statistics(phone)
    assert found["dtls"] == "connected"
    assert found["codec"] == "PCMU"
    assert found["sent"] > 60
    assert found["level"] > 0.01, "the tone is heard"
    phone.get_by_role("button", name="Keypad").click()
    phone.get_by_role("button", name="4", exact=True).click()
    phone.keyboard.press("2")
    phone.get_by_role("button", name="Hash").click()
    support.wait_until(lambda: media.keys == "42#", what="the keys")
    phone.get_by_role("button", name="Hold").click()
    hold = agent.expect("INVITE")
    assert "a=sendonly" in hold.body
    agent.reply(hold, 200, "OK", body=media.answer.replace("sendrecv", "recvonly"))
    expect(phone.locator("#phone")).to_have_attribute("data-state", "holding")
    agent.within(at_agent, "BYE")
    expect(phone.locator("#phone")).to_have_attribute("data-state", "ready")
    assert agent.final("BYE").status == 200
    media.close()


def test_the_extension_rings_in_the_browser(phone: Page, office: Edge) -> None:
    agent = office.agent(1)
    dialog = agent.call_plainly("201")
    expect(phone.get_by_role("button", name="Answer")).to_be_visible()
    phone.get_by_role("button", name="Answer").click()
    agent.finish(dialog)
    assert dialog.answer.status == 200
    media = Media(dialog.answer.body)
    agent.rtp_port = media.socket.getsockname()[1]
    support.wait_until(lambda: media.received > 30, what="media from the browser")
    expect(phone.locator("#phone")).to_have_attribute("data-state", "talking")
    phone.get_by_role("button", name="Hang up").click()
    agent.reply(agent.expect("BYE"), 200, "OK")
    expect(phone.locator("#phone")).to_have_attribute("data-state", "ready")
    media.close()


def test_a_disabled_extension_gets_no_account_and_says_why(phone: Page, office: Edge) -> None:
    with unit_of_work() as session:
        extension = session.scalars(select(Extension)).one()
        disable_account(session.get_one(SipAccount, extension.sip_account_id))
    with unit_of_work(write=False) as session:
        assert [account.enabled for account in session.scalars(select(SipAccount))] == [False, False]
    assert registered(office.settings, "201") == []
    phone.reload()
    expect(phone.get_by_text("Your extension 201 is disabled")).to_be_visible()
    expect(phone.locator("#phone")).to_have_attribute("data-state", "trouble")


def test_a_page_borrows_an_account_for_half_a_day(edge: Edge) -> None:
    lent = []
    for _ in range(PAGES + 1):
        with unit_of_work():
            lent.append(lend_account(tenant_id=TENANT, user_id="u" * 32, display_name="Anna", number="201"))
    names = [account.username for account, _ in lent]
    with unit_of_work(write=False) as session:
        assert sorted(session.scalars(select(SipAccount.username))) == sorted(names[1:]), "the oldest page lost its own"
    account, password = lent[-1]
    browser = edge.phone()
    assert browser.register(account.username, password.reveal()) == 200
    assert browser.register(names[0], lent[0][1].reveal()) == 401
    with unit_of_work() as session:
        session.execute(update(SipAccount).values(expires_at=now()))
    assert sweep_accounts() == PAGES
    assert browser.register(account.username, password.reveal()) == 401
    assert registered(edge.settings, account.username) == []
