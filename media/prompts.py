"""What callers hear: how a diagram names a prompt, and how an uploaded sound becomes one that agents can play.

A *prompt* in a diagram or in a customer's parameters is text to speak, or ``sound:`` and the id of an uploaded file
or the name of a sound that the platform brings along (``beep``, ``ringback``, ``silence``).
"""

from __future__ import annotations

import subprocess

from engine.kernel.db import db, settings_in_force
from engine.kernel.files import FileStore, StoredFile
from media.errors import PromptMissing, PromptRefused
from media.protocol import Prompt

SOUND = "sound:"
SHIPPED = frozenset({"beep", "ringback", "silence"})
LONGEST_SECONDS = 600
LARGEST_UPLOAD = 50_000_000


def find_prompt(prompt: str, language: str, tenant_id: str) -> Prompt:
    """Return what to play for a prompt of a diagram. Raises ``PromptMissing`` for a sound that the tenant has not."""
    if not prompt.startswith(SOUND):
        return Prompt(text=prompt, language=language)
    return find_sound(prompt.removeprefix(SOUND), tenant_id)


def find_sound(name: str, tenant_id: str) -> Prompt:
    """Return the uploaded or shipped sound. Raises ``PromptMissing``."""
    name = name.removeprefix(SOUND)
    if name in SHIPPED:
        return Prompt(sound=name)
    stored = db.session.get(StoredFile, name)
    if stored is None or stored.tenant_id != tenant_id:
        raise PromptMissing(f"There is no sound {name!r}; upload it again or choose another.")
    return Prompt(file=str(FileStore(settings_in_force()).locate(stored)))


def store_sound(tenant_id: str, name: str, content: bytes) -> StoredFile:
    """Keep an uploaded sound as WAV of 8 kHz, mono, and return its file. Raises ``PromptRefused``."""
    if not content or len(content) > LARGEST_UPLOAD:
        raise PromptRefused("The file is empty or too large.", {"file": "Upload a WAV, MP3, OGG or FLAC file."})
    wave = _normalise(content, name.rpartition(".")[2].lower())
    if len(wave) <= 44:
        raise PromptRefused("There is no sound in this file.", {"file": "Choose another file."})
    store = FileStore(settings_in_force())
    return store.write(tenant_id, f"{name.rpartition('.')[0] or name}.wav", "audio/wav", wave)


def _normalise(content: bytes, suffix: str) -> bytes:
    kind = ["-t", suffix] if suffix in ("wav", "mp3", "ogg", "flac", "aiff", "au") else []
    output = ["-r", "8000", "-c", "1", "-b", "16", "-t", "wav", "-"]
    effects = ["gain", "-n", "-3", "trim", "0", str(LONGEST_SECONDS)]
    try:
        done = subprocess.run(["sox", *kind, "-", *output, *effects], input=content, capture_output=True, timeout=60)
    except FileNotFoundError as error:
        raise PromptRefused("sox is not installed; ./cms install brings it.") from error
    except subprocess.TimeoutExpired as error:
        raise PromptRefused("Converting the sound took too long.", {"file": "Choose a shorter one."}) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise PromptRefused(
            f"This is not a sound that can be read: {said[-1] if said else 'unknown format'}.",
            {"file": "Upload a WAV, MP3, OGG or FLAC file."},
        )
    return _with_sizes(done.stdout)


def _with_sizes(wave: bytes) -> bytes:
    """Return the WAV with its sizes: sox cannot know them when it writes to a pipe."""
    return mend_header(wave[:44], len(wave)) + wave[44:] if len(wave) > 44 else wave


def mend_header(header: bytes, size: int) -> bytes:
    """Return a canonical 44-byte WAV header whose sizes fit a file of ``size`` bytes."""
    riff, data = size - 8, size - 44
    return header[:4] + riff.to_bytes(4, "little") + header[8:40] + data.to_bytes(4, "little")
