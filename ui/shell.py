"""What stands around every page: tenant switch, navigation, crumbs, toasts."""

from __future__ import annotations

from typing import Any

from flask import Flask, flash, redirect, request, session
from flask_security import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from engine.kernel.actor import current_actor
from engine.kernel.db import db
from engine.kernel.errors import NotPermitted
from engine.pages import EVERYONE, ROLES, SECTIONS, NavItem, allow, navigation
from modules.identity import Tenant, actor_of

#: templates that blueprints add to the top bar, such as the phone
TOP_PARTS: list[str] = []


def init_shell(app: Flask) -> None:
    """Give every template the shell's data and add the tenant switch."""
    app.context_processor(shell_context)
    app.add_url_rule("/nav/counts", "nav_counts", allow(EVERYONE)(nav_counts))
    app.add_url_rule("/tenant", "tenant", allow(EVERYONE)(switch_tenant), methods=["POST"])


def shell_context() -> dict[str, Any]:
    """Return what ``layout.html`` needs. Error pages use it too, so it must work without a login."""
    if not current_user or not current_user.is_authenticated:
        return {"actor": None, "nav_sections": [], "nav_top": [], "top_parts": []}
    actor = current_actor()
    roles = actor.roles if actor else frozenset()
    top = navigation(roles, "")
    every = {"administrator", "customer_admin"} & roles
    pages = {name: navigation(roles, name) for name in SECTIONS}
    sections = [(name, icon, pages[name]) for name, icon in SECTIONS.items() if pages[name] or every]
    return {
        "actor": actor,
        "role_titles": [ROLES[name] for name in ROLES if name in roles],
        "nav_top": top,
        "nav_sections": sections,
        "nav_here": _here([*top, *(item for _, _, items in sections for item in items)]),
        "tenants": LazyTenants(),
        "top_parts": TOP_PARTS,
    }


def nav_counts() -> dict[str, int]:
    """Return the numbers beside the navigation's items, for pages that stay open."""
    actor = current_actor()
    roles = actor.roles if actor else frozenset()
    items = [item for section in ("", *SECTIONS) for item in navigation(roles, section) if item.count]
    return {item.title: item.count() for item in items if item.count}


def _here(items: list[NavItem]) -> NavItem | None:
    """The item whose address begins the request's; the longest wins."""
    path = request.path.rstrip("/") or "/"
    hits = [item for item in items if path == item.url or (item.url != "/" and path.startswith(item.url + "/"))]
    return max(hits, key=lambda item: len(item.url), default=None)


class LazyTenants:
    """The tenants that the user may look at; asked for only when a page draws the switch."""

    @property
    def own(self) -> Tenant | None:
        """The tenant that is looked at now."""
        actor = current_actor()
        return db.session.get(Tenant, actor.tenant_id) if actor else None

    @property
    def choices(self) -> list[Tenant]:
        """The user's own tenant first, then all below it."""
        from_top = select(Tenant).where(Tenant.id.in_(visible_tenants())).order_by(Tenant.parent_id.isnot(None))
        return list(db.session.scalars(from_top.order_by(Tenant.name)))


def visible_tenants() -> frozenset[str]:
    """Return the ids of all tenants the user may look at, whatever he is looking at now."""
    return actor_of(current_user).tenant_ids


def switch_tenant() -> Response:
    """Look at one tenant only, or again at all. Raises ``NotPermitted`` for a foreign one."""
    wanted = request.form.get("tenant", "")
    if wanted not in visible_tenants():
        raise NotPermitted("That tenant is not below yours.", code="identity.foreign_tenant")
    session["tenant"] = wanted
    return redirect("/")


def toast(text: str, status: str = "completed") -> None:
    """Show a line on the next page; ``status`` is one of the look's status words."""
    flash(text, status)
