"""``python -m reports.jvm``: render requests from stdin until it closes.

One JSON line a request, one JSON line an answer, followed by as many bytes as its ``size`` says.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

from engine.kernel.process import die_with_parent
from reports.jvm import machine
from reports.jvm.jasper import Jasper, JavaError, UnknownParameter, collect_garbage, resident_mb

MESSAGE_LIMIT = 600


def answer(jasper: Jasper, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Carry out one request. Every failure of a report is an answer; the process lives on."""
    try:
        body = jasper.render(
            request["report"], request["format"], request.get("data", {}), request.get("parameters", {})
        )
    except UnknownParameter as error:
        return {"ok": False, "code": "report.parameters", "message": str(error)}, b""
    except JavaError as error:
        return {"ok": False, "code": "report.failed", "message": _cause(error)}, b""
    except Exception as error:
        return {"ok": False, "code": "report.failed", "message": f"{type(error).__name__}: {error}"}, b""
    return {"ok": True}, body


def _cause(error: Any) -> str:
    while error.getCause() is not None:
        error = error.getCause()
    return f"{type(error).__name__.split('.')[-1]}: {error.getMessage()}"[:MESSAGE_LIMIT]


def serve(requests: BinaryIO, answers: BinaryIO, jasper: Jasper) -> None:
    """Answer until ``requests`` ends."""
    for line in requests:
        head, body = answer(jasper, json.loads(line))
        send(answers, head, body)


def send(answers: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    """Write one answer."""
    answers.write(json.dumps({**head, "size": len(body), "resident_mb": resident_mb()}).encode() + b"\n" + body)
    answers.flush()


def main() -> None:
    """Start Java, warm it up with the reports named on the command line, say so, and serve."""
    parser = argparse.ArgumentParser(prog="reports.jvm", description=__doc__)
    parser.add_argument("--reports", type=Path, required=True, help="directory of the JRXML files")
    parser.add_argument("--scratch", type=Path, required=True, help="the only directory Java may write to")
    parser.add_argument("--memory", type=int, default=400, help="largest Java heap in MB")
    parser.add_argument("--warm-up", nargs="*", default=[], metavar="NAME", help="reports to render once first")
    options = parser.parse_args()
    parent = os.getppid()
    die_with_parent()
    if os.getppid() != parent:
        raise SystemExit("the reporter is gone")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the reporter, which ends this process
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever Java prints must not get between the answers
    jasper = Jasper(options.reports.absolute())
    machine.start(options.scratch.absolute(), options.memory)
    for name in options.warm_up:
        for output in ("pdf", "xlsx"):
            jasper.render(name, output, {"rows": []}, {})
    collect_garbage()
    send(answers, {"ok": True, "ready": True})
    serve(sys.stdin.buffer, answers, jasper)


if __name__ == "__main__":
    main()
