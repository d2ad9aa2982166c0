"""The Flask application: one unit of work a request, everything closed until opened, nothing from elsewhere."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect

from engine.kernel.bus import connect_bus
from engine.kernel.db import begin, finish, init_database
from engine.kernel.settings import Settings
from ui import auth, composition, errors, filters, lists, shell
from ui.blueprints import BLUEPRINTS

#: style attributes are allowed because charts and diagrams write them; scripts and style sheets only come as files
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self' {sockets}",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

YEAR = 31_536_000
#: a name or address that may stand in a policy as it is
PLAIN_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]")

csrf = CSRFProtect()


def create_app(settings: Settings) -> Flask:
    """Return the web application of a deployment."""
    app = Flask("ui", static_folder="static", template_folder="templates", root_path=__file__.rsplit("/", 1)[0])
    secure = settings.tls_certificate is not None
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="cms_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=secure,
        MAX_CONTENT_LENGTH=settings.upload_limit * 4,
        MAX_FORM_MEMORY_SIZE=settings.upload_limit,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    app.extensions["cms_settings"] = settings
    # A file that is asked for by its content's stamp never changes; others are asked about each time.
    app.get_send_file_max_age = max_age  # type: ignore[method-assign]
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    init_database(app, settings)
    connect_bus(settings)
    composition.compose(settings)
    # Requests pass these in this order: a transaction, a person, a permission, and only then a form's token.
    app.before_request(open_unit_of_work)
    auth.init_auth(app, settings)
    csrf.init_app(app)
    filters.init_filters(app)
    shell.init_shell(app)
    errors.init_errors(app)
    lists.init_lists(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.after_request(security_headers(settings, secure))
    app.after_request(close_unit_of_work)
    app.teardown_request(abandon_unit_of_work)
    return app


def max_age(filename: str | None) -> int | None:
    """Return for how many seconds a browser may keep a static file without asking."""
    return YEAR if "v" in request.args else None


def open_unit_of_work() -> None:
    """Begin the request's transaction; one that only reads never waits for a writer."""
    if request.endpoint and auth.is_static(request.endpoint):
        return
    begin(write=request.method not in {"GET", "HEAD", "OPTIONS"})
    g.unit_open = True


def close_unit_of_work(response: Response) -> Response:
    """Commit what a successful request did, before its answer leaves; forget what a failed one did."""
    if g.pop("unit_open", False):
        finish(commit=response.status_code < 400)
    return response


def abandon_unit_of_work(error: BaseException | None = None) -> None:
    """Roll back when no answer was made at all."""
    if g.pop("unit_open", False):
        finish(commit=False)


def security_headers(settings: Settings, secure: bool) -> Any:
    """Return what adds the headers that keep foreign content out."""

    def add(response: Response) -> Response:
        headers = response.headers
        # The phone's socket is on the host that the page was asked from, by whichever of its names.
        host = request.host.rsplit(":", 1)[0]
        host = host if PLAIN_HOST.fullmatch(host) else settings.public_host
        sockets = f"ws://{host}:{settings.ws_port} wss://{host}:{settings.ws_port}"
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY.format(sockets=sockets))
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(self)")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if not (request.endpoint and auth.is_static(request.endpoint)):
            headers.setdefault("Cache-Control", "no-store")
        return response

    return add
