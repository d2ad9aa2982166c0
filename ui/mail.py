"""Mail that the built-in catcher took instead of a mail server: what the platform would have sent."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response
from sqlalchemy import or_

from engine.kernel.actor import scoped
from engine.kernel.db import db
from engine.kernel.errors import NotFound
from engine.pages import Audio, Column, Empty, Line, Link, ListPage, Preview, Section, add_list, allow
from modules.administration import CaughtMail
from ui.filters import size

URL = "/administration/mail"
VIEWERS = ("administrator", "customer_admin")
#: a mail's own HTML is shown as in a mail program: it loads nothing, runs nothing and is no page of ours
AS_MAIL = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"

blueprint = Blueprint("mail", __name__, url_prefix=URL)


def _sounds(mail: CaughtMail) -> list[Audio]:
    return [
        Audio(f"/files/{item['file']}", item["name"], 0)
        for item in mail.attachments
        if item["content_type"].startswith("audio/")
    ]


def _preview(mail: CaughtMail) -> Preview:
    facts: tuple[tuple[str, Any], ...] = (
        ("From", mail.sender),
        ("To", ", ".join(mail.recipients)),
        ("Received", mail.received_at),
        ("Message", mail.message_id),
    )
    lines = [
        Line(item["name"], f"{item['content_type']}, {size(item['size'])}", "paperclip", url=f"/files/{item['file']}")
        for item in mail.attachments
    ]
    links = [Link("As HTML", f"{URL}/{mail.id}/html", "mail-opened")] if mail.html else []
    if mail.instance_id:
        links.append(Link("Open instance", f"/administration/instances/{mail.instance_id}", "route"))
    attached = [Section("Attachments", lines=lines, audio=_sounds(mail), count=len(lines))] if lines else []
    return Preview(
        title=mail.subject,
        subtitle=f"To {', '.join(mail.recipients)}",
        links=links,
        sections=(Section("Mail", text=mail.text), *attached, Section("Details", facts)),
    )


add_list(
    ListPage(
        name="administration.mail",
        url=URL,
        section="Administration",
        title="Mail",
        singular="mail",
        model=CaughtMail,
        roles=VIEWERS,
        columns=(
            Column("subject", "Subject", CaughtMail.subject),
            Column("recipients", "To", show=lambda mail: ", ".join(mail.recipients)),
            Column("files", "Files", show=lambda mail: len(mail.attachments) or None, width=70),
            Column("received_at", "Received", CaughtMail.received_at, kind="when", width=140, under=True),
        ),
        search=lambda text: or_(
            CaughtMail.subject.icontains(text, autoescape=True), CaughtMail.text.icontains(text, autoescape=True)
        ),
        sort="-received_at",
        preview=_preview,
        empty=Empty(
            "No mail was caught",
            "While no mail server is set (smtp_url), mail ends here instead of at people: nothing leaves this machine.",
            "mail",
        ),
        row_title=lambda mail: mail.subject,
        order=60,
    )
)


@blueprint.get("/<mail_id>/html")
@allow(*VIEWERS)
def html(mail_id: str) -> Response:
    """Show a mail as mail programs do."""
    mail = db.session.scalar(scoped(CaughtMail).where(CaughtMail.id == mail_id))
    if mail is None or not mail.html:
        raise NotFound("There is no such mail, or it has no HTML.", code="mail.unknown")
    response = make_response(mail.html)
    response.headers["Content-Security-Policy"] = AS_MAIL
    return response
