"""A real reporter process for the session, and the data of a small report."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.kernel.settings import Settings
from reports import probe
from tests import support

PROJECT = Path(__file__).resolve().parents[2]


def start_reporter(data_dir: Path) -> subprocess.Popen[bytes]:
    """Start ``reports.reporter`` on a data directory."""
    return subprocess.Popen(
        [sys.executable, "-m", "reports.reporter"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "CMS_DATA_DIR": str(data_dir)},
    )


def child_pids(pid: int) -> list[int]:
    """Return the children of a process."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture(scope="session")
def reporter() -> Iterator[tuple[Settings, Callable[[], int]]]:
    """Settings of a deployment with a warm reporter, and a function that returns the Java child's pid."""
    with support.short_directory() as directory:
        settings = Settings(data_dir=directory)
        process = start_reporter(directory)
        try:
            support.wait_until(lambda: probe(settings).state == "ready", timeout=60)
            yield settings, lambda: child_pids(process.pid)[0]
        finally:
            process.terminate()
            process.wait(20)


def call_row(
    started: str, *, result: str = "answered", seconds: int = 0, caller: str = "+4930123456"
) -> dict[str, Any]:
    """Return one row of the report "calls"."""
    return {
        "started": started,
        "direction": "inbound",
        "from": caller,
        "from_number": caller,
        "to": "1000",
        "to_number": "1000",
        "result": result,
        "seconds": seconds,
        "length": f"{seconds // 60}:{seconds % 60:02}",
    }
