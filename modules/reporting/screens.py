"""The page of reports: choose, look, download."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.http import dump_options_header

from engine.kernel.errors import CmsError, InvalidInput, TransientError
from engine.pages import NavItem, add_to_navigation, allow
from modules.reporting.calls import reported_numbers
from modules.reporting.making import OFFERS, MadeReport, find_offer, make_report
from modules.reporting.periods import NAMED

READERS = ("analyst", "customer_admin", "supervisor", "administrator")
#: the preview shows the figures of all rows but lists only these
PREVIEW_ROWS = 200
FILES = (("pdf", "PDF", "file-type-pdf"), ("xlsx", "Excel", "file-spreadsheet"), ("csv", "CSV", "file-type-csv"))

blueprint = Blueprint("reporting", __name__, url_prefix="/reports", template_folder="templates")

add_to_navigation(NavItem("BI Reports", "Call reports", "/reports", READERS, order=20))


def _given() -> dict[str, str]:
    """Return the report's parameters of the URL; days count only when the period says so."""
    given = {key: value.strip() for key, value in request.args.items() if value.strip()}
    if given.get("period", "days") != "days":
        given = {key: value for key, value in given.items() if key not in ("from", "to")}
    return given


def _make(name: str, output: str, given: Mapping[str, str], first_rows: int | None = None) -> MadeReport:
    return make_report(name, output, given, settings=current_app.extensions["cms_settings"], first_rows=first_rows)


@blueprint.get("")
@allow(*READERS)
def index() -> ResponseReturnValue:
    """Show the first report."""
    return show(next(iter(OFFERS)))


@blueprint.get("/<name>")
@allow(*READERS)
def show(name: str) -> ResponseReturnValue:
    """Show what can be chosen for a report, and its preview beside it."""
    offer = find_offer(name)
    given = _given()
    wrong: dict[str, str] = {}
    try:
        offer.select(given)
    except InvalidInput as error:
        wrong = error.fields
    query = f"?{urlencode(given)}"
    context: dict[str, Any] = {
        "offer": offer,
        "offers": list(OFFERS.values()),
        "given": {"period": "last_30_days", **given},
        "periods": NAMED,
        "numbers": reported_numbers(),
        "files": [(text, icon, url_for(".file", name=name, output=output) + query) for output, text, icon in FILES],
        "preview": url_for(".preview", name=name) + query,
        "wrong": wrong,
    }
    return render_template("reporting/reports.html", **context), 422 if wrong else 200


@blueprint.get("/<name>/preview")
@allow(*READERS)
def preview(name: str) -> Response:
    """Return the report as a page for the frame: no scripts, nothing from elsewhere."""
    status = 200
    try:
        page = _make(name, "html", _given(), PREVIEW_ROWS).content.decode()
    except CmsError as error:
        status = 503 if isinstance(error, TransientError) else 422
        page = render_template("reporting/no_preview.html", error=error, retry=status == 503)
    response = make_response(page, status)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
    )
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@blueprint.get("/<name>.<output>")
@allow(*READERS)
def file(name: str, output: str) -> Response:
    """Send the report as a file."""
    made = _make(name, output, _given())
    response = make_response(made.content)
    response.headers["Content-Type"] = made.content_type
    response.headers["Content-Disposition"] = dump_options_header("attachment", {"filename": made.name})
    response.headers["Content-Security-Policy"] = "sandbox"
    return response
