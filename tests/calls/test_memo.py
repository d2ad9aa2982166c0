"""The memo line, end to end: real calls to a running platform, on each database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests import support
from tests.calls.audio import speak
from tests.calls.talk import Dial, instances_of, path_of, spoken
from tests.deployment import Platform
from tests.sip.caller import samples, similarity

AMARA, BENEDIKT, STRANGER = "+4930123456", "+4930123457", "+4930999999"
GREETING = "Please leave your memo after the tone. Press hash or hang up when you have finished."
REFUSAL = "Hello. This number takes memos from registered callers only. Thank you for calling. Goodbye."
TALK = ["call_arrives", "find_contact", "choose_treatment", "line_opens", "answer", "how_treated"]
KEPT = ["on_the_line", "anything_said", "store_memo", "mail_owner"]


def stored(platform: Platform, file_id: str) -> Path:
    (row,) = platform.query("SELECT path FROM stored_file WHERE id = :id", id=file_id)
    return platform.settings.files_dir / row["path"]


def memos_of(platform: Platform, caller: str) -> list[dict[str, Any]]:
    return platform.query("SELECT * FROM memo WHERE caller = :caller ORDER BY created_at", caller=caller)


def waiting_tasks(platform: Platform, instance_id: str) -> list[dict[str, Any]]:
    return platform.query("SELECT * FROM user_task WHERE instance_id = :id", id=instance_id)


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("speech")
    return {
        AMARA: speak(directory / "amara.wav", "The crown for room three is ready. Please call me back tomorrow."),
        BENEDIKT: speak(directory / "ben.wav", "I cannot come on Friday. Do you have anything free next week?"),
    }


def test_two_known_callers_are_greeted_by_name_and_leave_one_memo_each(
    each_platform: Platform, speech: dict[str, Path], tmp_path: Path
) -> None:
    before = {caller: len(memos_of(each_platform, caller)) for caller in speech}
    calls = {
        caller: Dial(each_platform, "1000", caller, "--speak", words, "--record", tmp_path / f"{caller}.wav")
        for caller, words in speech.items()
    }
    for call in calls.values():
        assert call.outcome()["result"] == "answered"

    names = {AMARA: "Amara Okafor", BENEDIKT: "Benedikt Sommer"}
    greetings = {caller: spoken(tmp_path / "prompts", f"Hello {name}. {GREETING}") for caller, name in names.items()}
    named = {caller: spoken(tmp_path / "prompts", f"Hello {name}.") for caller, name in names.items()}
    other = {AMARA: BENEDIKT, BENEDIKT: AMARA}
    for caller in calls:
        heard = samples(tmp_path / f"{caller}.wav")
        assert similarity(heard, greetings[caller]) > 0.8
        assert similarity(heard, named[caller]) > similarity(heard, named[other[caller]]) + 0.2
        memo = _only_memo(each_platform, caller, before[caller])
        recording = stored(each_platform, memo["recording_file"])
        assert similarity(samples(recording), samples(speech[caller])) > 0.8
        _mailed_once(each_platform, memo, recording)
        instance = memo["instance_id"]
        tasks = support.wait_until(lambda id=instance: waiting_tasks(each_platform, id), 10)
        assert [(task["name"], task["status"]) for task in tasks] == [("Review memo", "open")]
        spoke = ["greet_by_name", "record_memo", "thank", "hang_up", "talk_over"]
        assert path_of(each_platform, instance) == TALK + spoke + KEPT
        assert each_platform.query("SELECT id FROM incident WHERE instance_id = :id", id=instance) == []


def _only_memo(platform: Platform, caller: str, before: int) -> dict[str, Any]:
    memos = support.wait_until(lambda: memos_of(platform, caller)[before:], 10)
    assert len(memos) == 1
    memo: dict[str, Any] = memos[0]
    return memo


def _mailed_once(platform: Platform, memo: dict[str, Any], recording: Path) -> None:
    def mails() -> list[dict[str, Any]]:
        return platform.query("SELECT * FROM caught_mail WHERE instance_id = :id", id=memo["instance_id"])

    (mail,) = support.wait_until(mails, 10)
    attachments = mail["attachments"]
    (attached,) = orjson.loads(attachments) if isinstance(attachments, str) else attachments
    assert stored(platform, attached["file"]).read_bytes() == recording.read_bytes()


def test_an_unknown_caller_hears_a_polite_refusal_and_leaves_nothing(each_platform: Platform, tmp_path: Path) -> None:
    outcome = Dial(each_platform, "1000", STRANGER, "--record", tmp_path / "heard.wav").outcome()
    assert outcome["result"] == "answered"
    assert similarity(samples(tmp_path / "heard.wav"), spoken(tmp_path / "prompts", REFUSAL)) > 0.8
    assert memos_of(each_platform, STRANGER) == []
    instance = instances_of(each_platform, "clid_memo", STRANGER)[-1]
    support.wait_until(
        lambda: each_platform.query("SELECT 1 FROM instance WHERE id = :id AND status = 'completed'", id=instance), 5
    )
    assert path_of(each_platform, instance)[: len(TALK) + 1] == [*TALK, "refuse"]
    assert "record_memo" not in path_of(each_platform, instance)


def test_who_hangs_up_while_speaking_leaves_what_was_said(
    platform: Platform, speech: dict[str, Path], tmp_path: Path
) -> None:
    before = len(memos_of(platform, AMARA))
    outcome = Dial(
        platform, "1000", AMARA, "--speak", speech[AMARA], "--max-duration", "12", "--record", tmp_path / "h.wav"
    ).outcome()
    assert outcome["result"] == "answered"
    memo = _only_memo(platform, AMARA, before)
    recording = samples(stored(platform, memo["recording_file"]))
    said = samples(speech[AMARA])
    assert similarity(recording, said[: min(len(said), len(recording)) // 2]) > 0.7
    rows = platform.query("SELECT reason FROM recording WHERE id = :id", id=memo["recording_id"])
    assert rows == [{"reason": "hangup"}]


def test_who_hangs_up_during_the_greeting_leaves_nothing(platform: Platform) -> None:
    before = len(memos_of(platform, BENEDIKT))
    Dial(platform, "1000", BENEDIKT, "--max-duration", "2").outcome()
    instance = instances_of(platform, "clid_memo", BENEDIKT)[-1]
    support.wait_until(
        lambda: platform.query("SELECT 1 FROM instance WHERE id = :id AND status = 'completed'", id=instance), 5
    )
    assert "store_memo" not in path_of(platform, instance)
    assert len(memos_of(platform, BENEDIKT)) == before
