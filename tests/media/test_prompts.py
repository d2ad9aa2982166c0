"""Uploaded sounds become prompts, and texts are spoken once."""

from __future__ import annotations

import wave
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask

from engine.kernel.db import unit_of_work
from engine.kernel.files import FileStore
from engine.kernel.settings import Settings
from media.agent.speech import SpeechError, cache_path, find, make
from media.errors import PromptMissing, PromptRefused
from media.prompts import find_prompt, store_sound
from media.protocol import Prompt
from media.recordings import mend_file
from tests.media.conftest import TENANT
from tests.sip.caller import samples, similarity, sound

sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@sqlite
def test_an_uploaded_sound_can_be_played_by_agents(app: Flask, settings: Settings, tmp_path: Path) -> None:
    original = sound(tmp_path / "greeting.wav", "synth", "1", "sine", "300-2000", "vol", "0.2", "rate", "22050")
    with unit_of_work():
        stored = store_sound(TENANT, "greeting.wav", original.read_bytes())
        found = find_prompt(f"sound:{stored.id}", "en", TENANT)
    assert found == Prompt(file=str(FileStore(settings).locate(stored)))
    with wave.open(found.file) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.getnframes() == pytest.approx(8000, abs=50)
    with unit_of_work(), pytest.raises(PromptMissing):
        find_prompt(f"sound:{stored.id}", "en", "f" * 32)


@sqlite
@pytest.mark.parametrize("content", [b"", b"this is no sound", b"RIFF" + bytes(40)])
def test_what_is_no_sound_is_refused(app: Flask, content: bytes) -> None:
    with unit_of_work(), pytest.raises(PromptRefused):
        store_sound(TENANT, "greeting.wav", content)


@sqlite
def test_a_prompt_is_text_or_a_sound(app: Flask) -> None:
    with unit_of_work():
        assert find_prompt("Good morning", "de", TENANT) == Prompt(text="Good morning", language="de")
        assert find_prompt("sound:beep", "de", TENANT) == Prompt(sound="beep")


def test_a_text_is_spoken_once_for_each_language(tmp_path: Path) -> None:
    english, german = Prompt(text="Hello, Amara", language="en"), Prompt(text="Hello, Amara", language="de")
    assert find(tmp_path, english) is None
    path = make(tmp_path, english)
    assert path == find(tmp_path, english) == cache_path(tmp_path, english)
    assert similarity(samples(path), samples(make(tmp_path, german))) < 0.9
    assert 0.4 < len(samples(path)) / 8000 < 3
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".wav", ".wav"]


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (Prompt(text="x", language="--help"), "not a language"),
        (Prompt(text="x", language="xx"), "espeak-ng failed"),
        (Prompt(sound="trumpet"), "no sound"),
        (Prompt(file="/nowhere.wav"), "missing"),
    ],
)
def test_a_prompt_that_cannot_be_made_says_why(tmp_path: Path, prompt: Prompt, message: str) -> None:
    with pytest.raises(SpeechError, match=message):
        make(tmp_path, prompt)
    assert list(tmp_path.iterdir()) == []


def test_text_is_never_taken_for_an_option(tmp_path: Path) -> None:
    assert len(samples(make(tmp_path, Prompt(text="--version -w /tmp/x")))) > 4000
    assert len(samples(make(tmp_path, Prompt(text="  \n ")))) > 0


@pytest.mark.parametrize("sizes", [0, 2**31], ids=["none", "too large"])
def test_a_file_that_was_not_closed_is_mended(tmp_path: Path, sizes: int) -> None:
    whole = sound(tmp_path / "memo.wav", "synth", "1", "sine", "440").read_bytes()
    broken = whole[:4] + sizes.to_bytes(4, "little") + whole[8:40] + sizes.to_bytes(4, "little") + whole[44:]
    path = tmp_path / "broken.wav"
    path.write_bytes(broken)
    assert mend_file(path) == 1.0
    assert path.read_bytes() == whole
    with wave.open(BytesIO(path.read_bytes())) as file:
        assert file.getnframes() == 8000


@pytest.mark.parametrize("content", [None, b"", b"RIFF", bytes(100)])
def test_a_file_without_sound_has_no_length(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "memo.wav"
    if content is not None:
        path.write_bytes(content)
    assert mend_file(path) == 0.0
