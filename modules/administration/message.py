"""Compose a mail: recipients, bodies, attachments, and the headers by which it is recognised."""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from engine.kernel.db import now
from engine.kernel.errors import BusinessError, InvalidInput
from engine.kernel.settings import Settings

#: bytes of all attachments; most servers refuse mails above 25 MB, and base64 adds a third
ATTACHMENTS_LIMIT = 18_000_000
#: says to the built-in catcher whose mail it is: ``tenant instance signature``
ORIGIN = "CMS-Origin"


class MailTooLarge(BusinessError):
    """The attachments are too large for mail."""

    code = "mail.too_large"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file to attach."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail before it has headers. The same ``key`` always gives the same Message-ID."""

    key: str
    to: Sequence[str]
    subject: str
    text: str
    html: str = ""
    attachments: Sequence[Attachment] = field(default_factory=tuple)
    #: tenant and instance that the mail belongs to
    tenant_id: str = ""
    instance_id: str = ""


def compose(draft: Draft, settings: Settings) -> EmailMessage:
    """Return the mail. Raises ``InvalidInput`` for an impossible address, ``MailTooLarge``."""
    if sum(len(item.content) for item in draft.attachments) > ATTACHMENTS_LIMIT:
        raise MailTooLarge(f"The attachments are larger than {ATTACHMENTS_LIMIT // 1_000_000} MB together.")
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.mail_from
    message["To"] = [_address(text) for text in draft.to]
    message["Subject"] = " ".join(draft.subject.split())  # a line break in data must not become a header
    message["Date"] = format_datetime(now())
    message["Message-ID"] = message_id(draft.key, settings)
    message["Auto-Submitted"] = "auto-generated"
    if not settings.smtp_url:
        message[ORIGIN] = sign_origin(draft.tenant_id, draft.instance_id, settings)
    message.set_content(draft.text)
    if draft.html:
        message.add_alternative(draft.html, subtype="html")
    for item in draft.attachments:
        kind = item.content_type or mimetypes.guess_type(item.name)[0] or "application/octet-stream"
        maintype, _, subtype = kind.partition(";")[0].strip().partition("/")
        message.add_attachment(item.content, maintype=maintype, subtype=subtype, filename=item.name)
    return message


def message_id(key: str, settings: Settings) -> str:
    """Return the Message-ID of the mail that ``key`` names; a repeated try has the same."""
    digest = hmac.new(settings.secret_key.encode(), f"mail {key}".encode(), hashlib.sha256).hexdigest()[:40]
    return f"<{digest}@{settings.public_host}>"


def _address(text: str) -> Address:
    name, address = parseaddr(text)
    try:
        found = Address(name, addr_spec=address)
        found.domain.encode("ascii")
        if not found.username or not found.domain:
            raise ValueError("incomplete")
    except (ValueError, HeaderParseError, IndexError) as error:
        raise InvalidInput(
            f"{text!r} is no mail address.", {"to": "Write it as name@company.example."}, code="mail.address"
        ) from error
    return found


def sign_origin(tenant_id: str, instance_id: str, settings: Settings) -> str:
    """Return the value of the origin header."""
    return f"{tenant_id or '-'} {instance_id or '-'} {_signature(tenant_id, instance_id, settings)}"


def read_origin(value: str, settings: Settings) -> tuple[str, str] | None:
    """Return tenant and instance of a mail of ours; None when somebody else wrote it."""
    parts = value.split()
    if len(parts) != 3:
        return None
    tenant_id, instance_id = ("" if part == "-" else part for part in parts[:2])
    if not hmac.compare_digest(parts[2], _signature(tenant_id, instance_id, settings)):
        return None
    return tenant_id, instance_id


def _signature(tenant_id: str, instance_id: str, settings: Settings) -> str:
    text = f"mail origin {tenant_id} {instance_id}"
    return hmac.new(settings.secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
