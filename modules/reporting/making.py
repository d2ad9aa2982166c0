"""Make a report: select its data for the actor, have it rendered, and give it a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.kernel.errors import InvalidInput
from engine.kernel.settings import Settings
from modules.reporting.calls import select_calls
from reports import FORMATS, ShippedReport, find_report, render
from reports.catalogue import check_format

Selection = Callable[[Mapping[str, str]], tuple[dict[str, Any], dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Offer:
    """A shipped report with what it takes. ``fields`` maps a parameter to its help."""

    report: ShippedReport
    fields: Mapping[str, str]
    select: Selection


@dataclass(frozen=True, slots=True)
class MadeReport:
    """A finished file. ``rows`` is how many rows it was selected from, ``shown`` how many are in it."""

    content: bytes
    content_type: str
    name: str
    rows: int
    shown: int


OFFERS: dict[str, Offer] = {
    "calls": Offer(
        find_report("calls"),
        {
            "period": "today, yesterday, last_7_days, last_30_days, this_month or last_month",
            "from": "first day, such as 2026-11-01",
            "to": "last day; today when left out",
            "number": "only calls to or from this number",
        },
        select_calls,
    )
}


def find_offer(name: str) -> Offer:
    """Return what is offered under a name. Raises ``NotFound``."""
    return OFFERS[find_report(name).name]


def make_report(
    name: str, output: str, given: Mapping[str, str], *, settings: Settings, first_rows: int | None = None
) -> MadeReport:
    """Return report ``name`` as ``output`` (pdf, xlsx, csv, html) of what the current actor may see.

    Needs an open unit of work for the selection. ``first_rows`` shortens the list, not the figures. Raises
    ``NotFound``, ``InvalidInput`` and what ``reports.render`` raises.
    """
    offer = find_offer(name)
    check_format(output)
    unknown = sorted(set(given) - set(offer.fields))
    if unknown:
        raise InvalidInput(
            f"The report {name} takes {', '.join(offer.fields)}, not {', '.join(unknown)}.",
            dict.fromkeys(unknown, "Not a parameter of this report."),
        )
    data, parameters = offer.select(given)
    rows = len(data["rows"])
    if first_rows is not None:
        data = {**data, "rows": data["rows"][:first_rows]}
    content = render(name, data, output, {**parameters, "format": output}, settings=settings)
    file_name = f"{offer.report.title} {parameters['period']}.{output}"
    return MadeReport(content, FORMATS[output], file_name, rows, len(data["rows"]))
