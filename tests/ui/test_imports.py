"""CSV import: nothing before the preview, then all good rows or none."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from engine.kernel.db import db, unit_of_work
from engine.kernel.errors import InvalidInput
from engine.kernel.files import StoredFile
from modules.directory import Contact, ContactNumber
from tests.ui.conftest import Person
from ui.imports import read_csv

People = Callable[..., Person]
URL = "/directory/contacts"
TABLE = """Full name;Phone;Company;Consent
Ada Lovelace;030 200 100;Analytical;given
Bad Number;12;;
;030 200 101;;
Amara Again;+4930123456;;
Ada Twice;+4930200100;;
Grace Hopper;'+4930200102;=cmd;maybe
Alan Turing;0049 30 200103;;refused
"""


def upload(somebody: Person, table: str | bytes, name: str = "people.csv") -> str:
    content = table.encode("utf-8-sig") if isinstance(table, str) else table
    answer = somebody.post(f"{URL}/import", {"file": (io.BytesIO(content), name)}, content_type="multipart/form-data")
    assert answer.status_code == 302, answer.text
    return answer.location


def numbers() -> set[str]:
    with unit_of_work(write=False):
        return set(db.session.scalars(select(ContactNumber.number)))


def test_the_preview_writes_nothing_and_the_import_only_good_rows(person: People) -> None:
    reception = person("reception")
    before = numbers()
    place = upload(reception, TABLE)
    page = reception.get(place).text
    assert "5 of 7 rows will be skipped" in page
    for reason in (
        "&#39;12&#39; is not a usable phone number.",
        "There is no name in this row.",
        "Is already among the contacts.",
        "The same as row 2.",
        "Consent is given, partly, refused or empty",
    ):
        assert reason in page
    assert numbers() == before
    answer = reception.post(place, {"go": "1"})
    assert answer.status_code == 302
    assert numbers() - before == {"+4930200100", "+4930200103"}
    assert "2 contacts imported, 5 of 7 rows skipped." in reception.get(URL).text
    assert reception.get(place).status_code == 404, "a file is imported once"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_skipped_rows_can_be_taken_home(person: People) -> None:
    reception = person("reception")
    answer = reception.post(upload(reception, TABLE), {"left": "1"})
    lines = answer.data.decode("utf-8-sig").splitlines()
    assert lines[0] == "Full name,Phone,Company,Consent,Why skipped"
    assert len(lines) == 6
    assert "'=cmd" in lines[5]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_columns_are_matched_by_hand_when_their_names_say_nothing(person: People) -> None:
    reception = person("reception")
    place = upload(reception, "A,B\nAda Lovelace,+4930200100\n")
    assert "Name and Number are not matched" in reception.get(place).text
    answer = reception.post(place, {"m.name": "A", "m.number": "B", "look": "1"})
    assert "0 of 1 rows will be skipped" in answer.text
    reception.post(place, {"m.name": "A", "m.number": "B", "go": "1"})
    assert "+4930200100" in numbers()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_import_that_fails_on_the_way_leaves_nothing(person: People, monkeypatch: pytest.MonkeyPatch) -> None:
    reception = person("reception")
    rows = "".join(f"Person {number},+4930300{number:03}\n" for number in range(5))
    place = upload(reception, f"Name,Number\n{rows}")
    from engine.pages import find_list

    page = find_list("directory.contacts")
    create, made = page.create, []

    def fails_late(data: dict[str, object]) -> object:
        made.append(data)
        if len(made) == 4:
            raise RuntimeError("the machine stopped")
        assert create
        return create(data)

    object.__setattr__(page, "create", fails_late)
    try:
        before = numbers()
        assert reception.post(place, {"go": "1"}).status_code == 500
        assert numbers() == before
    finally:
        object.__setattr__(page, "create", create)
    assert reception.post(place, {"go": "1"}).status_code == 302
    assert len(numbers() - before) == 5


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_somebody_elses_upload_is_not_found(person: People) -> None:
    admin = person("admin")
    place = upload(admin, TABLE)
    assert person("reception").get(place).status_code == 404
    with unit_of_work(write=False):
        assert db.session.scalar(select(func.count(StoredFile.id))) == 1
        assert db.session.scalar(select(func.count(Contact.id)).where(Contact.name.like("Ada%"))) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "at least one row"),
        (b"Name,Number\n", "at least one row"),
        (b"PK\x03\x04\0\0\0\0", "not a text file"),
        (b"Name,Name\na,b\n", "there twice"),
        (b"Name\n" + b"x\n" * 20_001, "at most 20,000"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read_csv(content)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_tables_of_usual_programs_are_read(separator: str, encoding: str) -> None:
    table = f"Name{separator}Number\r\nJürgen{separator}+4930\r\n\r\n"
    headings, rows = read_csv(table.encode(encoding))
    assert headings == ["Name", "Number"]
    assert rows == [{"Name": "Jürgen", "Number": "+4930"}]
