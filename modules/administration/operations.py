"""The operation that sends mail, and its two relatives for code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from typing_extensions import TypedDict

from engine.kernel.db import db, settings_in_force, unit_of_work
from engine.kernel.errors import NotFound
from engine.kernel.files import FileStore, StoredFile
from engine.operations import operation, operation_context
from modules.administration.brand import brand_of
from modules.administration.delivery import MailRefused, deliver
from modules.administration.message import Attachment, Draft, MailTooLarge, compose
from modules.administration.models import CaughtMail
from modules.administration.templates import render_body
from reports.sandbox import TemplateRefused


class SentMail(TypedDict):
    """Result of ``administration.send_mail``."""

    message_id: str
    #: who the server accepted
    to: list[str]
    #: who it refused for good while it accepted others
    refused: list[str]


@operation(
    "administration.send_mail",
    kind="external",
    raises=(MailRefused, MailTooLarge, TemplateRefused),
    idempotent=True,
)
def send_mail(
    *,
    to: str | list[str],
    subject: str,
    template: str,
    data: dict[str, Any] | None = None,
    attachments: list[str] | None = None,
) -> SentMail:
    """Send a mail made from a template, with stored files attached."""
    context = operation_context()
    with unit_of_work(write=False):
        files = [_load(file_id, context.tenant_id) for file_id in attachments or []]
    return post_mail(
        key=context.key,
        to=[to] if isinstance(to, str) else to,
        subject=subject,
        template=template,
        data=data or {},
        attachments=files,
        tenant_id=context.tenant_id,
        instance_id=context.instance_id,
    )


def post_mail(
    *,
    key: str,
    to: Sequence[str],
    subject: str,
    template: str,
    data: Mapping[str, Any],
    tenant_id: str,
    attachments: Sequence[Attachment] = (),
    instance_id: str = "",
) -> SentMail:
    """Send a mail now. Must not be called inside a unit of work: the server takes its time.

    ``key`` names the mail for ever: sent again with the same key it has the same Message-ID. The template sees
    ``data``, ``subject`` and the tenant's ``brand``. Raises what ``deliver``, ``compose`` and the template raise.
    """
    settings = settings_in_force()
    with unit_of_work(write=False):
        brand = brand_of(tenant_id)
    body = render_body(template, {"brand": brand, "subject": subject, **data})
    draft = Draft(key, to, subject, body.text, body.html, attachments, tenant_id, instance_id)
    message = compose(draft, settings)
    refused = deliver(message, settings)
    return {
        "message_id": message["Message-ID"],
        "to": [address for address in to if address not in refused],
        "refused": refused,
    }


def forget_mails(instance_id: str) -> int:
    """Delete the copies of an instance's mails that the catcher keeps; returns how many there were."""
    store = FileStore(settings_in_force())
    mails = db.session.scalars(select(CaughtMail).where(CaughtMail.instance_id == instance_id)).all()
    for mail in mails:
        for item in mail.attachments:
            if stored := db.session.get(StoredFile, item["file"]):
                store.delete(stored)
        db.session.delete(mail)
    return len(mails)


def _load(file_id: str, tenant_id: str) -> Attachment:
    stored = db.session.get(StoredFile, file_id)
    if stored is None or stored.tenant_id != tenant_id:
        raise NotFound(f"The file {file_id} to attach is not there.", code="mail.attachment_missing")
    content = FileStore(settings_in_force()).locate(stored).read_bytes()
    return Attachment(stored.name, stored.content_type, content)
