"""``python -m modules.administration.catcher``: the built-in mail server, for installations that have none set.

Takes mail on loopback and keeps it in the database for the page that shows it. It takes only the platform's own
mail, which it knows by the signed origin header, so that no other program can put mail before people's eyes.
"""

from __future__ import annotations

import asyncio
import signal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as policy
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from engine.kernel.db import db, process_app, unit_of_work
from engine.kernel.files import FileStore
from engine.kernel.process import set_up_log
from engine.kernel.settings import Settings, load_settings
from modules.administration.message import ORIGIN, read_origin
from modules.administration.models import CaughtMail

log = structlog.get_logger()

SIZE_LIMIT = 40_000_000


class Keeper:
    """Stores each mail once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = FileStore(settings)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answer the end of a mail (aiosmtpd calls this by its name)."""
        content = envelope.original_content or b""
        message: Any = message_from_bytes(content, policy=policy)
        origin = read_origin(str(message.get(ORIGIN, "")), self._settings)
        if origin is None:
            log.warning("mail_of_others_refused", peer=str(session.peer), sender=envelope.mail_from)
            return "550 5.7.1 this server takes only the platform's own mail"
        try:
            kept = await asyncio.to_thread(self.keep, message, origin, list(envelope.rcpt_tos))
        except (SQLAlchemyError, OSError) as error:
            log.error("mail_not_kept", error=str(error))
            return "451 4.3.0 cannot store it now, try again"
        return "250 2.0.0 kept" if kept else "250 2.0.0 already here"

    def keep(self, message: EmailMessage, origin: tuple[str, str], recipients: list[str]) -> bool:
        """Store a mail with its attachments. Returns False when it had come before."""
        tenant_id, instance_id = origin
        message_id = str(message["Message-ID"])
        try:
            with unit_of_work():
                if db.session.scalar(select(CaughtMail.id).where(CaughtMail.message_id == message_id)):
                    return False
                db.session.add(
                    CaughtMail(
                        tenant_id=tenant_id,
                        message_id=message_id,
                        instance_id=instance_id or None,
                        sender=str(message["From"]),
                        recipients=recipients,
                        subject=str(message["Subject"]),
                        text=_body(message, "plain"),
                        html=_body(message, "html"),
                        attachments=[self._attachment(tenant_id, part) for part in message.iter_attachments()],
                    )
                )
        except IntegrityError:
            return False  # the same mail came twice at once
        return True

    def _attachment(self, tenant_id: str, part: Any) -> dict[str, Any]:
        content = part.get_payload(decode=True) or b""
        stored = self._store.write(tenant_id, part.get_filename() or "attachment", part.get_content_type(), content)
        return {"file": stored.id, "name": stored.name, "content_type": stored.content_type, "size": stored.size}


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""


async def serve(settings: Settings) -> None:
    """Take mail until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    keeper = Keeper(settings)
    server = await loop.create_server(
        lambda: SMTP(keeper, hostname="localhost", ident="CMS catcher", data_size_limit=SIZE_LIMIT),
        "127.0.0.1",
        settings.catcher_port,
    )
    log.info("catcher_listens", port=settings.catcher_port)
    async with server:
        await stop.wait()


def main() -> None:
    """Run the catcher of the deployment that the environment names."""
    settings = load_settings()
    set_up_log(settings.log_level)
    process_app(settings)
    asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
