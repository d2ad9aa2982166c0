"""Ask the reporter: one request and one answer a connection, over its unix socket."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from engine.kernel.errors import BusinessError, CmsError, InvalidInput, TransientError
from engine.kernel.settings import Settings
from engine.kernel.types import to_json
from reports.catalogue import check_format, find_report

#: largest request and answer, in bytes
SIZE_LIMIT = 64_000_000
#: how long a client waits: longer than the reporter allows one report, so that the reporter gives the reason
PATIENCE_S = 90.0
#: a reporter that restarts is back within this time
RESTART_S = 3.0


class ReportTooLarge(BusinessError):
    """More data than a report may have."""

    code = "report.too_large"


@dataclass(frozen=True)
class Health:
    """What a probe found. ``state``: ready, warming, busy, stopped (nobody listens) or wedged (no answer)."""

    state: str
    detail: str
    resident_mb: int = 0

    name = "reporter"

    @property
    def ok(self) -> bool:
        """Whether reports are being served, at once or after the present one."""
        return self.state in ("ready", "busy")

    @property
    def remedy(self) -> str:
        """How to mend it."""
        return _REMEDIES.get(self.state, "")


_REMEDIES = {
    "warming": "Wait ten seconds; if it stays so, see log/reporter.log and whether java runs.",
    "stopped": "See log/reporter.log; ./cms run starts it again.",
    "wedged": "Kill the process reporter; ./cms run starts it again.",
}


def socket_path(settings: Settings) -> Path:
    """Return where the reporter listens."""
    return settings.run_dir.absolute() / "reporter.sock"


def render(
    name: str, data: dict[str, Any], output: str, parameters: dict[str, Any] | None = None, *, settings: Settings
) -> bytes:
    """Return the shipped report ``name`` filled with ``data``, as ``pdf``, ``xlsx``, ``csv`` or ``html``.

    ``data["rows"]`` is what the report lists; it must already be limited to what the reader may see. Raises
    ``NotFound`` for another name, ``InvalidInput`` for a wrong format or parameter, ``ReportTooLarge``,
    ``TransientError`` when the reporter is away or the report took too long, ``CmsError`` when the report is faulty.
    """
    request = {
        "report": find_report(name).name,
        "format": check_format(output),
        "data": data,
        "parameters": parameters or {},
    }
    line = to_json(request) + b"\n"
    if len(line) > SIZE_LIMIT:
        raise ReportTooLarge("The report would have too many rows. Choose a shorter period.")
    head, body = _ask(socket_path(settings), line, patience=PATIENCE_S, restart=RESTART_S)
    if head["ok"]:
        return body
    code, message = head["code"], head["message"]
    if code == "report.parameters":
        raise InvalidInput(f"The report {name} does not take that: {message}", {"parameters": message}, code=code)
    if code == "report.failed":
        raise CmsError(f"The report {name} failed: {message}", code=code)
    raise TransientError(message, code=code)


def probe(settings: Settings, timeout: float = 10.0) -> Health:
    """Have the reporter do a small report and say how it is; answers within ``timeout`` seconds in any case."""
    try:
        head, _ = _ask(socket_path(settings), b'{"probe": true}\n', patience=timeout, restart=0.0)
    except TransientError as error:
        state = "wedged" if error.code == "report.timeout" else "stopped"
        return Health(state, error.message)
    return Health(head["state"], head["detail"], head["resident_mb"])


def _ask(path: Path, line: bytes, *, patience: float, restart: float) -> tuple[dict[str, Any], bytes]:
    with _connect(path, patience, restart) as connection:
        try:
            connection.sendall(line)
            with connection.makefile("rb") as stream:
                return _answer(stream)
        except TimeoutError as error:
            raise TransientError(
                f"The reporter did not answer within {patience:g} seconds.", code="report.timeout"
            ) from error
        except (OSError, EOFError) as error:
            raise TransientError("The reporter went away. Try again in a moment.", code="report.unavailable") from error


def _connect(path: Path, patience: float, restart: float) -> socket.socket:
    deadline = time.monotonic() + restart
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(patience)
        try:
            connection.connect(str(path))
        except OSError as error:
            connection.close()
            if time.monotonic() >= deadline:
                raise TransientError(
                    "The reporter is not running. Reports come back when it has been restarted.",
                    code="report.unavailable",
                ) from error
            time.sleep(0.1)
        else:
            return connection


def _answer(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    line = stream.readline()
    if not line:
        raise EOFError
    head: dict[str, Any] = json.loads(line)
    body = stream.read(head["size"])
    if len(body) < head["size"]:
        raise EOFError
    return head, body
