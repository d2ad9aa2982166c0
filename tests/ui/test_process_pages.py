"""Pages over instances, calls, memos, mails and files: what they show, and to whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from engine import api
from engine.api import Instance
from engine.kernel.db import db, new_id, now, unit_of_work
from engine.kernel.files import FileStore
from engine.kernel.settings import Settings
from media.models import Call, Recording
from modules.administration import CaughtMail
from modules.identity import User, create_tenant, create_user, operator_tenant
from modules.identity.demo import demo_customer
from modules.inventory import add_number
from modules.portals.communicator import Memo
from tests.browser.process import operations  # noqa: F401 - registers what the diagram uses
from tests.ui.conftest import PASSWORD, Person

FRONT_DESK = Path(__file__).parents[1] / "browser" / "process" / "front_desk.bpmn"

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def past(web: Flask, settings: Settings) -> dict[str, str]:
    """A call with a memo for Anna, its mail, and a waiting instance; ids by name."""
    with unit_of_work():
        tenant = demo_customer().id
        anna = db.session.scalar(select(User).where(User.email == "anna@larkspur.example"))
        assert anna is not None
        store = FileStore(settings)
        sound = store.write(tenant, "memo.wav", "audio/wav", b"RIFF" + bytes(range(200)))
        other = store.write(tenant, "other.wav", "audio/wav", b"RIFF other")
        page = store.write(tenant, "page.html", "text/html", b"<script>alert(1)</script>")
        api.deploy({"front_desk.bpmn": FRONT_DESK.read_bytes()}, tenant_id=tenant, actor_id="system")
        instance = api.start("front_desk", tenant_id=tenant, data={"failures": 0}, business_key="A-17")
        call = Call(
            id=new_id(),
            tenant_id=tenant,
            from_number="+4930123456",
            to_number="1000",
            agent="agent-1",
            owner="interactive-1",
            instance_id=instance,
            answered_at=now(),
            ended_at=now(),
            cause="hangup",
            state="ended",
        )
        recording = Recording(id=new_id(), tenant_id=tenant, call_id=call.id, stored_file_id=sound.id, duration_s=3.0)
        memo = Memo(
            id=new_id(),
            tenant_id=tenant,
            owner_id=anna.id,
            call_id=call.id,
            recording_id=recording.id,
            recording_file=sound.id,
            instance_id=instance,
            caller="+4930123456",
            caller_name="Amara Okafor",
            number="1000",
            recorded_at=now(),
            duration_s=3.0,
            delete_after=now() + timedelta(days=30),
        )
        mail = CaughtMail(
            id=new_id(),
            tenant_id=tenant,
            message_id="<1@test>",
            instance_id=instance,
            sender="cms@localhost",
            recipients=["anna@larkspur.example"],
            subject="New memo of Amara Okafor",
            text="She wants to be called back.",
            html="<p>She wants to be called back.</p>",
            attachments=[{"file": sound.id, "name": "memo.wav", "content_type": "audio/wav", "size": 204}],
        )
        db.session.add_all([call, recording, memo, mail])
        return {
            "call": call.id,
            "memo": memo.id,
            "mail": mail.id,
            "instance": instance,
            "sound": sound.id,
            "other": other.id,
            "page": page.id,
            "tenant": tenant,
        }


@on_sqlite
def test_calls_memos_and_mails_are_listed_and_heard(past: dict[str, str], person: Callable[..., Person]) -> None:
    reception = person("reception")
    for path in (
        f"/support/calls/{past['call']}",
        f"/support/memos/{past['memo']}",
        f"/administration/mail/{past['mail']}",
    ):
        page = reception.get(path).text
        assert "Amara Okafor" in page
        assert f'src="/files/{past["sound"]}"' in page
        assert f'href="/administration/instances/{past["instance"]}"' in page
    html = reception.get(f"/administration/mail/{past['mail']}/html")
    assert html.text == "<p>She wants to be called back.</p>"
    assert html.headers["Content-Security-Policy"].startswith("sandbox")


@on_sqlite
def test_a_consumer_hears_his_own_memos_and_nothing_else(past: dict[str, str], person: Callable[..., Person]) -> None:
    anna = person("anna")
    page = anna.get("/me").text
    assert "Amara Okafor" in page
    assert f'src="/files/{past["sound"]}"' in page
    assert anna.get(f"/files/{past['sound']}").status_code == 200
    assert anna.get(f"/files/{past['other']}").status_code == 404
    for path in ("/support/calls", "/support/memos", "/administration/mail", "/administration/instances"):
        assert anna.get(path).status_code == 403
    assert "Amara" not in person("reception").get("/me").text


@on_sqlite
def test_players_may_seek_and_strange_files_cannot_run(past: dict[str, str], person: Callable[..., Person]) -> None:
    reception = person("reception")
    part = reception.get(f"/files/{past['sound']}", headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.data) == (206, bytes(range(6)))
    assert part.headers["Content-Range"] == "bytes 4-9/204"
    whole = reception.get(f"/files/{past['sound']}")
    assert whole.headers["Content-Disposition"].startswith("inline")
    page = reception.get(f"/files/{past['page']}")
    assert page.headers["Content-Disposition"].startswith("attachment")
    assert page.headers["Content-Security-Policy"] == "sandbox"


@on_sqlite
def test_other_tenants_see_none_of_it(past: dict[str, str], web: Flask, person: Callable[..., Person]) -> None:
    with unit_of_work():
        tenant = create_tenant(name="Brackenhill Clinics", parent_id=operator_tenant().id)
        create_user(
            tenant_id=tenant.id,
            email="boss@brackenhill.example",
            name="Boss",
            roles=["customer_admin", "supervisor", "agent"],
            password=PASSWORD,
        )
    boss = person()
    assert boss.login("boss@brackenhill.example").status_code == 302
    for path in (
        f"/administration/instances/{past['instance']}",
        f"/administration/instances/{past['instance']}/state.json",
        f"/support/calls/{past['call']}",
        f"/support/memos/{past['memo']}",
        f"/administration/mail/{past['mail']}",
        f"/administration/mail/{past['mail']}/html",
        f"/files/{past['sound']}",
    ):
        assert boss.get(path).status_code == 404, path
    assert boss.post(f"/administration/instances/{past['instance']}/cancel").status_code == 404
    assert "front_desk" not in boss.get("/administration/processes").text
    assert "A-17" not in boss.get("/administration/instances").text


def test_instances_are_found_by_status_process_and_key(past: dict[str, str], person: Callable[..., Person]) -> None:
    reception = person("reception")
    url = "/administration/instances"
    for query in (
        "",
        "?q=A-17",
        f"?q={past['instance'][-6:]}",
        "?f.process_id=front_desk",
        "?f.status=running",
        "?view=open",
    ):
        assert "A-17" in reception.get(url + query).text, query
    for query in ("?q=A-18", "?f.process_id=other", "?f.status=completed", "?view=incident"):
        assert "A-17" not in reception.get(url + query).text, query


@on_sqlite
def test_a_process_is_started_with_data_once(past: dict[str, str], person: Callable[..., Person]) -> None:
    reception = person("reception")
    with unit_of_work(write=False):
        definition = api.find_definition("front_desk", tenant_id=past["tenant"]).id
    url = f"/administration/processes/{definition}"
    for wrong in ("{", "[1]"):
        answer = reception.post(f"{url}/start", {"data": wrong})
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
    sent: dict[str, Any] = {"data": '{"failures": 2}', "business_key": "B-1", "key": "once"}
    first, again = (reception.post(f"{url}/start", sent).location for _ in range(2))
    assert first == again, "a form sent twice starts once"
    with unit_of_work(write=False):
        assert len(list(db.session.scalars(select(Instance).where(Instance.business_key == "B-1")))) == 1


@on_sqlite
def test_a_process_is_bound_to_a_number(past: dict[str, str], web: Flask, person: Callable[..., Person]) -> None:
    portals = Path(__file__).parents[2] / "bpmn" / "portals"
    with unit_of_work():
        operator = operator_tenant().id
        files = {
            path.name: path.read_bytes() for path in (portals / "company_ivr.bpmn", portals / "business_hours.dmn")
        }
        (menu,) = api.deploy(files, tenant_id=operator, actor_id="system", published=True)
        number = add_number("3000", tenant_id=past["tenant"]).id
        url = f"/administration/processes/{menu.id}"
    reception = person("reception")
    assert "3000" in reception.get(url).text
    answer = reception.post(f"{url}/bind", {"number": number}, follow_redirects=True)
    assert "3000 is answered by Company menu" in answer.text
    assert reception.post(f"{url}/bind", {"number": "x"}).status_code == 404
