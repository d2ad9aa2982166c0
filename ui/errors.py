"""Error pages: what happened, what is safe, and what to do next; the same as JSON or as a toast where asked for."""

from __future__ import annotations

import traceback
from typing import Any

import structlog
from flask import Flask, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from engine.kernel.db import begin, finish, new_id
from engine.kernel.errors import (
    BusinessError,
    CmsError,
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    TransientError,
)

log = structlog.get_logger()

#: the first match counts, so children stand before their parents
STATUS: tuple[tuple[type[CmsError], int], ...] = (
    (InvalidInput, 422),
    (BusinessError, 422),
    (NotFound, 404),
    (NotPermitted, 403),
    (Conflict, 409),
    (TransientError, 503),
)


def status_of(error: CmsError) -> int:
    """Return the HTTP status of an expected failure."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def init_errors(app: Flask) -> None:
    """Answer every failure with a page in the shell."""
    app.register_error_handler(CmsError, on_cms_error)
    app.register_error_handler(RateLimitExceeded, on_too_many)
    app.register_error_handler(CSRFError, on_csrf)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Exception, on_defect)


def on_cms_error(error: CmsError) -> ResponseReturnValue:
    """An expected failure: its own sentence is the message."""
    status = status_of(error)
    if status >= 500:
        return on_defect(error)
    return answer(status, error.message, code=error.code, details=error.details)


def on_too_many(error: RateLimitExceeded) -> ResponseReturnValue:
    """Too many tries at the login."""
    return answer(429, "Too many tries. Wait a minute, then try again.", code="too_many")


def on_csrf(error: CSRFError) -> ResponseReturnValue:
    """A form that was not ours, or one from before the last login."""
    return answer(
        400, "This form is too old or comes from another session. Reload the page and send it again.", code="csrf"
    )


def on_http(error: HTTPException) -> ResponseReturnValue:
    """Anything Werkzeug refuses."""
    if error.code is None or error.response is not None or error.code < 400:
        return error.get_response()
    words = {
        404: "There is nothing at this address.",
        405: "This address does not take that kind of request.",
        413: "The file is too large.",
    }
    return answer(error.code, words.get(error.code, error.description or error.name), code=f"http.{error.code}")


def on_defect(error: Exception) -> ResponseReturnValue:
    """A defect or an outage: keep a reference in the log that people can quote."""
    reference = new_id()[-8:]
    # The traceback as text: pretty printers would write local variables, and with them secrets, into the log.
    trace = "".join(traceback.format_exception(error))
    log.error("request_failed", reference=reference, path=request.path, trace=trace)
    status = 503 if isinstance(error, TransientError) else 500
    message = "The platform cannot do this right now." if status == 503 else "Something went wrong on our side."
    return answer(status, message, code="defect", reference=reference)


def answer(status: int, message: str, **more: Any) -> ResponseReturnValue:
    """Return the failure as JSON, as a line for a toast, or as a page."""
    _fresh_transaction()
    accepts = request.accept_mimetypes
    if accepts.best_match(["text/html", "application/json"]) == "application/json" or request.is_json:
        return jsonify(code=more.get("code"), message=message, details=more.get("details", {})), status
    if request.headers.get("HX-Request"):
        text = f"{message} Reference {more['reference']}" if "reference" in more else message
        return make_response((text, status, {"Content-Type": "text/plain; charset=utf-8"}))
    try:
        return render_template("error.html", status=status, message=message, **more), status
    except Exception as error:  # the shell itself needs what has failed: fall back to a page that needs nothing
        log.error("error_page_failed", path=request.path, error=repr(error))
        return render_template("error_bare.html", status=status, message=message, **more), status


def _fresh_transaction() -> None:
    try:
        finish(commit=False)
        begin(write=False)
    except Exception as error:
        log.error("database_unavailable", error=repr(error))
