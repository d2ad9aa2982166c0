"""The home page."""

from __future__ import annotations

from flask import Blueprint, render_template

from engine.pages import EVERYONE, NavItem, add_to_navigation, allow

blueprint = Blueprint("home", __name__)

add_to_navigation(NavItem("", "Home", "/", (EVERYONE,), order=0, icon="home"))


@blueprint.get("/")
@allow(EVERYONE)
def index() -> str:
    """Show the day at a glance."""
    return render_template("home.html")
