"""Stored files for browsers: recordings with seeking, documents, attachments. Each needs a reason to be readable."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, current_app, request, send_file

from engine.kernel.actor import Actor, current_actor, scoped
from engine.kernel.db import db
from engine.kernel.errors import NotFound
from engine.kernel.files import FileStore, StoredFile
from engine.pages import EVERYONE, STAFF, allow

blueprint = Blueprint("files", __name__)

#: what a browser may show in place; anything else is only downloaded, so that it cannot run as a page of ours
SHOWN = frozenset({"audio/wav", "audio/x-wav", "audio/mpeg", "audio/ogg", "application/pdf", "image/png", "image/jpeg"})

#: who else than the tenant's staff may read a file; every answer is asked for in turn
READERS: list[Callable[[Actor, StoredFile], bool]] = []


def readable_file(file_id: str) -> StoredFile:
    """Return a file that the actor may read. Raises ``NotFound``, also for those he may not know of."""
    actor = current_actor()
    stored = db.session.scalar(scoped(StoredFile).where(StoredFile.id == file_id))
    if actor is None or stored is None or not _may_read(actor, stored):
        raise NotFound("There is no such file, or it was deleted, or it is not yours to open.", code="files.unknown")
    return stored


def _may_read(actor: Actor, stored: StoredFile) -> bool:
    return bool(actor.roles & set(STAFF)) or any(reader(actor, stored) for reader in READERS)


@blueprint.get("/files/<file_id>")
@allow(EVERYONE)
def show(file_id: str) -> Response:
    """Send a file, or the part of it that a player asks for."""
    stored = readable_file(file_id)
    path = FileStore(current_app.extensions["cms_settings"]).locate(stored)
    if not path.exists():
        raise NotFound("The file was deleted.", code="files.gone")
    response = send_file(
        path,
        mimetype=stored.content_type,
        as_attachment="download" in request.args or stored.content_type not in SHOWN,
        download_name=stored.name,
        conditional=True,
        etag=stored.sha256,
        last_modified=stored.created_at,
    )
    response.headers["Cache-Control"] = "private, no-cache"
    if stored.content_type not in SHOWN:
        response.headers["Content-Security-Policy"] = "sandbox"
    return response
