"""The company menu, end to end: keys, silence, an extension on an independent phone, and new versions."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modules.portals.pbx.demo import extension_password
from tests import support
from tests.calls.audio import speak, tone_share
from tests.calls.baresip import phone
from tests.calls.talk import Dial, instances_of, path_of, spoken
from tests.deployment import ROOT, Platform
from tests.sip.caller import samples, similarity

CALLER = "+4930555{:04d}"


def finished(platform: Platform, caller: str) -> list[str]:
    """Return the path of the caller's one instance, once it has completed."""
    (instance,) = instances_of(platform, "company_ivr", caller)
    support.wait_until(
        lambda: platform.query("SELECT 1 FROM instance WHERE id = :id AND status = 'completed'", id=instance), 10
    )
    return path_of(platform, instance)


def test_a_key_reaches_an_extension_and_both_hear_each_other(each_platform: Platform, tmp_path: Path) -> None:
    settings = each_platform.settings
    password = extension_password(settings)
    words = speak(tmp_path / "words.wav", "Good morning. I would like to change my appointment on Thursday, please.")
    with phone(tmp_path / "phone", settings.sip_port, "201", password) as reception:
        support.wait_until(reception.registered, 10)
        call = Dial(
            each_platform,
            *("2000", CALLER.format(1), "--press", ",,1", "--speak", words, "--speak-after", "7"),
            *("--max-duration", "15", "--record", tmp_path / "heard.wav"),
        )
        assert call.outcome()["result"] == "answered"
        support.wait_until(lambda: "terminated" in reception.log, 5)
    assert "dial_reception" in finished(each_platform, CALLER.format(1))
    assert similarity(samples(reception.heard), samples(words)) > 0.8
    assert tone_share(samples(tmp_path / "heard.wav"), 440) > 0.5


def test_wrong_keys_and_silence_take_their_paths(each_platform: Platform, tmp_path: Path) -> None:
    wrong = Dial(each_platform, "2000", CALLER.format(2), "--press", ",,9", "--max-duration", "60", "--record",
                 tmp_path / "wrong.wav")  # fmt: skip
    silent = Dial(each_platform, "2000", CALLER.format(3), "--max-duration", "90", "--record", tmp_path / "silent.wav")
    assert wrong.outcome(100)["result"] == silent.outcome(100)["result"] == "answered"
    first = finished(each_platform, CALLER.format(2))
    assert first.count("count_mismatch") == 1
    assert "dial_reception" not in first
    second = finished(each_platform, CALLER.format(3))
    assert second.count("count_silence") == 3
    assert second[-4:] == ["hang_up", "talk_over", "on_the_line", "call_over"]
    goodbye = spoken(tmp_path / "prompts", "Thank you for calling. Goodbye.")
    assert similarity(samples(tmp_path / "silent.wav"), goodbye) > 0.8


@pytest.fixture
def swapped(tmp_path: Path) -> Path:
    """The shipped diagrams with the keys 1 and 2 of the menu exchanged."""
    folder = tmp_path / "portals"
    shutil.copytree(ROOT / "bpmn" / "portals", folder)
    diagram = folder / "company_ivr.bpmn"
    text = diagram.read_text()
    one, two = '=menu.digits = "1"', '=menu.digits = "2"'
    assert (text.count(one), text.count(two)) == (1, 1)
    diagram.write_text(text.replace(one, "=KEY").replace(two, one).replace("=KEY", two))
    return folder


def test_a_new_version_serves_the_next_call_and_leaves_the_one_in_the_menu_alone(
    platform: Platform, swapped: Path
) -> None:
    early = Dial(platform, "2000", CALLER.format(4), "--press", ",,,,,,,,1", "--max-duration", "12")
    support.wait_until(lambda: instances_of(platform, "company_ivr", CALLER.format(4)), 10)
    try:
        platform.cms("deploy", swapped)
        late = Dial(platform, "2000", CALLER.format(5), "--press", ",,1", "--max-duration", "6")
        assert early.outcome()["result"] == late.outcome()["result"] == "answered"
    finally:
        platform.cms("deploy", ROOT / "bpmn" / "portals")
    assert "dial_reception" in finished(platform, CALLER.format(4))
    assert "dial_sales" in finished(platform, CALLER.format(5))
