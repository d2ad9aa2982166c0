"""What an agent survives: Redis without memory, silent hosts, more callers than it can serve; and its own death."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from media.agent.speech import cache_path
from media.protocol import HOSTS, Answer, Collect, Hangup, Play, Prompt, Record, Sign
from media.recordings import mend_file
from tests import support
from tests.sip import caller
from tests.sip.caller import Phone, occurrences, samples, similarity
from tests.sip.conftest import Bench
from tests.sip.driver import Driver, agent

TEXT = Prompt(text="This is the first sentence of the announcement. It is followed by another one, and then it ends.")


class Frail:
    """An agent on a Redis that can be stopped and comes back without its data."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._redis = ExitStack()
        self.url = self.start_redis()
        self.ports = support.free_ports(4)

    def start_redis(self) -> str:
        return self._redis.enter_context(support.redis_server(self.directory))

    def stop_redis(self) -> None:
        self._redis.close()
        self._redis = ExitStack()

    def phone(self, **plan: object) -> Phone:
        return Phone(
            target=f"sip:1000@127.0.0.1:{self.ports[0]}",
            caller="sip:+4930123456@127.0.0.1",
            **{"record": str(self.directory / "heard.wav"), "max_duration": 40, **plan},
        )


@pytest.fixture
def frail(data_dir: Path) -> Iterator[Frail]:
    frail = Frail(data_dir)
    yield frail
    frail.stop_redis()


def test_redis_goes_and_comes_back_empty_while_a_prompt_plays(frail: Frail) -> None:
    with agent(frail.directory, frail.url, frail.ports[0], rtp_port=24_400), Driver(frail.url) as driver:
        phone = frail.phone()
        line = driver.next_call()
        line.do(Answer())
        command = line.order(Play(TEXT))
        time.sleep(0.7)
        frail.stop_redis()
        time.sleep(1.0)
        frail.start_redis()
        assert line.wait("result", 15, command=command).data == {"result": {}}
        assert line.do(Hangup()) == {}
        assert line.wait("ended").data["cause"] == "hangup"
        assert phone.outcome()["result"] == "answered"
    expected = samples(cache_path(frail.directory / "cache" / "prompts", TEXT))
    assert occurrences(samples(frail.directory / "heard.wav"), expected) == 1


def test_keys_pressed_while_redis_is_away_are_served(frail: Frail) -> None:
    with agent(frail.directory, frail.url, frail.ports[0], rtp_port=24_400), Driver(frail.url) as driver:
        phone = frail.phone(press=",,42#")
        line = driver.next_call()
        line.do(Answer())
        command = line.order(Collect(TEXT, max_digits=4))
        time.sleep(0.5)
        frail.stop_redis()
        time.sleep(4.0)  # the keys come now
        frail.start_redis()
        answer = line.wait("result", 15, command=command)
        assert answer.data == {"result": {"digits": "42", "reason": "terminator"}}
        # A command that Redis lost is said again by the host's sweep; the agent did it once.
        line.order(Collect(TEXT, max_digits=4), id=command)
        assert line.do(Hangup()) == {}
        assert phone.outcome()["result"] == "answered"


def test_events_of_a_silent_host_go_to_a_living_one(bench: Bench) -> None:
    bench.driver.acknowledge = False
    phone = bench.phone()
    line = bench.driver.next_call()
    command = line.order(Answer())
    line.wait("result", command=command)
    with Driver(bench.redis_url, "interactive-2") as other:
        # The first host falls silent: its name stays in the hash, its beat stands still.
        bench.driver.__exit__()
        bench.driver.redis.hset(HOSTS, "interactive-1", Sign(boot="test", beat=1).encode())
        taken = other.next_call(15)
        assert taken.id == line.id
        taken.epoch = 2
        assert taken.wait("result", command=command).data == {"result": {}}
        assert taken.do(Play(Prompt(text="Here I am."))) == {}
        assert taken.do(Hangup()) == {}
    phone.outcome()


def test_unacknowledged_events_are_repeated(bench: Bench) -> None:
    bench.driver.acknowledge = False
    bench.phone(max_duration=6)
    line = bench.driver.next_call()
    support.wait_until(
        lambda: len([event for event in bench.driver.raw if event.seq == 1]) >= 2, 8, what="the repeated event"
    )
    assert {event.call for event in bench.driver.raw} == {line.id}


