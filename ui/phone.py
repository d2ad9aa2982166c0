"""The browser phone: a page that registers at the edge by WebSocket, with an account that it borrows."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from engine.kernel.actor import scoped
from engine.kernel.db import db
from engine.kernel.errors import Conflict
from engine.kernel.settings import Settings
from engine.pages import EVERYONE, NavItem, add_to_navigation, allow
from media.edge.accounts import REALM, SipAccount
from media.edge.browser import lend_account
from media.models import Call
from modules.inventory import PhoneNumber
from modules.portals.pbx import Application, Extension
from ui.inbox import actor
from ui.shell import TOP_PARTS

blueprint = Blueprint("phone", __name__)

add_to_navigation(NavItem("", "Phone", "/phone", (EVERYONE,), order=20, icon="phone"))
TOP_PARTS.append("phone/top.html")

RECENT = 6


@blueprint.get("/phone")
@allow(EVERYONE)
def index() -> ResponseReturnValue:
    """Show the phone, the numbers worth a try, and the last calls of this extension."""
    extension = own_extension()
    return render_template(
        "phone/index.html", extension=extension, numbers=bound_numbers(), recent=recent_calls(extension)
    )


@blueprint.post("/phone/account")
@allow(EVERYONE)
def account() -> ResponseReturnValue:
    """Lend this page an account. Raises ``Conflict`` when the person's extension is disabled."""
    person, extension = actor(), own_extension()
    desk = db.session.get(SipAccount, extension.sip_account_id) if extension else None
    if extension and (desk is None or not desk.enabled):
        raise Conflict(
            f"Your extension {extension.number} is disabled. Whoever administers your phones can enable it.",
            code="phone.disabled",
        )
    lent, password = lend_account(
        tenant_id=extension.tenant_id if extension else person.tenant_id,
        user_id=person.user_id,
        display_name=person.name,
        number=extension.number if extension else "",
        address=desk.username if desk else "",
    )
    settings: Settings = current_app.extensions["cms_settings"]
    return jsonify(
        uri=f"sip:{lent.address}@{REALM}",
        username=lent.username,
        password=password.reveal(),
        display_name=lent.display_name,
        realm=REALM,
        secure=settings.tls_certificate is not None,
        port=settings.ws_port,
    )


def own_extension() -> Extension | None:
    """Return the extension of whoever is logged in."""
    found: Extension | None = db.session.scalar(scoped(Extension).where(Extension.user_id == actor().user_id).limit(1))
    return found


def bound_numbers() -> list[tuple[str, str]]:
    """Return the numbers that an application answers, with its name; short ones first."""
    query = select(PhoneNumber.number, Application.name).join(Application, Application.id == PhoneNumber.application_id)
    query = query.where(PhoneNumber.tenant_id.in_(actor().tenant_ids))
    rows = [(number, name) for number, name in db.session.execute(query)]
    return sorted(rows, key=lambda row: (len(row[0]), row[0]))


def recent_calls(extension: Extension | None) -> list[dict[str, Any]]:
    """Return the last calls from or to the extension, newest first."""
    if extension is None:
        return []
    mine = (Call.from_number == extension.number) | (Call.to_number == extension.number)
    calls = db.session.scalars(scoped(Call).where(mine).order_by(Call.started_at.desc()).limit(RECENT))
    return [
        {
            "number": call.to_number if call.from_number == extension.number else call.from_number,
            "placed": call.from_number == extension.number,
            "answered": call.answered_at is not None,
            "at": call.started_at,
            "duration": call.ended_at - call.answered_at if call.ended_at and call.answered_at else None,
        }
        for call in calls
    ]
