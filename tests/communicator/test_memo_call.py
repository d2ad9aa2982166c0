"""One real call to the memo's number, on a whole platform: heard, kept, mailed, reviewed, noted, reported, deleted."""

from __future__ import annotations

import io
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import select, update

from engine import api
from engine.execution.records import Timer
from engine.kernel.bus import connect_bus
from engine.kernel.db import db, now, process_app, unit_of_work
from engine.kernel.files import FileStore, StoredFile
from modules.administration import CaughtMail
from modules.identity import find_user_by_email
from modules.identity.users import actor_of
from modules.portals.communicator import Memo
from tests import support
from tests.deployment import Platform


def speech(path: Path) -> Path:
    """Write four seconds of somebody speaking, as telephones have it."""
    subprocess.run(
        ["sox", "-n", "-r", "8000", "-c", "1", "-b", "16", str(path), "synth", "4", "sine", "300-900", "gain", "-6"],
        check=True,
    )
    return path


@pytest.mark.timeout(300)
def test_memo_by_telephone(platform: Platform, tmp_path: Path) -> None:
    before = {row["id"] for row in platform.query("SELECT id FROM memo")}
    words = speech(tmp_path / "hello.wav")
    call = platform.cms_json("dial", "1000", "--from", "+4930123456", "--speak", words, "--press", "12,#")
    assert call["result"] == "answered", call
    process_app(platform.settings)
    connect_bus(platform.settings)

    def memo() -> Memo | None:
        with unit_of_work(write=False):
            return db.session.scalar(select(Memo).where(Memo.id.not_in(before)))

    found: Memo = support.wait_until(memo, 30, 0.2, "the memo")
    assert found.caller == "+4930123456"
    assert found.duration_s > 2

    def mail() -> CaughtMail | None:
        with unit_of_work(write=False):
            return db.session.scalar(select(CaughtMail).where(CaughtMail.instance_id == found.instance_id))

    letter: CaughtMail = support.wait_until(mail, 60, 0.2, "the mail")
    assert letter.attachments[0]["content_type"] == "audio/wav"
    _review(found)

    def filed() -> str | None:
        current = memo()
        return current.document_file if current and current.state == "filed" else None

    document = support.wait_until(filed, 90, 0.3, "the PDF note")
    with unit_of_work(write=False):
        stored = db.session.get_one(StoredFile, document)
        pdf = FileStore(platform.settings).locate(stored).read_bytes()
    assert "Asked for a call back." in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()

    _report(platform, tmp_path)

    with unit_of_work():
        waiting = update(Timer).where(Timer.instance_id == found.instance_id)
        db.session.execute(waiting.values(due_at=now() - timedelta(seconds=1)))
    support.wait_until(lambda: memo().state == "deleted", 60, 0.3, "the deletion")  # type: ignore[union-attr]
    assert mail() is None
    root = FileStore(platform.settings).root
    with unit_of_work(write=False):
        for file_id in (found.recording_file, document, letter.attachments[0]["file"]):
            assert db.session.get(StoredFile, file_id) is None
    assert not any(path.read_bytes() == pdf for path in root.rglob("*.pdf"))
    shown = support.wait_until(
        lambda: (seen := platform.cms_json("show", found.instance_id))["status"] == "completed" and seen, 30
    )
    assert shown["incidents"] == []


def _review(memo: Memo) -> None:
    """Complete the user task as the customer's reception."""
    deadline = time.monotonic() + 30
    while True:
        with unit_of_work():
            reception = find_user_by_email("reception@larkspur.example")
            assert reception is not None
            actor = actor_of(reception)
            task = next((task for task in api.list_tasks(actor) if task.instance_id == memo.instance_id), None)
            if task is not None:
                api.complete_task(task.id, {"outcome": "call_back", "note": "Asked for a call back."}, actor)
                return
        assert time.monotonic() < deadline, "no task"
        time.sleep(0.3)


def _report(platform: Platform, directory: Path) -> None:
    out = directory / "calls.pdf"
    about = platform.cms_json("report", "calls", "--format", "pdf", "--out", out, "--param", "period=last_7_days")
    assert about["rows"] >= 1
    assert "+49 30 123456" in PdfReader(out).pages[0].extract_text()
