"""A real reporter process for the session, and the data of a small report."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.kernel.db import db, new_id
from engine.kernel.settings import Settings
from media.models import Call
from reports import probe
from reports.client import socket_path
from tests import support
from tests.ui.conftest import _quick_passwords, person, web  # noqa: F401 - fixtures

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


def add_call(tenant_id: str, started: str, seconds: int | None, **more: Any) -> Call:
    """Add an ended call to the session; ``seconds`` None: nobody answered."""
    start = datetime.fromisoformat(started).astimezone(UTC)
    answered = None if seconds is None else start + timedelta(seconds=4)
    call = Call(
        id=new_id(),
        tenant_id=tenant_id,
        started_at=start,
        answered_at=answered,
        **{
            "ended_at": (answered or start) + timedelta(seconds=seconds or 0),
            "from_number": "+4930123456",
            "to_number": "1000",
            "agent": "agent-1",
            "owner": "interactive-1",
            "state": "ended",
            "cause": "cancelled" if seconds is None else "hangup",
            **more,
        },
    )
    db.session.add(call)
    return call


def reach_reporter(settings: Settings, reporter_settings: Settings) -> None:
    """Let a deployment use the reporter of the session."""
    path = socket_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(socket_path(reporter_settings))
