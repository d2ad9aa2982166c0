"""The doctor tells which part is stuck, by trying what it does."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import psutil
import pytest

from tests.deployment import Platform


@contextmanager
def stuck(pid: int) -> Iterator[None]:
    """Stop a process and its children, as one that hangs; let them go on at the end."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for member in family:
        os.kill(member.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for member in family:
            os.kill(member.pid, signal.SIGCONT)


def wrong(platform: Platform) -> dict[str, str]:
    """Return what the doctor finds wrong, with the remedies."""
    done = platform.cms("doctor", "--json", check=False, timeout=60)
    found = orjson.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1)
    return {probe["name"]: probe["remedy"] for probe in found["probes"] if not probe["ok"]}


def test_nothing_is_wrong_with_a_healthy_platform(platform: Platform) -> None:
    platform.wait_for_reporter()
    assert wrong(platform) == {}


@pytest.mark.parametrize(
    ("process", "name"),
    [
        ("web", "web"),
        ("interactive-1", "interactive-1"),
        ("batch-1", "batch-1"),
        ("worker-1", "worker"),
        ("clock", "clock"),
        ("agent-2", "agent-2"),
        ("kamailio", "sip"),
        ("rtpengine", "rtpengine"),
        ("reporter", "reporter"),
        ("catcher", "catcher"),
        ("redis", "redis"),
    ],
)
def test_a_part_that_hangs_is_named(platform: Platform, process: str, name: str) -> None:
    with stuck(platform.pid(process)):
        found = wrong(platform)
    assert name in found
    assert found[name], "and how to mend it"


def test_a_supervisor_that_hangs_is_named(platform: Platform) -> None:
    assert platform.process is not None
    os.kill(platform.process.pid, signal.SIGSTOP)
    try:
        assert "supervisor" in wrong(platform)
    finally:
        os.kill(platform.process.pid, signal.SIGCONT)


def test_settings_in_force_are_shown_without_passwords(platform: Platform) -> None:
    done = platform.cms("doctor", "--json", check=False)
    settings = orjson.loads(done.stdout)["settings"]
    assert settings["web_port"] == platform.settings.web_port
    assert platform.settings.secret("trunk_password") not in done.stdout
