"""``python -m tests.engine.process KIND NAME``: a real host, clock or worker with the operations of the tests.

Files in the data directory make it fail in the right moment: ``hold`` lets ``test.hold`` stand still, ``die`` kills
the process between a commit and the sending of what it ordered.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from engine import api
from engine.kernel.db import settings_in_force
from engine.kernel.settings import load_settings
from engine.operations import operation
from tests.engine import operations


def _path(name: str) -> Path:
    return settings_in_force().data_dir / name


def _stand_still() -> None:
    if _path("hold").exists():
        _path("held").touch()
        while _path("hold").exists():
            time.sleep(0.01)


@operation("test.hold")
def hold(*, note: str = "") -> dict[str, Any]:
    """Leave an effect and stand still while the file ``hold`` is there."""
    operations.leave_effect(note)
    _stand_still()
    return {"note": note}


@operation("test.hold_outside", kind="external")
def hold_outside(*, note: str = "") -> dict[str, Any]:
    """Leave an effect from a worker and stand still while the file ``hold`` is there."""
    operations.leave_effect(note)
    _stand_still()
    return {"note": note}


def send(rows: list[api.Outbox]) -> None:
    """Write down what was sent; with the file ``die`` there, die first, once."""
    if _path("die").exists():
        _path("die").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    with _path("sent").open("a") as file:
        file.writelines(f"{row.key}\n" for row in rows)


def main(kind: str, name: str) -> None:
    """Become the process."""
    settings = load_settings()
    api.register_carrier("media", send)
    match kind:
        case "host":
            api.run_host(settings, name=name, kind="interactive")
        case "clock":
            api.run_clock(settings)
        case "worker":
            api.run_worker(settings, name)


if __name__ == "__main__":
    main(*sys.argv[1:])
