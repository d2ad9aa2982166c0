"""Uploading processes: a clear message for everything that is refused, and nothing stored before the deploy."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage

from engine.api import Definition
from engine.kernel.db import db, unit_of_work
from engine.kernel.errors import InvalidInput
from tests.ui.conftest import Person
from ui.uploads import read_upload

PORTALS = Path(__file__).parents[2] / "bpmn" / "portals"
FRONT_DESK = Path(__file__).parents[1] / "browser" / "process" / "front_desk.bpmn"
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">&b;</definitions>'
)
URL = "/administration/processes"

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def upload(name: str, content: bytes) -> FileStorage:
    return FileStorage(io.BytesIO(content), filename=name)


def archive(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return content.getvalue()


def test_a_zip_is_unpacked_without_folders_and_clutter() -> None:
    content = archive({"p/a.bpmn": b"a", "p/forms/f.json": b"{}", "__MACOSX/p/._a.bpmn": b"x", "p/.DS_Store": b"x"})
    assert read_upload([upload("p.zip", content)], 1000) == {"a.bpmn": b"a", "f.json": b"{}"}


@pytest.mark.parametrize(
    ("uploads", "code"),
    [
        ([], "upload.empty"),
        ([upload("a.bpmn", b"x" * 1001)], "upload.too_large"),
        ([upload("a.bpmn", b"x" * 600), upload("b.bpmn", b"x" * 600)], "upload.too_large"),
        ([upload("a.zip", archive({"a.bpmn": b"0" * 100_000}))], "upload.too_large"),
        ([upload("a.zip", b"PK\x03\x04 broken")], "upload.archive"),
        ([upload("a.pdf", b"%PDF")], "upload.kind"),
        ([upload("a.bpmn", b"x"), upload("dir/a.bpmn", b"y")], "upload.twice"),
        ([upload("a.zip", archive({f"{n}.bpmn": b"" for n in range(101)}))], "upload.many"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_refused_with_a_remedy(uploads: list[FileStorage], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_upload(uploads, 20_000 if code == "upload.many" else 1000)
    assert caught.value.code == code
    assert caught.value.fields["files"].endswith((".", ".json."))


def check(person: Person, files: dict[str, bytes], action: str = "check") -> Any:
    """Send files as the page does."""
    data = {"files": [(io.BytesIO(content), name) for name, content in files.items()], "published": "true"}
    return person.post(f"{URL}/{action}", data, content_type="multipart/form-data")


def stored(process_id: str = "front_desk") -> int:
    with unit_of_work(write=False):
        return db.session.scalar(select(func.count()).where(Definition.process_id == process_id)) or 0


@on_sqlite
@pytest.mark.parametrize(
    ("files", "message", "drawn"),
    [
        ({"a.bpmn": b"hello"}, "not well-formed XML", False),
        ({"a.bpmn": b"<html/>"}, "", False),
        ({"bomb.bpmn": BOMB}, "document type (DTD) or entities", False),
        (
            {"a.bpmn": FRONT_DESK.read_bytes().replace(b"test.look_up", b"call.recrod")},
            "There is no operation &#39;call.recrod&#39;",
            True,
        ),
        (
            {"a.bpmn": FRONT_DESK.read_bytes().replace(b"bpmn:exclusiveGateway", b"bpmn:complexGateway")},
            "complexGateway",
            True,
        ),
        ({"big.bpmn": b"x" * 2_200_000}, "too large", False),
        ({"notes.txt": b"hello"}, "is not something a deployment consists of", False),
    ],
    ids=["no xml", "no bpmn", "entity bomb", "unknown operation", "unsupported element", "too large", "other file"],
)
def test_a_refused_diagram_says_why_and_stores_nothing(
    web: Flask, person: Callable[..., Person], files: dict[str, bytes], message: str, drawn: bool
) -> None:
    admin = person("admin")
    for action in ("check", "deploy"):
        answer = check(admin, files, action)
        assert answer.status_code == 422
        assert message in answer.json["html"]
        assert answer.json["ok"] is False
        errors = [problem for problem in answer.json["problems"] if problem["severity"] == "error"]
        assert errors
        assert all(problem["message"] and problem["remedy"] for problem in errors)
        if drawn:
            assert all(problem["element"] and problem["line"] for problem in errors if problem["rule"] != "xml")
            assert set(answer.json["drawings"]) == set(files)
    assert stored() == 0


@on_sqlite
def test_a_good_process_is_checked_deployed_and_versioned(web: Flask, person: Callable[..., Person]) -> None:
    admin = person("admin")
    files = {path.name: path.read_bytes() for path in (PORTALS / "company_ivr.bpmn", PORTALS / "business_hours.dmn")}
    answer = check(admin, files)
    assert answer.json["ok"], answer.json["problems"]
    assert stored("company_ivr") == 0
    location = check(admin, files, "deploy").json["location"]
    assert stored("company_ivr") == 1
    assert check(admin, files, "deploy").json["location"] == location, "unchanged files are no new version"
    changed = files | {"company_ivr.bpmn": files["company_ivr.bpmn"].replace(b'name="Company menu"', b'name="Menu"')}
    newer = check(admin, changed, "deploy").json["location"]
    assert newer != location
    assert "2 is newest" in admin.get(location).text
    assert b'name="Company menu"' in admin.get(f"{location}/diagram.bpmn").data
    with zipfile.ZipFile(io.BytesIO(admin.get(f"{newer}/files.zip").data)) as kept:
        assert set(kept.namelist()) == set(files)
        assert kept.read("company_ivr.bpmn") == changed["company_ivr.bpmn"]
    reception = person("reception")
    assert reception.get(location).status_code == 200, "published processes are seen by the tenants below"


@on_sqlite
def test_only_administrators_upload(web: Flask, person: Callable[..., Person]) -> None:
    for name in ("reception", "anna", "analyst"):
        assert person(name).get(f"{URL}/upload").status_code == 403
        assert check(person(name), {"a.bpmn": FRONT_DESK.read_bytes()}, "deploy").status_code == 403
    assert stored() == 0
