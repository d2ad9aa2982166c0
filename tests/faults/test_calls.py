"""Parts of the platform are killed while somebody is on the line: callers notice nothing, or are let go in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from engine.kernel.settings import Settings
from media.agent.speech import cache_path
from media.protocol import Prompt
from tests.deployment import Platform
from tests.faults.phone import Phone
from tests.sip.caller import occurrences, samples
from tests.support import wait_until

CALLER = "+4930123456"
MENU = "2000"
MEMO = "1000"


@pytest.fixture
def phone(each_platform: Platform) -> Iterator[Callable[[], Phone]]:
    """Phones of callers; put down at the end."""
    phones: list[Phone] = []

    def make() -> Phone:
        phones.append(Phone(each_platform.settings))
        return phones[-1]

    yield make
    for made in phones:
        made.put_down()


class Call:
    """What the platform knows of a phone's call."""

    def __init__(self, platform: Platform, phone: Phone) -> None:
        self.platform = platform
        found = wait_until(lambda: self._row(phone.call_id), what="a call with an instance")
        self.id, self.instance, self.agent = found["id"], found["instance_id"], found["agent"]

    def _row(self, sip_call_id: str) -> dict[str, Any] | None:
        rows = self.platform.query("SELECT * FROM call WHERE sip_call_id = :id", id=sip_call_id)
        return rows[0] if rows and rows[0]["instance_id"] else None

    @property
    def owner(self) -> str:
        """The host that has the call."""
        return str(self.platform.query("SELECT owner FROM call WHERE id = :id", id=self.id)[0]["owner"])

    def wait_until_at(self, element: str, timeout: float = 20) -> None:
        """Wait until a command for ``element`` is with the agent."""
        statement = "SELECT 1 FROM outbox WHERE instance_id = :id AND element_id = :element"
        wait_until(
            lambda: self.platform.query(statement, id=self.instance, element=element),
            timeout,
            what=f"token at {element}",
        )

    def steps(self, element: str) -> int:
        """How often ``element`` was completed."""
        statement = "SELECT 1 FROM history WHERE instance_id = :id AND element_id = :e AND outcome = 'completed'"
        return len(self.platform.query(statement, id=self.instance, e=element))

    def wait_for_end(self, timeout: float = 30) -> dict[str, Any]:
        """Wait until the instance has ended or needs people; return it."""
        statement = "SELECT status FROM instance WHERE id = :id"
        wait_until(
            lambda: self.platform.query(statement, id=self.instance)[0]["status"] not in ("running", "waiting"),
            timeout,
            what="the end of the instance",
        )
        shown: dict[str, Any] = orjson.loads(self.platform.cms("show", self.instance, "--json").stdout)
        return shown


def spoken(settings: Settings, text: str) -> np.ndarray[Any, Any]:
    """Return how the platform speaks a text."""
    path: Path = cache_path(settings.data_dir / "cache" / "prompts", Prompt(text=text, language="en"))
    return samples(path)


def times_heard(phone: Phone, settings: Settings, text: str) -> int:
    return occurrences(phone.heard, spoken(settings, text), threshold=0.5)


def test_a_key_pressed_while_the_host_is_dead_is_served(each_platform: Platform, phone: Callable[[], Phone]) -> None:
    caller = phone().call(MENU, CALLER)
    call = Call(each_platform, caller)
    call.wait_until_at("offer_menu")
    caller.wait_for_sound()
    each_platform.kill(call.owner)
    caller.press("9")
    wait_until(lambda: call.steps("count_mismatch") == 1, 10, what="the key")
    call.wait_until_at("offer_menu")
    caller.press("1")
    caller.wait_until_hung_up_on(40)
    shown = call.wait_for_end()
    assert shown["status"] == "completed"
    assert (call.steps("greet"), call.steps("offer_menu"), call.steps("say_try_again")) == (1, 2, 1)
    assert times_heard(caller, each_platform.settings, "That is not one of the choices.") == 1
    assert times_heard(caller, each_platform.settings, "Thank you for calling. Goodbye.") == 1


def test_redis_is_lost_during_a_play_and_a_collect(each_platform: Platform, phone: Callable[[], Phone]) -> None:
    caller = phone().call(MENU, CALLER)
    call = Call(each_platform, caller)
    call.wait_until_at("greet")
    each_platform.kill("redis")  # it keeps nothing on disk: what comes back is empty
    call.wait_until_at("offer_menu")
    caller.wait_for_sound()
    each_platform.kill("redis")
    caller.press("9")
    wait_until(lambda: call.steps("count_mismatch") == 1, 15, what="the key")
    call.wait_until_at("offer_menu")
    caller.press("1")
    caller.wait_until_hung_up_on(40)
    assert call.wait_for_end()["status"] == "completed"
    assert (call.steps("greet"), call.steps("offer_menu")) == (1, 2)
    assert times_heard(caller, each_platform.settings, "That is not one of the choices.") == 1
    assert times_heard(caller, each_platform.settings, "Thank you for calling. Goodbye.") == 1


def test_a_killed_agent_ends_its_calls_only(each_platform: Platform, phone: Callable[[], Phone]) -> None:
    first = phone().call(MENU, CALLER)
    lost = Call(each_platform, first)
    second = phone().call(MENU, "+4930123457")
    kept = Call(each_platform, second)
    assert lost.agent != kept.agent, "the edge gives the next call to the agent with most room"
    lost.wait_until_at("offer_menu")
    kept.wait_until_at("offer_menu")
    each_platform.kill(lost.agent)
    killed = time.monotonic()
    first.wait_until_hung_up_on(10)
    assert time.monotonic() - killed < 3
    assert lost.wait_for_end()["status"] == "completed"
    assert lost.steps("hung_up") == 1, "the diagram took its hang-up path"
    second.press("9")
    wait_until(lambda: kept.steps("count_mismatch") == 1, 10, what="the key of the other call")
    second.hang_up()
    assert kept.wait_for_end()["status"] == "completed"
    each_platform.wait_until_ready()  # the agent is back, and takes calls
    third = phone().call(MENU, CALLER)
    Call(each_platform, third).wait_until_at("offer_menu")
    third.hang_up()
