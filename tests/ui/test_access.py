"""Login, permission and the transaction around every request."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from engine.kernel.db import db, unit_of_work
from engine.pages import EVERYONE, allow, allowed_roles
from modules.identity import User, create_tenant, create_user, operator_tenant
from tests.ui.conftest import PASSWORD, Person
from ui.auth import is_static, limiter

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

People = Callable[..., Person]

#: views of libraries that stay closed to everybody
CLOSED = {"security.verify"}


def test_every_view_says_whom_it_is_for(web: Flask) -> None:
    silent = {
        rule.endpoint
        for rule in web.url_map.iter_rules()
        if not is_static(rule.endpoint) and not allowed_roles(web.view_functions[rule.endpoint])
    }
    assert silent == CLOSED


def test_a_view_without_roles_is_refused_even_to_administrators(web: Flask, person: People) -> None:
    web.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = person("admin").get("/forgotten")
    assert answer.status_code == 403
    assert "secret" not in answer.text


def test_a_stranger_logs_in_and_comes_to_where_he_wanted(person: People) -> None:
    stranger = person()
    answer = stranger.get("/directory/contacts?q=amara")
    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")
    answer = stranger.login("Reception@Larkspur.Example ", path=answer.location)
    assert answer.location.endswith("/directory/contacts?q=amara")


def test_login_does_not_lead_to_other_sites(person: People) -> None:
    answer = person().login("reception@larkspur.example", path="/login?next=https://evil.example/")
    assert answer.status_code != 302 or answer.location.startswith("/")
    assert "evil" not in (answer.location or "")


@pytest.mark.parametrize(
    ("email", "password"), [("reception@larkspur.example", "wrong"), ("nobody@x.example", PASSWORD)]
)
def test_wrong_credentials_are_refused_in_the_same_words(person: People, email: str, password: str) -> None:
    stranger = person()
    answer = stranger.login(email, password)
    assert "Address and password do not belong together" in answer.text
    assert stranger.get("/").status_code == 302


def test_login_is_limited(web: Flask, person: People) -> None:
    web.config["RATELIMIT_ENABLED"] = True
    limiter.enabled = True
    stranger = person()
    answers = [stranger.login("reception@larkspur.example", "wrong").status_code for _ in range(12)]
    limiter.enabled = False
    assert answers[-1] == 429
    assert answers[0] == 200


def test_cookies_and_headers_keep_others_out(person: People) -> None:
    stranger = person()
    answer = stranger.login("reception@larkspur.example")
    cookie = next(text for text in answer.headers.getlist("Set-Cookie") if text.startswith("cms_session"))
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    page = stranger.get("/directory/contacts")
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")
    assert page.headers["Cache-Control"] == "no-store"
    assert "<script>" not in page.text
    assert " onclick=" not in page.text


def test_a_form_without_its_token_is_refused(person: People) -> None:
    admin = person("admin")
    answer = admin.client.post("/directory/contacts/new", data={"/name": "Eve"})
    assert answer.status_code == 400
    assert "Eve" not in admin.get("/directory/contacts").text


def test_the_refusal_says_who_one_is_what_is_missing_and_who_can_grant_it(person: People) -> None:
    answer = person("analyst").get("/administration/users")
    assert answer.status_code == 403
    for words in ("Tomás Reis", "analyst", "Administrator or Customer admin", "Marta Silva"):
        assert words in answer.text


def test_a_disabled_user_is_out_at_once(person: People) -> None:
    reception, admin = person("reception"), person("admin")
    with unit_of_work(write=False):
        user_id = db.session.scalar(select(User.id).where(User.name == "Marta Silva"))
    assert reception.get("/directory/contacts").status_code == 200
    admin.post(f"/administration/users/{user_id}/do/disable")
    assert reception.get("/directory/contacts").status_code == 302
    assert "Not signed in" in person().login("reception@larkspur.example").text


def test_nobody_disables_himself(person: People) -> None:
    admin = person("admin")
    with unit_of_work(write=False):
        user_id = db.session.scalar(select(User.id).where(User.name == "Ines Duarte"))
    assert admin.post(f"/administration/users/{user_id}/do/disable").status_code == 403
    assert admin.get("/").status_code == 200


def test_a_customer_admin_neither_makes_nor_sees_administrators(person: People) -> None:
    reception = person("reception")
    data = {"/name": "Eve", "/email": "eve@x.example", "/roles": "administrator", "/password": PASSWORD}
    assert reception.post("/administration/users/new", data).status_code == 422
    assert "Ines Duarte" not in reception.get("/administration/users").text
    with unit_of_work(write=False):
        admin_id = db.session.scalar(select(User.id).where(User.name == "Ines Duarte"))
    assert reception.get(f"/administration/users/{admin_id}").status_code == 404


def test_a_given_password_must_be_changed_first(person: People) -> None:
    admin = person("admin")
    data = {"/name": "New Person", "/email": "new@larkspur.example", "/roles": "agent", "/password": "first password"}
    page = admin.get("/administration/users/new").text
    tenant = page.split("Larkspur Dental</option>")[0].rsplit('value="', 1)[1].split('"')[0]
    assert admin.post("/administration/users/new", {**data, "/tenant_id": tenant}).status_code == 302
    somebody = person()
    somebody.login("new@larkspur.example", "first password")
    assert somebody.get("/directory/contacts").location == "/account/password"
    wrong = somebody.post("/account/password", {"old": "first password", "password": "short", "again": "short"})
    assert "Use at least 10 characters" in wrong.text
    somebody.post("/account/password", {"old": "first password", "password": PASSWORD, "again": PASSWORD})
    assert somebody.get("/directory/contacts").status_code == 200
    assert person().login("new@larkspur.example").status_code == 302


def test_an_operator_looks_at_one_tenant_and_nobody_at_a_foreign_one(person: People) -> None:
    with unit_of_work():
        other = create_tenant(name="Brackenhill Clinics", parent_id=operator_tenant().id)
        create_user(tenant_id=other.id, email="b@b.example", name="Bea", roles=["customer_admin"], password=PASSWORD)
        other_id = other.id
    admin = person("admin")
    assert "Amara Okafor" in admin.get("/directory/contacts").text
    admin.post("/tenant", {"tenant": other_id})
    assert "Amara Okafor" not in admin.get("/directory/contacts").text
    reception = person("reception")
    assert reception.post("/tenant", {"tenant": other_id}).status_code == 403
    assert "Amara Okafor" in reception.get("/directory/contacts").text


def test_a_defect_shows_a_reference_and_no_detail(web: Flask, person: People) -> None:
    def broken() -> str:
        raise RuntimeError("the database password is hunter2")

    web.add_url_rule("/broken", "broken", allow(EVERYONE)(broken))
    answer = person("admin").get("/broken")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "Reference" in answer.text
    assert "Calls and tasks go on" in answer.text


def test_a_failed_request_leaves_nothing(web: Flask, person: People) -> None:
    def half() -> str:
        user = db.session.scalar(select(User).where(User.name == "Anna Weber"))
        assert user
        user.name = "Half Done"
        db.session.flush()
        raise RuntimeError("later")

    web.add_url_rule("/half", "half", allow(EVERYONE)(half), methods=["POST"])
    assert person("admin").post("/half").status_code == 500
    with unit_of_work(write=False):
        assert db.session.scalar(select(User.name).where(User.email == "anna@larkspur.example")) == "Anna Weber"


def test_unknown_addresses_have_a_page(person: People) -> None:
    assert "nothing at this address" in person("admin").get("/nowhere").text
    assert person().get("/nowhere").status_code == 404
    answer = person("admin").get("/nowhere", headers={"Accept": "application/json"})
    assert answer.json == {"code": "http.404", "message": "There is nothing at this address.", "details": {}}


def test_errors_answer_fragments_with_one_line(person: People) -> None:
    answer = person("admin").get("/directory/contacts/unknown", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert answer.content_type.startswith("text/plain")
    assert "does not exist any more" in answer.text
