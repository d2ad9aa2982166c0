"""The doctor sees each part of the edge that is stopped or wedged."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.kernel.settings import Settings
from media.edge import end_dialogs, rtpengine_command
from media.edge.probe import edge_probes
from tests import support
from tests.edge.conftest import Edge, unprivileged

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def sick(settings: Settings) -> set[str]:
    """The names of the parts that are not well."""
    return {probe.name for probe in edge_probes(settings) if not probe.ok}


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """Keep processes as they are: alive, and deaf."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_each_part_is_missed_when_it_is_stopped_or_wedged(edge: Edge) -> None:
    for number in (1, 2, 3):
        edge.agent(number)
    assert sick(edge.settings) == {"rtpengine"}
    with unprivileged(rtpengine_command(edge.settings)) as rtpengine:
        support.wait_until(lambda: not sick(edge.settings), what="health")
        with stopped([rtpengine.pid]):
            assert sick(edge.settings) == {"rtpengine"}
        with stopped(edge.family()):
            assert sick(edge.settings) == {"sip", "websocket", "edge management", "agents in dispatch"}
        support.wait_until(lambda: not sick(edge.settings), what="health")
        edge.process.terminate()
        edge.process.wait(8)
        started = time.monotonic()
        assert sick(edge.settings) == {"sip", "websocket", "edge management", "agents in dispatch"}
        assert end_dialogs("agent-1") == 0, "it says so in the log, and does not raise"
        assert time.monotonic() - started < 2
    assert all(probe.remedy for probe in edge_probes(edge.settings) if not probe.ok)


def test_an_agent_that_does_not_answer_is_named(edge: Edge) -> None:
    edge.agent(1)
    edge.agent(2, answers_options=False)
    edge.agent(3)
    agents = support.wait_until(
        lambda: next((p for p in edge_probes(edge.settings) if p.name == "agents in dispatch" and not p.ok), None),
        timeout=12,
    )
    assert "agent-2" in agents.detail
    assert "agent-1" not in agents.detail
