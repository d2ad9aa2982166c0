"""The shipped memo diagram through the real engine: from the recording to the deletion of everything."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select

from engine import api
from engine.kernel.actor import acting_as
from engine.kernel.db import db, now, unit_of_work
from engine.kernel.files import StoredFile
from engine.screens import find_screen
from media.models import Recording
from modules.directory import Contact
from modules.identity import User
from modules.identity.users import actor_of
from tests.communicator.conftest import SOUND, House


def test_memo_lives_and_everything_is_deleted(house: House) -> None:
    house.call(owner="anna@larkspur.example", retention_days=30)
    (memo,) = house.memos()
    assert (memo.state, memo.owner_id, memo.caller, memo.caller_name) == (
        "new",
        house.anna,
        "+4930123456",
        "Amara Okafor",
    )
    assert memo.delete_after - now() > timedelta(days=29)

    house.engine.work()
    (mail,) = house.mails()
    assert mail.recipients == ["anna@larkspur.example"]
    assert mail.subject == "Memo from Amara Okafor"
    assert mail.instance_id == house.instance
    assert "The recording is attached" in mail.text
    assert "0:03 min" in mail.html
    with unit_of_work(write=False):
        attached = db.session.get_one(StoredFile, mail.attachments[0]["file"])
        assert attached.content_type == "audio/wav"
        assert house.store.locate(attached).read_bytes() == SOUND

    house.review(house.reception, outcome="call_back", note="Crown came loose.", follow_up_on="2026-11-24")
    (memo,) = house.memos()
    assert (memo.state, memo.outcome, memo.note, memo.reviewer_id) == (
        "filed",
        "call_back",
        "Crown came loose.",
        house.reception,
    )
    with unit_of_work(write=False):
        note = db.session.get_one(StoredFile, memo.document_file)
        assert note.name == "Memo from Amara Okafor.pdf"
        text = PdfReader(io.BytesIO(house.store.locate(note).read_bytes())).pages[0].extract_text()
    for part in (
        "Larkspur Dental",
        "Okafor & Daughters",
        "Crown came loose.",
        "Call back",
        "24 November 2026",
        "Marta Silva",
    ):
        assert part in text
    assert len(house.files()) == 3

    house.engine.pass_time(timedelta(days=29))
    assert len(house.files()) == 3
    house.engine.pass_time(timedelta(days=2))
    (memo,) = house.memos()
    assert (memo.state, memo.note, memo.recording_file, memo.document_file) == ("deleted", "", None, None)
    assert house.mails() == []
    assert house.files() == []
    with unit_of_work(write=False):
        assert db.session.scalar(select(func.count()).select_from(StoredFile)) == 0
        recording = db.session.get_one(Recording, memo.recording_id)
        assert recording.stored_file_id is None
        assert recording.deleted_at is not None
    assert house.engine.show(house.instance)["status"] == "completed"


def test_memo_that_nobody_reviews_is_deleted_too(house: House) -> None:
    house.call(retention_days=1)
    house.engine.work()
    assert house.mails()[0].recipients == ["reception@larkspur.example"]
    house.engine.pass_time(timedelta(days=2))
    assert [memo.state for memo in house.memos()] == ["deleted"]
    assert house.mails() == []
    assert house.files() == []


def test_guest_without_a_number(house: House) -> None:
    house.call(caller="", guests="record", owner="nobody@elsewhere.example")
    house.engine.work()
    (memo,) = house.memos()
    assert (memo.caller, memo.caller_name, memo.contact_id, memo.owner_id) == ("", "", None, house.reception)
    assert house.mails()[0].subject == "Memo from unknown caller"
    house.review(house.reception, outcome="file")
    with unit_of_work(write=False):
        (memo,) = house.memos()
        note = db.session.get_one(StoredFile, memo.document_file)
        text = PdfReader(io.BytesIO(house.store.locate(note).read_bytes())).pages[0].extract_text()
    assert "Unknown caller" in text
    assert "No note was written." in text


def test_unknown_caller_leaves_nothing(house: House) -> None:
    house.call(caller="+4999999999")
    assert house.memos() == []
    assert house.files() == []
    assert house.engine.show(house.instance)["status"] == "completed"


def test_contact_belongs_to_somebody(house: House) -> None:
    """Without an owner in the parameters, the memo is for who looks after the caller."""
    with unit_of_work():
        db.session.scalars(select(Contact)).one().owner_id = house.anna
    house.call()
    assert house.memos()[0].owner_id == house.anna


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_screen_tells_who_called(house: House) -> None:
    house.call()
    house.call()
    house.engine.work()
    screen = find_screen("communicator.review_memo")
    with unit_of_work(write=False):
        reception = actor_of(db.session.get_one(User, house.reception))
        stranger = actor_of(db.session.get_one(User, house.reception), None)
        tasks = api.list_tasks(reception)
        with acting_as(reception):
            shown = screen.context(task_id=tasks[0].id, variables=tasks[0].variables)
        assert tasks[0].screen == screen.name
    assert shown["contact"].organisation == "Okafor & Daughters"
    assert {task.variables["memo"]["memo"] for task in tasks} == {memo.id for memo in house.memos()}
    assert shown["owner"].name == "Marta Silva"
    assert stranger.tenant_id == house.customer
