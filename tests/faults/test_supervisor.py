"""The supervisor: restarts at once, and no child outlives it."""

from __future__ import annotations

import os
import signal
import time

import psutil

from tests.deployment import Platform
from tests.deployment import platform as platform_of_its_own
from tests.support import wait_until


def test_a_killed_child_comes_back_within_300_ms(platform: Platform) -> None:
    old = platform.kill("redis")
    killed = time.monotonic()
    started = psutil.Process(wait_until(lambda: (pid := platform.pid("redis")) != old and pid)).create_time()
    assert started - (time.time() - (time.monotonic() - killed)) < 0.3
    assert "redis was ended by SIGKILL; starting it again" in platform.console


def test_a_killed_supervisor_leaves_nothing_behind() -> None:
    with platform_of_its_own() as running:
        assert running.process is not None
        family = psutil.Process(running.process.pid).children(recursive=True)
        assert len(family) >= 3
        running.process.kill()
        running.process.wait()
        _, alive = psutil.wait_procs(family, timeout=3)
        assert [f"{child.pid} {child.cmdline()}" for child in alive] == []
        running.start()  # and nothing that was left on disk or on ports hinders the next start


def test_two_runs_on_one_data_directory_are_refused(platform: Platform) -> None:
    second = platform.cms("run", check=False)
    assert second.returncode == 1
    assert "is in use by another ./cms run" in second.stderr
    assert str(platform.process and platform.process.pid) in second.stderr


def test_ctrl_c_ends_every_process() -> None:
    with platform_of_its_own() as running:
        assert running.process is not None
        family = psutil.Process(running.process.pid).children(recursive=True)
        os.kill(running.process.pid, signal.SIGINT)
        assert running.process.wait(15) == 0
        _, alive = psutil.wait_procs(family, timeout=1)
        assert alive == []
