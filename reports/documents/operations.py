"""The operation that writes a document."""

from __future__ import annotations

import hashlib
from typing import Any

from typing_extensions import TypedDict

from engine.kernel.db import db, settings_in_force, unit_of_work
from engine.kernel.files import FileStore, StoredFile
from engine.operations import operation, operation_context
from reports.documents.paper import write_pdf
from reports.sandbox import TemplateRefused


class Document(TypedDict):
    """Result of ``reports.write_document``."""

    #: id of the stored file
    document: str
    name: str


@operation("reports.write_document", kind="external", raises=(TemplateRefused,), idempotent=True)
def write_document(*, template: str, data: dict[str, Any], name: str = "") -> Document:
    """Write a PDF from a document template and keep it among the tenant's files."""
    context = operation_context()
    # a repeated try finds the file of the first one instead of making a second
    file_id = hashlib.sha256(f"document {context.key}".encode()).hexdigest()[:32]
    with unit_of_work(write=False):
        done = db.session.get(StoredFile, file_id)
    if done is None:
        paper = write_pdf(template, data)
        title = (name.strip() or template.replace("_", " ").capitalize()).removesuffix(".pdf").replace("/", "-")
        with unit_of_work():
            store = FileStore(settings_in_force())
            done = store.write(context.tenant_id, f"{title[:120]}.pdf", "application/pdf", paper.pdf, file_id=file_id)
    return {"document": done.id, "name": done.name}
