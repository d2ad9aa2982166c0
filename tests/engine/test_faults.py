"""Real processes, killed in the worst moments: nothing is lost and nothing is done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis

from engine import api
from engine.kernel.db import unit_of_work
from engine.kernel.settings import Settings
from tests.engine import process as _process  # noqa: F401 - registers the operations that lint asks for
from tests.engine.conftest import TENANT, Engine
from tests.engine.diagrams import element, end, flows, message, script, service, start, timer
from tests.support import program, wait_until

HANG_UP = '<bpmn:message id="ended" name="call.ended"/>'

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def launch(engine: Engine, settings: Settings) -> Iterator[Start]:
    """Start a process: ``launch("host", "host-1")``."""
    environment = {
        **os.environ,
        "CMS_DATA_DIR": str(settings.data_dir),
        "CMS_DATABASE_URL": settings.database_url,
        "CMS_REDIS_URL": settings.redis_url,
    }
    with ExitStack() as stack:

        def start_process(kind: str, name: str = "host-1") -> subprocess.Popen[bytes]:
            argv = [sys.executable, "-m", "tests.engine.process", kind, name]
            return stack.enter_context(program(argv, env=environment))

        yield start_process


def kill(victim: subprocess.Popen[bytes]) -> None:
    """Kill -9."""
    victim.send_signal(signal.SIGKILL)
    victim.wait()


def status(instance: str) -> str:
    with unit_of_work(write=False):
        return api.statuses([instance])[instance]


def completes(instance: str, timeout: float = 20) -> Any:
    return wait_until(lambda: status(instance) == "completed", timeout=timeout, what=f"{instance} completes")


def test_host_killed_in_the_midst_of_a_transactional_operation(
    engine: Engine, settings: Settings, launch: Start
) -> None:
    body = start() + service("hold", "test.hold", note="x") + end() + flows("start>hold>end")
    definition = engine.deploy(body)
    (settings.data_dir / "hold").touch()
    host = launch("host")
    instance = engine.start(definition, run=False)
    wait_until((settings.data_dir / "held").exists, timeout=20, what="the operation")
    kill(host)
    (settings.data_dir / "hold").unlink()
    assert engine.effects() == 0
    launch("host")
    completes(instance)
    assert engine.effects() == 1
    assert engine.path(instance) == ["start", "hold", "end"]


def test_host_killed_between_commit_and_sending(engine: Engine, settings: Settings, launch: Start) -> None:
    ended = start("hung_up", message("ended")) + end("gone") + flows("hung_up>gone")
    inner = (
        start("opens")
        + service("play", "test.play", call="c1")
        + end("over")
        + flows("opens>play>over")
        + element("subProcess", "hang_up", ended, triggeredByEvent="true")
    )
    definition = engine.deploy(
        start() + element("subProcess", "line", inner) + end() + flows("start>line>end"), definitions=HANG_UP
    )
    (settings.data_dir / "die").touch()
    host = launch("host")
    instance = engine.start(definition, run=False)
    assert host.wait(20) == -signal.SIGKILL
    sent = settings.data_dir / "sent"
    assert not sent.exists()
    launch("host")
    wait_until(sent.exists, timeout=20, what="the command")
    token, attempt = sent.read_text().splitlines()[0].split(":")
    with unit_of_work():
        api.resume(instance, token, int(attempt), key="answer")
    completes(instance)


def test_worker_killed_in_the_midst_of_an_external_operation(engine: Engine, settings: Settings, launch: Start) -> None:
    definition = engine.deploy(
        start() + service("hold", "test.hold_outside", note="x") + end() + flows("start>hold>end")
    )
    (settings.data_dir / "hold").touch()
    launch("host")
    launch("clock", "clock")
    worker = launch("worker", "worker-1")
    instance = engine.start(definition, run=False)
    wait_until((settings.data_dir / "held").exists, timeout=20, what="the operation")
    kill(worker)
    (settings.data_dir / "hold").unlink()
    launch("worker", "worker-1")
    completes(instance)
    assert engine.effects() == 1


def test_two_hosts_one_of_them_killed_share_the_work_exactly_once(engine: Engine, launch: Start) -> None:
    turns = 8
    body = (
        start()
        + element("exclusiveGateway", "again")
        + service("count", "test.count", note="x")
        + script("add", "n = n + 1")
        + element("intermediateCatchEvent", "wait", timer("PT0.05S"))
        + element("exclusiveGateway", "more", default="more_again")
        + end()
        + flows("start>again>count>add>wait>more>again", f"more>end:=n >= {turns}")
    )
    definition = engine.deploy(body)
    hosts = [launch("host", f"host-{number}") for number in (1, 2)]
    launch("clock", "clock")
    with unit_of_work():
        instances = [
            api.start(definition_id=definition, tenant_id=TENANT, data={"n": 0}, key=str(number))
            for number in range(20)
        ]
    wait_until(lambda: engine.effects() > 20, timeout=30, what="the first turns")
    kill(hosts[0])
    wait_until(lambda: engine.effects() > 80, timeout=40, what="the survivor's turns")
    launch("host", "host-1")
    for instance in instances:
        completes(instance, timeout=60)
    assert engine.effects() == 20 * turns
    for instance in instances:
        assert engine.path(instance).count("count") == turns


def test_redis_may_lose_everything(engine: Engine, settings: Settings, launch: Start) -> None:
    body = start() + element("intermediateCatchEvent", "wait", message("ended")) + end() + flows("start>wait>end")
    definition = engine.deploy(body, definitions=HANG_UP)
    launch("host")
    first = engine.start(definition, run=False)
    wait_until(lambda: status(first) == "waiting", timeout=20, what="the host")
    with redis.Redis.from_url(settings.redis_url) as client:
        client.flushall()
    with unit_of_work():
        api.send_message("call.ended", tenant_id=TENANT, payload={}, instance_id=first, key="m")
    completes(first, timeout=5)
    second = engine.start(definition, run=False)
    wait_until(lambda: status(second) == "waiting", timeout=5, what="the second instance")


def test_stale_copy_of_another_host_is_not_used(engine: Engine) -> None:
    body = start() + element("intermediateCatchEvent", "wait", message("ended")) + script("add", "n = n + 1")
    loop = flows("start>wait>add>wait")
    definition = engine.deploy(body + loop, definitions=HANG_UP)
    instance = engine.start(definition, {"n": 0})
    other = type(engine.host)("host-2", "interactive", [])
    other.silent = frozenset({"host-1"})
    engine.host.silent = frozenset({"host-2"})
    for number in range(6):
        with unit_of_work():
            api.send_message("call.ended", tenant_id=TENANT, payload={}, instance_id=instance, key=f"m{number}")
        (other if number % 2 else engine.host)._advance(instance)
    assert engine.show(instance)["data"] == {"n": 6}
