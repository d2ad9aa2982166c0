"""Hand a mail to the configured SMTP server, or to the built-in catcher, and say what became of it."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from engine.kernel.errors import BusinessError, ConfigurationError, TransientError
from engine.kernel.settings import Settings

TIMEOUT_S = 30.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class MailRefused(BusinessError):
    """The mail server said no for good: to a recipient, or to the mail."""

    code = "mail.refused"


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail goes. ``secure``: from the first byte (smtps)."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    secure: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Server:
        """Read ``smtp_url``. Raises ``ConfigurationError``."""
        if not settings.smtp_url:
            return cls("127.0.0.1", settings.catcher_port)
        try:
            url = urlsplit(settings.smtp_url)
            port = url.port
        except ValueError as error:
            raise ConfigurationError(f"CMS_SMTP_URL cannot be read: {error}.") from error
        if url.scheme not in ("smtp", "smtps") or not url.hostname:
            raise ConfigurationError("CMS_SMTP_URL must be smtp://user:password@host:587 or smtps://…:465.")
        secure = url.scheme == "smtps"
        return cls(
            url.hostname,
            port or (465 if secure else 587),
            unquote(url.username or ""),
            unquote(url.password or ""),
            secure,
        )


def deliver(message: EmailMessage, settings: Settings) -> list[str]:
    """Send ``message`` and return the recipients that the server refused for good while it took others.

    Raises ``TransientError`` when trying again may help (no connection, answers 4xx), ``MailRefused`` when it
    will not (answers 5xx), ``ConfigurationError`` when the operator must act (login, certificate).
    """
    server = Server.of(settings)
    with _translated(server), _connected(server) as client:
        if server.user:
            client.login(server.user, server.password)
        refused = client.send_message(message)
    return _judge(refused)


@contextmanager
def _connected(server: Server) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context()
    if server.secure:
        with smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context) as client:
            yield client
        return
    with smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S) as client:
        client.ehlo()
        if client.has_extn("starttls"):
            client.starttls(context=context)
            client.ehlo()
        elif server.user and server.host not in LOOPBACK:
            raise ConfigurationError(
                f"The mail server {server.host} offers no TLS, so the password was not sent. Use smtps://."
            )
        yield client


@contextmanager
def _translated(server: Server) -> Iterator[None]:
    where = f"The mail server {server.host}:{server.port}"
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        _judge(error.recipients, nobody_left=True)
    except smtplib.SMTPAuthenticationError as error:
        raise ConfigurationError(f"{where} refuses the login: {_text(error.smtp_error)}. See CMS_SMTP_URL.") from error
    except smtplib.SMTPNotSupportedError as error:
        raise ConfigurationError(f"{where} cannot do what CMS_SMTP_URL asks for: {error}.") from error
    except smtplib.SMTPResponseException as error:
        answer = f"{where} answered {error.smtp_code} {_text(error.smtp_error)}"
        if 500 <= error.smtp_code <= 599:
            raise MailRefused(answer, smtp_code=error.smtp_code) from error
        raise TransientError(answer, code="mail.deferred") from error
    except ssl.SSLCertVerificationError as error:
        raise ConfigurationError(f"{where} has a certificate that is not trusted: {error.verify_message}.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise TransientError(f"{where} cannot be reached: {error}", code="mail.unreachable") from error


def _judge(refused: dict[str, tuple[int, bytes]], *, nobody_left: bool = False) -> list[str]:
    """Decide what refused recipients mean. One that may work later makes the whole mail worth another try."""
    answers = [f"{address}: {code} {_text(text)}" for address, (code, text) in refused.items()]
    if any(not 500 <= code <= 599 for code, _ in refused.values()):
        raise TransientError("The mail server puts off " + "; ".join(answers), code="mail.deferred")
    if nobody_left:
        raise MailRefused("The mail server refuses " + "; ".join(answers))
    return list(refused)


def _text(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer
