"""Turn a template into a PDF, in a process of its own that has limits and no network."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from engine.kernel.errors import CmsError
from engine.kernel.types import to_json
from reports.sandbox import TemplateRefused

TEMPLATES = Path(__file__).parent / "templates"
PROJECT = Path(__file__).resolve().parents[2]
TIME_LIMIT_S = 60.0
PDF_LIMIT = 50_000_000


class DocumentTooSlow(TemplateRefused):
    """The document was not finished in time."""

    code = "document.too_slow"


@dataclass(frozen=True, slots=True)
class Paper:
    """A finished document."""

    pdf: bytes
    pages: int


@cache
def shipped_templates() -> Mapping[str, str]:
    """Return the shipped templates by file name."""
    return {path.name: path.read_text() for path in sorted(TEMPLATES.glob("*.html"))}


def write_pdf(
    template: str,
    data: Mapping[str, Any],
    *,
    sources: Mapping[str, str] | None = None,
    time_limit: float = TIME_LIMIT_S,
) -> Paper:
    """Return the document that ``template`` (a file name without ``.html``) makes of ``data``.

    Raises ``TemplateRefused`` when the template is unknown, faulty, reaches for anything but ``data:`` and
    ``asset:`` resources or needs too much memory; ``DocumentTooSlow`` when it needs too long.
    """
    order = to_json({"sources": sources or shipped_templates(), "template": f"{template}.html", "data": data})
    process = subprocess.Popen(
        [sys.executable, "-m", "reports.documents.press"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=PROJECT,
        env={
            "PATH": os.environ.get("PATH", ""),
            "LANG": "C.UTF-8",
            "OPENBLAS_NUM_THREADS": "1",
            "HOME": "/nonexistent",
        },
        start_new_session=True,
    )
    try:
        output, noise = process.communicate(order, time_limit)
    except subprocess.TimeoutExpired:
        raise DocumentTooSlow(f"The document {template} was not finished within {time_limit:g} seconds.") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return _result(template, process.returncode, output, noise)


def _result(template: str, returncode: int, output: bytes, noise: bytes) -> Paper:
    if returncode == -signal.SIGXCPU or returncode == -signal.SIGKILL:
        raise DocumentTooSlow(f"The document {template} needed too much computing time.")
    line, _, pdf = output.partition(b"\n")
    try:
        head = json.loads(line)
    except ValueError as error:
        reason = noise.decode(errors="replace").strip().splitlines()[-1:] or [f"exit code {returncode}"]
        raise CmsError(f"The document {template} failed: {reason[0]}", code="document.failed") from error
    if "refused" in head:
        raise TemplateRefused(head["refused"])
    return Paper(pdf, head["pages"])
