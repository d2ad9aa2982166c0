"""Incidents: tokens that cannot go on without an operator, and trying them again."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from sqlalchemy import or_
from werkzeug.wrappers import Response

from engine import api
from engine.api import Definition, Incident, Instance
from engine.kernel.actor import current_actor, scoped
from engine.kernel.db import db
from engine.kernel.errors import NotFound
from engine.pages import Action, Column, Empty, Link, ListPage, Preview, Section, Status, View, add_list, allow
from ui.instances import OPERATORS, VIEWERS
from ui.instances import URL as INSTANCES
from ui.shell import toast

URL = "/administration/incidents"
blueprint = Blueprint("incidents", __name__, url_prefix=URL)


def _status(incident: Incident) -> Status:
    if incident.resolved_at is None:
        return Status("incident", "Open")
    if incident.resolution == "cancelled":
        return Status("cancelled", "Cancelled")
    return Status("completed", (incident.resolution or "resolved").capitalize())


def _process(incident: Incident) -> str:
    instance = db.session.get(Instance, incident.instance_id)
    definition = db.session.get(Definition, instance.definition_id) if instance else None
    return definition.name if definition else ""


def _preview(incident: Incident) -> Preview:
    facts = (
        ("Process", _process(incident)),
        ("Element", incident.name or incident.element_id),
        ("Error", incident.error),
        ("Attempts", incident.attempts),
        ("Happened", incident.at),
        ("Resolved", incident.resolved_at),
        ("Reference", incident.id),
    )
    return Preview(
        title=incident.name or incident.element_id,
        subtitle=_process(incident),
        status=_status(incident),
        links=(Link("Open instance", f"{INSTANCES}/{incident.instance_id}?tab=incidents", "route"),),
        sections=(
            Section("What happened", text=incident.message),
            Section("Details", facts),
            Section("Technical detail", text=incident.detail or "Nothing more is known.", open=False),
        ),
    )


def _open(incident: Incident) -> bool:
    return incident.resolved_at is None


def _retry(incident: Incident) -> str:
    api.retry_incident(incident.id, _actor_id())
    return f"Trying {incident.name or incident.element_id} again."


def _skip(incident: Incident) -> str:
    api.skip_incident(incident.id, _actor_id())
    return f"Skipping {incident.name or incident.element_id}."


add_list(
    ListPage(
        name="administration.incidents",
        url=URL,
        section="Administration",
        title="Incidents",
        singular="incident",
        model=Incident,
        roles=VIEWERS,
        edit_roles=OPERATORS,
        columns=(
            Column("name", "Element", Incident.name, show=lambda row: row.name or row.element_id),
            Column("process", "Process", show=_process, under=True),
            Column("message", "Message", Incident.message),
            Column("attempts", "Attempts", Incident.attempts, kind="number", width=90),
            Column("at", "Happened", Incident.at, kind="when", width=132),
            Column(
                "resolved",
                "Status",
                kind="status",
                show=_status,
                choices=(("open", "Open"), ("resolved", "Resolved")),
                where=lambda text: (
                    Incident.resolved_at.is_(None) if text == "open" else Incident.resolved_at.is_not(None)
                ),
                width=116,
                keep=True,
            ),
        ),
        search=lambda text: or_(
            Incident.message.icontains(text, autoescape=True), Incident.id.endswith(text.lower(), autoescape=True)
        ),
        sort="-at",
        views=(View("open", "Open", lambda: Incident.resolved_at.is_(None)),),
        preview=_preview,
        actions=(
            Action("retry", "Retry", _retry, "refresh", when=_open),
            Action(
                "skip",
                "Skip",
                _skip,
                "player-skip-forward",
                when=_open,
                confirm="Leave the step out? What it would have done is not done, and the process goes on behind it.",
            ),
        ),
        empty=Empty(
            "Nothing has failed",
            "When a step of a process cannot be done, its token waits here until somebody mends the cause and tries"
            " again. Nothing is lost meanwhile.",
            "circle-check",
        ),
        row_title=lambda row: row.name or row.element_id,
        order=30,
    )
)


def _actor_id() -> str:
    actor = current_actor()
    assert actor is not None  # the views are closed to strangers
    return actor.user_id


def visible_incident(incident_id: str) -> Incident:
    """Return an incident of the actor's tenants. Raises ``NotFound``."""
    found = db.session.scalar(scoped(Incident).where(Incident.id == incident_id))
    if found is None:
        raise NotFound("There is no such incident, or it belongs to somebody else.", code="incident.unknown")
    return found


@blueprint.post("/<incident_id>/retry")
@allow(*OPERATORS)
def retry(incident_id: str) -> Response:
    """Run the failed step again with the same data."""
    incident = visible_incident(incident_id)
    toast(_retry(incident), "running")
    return redirect(url_for("instances.show", instance_id=incident.instance_id, tab="incidents"))


@blueprint.post("/<incident_id>/skip")
@allow(*OPERATORS)
def skip(incident_id: str) -> Response:
    """Leave the failed step out and go on behind it."""
    incident = visible_incident(incident_id)
    toast(_skip(incident), "running")
    return redirect(url_for("instances.show", instance_id=incident.instance_id, tab="incidents"))
