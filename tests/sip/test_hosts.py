"""Calls through a real host: the diagram is followed, and goes on whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine import api
from engine.kernel.db import db, unit_of_work
from engine.kernel.settings import Settings
from media.agent.speech import cache_path
from media.models import Call, Recording
from media.protocol import Prompt
from tests import support
from tests.sip.caller import Phone, occurrences, samples, similarity, sound
from tests.sip.driver import agent
from tests.sip.host import TENANT

ROOT = Path(__file__).parents[2]
QUESTION = Prompt(text="Please press a key of your choice.")


class Exchange:
    """Hosts and one agent on one database and one Redis."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.directory = settings.data_dir
        self.port = support.free_ports(20)[-1]
        self._running = ExitStack()
        with unit_of_work():
            diagram = (Path(__file__).parent / "diagrams" / "echo.bpmn").read_bytes()
            api.deploy({"echo.bpmn": diagram}, tenant_id=TENANT, actor_id="system")

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def host(self, name: str) -> subprocess.Popen[bytes]:
        """Start a host and wait until it lives."""
        environ = {
            **os.environ,
            "CMS_DATA_DIR": str(self.settings.data_dir),
            "CMS_DATABASE_URL": self.settings.database_url,
            "CMS_REDIS_URL": self.settings.redis_url,
        }
        log = self._running.enter_context((self.directory / f"{name}.log").open("ab"))
        argv = [sys.executable, "-m", "tests.sip.host", name]
        process = self._running.enter_context(support.program(argv, cwd=ROOT, env=environ, stdout=log, stderr=log))
        support.wait_until(lambda: "host_ready" in (self.directory / f"{name}.log").read_text(), 30, what=name)
        return process

    def agent(self) -> Any:
        """Start the agent."""
        return self._running.enter_context(agent(self.directory, self.settings.redis_url, self.port, rtp_port=24_800))

    def phone(self, **plan: Any) -> Phone:
        """Call."""
        return Phone(
            target=f"sip:1000@127.0.0.1:{self.port}",
            caller="sip:+4930123456@127.0.0.1",
            **{"record": str(self.directory / "heard.wav"), "max_duration": 60, **plan},
        )

    def call(self) -> Call | None:
        """Return the only call."""
        with unit_of_work(write=False):
            found: Call | None = db.session.scalar(select(Call))
            return found

    def waits_at(self, element: str) -> bool:
        """Whether the call's instance has a token there."""
        call = self.call()
        if call is None or call.instance_id is None:
            return False
        with unit_of_work(write=False):
            return any(token["element"] == element for token in api.show(call.instance_id)["tokens"])

    def finished(self, timeout: float = 20) -> dict[str, Any]:
        """Wait until the instance has completed and return it."""
        call = self.call()
        assert call is not None
        assert call.instance_id

        def completed() -> dict[str, Any] | None:
            with unit_of_work(write=False):
                shown = api.show(call.instance_id or "")
            return shown if shown["status"] == "completed" else None

        shown: dict[str, Any] = support.wait_until(completed, timeout, 0.1, what="the end of the instance")
        return shown

    def heard(self, prompt: Prompt) -> int:
        """Return how often the caller has heard a prompt."""
        expected = samples(cache_path(self.directory / "cache" / "prompts", prompt))
        return occurrences(samples(self.directory / "heard.wav"), expected)

    def logs(self) -> str:
        """Return what hosts have written."""
        return "\n".join(path.read_text()[-4000:] for path in self.directory.glob("*.log"))


@pytest.fixture
def exchange(app: object, settings: Settings) -> Iterator[Exchange]:
    with Exchange(settings) as exchange:
        yield exchange
        sys.stderr.write(exchange.logs())  # shown when the test fails


sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_a_call_goes_through_its_diagram(exchange: Exchange) -> None:
    exchange.host("interactive-1")
    exchange.agent()
    words = sound(exchange.directory / "words.wav", "synth", "1.5", "sine", "400-1600", "vol", "0.5")
    outcome = exchange.phone(press=",7", speak=str(words)).outcome()
    assert outcome["result"] == "answered"
    assert outcome["events"][-1]["event"] == "hangup"
    shown = exchange.finished()
    assert shown["data"]["key"] == "7"
    assert shown["data"]["outcome"] == "done"
    assert exchange.heard(Prompt(text="You have pressed 7")) == 1
    call = exchange.call()
    assert call is not None
    assert (call.state, call.cause) == ("ended", "hangup")
    with unit_of_work(write=False):
        recording = db.session.get(Recording, shown["data"]["memo"]["recording"])
        assert recording is not None
        assert recording.call_id == call.id
        assert similarity(samples(exchange.settings.files_dir / recording.path), samples(words)) > 0.95


@sqlite
def test_a_caller_who_hangs_up_leaves_the_rest_to_the_diagram(exchange: Exchange) -> None:
    exchange.host("interactive-1")
    exchange.agent()
    phone = exchange.phone()
    support.wait_until(lambda: exchange.waits_at("ask"), 20, what="the question")
    time.sleep(0.5)
    phone.hang_up()
    shown = exchange.finished()
    assert shown["data"]["outcome"] == "done"
    assert shown["data"]["cause"] == "hangup"
    assert not shown["incidents"]


@pytest.mark.parametrize("spare", [False, True], ids=["one_host", "two_hosts"])
def test_a_host_killed_in_the_menu_is_replaced_and_nothing_is_said_twice(exchange: Exchange, spare: bool) -> None:
    host = exchange.host("interactive-1")
    exchange.agent()
    phone = exchange.phone(press=",,,5")
    support.wait_until(lambda: exchange.waits_at("ask"), 20, what="the question")
    time.sleep(2.3)
    host.send_signal(signal.SIGKILL)  # within a second of the key
    host.wait(5)
    exchange.host("interactive-2" if spare else "interactive-1")
    support.wait_until(lambda: exchange.waits_at("record"), 20, what="the recording")
    assert phone.outcome()["result"] == "answered"
    assert exchange.finished()["data"]["key"] == "5"
    assert exchange.heard(QUESTION) <= 1
    assert exchange.heard(Prompt(text="You have pressed 5")) == 1
    call = exchange.call()
    assert call is not None
    assert call.owner == ("interactive-2" if spare else "interactive-1")


@sqlite
def test_the_calls_of_a_killed_agent_end_on_the_hang_up_path(exchange: Exchange) -> None:
    exchange.host("interactive-1")
    process = exchange.agent()
    exchange.phone(press=",7", max_duration=10)
    support.wait_until(lambda: exchange.waits_at("record"), 20, what="the recording")
    time.sleep(2)
    began = time.monotonic()
    process.send_signal(signal.SIGKILL)
    shown = exchange.finished()
    assert time.monotonic() - began < 4
    call = exchange.call()
    assert call is not None
    assert call.cause == "agent_lost"
    with unit_of_work(write=False):
        recording = db.session.scalar(select(Recording))
        assert recording is not None
        assert recording.reason == "agent_lost"
        assert recording.duration_s > 1
        assert len(samples(exchange.settings.files_dir / recording.path)) == pytest.approx(
            recording.duration_s * 8000, abs=160
        )
    assert shown["data"]["memo"]["reason"] == "hangup"
    assert shown["data"]["outcome"] == "done"
