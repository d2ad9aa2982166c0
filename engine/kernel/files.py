"""Stored files: recordings, prompts and documents on disk, each with a row that says whose it is."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Mapped, mapped_column

from engine.kernel.db import Identified, TenantOwned, after_commit, db, new_id, now
from engine.kernel.errors import NotFound
from engine.kernel.settings import Settings


class StoredFile(Identified, TenantOwned, db.Model):
    """One file below ``files/``."""

    __tablename__ = "stored_file"

    #: name shown to people and used for downloads
    name: Mapped[str]
    #: MIME type
    content_type: Mapped[str]
    #: path below the files directory
    path: Mapped[str] = mapped_column(unique=True)
    #: bytes
    size: Mapped[int]
    #: hex digest of the content
    sha256: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class FileStore:
    """Files of one deployment. Files are written before the row commits and removed after the row is gone."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.files_dir

    def new_path(self, tenant_id: str, suffix: str) -> Path:
        """Return an unused absolute path for another process (an agent) to write to; ``adopt`` makes it a file."""
        name = new_id()
        path = self.root / tenant_id / name[:8] / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.absolute()

    def write(
        self, tenant_id: str, name: str, content_type: str, content: bytes, *, file_id: str | None = None
    ) -> StoredFile:
        """Keep ``content`` and add its row to the session; ``file_id`` is given by those who may come twice."""
        path = self.new_path(tenant_id, Path(name).suffix)
        part = path.with_suffix(path.suffix + ".part")
        part.write_bytes(content)
        os.replace(part, path)
        return self.adopt(tenant_id, name, content_type, path, file_id=file_id)

    def adopt(
        self, tenant_id: str, name: str, content_type: str, path: Path, *, file_id: str | None = None
    ) -> StoredFile:
        """Add the row of a file that was written to ``new_path``. Raises ``NotFound`` when it is not there."""
        if not path.exists():
            raise NotFound(f"{path.name} was never written.", code="files.missing")
        content = path.read_bytes()
        stored = StoredFile(
            id=file_id or new_id(),
            tenant_id=tenant_id,
            name=name,
            content_type=content_type,
            path=str(path.relative_to(self.root.absolute())),
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        db.session.add(stored)
        return stored

    def locate(self, stored: StoredFile) -> Path:
        """Return the absolute path of a stored file."""
        return self.root.absolute() / stored.path

    def delete(self, stored: StoredFile) -> None:
        """Delete the row now and the file once that has committed."""
        path = self.locate(stored)
        db.session.delete(stored)
        after_commit(lambda: path.unlink(missing_ok=True))
