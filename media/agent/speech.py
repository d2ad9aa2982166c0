"""Prompts as WAV files of 8 kHz: spoken by espeak-ng, tones by sox, kept in a cache that all agents share.

Rendering takes tens of milliseconds and happens in a thread of its own, so that SIP never waits for it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from media.protocol import Prompt

log = logging.getLogger("speech")
#: changes when the same text would sound otherwise
VOICE = "espeak-ng 1, 155 words"
KEEP_SECONDS = 30 * 86_400
LONGEST_TEXT = 3000
SOUNDS = {
    "beep": ["synth", "0.25", "sine", "1000", "vol", "0.35", "fade", "0.01", "0.25", "0.01"],
    "ringback": ["synth", "1", "sine", "425", "vol", "0.2", "pad", "0", "4"],
    "silence": ["trim", "0", "0.2"],
}
_OUTPUT = ["-r", "8000", "-c", "1", "-b", "16", "-t", "wav"]


class SpeechError(Exception):
    """A prompt cannot be made; the message says why."""


class Renderer:
    """Makes prompts one after the other; ``done`` is posted to the main loop with the file or the error."""

    def __init__(self, cache: Path, post: Callable[[Callable[[], None]], None]) -> None:
        self._cache = cache
        self._post = post
        self._wanted: queue.SimpleQueue[tuple[Prompt, Callable[[Path | SpeechError], None]]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="speech", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def render(self, prompt: Prompt, done: Callable[[Path | SpeechError], None]) -> None:
        """Call ``done`` on the main loop; at once when the prompt is there already."""
        path = find(self._cache, prompt)
        if path is not None:
            done(path)
        else:
            self._wanted.put((prompt, done))

    def _work(self) -> None:
        prune(self._cache)
        while True:
            prompt, done = self._wanted.get()
            try:
                outcome: Path | SpeechError = make(self._cache, prompt)
            except SpeechError as error:
                outcome = error
            except Exception as error:
                log.exception("a prompt failed")
                outcome = SpeechError(str(error))
            self._post(functools.partial(done, outcome))


def cache_path(cache: Path, prompt: Prompt) -> Path:
    """Return where a spoken text or a sound is kept."""
    what = prompt.sound or json.dumps([VOICE, prompt.language, prompt.text])
    return cache / f"{hashlib.sha256(what.encode()).hexdigest()[:40]}.wav"


def find(cache: Path, prompt: Prompt) -> Path | None:
    """Return the prompt's file if it is there."""
    path = Path(prompt.file) if prompt.file else cache_path(cache, prompt)
    try:
        if not prompt.file:
            os.utime(path)
        return path if path.stat().st_size > 44 else None
    except OSError:
        return None


def make(cache: Path, prompt: Prompt) -> Path:
    """Make the prompt's file unless it is there. Raises ``SpeechError``."""
    path = find(cache, prompt)
    if path is not None:
        return path
    if prompt.file:
        raise SpeechError(f"the sound file {Path(prompt.file).name} is missing or empty")
    path = cache_path(cache, prompt)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        if prompt.sound:
            _tone(prompt.sound, part)
        else:
            _speak(prompt.text, prompt.language, part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _tone(sound: str, path: Path) -> None:
    if sound not in SOUNDS:
        raise SpeechError(f"there is no sound {sound!r}; known: {', '.join(sorted(SOUNDS))}")
    _run(["sox", "-n", *_OUTPUT, str(path), *SOUNDS[sound]], b"")


def _speak(text: str, language: str, path: Path) -> None:
    if not re.fullmatch(r"[a-zA-Z]{2,3}([-_][a-zA-Z0-9]+)*", language):
        raise SpeechError(f"{language!r} is not a language, such as en or de")
    spoken = " ".join(text[:LONGEST_TEXT].split())
    if not spoken:
        _tone("silence", path)
        return
    voice = language.lower().replace("_", "-")
    wave = _run(["espeak-ng", "-v", voice, "-s", "155", "--stdin", "--stdout"], spoken.encode())
    # The telephone band, and a level that leaves room for the codec.
    effects = ["highpass", "200", "norm", "-4", "pad", "0.05", "0.05"]
    _run(["sox", "--ignore-length", "-t", "wav", "-", *_OUTPUT, str(path), *effects], wave)


def _run(command: list[str], stdin: bytes) -> bytes:
    try:
        return subprocess.run(command, input=stdin, capture_output=True, timeout=30, check=True).stdout
    except FileNotFoundError as error:
        raise SpeechError(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise SpeechError(f"{command[0]} took too long") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise SpeechError(f"{command[0]} failed: {said[-1] if said else error.returncode}") from error


def prune(cache: Path) -> None:
    """Remove prompts that nobody has heard for a month."""
    limit = time.time() - KEEP_SECONDS
    for path in cache.glob("*.wav"):
        try:
            if path.stat().st_mtime < limit:
                path.unlink()
        except OSError:
            continue
