"""Mail into the built-in catcher: sent by the operation, kept once, forgotten with its instance."""

from __future__ import annotations

import smtplib
import subprocess
import sys
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from engine.kernel.db import db, new_id, unit_of_work
from engine.kernel.errors import NotFound, TransientError
from engine.kernel.files import FileStore, StoredFile
from engine.kernel.settings import Settings
from modules.administration import CaughtMail, forget_mails, send_mail
from tests import support

NOTICE = {"heading": "Čau & <hello>", "paragraphs": ["One.", "Two."], "link": "http://x.example/", "link_title": "Open"}


def mails() -> list[CaughtMail]:
    with unit_of_work(write=False):
        return list(db.session.scalars(select(CaughtMail).order_by(CaughtMail.received_at)))


def stored_count() -> int:
    with unit_of_work(write=False):
        return db.session.scalar(select(func.count()).select_from(StoredFile)) or 0


@pytest.mark.usefixtures("catcher")
def test_mail_arrives_with_both_bodies_and_its_attachment(
    settings: Settings, tenant_id: str, operation_of: Callable[..., Any]
) -> None:
    sound = b"RIFF" + bytes(range(256)) * 40
    with unit_of_work():
        file_id = FileStore(settings).write(tenant_id, "memo – 1.wav", "audio/wav", sound).id
    with operation_of(instance_id="i" * 32):
        result = send_mail(
            to="Ana <ana@larkspur.example>",
            subject="Memo\r\nBcc: x@y",
            template="notice",
            data=NOTICE,
            attachments=[file_id],
        )
    (mail,) = mails()
    assert result["message_id"] == mail.message_id
    assert mail.recipients == ["ana@larkspur.example"]
    assert mail.subject == "Memo Bcc: x@y"
    assert mail.instance_id == "i" * 32
    assert mail.tenant_id == tenant_id
    assert "Čau & <hello>" in mail.text
    assert "Open: http://x.example/" in mail.text
    assert "Čau &amp; &lt;hello&gt;" in mail.html
    assert "Larkspur Dental" in mail.html
    assert "#aa3377" in mail.html
    (item,) = mail.attachments
    assert (item["name"], item["content_type"], item["size"]) == ("memo – 1.wav", "audio/wav", len(sound))
    with unit_of_work(write=False):
        copy = db.session.get(StoredFile, item["file"])
        assert copy is not None
        assert copy.tenant_id == tenant_id
        assert FileStore(settings).locate(copy).read_bytes() == sound


@pytest.mark.usefixtures("catcher")
def test_same_try_again_is_kept_once(operation_of: Callable[..., Any]) -> None:
    for attempt in (1, 1, 2):
        with operation_of(token_id="t" * 32, attempt=attempt):
            send_mail(to=["a@b.example"], subject="Hello", template="notice", data=NOTICE)
    assert len(mails()) == 2


@pytest.mark.usefixtures("catcher")
def test_forgetting_deletes_mails_and_files(
    settings: Settings, tenant_id: str, operation_of: Callable[..., Any]
) -> None:
    with unit_of_work():
        file_id = FileStore(settings).write(tenant_id, "a.wav", "audio/wav", b"sound").id
    for instance in ("a" * 32, "a" * 32, "b" * 32):
        with operation_of(instance_id=instance):
            send_mail(to="a@b.example", subject="Hello", template="notice", data=NOTICE, attachments=[file_id])
    paths = [path for path in settings.files_dir.rglob("*") if path.is_file()]
    assert len(paths) == 4
    with unit_of_work():
        assert forget_mails("a" * 32) == 2
    assert [mail.instance_id for mail in mails()] == ["b" * 32]
    assert stored_count() == 2
    assert len([path for path in settings.files_dir.rglob("*") if path.is_file()]) == 2
    with unit_of_work():
        assert forget_mails("a" * 32) == 0


def test_files_of_others_are_not_attached(app: Flask, settings: Settings, operation_of: Callable[..., Any]) -> None:
    with unit_of_work():
        foreign = FileStore(settings).write("f" * 32, "secret.wav", "audio/wav", b"secret").id
    for file_id in (foreign, new_id()):
        with operation_of(), pytest.raises(NotFound):
            send_mail(to="a@b.example", subject="Hello", template="notice", data=NOTICE, attachments=[file_id])


@pytest.mark.usefixtures("catcher")
def test_mail_of_other_programs_is_refused(settings: Settings) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@b.example", "c@d.example", "Your bank"
    message["CMS-Origin"] = f"{'t' * 32} - {'0' * 64}"
    message.set_content("Click here")
    with (
        smtplib.SMTP("127.0.0.1", settings.catcher_port) as client,
        pytest.raises(smtplib.SMTPDataError, match="only the platform's own mail"),
    ):
        client.send_message(message)
    assert mails() == []


def test_catcher_that_is_away_is_tried_again(operation_of: Callable[..., Any]) -> None:
    with operation_of(), pytest.raises(TransientError, match="cannot be reached"):
        send_mail(to="a@b.example", subject="Hello", template="notice", data=NOTICE)


def test_catcher_process(app: Flask, settings: Settings, operation_of: Callable[..., Any]) -> None:
    """The process takes mail while the sender holds the database open, and ends when asked."""
    environment = {
        f"CMS_{name.upper()}": str(getattr(settings, name)) for name in ("data_dir", "database_url", "redis_url")
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "modules.administration.catcher"],
        cwd=Path(__file__).parents[2],
        env={"PATH": "/usr/bin:/bin", **environment, "CMS_CATCHER_PORT": str(settings.catcher_port)},
    )
    try:
        support.wait_until(lambda: _answers(settings.catcher_port), timeout=30)
        with operation_of():
            send_mail(to="a@b.example", subject="Hello", template="notice", data=NOTICE)
        assert len(mails()) == 1
    finally:
        process.terminate()
        assert process.wait(10) == 0


def _answers(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=2) as client:
            return client.noop()[0] == 250
    except OSError:
        return False
