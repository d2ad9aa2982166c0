"""Pages for machines: ``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from engine.pages import PUBLIC, allow
from ui.probes import missing

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@allow(PUBLIC)
def healthz() -> Response:
    """Answer that this process serves pages."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@allow(PUBLIC)
def readyz() -> tuple[Response, int]:
    """Answer 200 when calls and pages are served, else 503; ``waiting`` names what is missing."""
    waiting = missing(current_app.extensions["cms_settings"])
    body = jsonify(ready=not waiting, waiting=[found.name for found in waiting])
    return body, 503 if waiting else 200


@blueprint.get("/metrics")
@allow(PUBLIC)
def metrics() -> Response:
    """Return the measurements of this process in Prometheus' text format."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
