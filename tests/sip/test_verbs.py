"""What callers hear and press: each verb of a real agent, seen from the far end."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from media.agent.speech import cache_path
from media.protocol import Answer, Cancel, Collect, Hangup, Play, Prompt, Record, Reject, SendDtmf
from tests import support
from tests.sip import caller
from tests.sip.caller import occurrences, samples, similarity, sound
from tests.sip.conftest import Bench
from tests.sip.driver import Line

needs_raw_sockets = pytest.mark.skipif(os.geteuid() != 0, reason="SIPp plays telephone events only as root")
LONG = Prompt(text="This announcement is rather long, and it goes on for a while, so that keys can be pressed.")


def spoken(bench: Bench, prompt: Prompt) -> Path:
    """Return the file that the agent has rendered."""
    return cache_path(bench.directory / "cache" / "prompts", prompt)


def answer(bench: Bench) -> Line:
    """Answer the next call."""
    line = bench.driver.next_call()
    assert line.do(Answer()) == {}
    return line


def test_a_caller_hears_what_is_said_and_played(bench: Bench) -> None:
    chirp = sound(bench.directory / "chirp.wav", "synth", "1", "sine", "300-2000", "vol", "0.4")
    phone = bench.phone()
    line = answer(bench)
    assert line.incoming.data["from"] == "+4930123456"
    assert line.incoming.data["to"] == "1000"
    said, other = Prompt(text="Good morning, Amara Okafor."), Prompt(text="Good morning, Benedikt Sommer.")
    assert line.do(Play(said)) == {}
    assert line.do(Play(Prompt(file=str(chirp)))) == {}
    assert line.do(Play(Prompt(file="/nowhere.wav"))) == "call.prompt_missing"
    assert line.do(Play(Prompt(text="Hello", language="xx-none"))) == "call.prompt_missing"
    line.do(Hangup())
    assert line.wait("ended").data["cause"] == "hangup"
    outcome = phone.outcome()
    assert outcome["result"] == "answered"
    assert [item["event"] for item in outcome["events"]] == ["calling", "ringing", "answered", "hangup"]
    heard = samples(bench.directory / "heard.wav")
    assert similarity(heard, samples(spoken(bench, said))) > 0.95
    assert similarity(heard, samples(chirp)) > 0.95
    assert other != said
    phone_words = sound(bench.directory / "other.wav", "synth", "1", "sine", "700")
    assert similarity(heard, samples(phone_words)) < 0.5


def test_keys_cut_a_prompt_short_and_are_collected(bench: Bench) -> None:
    phone = bench.phone(press=",12#")
    line = answer(bench)
    began = time.monotonic()
    assert line.do(Collect(LONG, max_digits=5)) == {"digits": "12", "reason": "terminator"}
    assert time.monotonic() - began < 4, "the prompt takes more than five seconds"
    line.do(Hangup())
    assert phone.outcome()["result"] == "answered"


def test_keys_pressed_ahead_answer_the_next_question(bench: Bench) -> None:
    bench.phone(press="123")
    line = answer(bench)
    assert line.do(Play(Prompt(text="Welcome to the company, how are you?"))) == {}
    began = time.monotonic()
    assert line.do(Collect(LONG, max_digits=2)) == {"digits": "12", "reason": "digits"}
    assert time.monotonic() - began < 1
    assert line.do(Collect(max_digits=2, inter_digit_timeout=0.4)) == {"digits": "3", "reason": "timeout"}
    line.do(Hangup())


def test_without_barge_in_the_prompt_is_heard_to_its_end(bench: Bench) -> None:
    prompt = Prompt(text="Please listen to the whole of this.")
    phone = bench.phone(press="7")
    line = answer(bench)
    assert line.do(Collect(prompt, barge_in=False)) == {"digits": "7", "reason": "digits"}
    line.do(Hangup())
    phone.outcome()
    assert similarity(samples(bench.directory / "heard.wav"), samples(spoken(bench, prompt))) > 0.95


def test_silence_is_no_input(bench: Bench) -> None:
    bench.phone()
    line = answer(bench)
    assert line.do(Collect(max_digits=4, first_digit_timeout=0.6)) == {"digits": "", "reason": "no_input"}
    line.do(Hangup())


@needs_raw_sockets
def test_keys_of_another_vendor_arrive(bench: Bench) -> None:
    steps = [step for digit in "12#" for step in (caller.pause(500), caller.key(digit))]
    with bench.sipp(caller.answered(*steps, bye=False)) as sipp:
        line = answer(bench)
        assert line.do(Collect(max_digits=5)) == {"digits": "12", "reason": "terminator"}
        line.do(Hangup())
        assert sipp.verdict() == 0


def test_keys_in_info_requests_arrive(bench: Bench) -> None:
    keys = caller.info_key("4", 2) + caller.pause(200) + caller.info_key("2", 3)
    with bench.sipp(caller.answered(caller.pause(300), keys, bye=False)) as sipp:
        line = answer(bench)
        assert line.do(Collect(max_digits=2)) == {"digits": "42", "reason": "digits"}
        line.do(Hangup())
        assert sipp.verdict() == 0


def test_a_recording_ends_with_silence_and_sounds_like_the_caller(bench: Bench) -> None:
    speech = sound(bench.directory / "speech.wav", "synth", "2", "sine", "300-1500", "vol", "0.5")
    phone = bench.phone(speak=str(speech))
    line = answer(bench)
    line.do(Play(Prompt(text="Please speak after the tone.")))
    path = bench.directory / "memo.wav"
    result = line.do(Record(str(path), max_silence=1.5))
    assert result["reason"] == "silence"
    recorded = samples(path)
    assert result["duration_s"] == pytest.approx(len(recorded) / 8000, abs=0.02)
    assert 3.4 < result["duration_s"] < 7
    assert similarity(recorded, samples(speech)) > 0.95
    line.do(Hangup())
    events = [item["event"] for item in phone.outcome()["events"]]
    assert events == ["calling", "ringing", "answered", "heard", "speaking", "spoken", "hangup"]


def test_a_recording_ends_with_a_key_or_its_time(bench: Bench) -> None:
    bench.phone(press=",#")
    line = answer(bench)
    result = line.do(Record(str(bench.directory / "key.wav"), beep=False))
    assert result["reason"] == "key"
    assert 0.5 < result["duration_s"] < 3
    result = line.do(Record(str(bench.directory / "maximum.wav"), max_duration=1, beep=False))
    assert result["reason"] == "maximum"
    assert result["duration_s"] == pytest.approx(1, abs=0.25)
    line.do(Hangup())


def test_hanging_up_hands_in_the_recording_before_the_end(bench: Bench) -> None:
    phone = bench.phone()
    line = answer(bench)
    path = bench.directory / "memo.wav"
    command = line.order(Record(str(path), beep=False))
    support.wait_until(path.exists, what="the recording")
    time.sleep(1.0)
    phone.hang_up()
    ended = line.wait("ended")
    result = line.wait("result", command=command)
    assert result.seq < ended.seq
    assert result.data["result"]["reason"] == "hangup"
    assert result.data["result"]["duration_s"] == pytest.approx(len(samples(path)) / 8000, abs=0.02)
    assert result.data["result"]["duration_s"] > 0.7


def test_who_waits_for_a_caller_that_has_gone_is_told_after_the_end(bench: Bench) -> None:
    phone = bench.phone()
    line = answer(bench)
    playing = line.order(Play(LONG))
    waiting = line.order(Collect())
    time.sleep(0.5)
    phone.hang_up()
    ended = line.wait("ended")
    assert ended.data["cause"] == "hangup"
    for command in (playing, waiting, line.order(Play(LONG))):
        answer_ = line.wait("result", command=command)
        assert answer_.data["error"]["code"] == "call.ended"
        assert answer_.seq > ended.seq


def test_a_cancelled_command_stops_and_is_not_answered(bench: Bench) -> None:
    phone = bench.phone()
    line = answer(bench)
    playing = line.order(Play(LONG))
    time.sleep(0.5)
    line.order(Cancel(playing))
    line.order(Cancel("never:1"))
    line.order(Play(LONG), id="never:1")
    began = time.monotonic()
    assert line.do(Collect(first_digit_timeout=0.3))["reason"] == "no_input"
    assert time.monotonic() - began < 1
    line.do(Hangup())
    phone.outcome()
    assert not [event for event in line.events if event.id in (playing, "never:1")]


def test_keys_are_sent_to_the_caller(bench: Bench) -> None:
    phone = bench.phone()
    line = answer(bench)
    assert line.do(SendDtmf("5")) == {}
    line.do(Collect(first_digit_timeout=0.7))
    line.do(Hangup())
    assert [item["digit"] for item in phone.outcome()["events"] if item["event"] == "dtmf"] == ["5"]


def test_a_call_is_refused_with_the_reason(bench: Bench) -> None:
    with bench.sipp(caller.refused(404)) as sipp:
        line = bench.driver.next_call()
        assert line.do(Reject(404)) == {}
        assert line.wait("ended").data["cause"] == "rejected"
        assert sipp.verdict() == 0


def test_nothing_is_played_before_the_answer(bench: Bench) -> None:
    bench.phone()
    line = bench.driver.next_call()
    assert line.do(Play(LONG)) == "call.not_answered"
    line.do(Hangup())
    assert line.wait("ended").data["answered"] is False


def test_a_command_is_done_once_and_answered_again(bench: Bench) -> None:
    prompt = Prompt(text="Once is enough.")
    phone = bench.phone()
    line = answer(bench)
    for _ in range(3):
        line.order(Play(prompt), id="token:1")
    first = line.wait("result", command="token:1")
    support.wait_until(lambda: _acknowledged(bench, line, first.seq), what="the acknowledgement")
    line.order(Play(prompt), id="token:1")
    support.wait_until(
        lambda: len([event for event in line.events if event.id == "token:1"]) == 2, what="the kept answer"
    )
    line.do(Hangup())
    phone.outcome()
    heard = samples(bench.directory / "heard.wav")
    assert occurrences(heard, samples(spoken(bench, prompt))) == 1


def _acknowledged(bench: Bench, line: Line, seq: int) -> bool:
    """Whether a later command was answered: the acknowledgement before it has arrived by then."""
    return line.do(Collect(first_digit_timeout=0.1))["reason"] == "no_input"


def test_commands_of_an_older_epoch_are_refused(bench: Bench) -> None:
    bench.phone()
    line = answer(bench)
    line.epoch = 3
    assert line.do(Collect(first_digit_timeout=0.1))["reason"] == "no_input"
    stale = line.order(Hangup(), epoch=2)
    assert line.do(Collect(first_digit_timeout=0.5))["reason"] == "no_input"
    assert not [event for event in line.events if event.id == stale]
    line.do(Hangup())