def test_a_caller_whom_no_host_takes_is_sent_away(data_dir: Path, redis_server: str) -> None:
    port, sip, *_, media = support.free_ports(12)
    with agent(data_dir, redis_server, port, rtp_port=24_600):
        target = f"127.0.0.1:{port}"
        with caller.Sipp(
            data_dir, caller.refused(503), "-s", "1000", port=sip, media_port=media, target=target
        ) as sipp:
            assert sipp.verdict(30) == 0


def test_a_third_caller_is_told_to_try_another_agent(bench: Bench) -> None:
    stay = caller.answered(bye=False)
    with bench.sipp(stay) as first, bench.sipp(stay) as second:
        lines = [bench.driver.next_call(), bench.driver.next_call()]
        for line in lines:
            line.do(Answer())
        support.wait_until(lambda: bench.driver.signs()["agent-1"].free == 0, what="a full agent")
        with bench.sipp(caller.refused(486)) as third:
            assert third.verdict() == 0
        for line in lines:
            line.do(Hangup())
        assert first.verdict() == second.verdict() == 0
        support.wait_until(lambda: bench.driver.signs()["agent-1"].free == 2, what="a free agent")


def test_a_killed_agent_leaves_a_recording_that_can_be_mended(bench: Bench) -> None:
    bench.phone(max_duration=8)
    line = bench.driver.next_call()
    line.do(Answer())
    path = bench.directory / "memo.wav"
    line.order(Record(str(path), beep=False, max_silence=20))
    support.wait_until(lambda: path.exists() and path.stat().st_size > 16_000, what="a second of recording")
    bench.agent.send_signal(signal.SIGKILL)
    bench.agent.wait(5)
    seconds = mend_file(path)
    assert seconds >= 0.9
    assert len(samples(path)) == pytest.approx(seconds * 8000, abs=100)


def test_an_agent_that_is_told_to_stop_hands_in_its_calls(bench: Bench) -> None:
    bench.phone(max_duration=8)
    line = bench.driver.next_call()
    line.do(Answer())
    path = bench.directory / "memo.wav"
    command = line.order(Record(str(path), beep=False, max_silence=20))
    support.wait_until(lambda: path.exists() and path.stat().st_size > 16_000, what="a second of recording")
    bench.agent.send_signal(signal.SIGTERM)
    assert bench.agent.wait(5) == 0
    assert line.wait("result", command=command).data["result"]["duration_s"] > 0.8
    assert line.wait("ended")
    assert "agent-1" not in bench.driver.signs()


def test_a_killed_agent_comes_back_without_its_calls(bench: Bench) -> None:
    bench.phone(max_duration=5)
    line = bench.driver.next_call()
    line.do(Answer())
    boot = bench.driver.signs()["agent-1"].boot
    bench.agent.send_signal(signal.SIGKILL)
    bench.agent.wait(5)
    with agent(bench.directory, bench.redis_url, bench.port, rtp_port=24_000):
        assert bench.driver.signs()["agent-1"].boot != boot
        command = line.order(Hangup())
        assert line.wait("unknown", command=command).verb == "hangup"


def test_two_hundred_quick_calls_leave_the_agent_as_it_was(bench: Bench) -> None:
    process = psutil.Process(bench.agent.pid)
    polite = caller.answered(caller.pause(120))
    with bench.sipp(polite, "-m", "40", "-r", "4", "-l", "1") as warm_up:
        serve(bench, 40)
        assert warm_up.verdict(60) == 0
    memory = process.memory_info().rss
    with bench.sipp(polite, "-m", "160", "-r", "6", "-l", "2") as sipp:
        serve(bench, 160)
        assert sipp.verdict(100) == 0
    assert bench.agent.poll() is None
    support.wait_until(lambda: bench.driver.signs()["agent-1"].free == 2, what="a free agent")
    assert process.memory_info().rss - memory < 12_000_000
    assert process.num_fds() < 60
    phone = bench.phone()
    line = bench.driver.next_call()
    line.do(Answer())
    line.do(Play(TEXT))
    line.do(Hangup())
    phone.outcome()
    expected = samples(cache_path(bench.directory / "cache" / "prompts", TEXT))
    assert similarity(samples(bench.directory / "heard.wav"), expected) > 0.95


def serve(bench: Bench, count: int) -> None:
    """Answer each call and begin to play, until its caller hangs up in the middle."""
    for _ in range(count):
        line = bench.driver.next_call(20)
        line.order(Answer())
        line.order(Play(Prompt(sound="beep")))
