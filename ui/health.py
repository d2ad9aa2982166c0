"""Pages for machines: ``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from engine.pages import PUBLIC, allow
from ui.probes import readiness

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@allow(PUBLIC)
def healthz() -> Response:
    """Answer that this process serves pages."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@allow(PUBLIC)
def readyz() -> tuple[Response, int]:
    """Answer 200 when calls and pages are served, else 503; ``waiting`` and ``starting`` name what is missing."""
    found = readiness(current_app.extensions["cms_settings"])
    body = jsonify(ready=not found.waiting, waiting=found.waiting, starting=found.starting)
    return body, 503 if found.waiting else 200


@blueprint.get("/metrics")
@allow(PUBLIC)
def metrics() -> Response:
    """Return the measurements of this process in Prometheus' text format."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
