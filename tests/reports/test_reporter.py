"""The reporter as a process: it outlives its Java child, notices when it hangs, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.kernel.errors import TransientError
from engine.kernel.settings import Settings
from reports import probe, render
from reports.client import socket_path
from tests import support
from tests.reports.conftest import child_pids, start_reporter

Reporter = tuple[Settings, Callable[[], int]]


def test_probe_does_a_report(reporter: Reporter) -> None:
    settings = reporter[0]
    health = probe(settings)
    assert health.state == "ready"
    assert health.ok
    assert "an empty report took" in health.detail
    # the heap it may have, which a large report before this one may have filled, and the machine around it
    assert 50 < health.resident_mb < settings.report_memory + 150


def test_killed_child_costs_the_reader_only_time(reporter: Reporter) -> None:
    settings, child = reporter
    before = child()
    os.kill(before, signal.SIGKILL)
    assert render("calls", {"rows": []}, "csv", settings=settings).startswith(b"\xef\xbb\xbf")
    assert child() != before


def test_child_that_hangs_is_found_and_replaced(reporter: Reporter) -> None:
    settings, child = reporter
    before = child()
    os.kill(before, signal.SIGSTOP)
    health = probe(settings)
    assert not health.ok
    assert "did not answer" in health.detail
    support.wait_until(lambda: probe(settings).state == "ready", timeout=30)
    assert child() != before


def test_many_readers_are_served_in_turn(reporter: Reporter) -> None:
    with ThreadPoolExecutor(8) as pool:
        files = list(pool.map(lambda _: render("calls", {"rows": []}, "pdf", settings=reporter[0]), range(16)))
    assert all(file.startswith(b"%PDF") for file in files)


def test_garbage_on_the_socket_harms_nobody(reporter: Reporter) -> None:
    subprocess.run(
        ["python3", "-c", f"import socket;s=socket.socket(1);s.connect('{socket_path(reporter[0])}');s.send(b'x'*99)"],
        check=True,
    )
    assert probe(reporter[0]).ok


def test_nobody_else_reaches_the_socket(reporter: Reporter) -> None:
    assert socket_path(reporter[0]).stat().st_mode & 0o077 == 0


def test_reporter_that_is_away_says_so(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    assert probe(settings).state == "stopped"
    with pytest.raises(TransientError, match="not running"):
        render("calls", {"rows": []}, "pdf", settings=settings)


def test_stopped_and_killed_reporter(data_dir: Path) -> None:
    """A stopped server is wedged for the probe; a killed one takes its child along; a new one serves."""
    settings = Settings(data_dir=data_dir)
    first = start_reporter(data_dir)
    try:
        support.wait_until(lambda: probe(settings).state in ("warming", "ready"), timeout=20)
        children = support.wait_until(lambda: child_pids(first.pid))
        first.send_signal(signal.SIGSTOP)
        assert probe(settings, timeout=1).state == "wedged"
        first.kill()
        first.wait()
        support.wait_until(lambda: all(_gone(pid) for pid in children))
    finally:
        first.kill()
        first.wait()
    # a request made while the reporter restarts waits for it
    answers: list[bytes] = []
    reader = threading.Thread(target=lambda: answers.append(render("calls", {"rows": []}, "csv", settings=settings)))
    reader.start()
    second = start_reporter(data_dir)
    try:
        reader.join(60)
        assert answers
        children = child_pids(second.pid)
    finally:
        second.terminate()
        second.wait(20)
    assert all(_gone(pid) for pid in children)
    assert not socket_path(settings).exists()


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
