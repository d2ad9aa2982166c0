"""Recordings on their way from the agent's file to a stored file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select

from engine.kernel.db import db, now, settings_in_force
from engine.kernel.files import FileStore
from media.models import Call, Recording
from media.prompts import mend_header

log = structlog.get_logger()
BYTES_PER_SECOND = 16_000
HEADER = 44


def begin_recording(call: Call, command: str) -> Recording:
    """Add the row of a recording that the agent is about to write; it runs until ``finish_recording``."""
    store = FileStore(settings_in_force())
    path = store.new_path(call.tenant_id, ".wav")
    recording = Recording(
        id=path.stem,
        tenant_id=call.tenant_id,
        call_id=call.id,
        command=command,
        path=str(path.relative_to(store.root.absolute())),
    )
    db.session.add(recording)
    return recording


def running_recordings(call_id: str) -> list[Recording]:
    """Return the recordings of a call that nobody has finished."""
    statement = select(Recording).where(Recording.call_id == call_id, Recording.reason.is_(None))
    return list(db.session.scalars(statement))


def find_by_command(command: str) -> Recording | None:
    """Return the recording that a command makes."""
    recording: Recording | None = db.session.scalar(select(Recording).where(Recording.command == command))
    return recording


def absolute_path(recording: Recording) -> Path:
    """Return where the agent writes to."""
    return FileStore(settings_in_force()).root.absolute() / recording.path


def finish_recording(recording: Recording, call: Call, reason: str) -> dict[str, Any]:
    """Keep what was written, mending the file of an agent that died, and return the operation's result.

    Idempotent: a finished recording only returns its result again.
    """
    if recording.reason is None:
        recording.reason = reason
        path = absolute_path(recording)
        recording.duration_s = mend_file(path)
        if recording.duration_s > 0:
            caller = call.from_number or "unknown"
            name = f"{now():%Y-%m-%d %H-%M} {caller}.wav"
            recording.stored_file_id = FileStore(settings_in_force()).adopt(call.tenant_id, name, "audio/wav", path).id
        else:
            path.unlink(missing_ok=True)
    shown = "hangup" if recording.reason == "agent_lost" else recording.reason
    return {"recording": recording.id, "duration_s": recording.duration_s, "reason": shown}


def mend_file(path: Path) -> float:
    """Write the true sizes into the header of a WAV that was not closed, and return its seconds of audio."""
    try:
        size = path.stat().st_size
    except OSError:
        return 0.0
    if size <= HEADER:
        return 0.0
    size -= size % 2
    with path.open("r+b") as file:
        header = file.read(HEADER)
        if header[:4] != b"RIFF":
            log.warning("recording_unreadable", path=str(path))
            return 0.0
        mended = mend_header(header, size)
        if mended != header:
            file.seek(0)
            file.write(mended)
            file.truncate(size)
    return round((size - HEADER) / BYTES_PER_SECOND, 2)
