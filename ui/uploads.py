"""What comes in by upload: several files or one zip, unpacked within limits and never written to disk."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import PurePosixPath

from werkzeug.datastructures import FileStorage

from engine.kernel.errors import InvalidInput

#: what a deployment may consist of, and where browsers and editors write their own files into archives
SUFFIXES = frozenset({".bpmn", ".xml", ".dmn", ".json", ".form"})
CLUTTER = ("__MACOSX/", ".DS_Store")
MAX_FILES = 100


def read_upload(uploads: Iterable[FileStorage], limit: int) -> dict[str, bytes]:
    """Return the contents by name. Raises ``InvalidInput`` for too much, too many, nothing, or a broken archive."""
    files: dict[str, bytes] = {}
    total = 0
    for upload in uploads:
        if not upload.filename:
            continue
        content = upload.stream.read(limit - total + 1)
        refuse_excess(total + len(content), limit, upload.filename)
        found = _unpack(content, limit - total) if _is_zip(upload.filename, content) else {upload.filename: content}
        for name, data in found.items():
            total += len(data)
            refuse_excess(total, limit, upload.filename)
            _add(files, _clean(name), data)
    if not files:
        raise InvalidInput(
            "No file was chosen.", {"files": "Choose a .bpmn file, or a .zip with one."}, code="upload.empty"
        )
    return files


def _is_zip(name: str, content: bytes) -> bool:
    return name.lower().endswith(".zip") or content[:4] == b"PK\x03\x04"


def refuse_excess(total: int, limit: int, name: str) -> None:
    """Raise ``InvalidInput`` when ``total`` bytes are more than allowed."""
    if total > limit:
        raise InvalidInput(
            f"{name} is too large: more than {limit / 1_000_000:.1f} MB together.",
            {"files": "Leave out what the diagram does not use, or let an administrator raise upload_limit."},
            code="upload.too_large",
        )


def _unpack(content: bytes, limit: int) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [item for item in archive.infolist() if not item.is_dir() and not _is_clutter(item.filename)]
            refuse_excess(sum(item.file_size for item in members), limit, "The archive")
            files = {}
            for item in members:
                with archive.open(item) as member:
                    # The size in the directory may lie; never read more than the limit.
                    files[item.filename] = member.read(limit + 1)
                refuse_excess(sum(map(len, files.values())), limit, "The archive")
            return files
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise InvalidInput(
            "The archive cannot be opened.",
            {"files": "Make it again as a plain .zip without a password."},
            code="upload.archive",
        ) from error


def _is_clutter(name: str) -> bool:
    return any(part in name for part in CLUTTER)


def _clean(name: str) -> str:
    """Return the name below the archive's own folders. Raises ``InvalidInput`` for what does not belong here."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.suffix.lower() not in SUFFIXES:
        raise InvalidInput(
            f"{path.name} is not something a deployment consists of.",
            {"files": "Diagrams end in .bpmn, decision tables in .dmn, forms in .json."},
            code="upload.kind",
        )
    return path.name


def _add(files: dict[str, bytes], name: str, content: bytes) -> None:
    if name in files:
        raise InvalidInput(f"Two files are called {name}.", {"files": "Give each its own name."}, code="upload.twice")
    if len(files) >= MAX_FILES:
        raise InvalidInput(
            f"More than {MAX_FILES} files.", {"files": "Upload one process with what it uses."}, code="upload.many"
        )
    files[name] = content
