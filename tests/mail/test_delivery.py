"""Mail to a configured SMTP server: what its answers mean, TLS and login."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default as policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from flask import Flask

from engine.kernel.errors import ConfigurationError, InvalidInput, TransientError
from engine.kernel.settings import Settings
from modules.administration import delivery, send_mail
from modules.administration.delivery import MailRefused, Server
from modules.administration.message import Attachment, Draft, MailTooLarge, compose
from tests.mail.conftest import Inbox, listening

NOTICE = {"heading": "Hello", "paragraphs": ["One."]}


# nothing here depends on the kind of database
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def smtp_settings(settings: Settings, app: Flask) -> Settings:
    """The deployment sends to an SMTP server on the catcher's port."""
    changed = settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{settings.catcher_port}"})
    app.extensions["cms_settings"] = changed
    return changed


@pytest.fixture
def inbox(smtp_settings: Settings) -> Iterator[Inbox]:
    inbox = Inbox()
    with listening(inbox, smtp_settings.catcher_port):
        yield inbox


def send(operation_of: Callable[..., Any], to: str | list[str] = "a@b.example") -> Any:
    with operation_of():
        return send_mail(to=to, subject="Grüße", template="notice", data=NOTICE)


def test_mail_is_plain_mime_without_our_own_headers(inbox: Inbox, operation_of: Callable[..., Any]) -> None:
    result = send(operation_of)
    (content,) = inbox.contents
    message = message_from_bytes(content, policy=policy)
    assert message["Subject"] == "Grüße"
    assert message["To"] == "a@b.example"
    assert message["Message-ID"] == result["message_id"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert "CMS-Origin" not in message
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_same_key_same_message_id(inbox: Inbox, operation_of: Callable[..., Any]) -> None:
    ids = []
    for token, attempt in (("t" * 32, 1), ("t" * 32, 1), ("t" * 32, 2), ("u" * 32, 1)):
        with operation_of(token_id=token, attempt=attempt):
            ids.append(send_mail(to="a@b.example", subject="x", template="notice", data=NOTICE)["message_id"])
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("451 4.7.1 greylisted", TransientError),
        ("550 5.1.1 no such user", MailRefused),
        ("552 5.2.2 full", MailRefused),
    ],
)
def test_answer_to_the_recipient(inbox: Inbox, operation_of: Callable[..., Any], answer: str, error: type) -> None:
    inbox.recipients["a@b.example"] = answer
    with pytest.raises(error, match=answer[4:]):
        send(operation_of)
    assert inbox.contents == []


@pytest.mark.parametrize(("answer", "error"), [("451 4.3.0 later", TransientError), ("554 5.7.1 spam", MailRefused)])
def test_answer_to_the_mail(inbox: Inbox, operation_of: Callable[..., Any], answer: str, error: type) -> None:
    inbox.data = answer
    with pytest.raises(error, match=answer[4:]):
        send(operation_of)


def test_some_recipients_refused_for_good(inbox: Inbox, operation_of: Callable[..., Any]) -> None:
    inbox.recipients["gone@b.example"] = "550 5.1.1 unknown"
    result = send(operation_of, ["a@b.example", "gone@b.example"])
    assert (result["to"], result["refused"]) == (["a@b.example"], ["gone@b.example"])
    assert len(inbox.contents) == 1


def test_some_recipients_put_off(inbox: Inbox, operation_of: Callable[..., Any]) -> None:
    inbox.recipients["late@b.example"] = "450 4.2.0 busy"
    with pytest.raises(TransientError, match=r"late@b\.example: 450"):
        send(operation_of, ["a@b.example", "late@b.example"])


def test_nobody_listens(smtp_settings: Settings, operation_of: Callable[..., Any]) -> None:
    with pytest.raises(TransientError, match="cannot be reached"):
        send(operation_of)


@pytest.mark.parametrize(
    "to", ["", "nobody", "a@", "@b.example", "a@b.example, c@d.example", "a b@c", "a@b.example\r\nBcc: x@y.z"]
)
def test_impossible_addresses(inbox: Inbox, operation_of: Callable[..., Any], to: str) -> None:
    with pytest.raises(InvalidInput):
        send(operation_of, to)
    assert inbox.contents == []


def test_too_large_attachments(settings: Settings) -> None:
    draft = Draft("k", ["a@b.example"], "x", "y", attachments=[Attachment("a.wav", "audio/wav", bytes(10_000_000))] * 2)
    with pytest.raises(MailTooLarge, match="18 MB"):
        compose(draft, settings)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost that nobody trusts, with its key in one file."""
    path = tmp_path / "server.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text((tmp_path / "cert.pem").read_text() + (tmp_path / "key.pem").read_text())
    return path


def test_tls_and_login(
    app: Flask,
    settings: Settings,
    certificate: Path,
    operation_of: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"cms", b"p@ss/word"), handled=False)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    inbox = Inbox()
    url = f"smtp://cms:%s@127.0.0.1:{settings.catcher_port}"
    options = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": check}
    with listening(inbox, settings.catcher_port, **options):
        app.extensions["cms_settings"] = settings.model_copy(update={"smtp_url": url % "p%40ss%2Fword"})
        with pytest.raises(ConfigurationError, match="not trusted"):
            send(operation_of)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        send(operation_of)
        assert len(inbox.contents) == 1
        app.extensions["cms_settings"] = settings.model_copy(update={"smtp_url": url % "wrong"})
        with pytest.raises(ConfigurationError, match="refuses the login"):
            send(operation_of)


def test_password_is_not_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """A server without TLS on another machine gets no password. The name is sent to loopback to try it."""
    inbox = Inbox()
    with listening(inbox, settings.catcher_port):
        monkeypatch.setattr(delivery, "LOOPBACK", ())
        remote = settings.model_copy(update={"smtp_url": f"smtp://cms:secret@127.0.0.1:{settings.catcher_port}"})
        message = compose(Draft("k", ["a@b.example"], "x", "y"), remote)
        with pytest.raises(ConfigurationError, match="offers no TLS"):
            delivery.deliver(message, remote)


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "smtp://host:port", "mail.example:25"])
def test_wrong_url(settings: Settings, url: str) -> None:
    with pytest.raises(ConfigurationError, match="CMS_SMTP_URL"):
        Server.of(settings.model_copy(update={"smtp_url": url}))


def test_url_parts(settings: Settings) -> None:
    def of(url: str) -> Server:
        return Server.of(settings.model_copy(update={"smtp_url": url}))

    assert of("smtp://mail.example") == Server("mail.example", 587)
    assert of("smtps://u%40x:p%3A@mail.example") == Server("mail.example", 465, "u@x", "p:", secure=True)
