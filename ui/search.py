"""The search box: asks every provider the user may use."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_security import current_user

from engine.pages import EVERYONE, allow, search_providers

blueprint = Blueprint("search", __name__)

LIMIT = 6


@blueprint.get("/search")
@allow(EVERYONE)
def results() -> str:
    """Return the hits for ``q`` as a fragment for the dialog, or as a page."""
    text = request.args.get("q", "").strip()[:100]
    groups = []
    if len(text) >= 2:
        asked = [(provider.title, provider.find(text, LIMIT)) for provider in search_providers(current_user.role_names)]
        groups = [(title, hits) for title, hits in asked if hits]
    template = "search_hits.html" if request.headers.get("HX-Request") else "search.html"
    return render_template(template, text=text, groups=groups)
