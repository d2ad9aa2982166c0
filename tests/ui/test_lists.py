"""List pages: what is shown is what was asked for, and only of one's own tenants."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from engine.kernel.db import db, unit_of_work
from modules.directory import Contact
from modules.directory.contacts import add_contact
from modules.identity import create_tenant, operator_tenant
from modules.identity.demo import demo_customer
from tests.ui.conftest import Person
from ui.values import safe_cell

People = Callable[..., Person]
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
URL = "/directory/contacts"


def names(page: str) -> list[str]:
    """The names in the list, in order."""
    body = page.split('<tbody id="rows">')[1].split("</tbody>")[0]
    return re.findall(r'aria-label="Select ([^"]+)"', body)


def contact_id(name: str) -> str:
    with unit_of_work(write=False):
        found = db.session.scalar(select(Contact.id).where(Contact.name == name))
        assert found
        return found


def count() -> int:
    with unit_of_work(write=False):
        return db.session.scalar(select(func.count(Contact.id))) or 0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=okafor", ["Amara Okafor"]),
        ("q=030 12 34 56", ["Amara Okafor"]),
        ("q=%25", []),
        ("f.number=%2B39", ["Chiara Lombardi"]),
        ("f.tags=Supplier", ["Chiara Lombardi", "Ivo Petrov", "Oskar Bergman"]),
        ("f.consent=refused&sort=-name", ["Liam O’Rourke", "Farid Haddad"]),
        ("view=unasked", ["Noor Rahman"]),
        ("view=nonsense&sort=nonsense&page=x&rows=7&f.name=amara", ["Amara Okafor"]),
        ("f.organisation=lab&f.name=x", []),
        ("f.changed_at=1&q=jun", ["Jun Takahashi"]),
    ],
)
def test_search_filters_views_and_order(person: People, query: str, expected: list[str]) -> None:
    page = person("reception").get(f"{URL}?{query}").text
    # the browser writes apostrophes of names as entities
    assert [name.replace("&#39;", "'") for name in names(page)] == expected


@on_sqlite
def test_pages_cover_every_row_once(person: People) -> None:
    with unit_of_work():
        tenant = demo_customer().id
        for number in range(40):
            add_contact({"name": "Same Name", "numbers": [{"number": f"+4930200{number:03}"}]}, tenant_id=tenant)
    reception = person("reception")
    first = reception.get(f"{URL}?f.name=same&rows=15")
    assert "1–15 of 40" in first.text
    ids = [re.findall(r'data-id="(\w{32})"', reception.get(f"{URL}?f.name=same&page={n}").text) for n in (1, 2, 3)]
    assert [len(page) for page in ids] == [15, 15, 10]
    assert len({row for page in ids for row in page}) == 40
    assert "31–40 of 40" in reception.get(f"{URL}?f.name=same&page=99").text


@on_sqlite
def test_a_pressed_heading_wins_over_the_present_order(person: People) -> None:
    page = person("reception").get(f"{URL}?sort=&f.consent=refused&sort=-name", headers={"HX-Request": "true"})
    assert names(page.text)[0].startswith("Liam")
    assert page.headers["HX-Push-Url"] == f"{URL}?sort=-name&f.consent=refused"


@on_sqlite
def test_the_preview_comes_alone_when_only_that_pane_was_asked_for(person: People) -> None:
    reception = person("reception")
    row = contact_id("Amara Okafor")
    pane = reception.get(f"{URL}/{row}", headers={"HX-Request": "true", "HX-Target": "peek"}).text
    assert "<html" not in pane
    assert "+49 30 123456" in pane
    whole = reception.get(f"{URL}/{row}").text
    assert 'data-view="peek"' in whole
    assert "Benedikt Sommer" in whole


def test_a_foreign_tenants_row_does_not_exist(person: People) -> None:
    with unit_of_work():
        other = create_tenant(name="Brackenhill Clinics", parent_id=operator_tenant().id)
        foreign = add_contact({"name": "Foreign Person", "numbers": [{"number": "+4930999999"}]}, tenant_id=other.id).id
    reception = person("reception")
    assert "Foreign Person" not in reception.get(URL).text
    assert "Foreign Person" not in reception.get(f"{URL}/export.csv").text
    assert "Foreign Person" not in reception.get("/search?q=foreign").text
    assert reception.get(f"{URL}/{foreign}").status_code == 404
    assert reception.get(f"{URL}/{foreign}/edit").status_code == 404
    before = count()
    answer = reception.post(f"{URL}/delete", {"id": [contact_id("Amara Okafor"), foreign]})
    assert answer.status_code == 404
    assert count() == before, "the own row must stay too: all or none"
    assert "Foreign Person" in person("admin").get(URL).text


def test_a_contact_is_added_changed_and_deleted(person: People) -> None:
    reception = person("reception")
    data = {
        "/name": " Zoë Zimmer ",
        "/numbers/0/number": "030 555 1234",
        "/numbers/0/label": "Work",
        "/numbers/1/number": "",
        "/tags/0": "Patient",
        "/tags/1": "",
        "/consent": "given",
    }
    answer = reception.post(f"{URL}/new", data)
    assert answer.status_code == 302
    row = answer.location.rsplit("/", 1)[1]
    page = reception.get(f"{URL}/{row}").text
    assert "+49 30 5551234" in page
    assert "Zoë Zimmer is added." in page
    answer = reception.post(f"{URL}/{row}/edit", {**data, "/name": "Zoë Winter", "/numbers/0/number": "+49305551234"})
    assert answer.status_code == 302
    assert "Zoë Winter" in reception.get(f"{URL}/{row}").text
    assert reception.post(f"{URL}/delete", {"id": row}).status_code == 302
    assert reception.get(f"{URL}/{row}").status_code == 404


@on_sqlite
def test_a_refused_form_keeps_its_input_and_says_how_to_mend_it(person: People) -> None:
    data = {"/name": "", "/numbers/0/number": "12 ab", "/email": "nobody", "/note": "keep me"}
    answer = person("reception").post(f"{URL}/new", data)
    assert answer.status_code == 422
    for words in ("Fill this in.", "Write a phone number", "Write a mail address", "keep me", "three answers"):
        assert words in answer.text.replace("3 answers", "three answers")
    assert 'href="#f-name"' in answer.text
    assert 'aria-describedby="f-numbers-0-number-e"' in answer.text


def test_a_number_belongs_to_one_contact(person: People) -> None:
    data = {"/name": "Second Amara", "/numbers/0/number": "+4930123456"}
    before = count()
    answer = person("reception").post(f"{URL}/new", data)
    assert answer.status_code == 422
    assert "Amara Okafor has this number already" in answer.text
    assert count() == before


@on_sqlite
def test_only_those_who_may_edit_are_offered_to(web: Flask, person: People) -> None:
    assert f'href="{URL}/new"' in person("reception").get(URL).text
    assert person("analyst").get(URL).status_code == 403
    assert person("anna").get(f"{URL}/export.csv").status_code == 403


@on_sqlite
def test_the_export_holds_the_narrowed_rows_and_no_formulas(person: People) -> None:
    reception = person("reception")
    reception.post(f"{URL}/new", {"/name": "=HYPERLINK(1)", "/organisation": "@SUM(A1)"})
    answer = reception.get(f"{URL}/export.csv?q=HYPERLINK")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0][:3] == ["Name", "Organisation", "Number"]
    assert rows[1][:2] == ["'=HYPERLINK(1)", "'@SUM(A1)"]
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("+4930123456", "+4930123456"),
        ("-12.5", "-12.5"),
        ("+1+cmd", "'+1+cmd"),
        ("-A1", "'-A1"),
        ("\tx", "'\tx"),
        ("", ""),
    ],
)
def test_cells_of_exports_are_never_formulas(text: str, cell: str) -> None:
    assert safe_cell(text) == cell


@on_sqlite
def test_the_search_box_finds_contacts_for_those_who_may_see_them(person: People) -> None:
    hits = person("reception").get("/search?q=amara", headers={"HX-Request": "true"}).text
    assert "Amara Okafor" in hits
    assert "<html" not in hits
    assert "Amara Okafor" not in person("anna").get("/search?q=amara").text
    assert "Two letters are enough" in person("reception").get("/search?q=a").text
