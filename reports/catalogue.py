"""The reports that are shipped, and the formats they come in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.kernel.errors import InvalidInput, NotFound

JRXML_DIRECTORY = Path(__file__).parent / "jrxml"

#: format → MIME type
FORMATS = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class ShippedReport:
    """One JRXML file of ``reports/jrxml``. What it shows is selected by the module that offers it."""

    name: str
    title: str
    description: str


REPORTS = {
    report.name: report
    for report in (
        ShippedReport(
            "calls", "Calls", "Calls of a period: how many a day, how many were answered, how long they took."
        ),
    )
}


def find_report(name: str) -> ShippedReport:
    """Return the shipped report. Raises ``NotFound``; a path or an uploaded JRXML is never accepted for a name."""
    if name in REPORTS:
        return REPORTS[name]
    if name.lower().endswith((".jrxml", ".jasper")):
        raise NotFound(
            f"{name!r} is a report file. Reports of your own are not accepted yet, because a JRXML file is a program; "
            f"shipped: {', '.join(REPORTS)}.",
            code="report.upload_refused",
        )
    raise NotFound(f"There is no report {name!r}; shipped: {', '.join(REPORTS)}.", code="report.unknown")


def check_format(output: str) -> str:
    """Return ``output``. Raises ``InvalidInput`` when no report comes in that format."""
    if output not in FORMATS:
        raise InvalidInput(
            f"Reports come as {', '.join(FORMATS)}, not as {output!r}.", {"format": f"One of {', '.join(FORMATS)}."}
        )
    return output
