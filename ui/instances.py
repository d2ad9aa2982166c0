"""The cockpit: the list of instances, and one instance with its diagram, tokens, data, history, calls, incidents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from sqlalchemy import or_
from werkzeug.wrappers import Response as BaseResponse

from engine import api
from engine.api import Definition, Instance, UserTask
from engine.kernel.actor import current_actor, scoped
from engine.kernel.db import db, now
from engine.kernel.types import to_json
from engine.pages import Column, Empty, Hit, Link, ListPage, SearchProvider, Status, View, add_list, add_search, allow
from modules.identity import Tenant
from ui import instance_state
from ui.instance_state import visible_instance
from ui.moments import init_moments
from ui.shell import toast

URL = "/administration/instances"
blueprint = Blueprint("instances", __name__, url_prefix=URL)
blueprint.record_once(lambda state: init_moments(state.app))

VIEWERS = ("administrator", "customer_admin", "supervisor")
#: tokens that only stand for the others inside them
SCOPES = ("subProcess", "process")
#: boxes of the page that follow the news, and their templates
LIVE_PARTS = {
    "status": "status",
    "actions": "actions",
    "p-tokens": "tokens",
    "p-calls": "calls",
    "p-incidents": "incidents",
}
OPERATORS = ("administrator", "customer_admin")

STATUSES = ("running", "waiting", "incident", "suspended", "completed", "cancelled")


def _definition_of(instance: Instance) -> Definition | None:
    return db.session.get(Definition, instance.definition_id)


def _name(instance: Instance) -> Link:
    definition = _definition_of(instance)
    return Link(definition.name if definition else instance.process_id, f"{URL}/{instance.id}")


def _processes() -> list[tuple[str, str]]:
    mine = scoped(Instance, Instance.process_id).distinct().order_by(Instance.process_id)
    return [(process_id, process_id) for process_id in db.session.scalars(mine)]


def _duration(instance: Instance) -> timedelta:
    return (instance.ended_at or now()) - instance.started_at


def _fits(text: str) -> Any:
    by_key = Instance.business_key.icontains(text, autoescape=True)
    return or_(by_key, Instance.id.endswith(text.lower(), autoescape=True))


add_list(
    ListPage(
        name="administration.instances",
        url=URL,
        section="Administration",
        title="Instances",
        singular="instance",
        model=Instance,
        roles=VIEWERS,
        columns=(
            Column("process_id", "Process", Instance.process_id, show=_name, choices=_processes),
            Column("id", "Reference", Instance.id, kind="code", show=lambda row: row.id[-6:], width=110),
            Column("business_key", "Business key", Instance.business_key),
            Column("version", "Version", show=lambda row: getattr(_definition_of(row), "version", None), width=84),
            Column("started_at", "Started", Instance.started_at, kind="when", width=132, under=True),
            Column("duration", "Duration", show=_duration, width=96),
            Column(
                "status",
                "Status",
                Instance.status,
                kind="status",
                choices=[(name, name.capitalize()) for name in STATUSES],
                show=lambda row: Status(row.status, row.status.capitalize()),
                width=124,
                keep=True,
            ),
        ),
        search=_fits,
        sort="-started_at",
        views=(
            View("open", "Open", lambda: Instance.status.not_in(instance_state.ENDED)),
            View("incident", "Incident", lambda: Instance.status == "incident"),
        ),
        empty=Empty(
            "No process has run yet",
            "An instance is one run of a process: a call that is answered, an order, a bill run. Start one from its"
            " process, or call a number that a process answers.",
            "route",
        ),
        row_title=lambda row: row.id[-6:],
        order=20,
    )
)


def _search(text: str, limit: int) -> list[Hit]:
    if len(text) < 3:
        return []
    rows = db.session.scalars(scoped(Instance).where(_fits(text)).order_by(Instance.started_at.desc()).limit(limit))
    return [Hit(_name(row).text, f"{URL}/{row.id}", f"{row.id[-6:]} · {row.status}", "route") for row in rows]


add_search(SearchProvider("Instances", _search, VIEWERS, order=40))


@blueprint.get("/<instance_id>")
@allow(*VIEWERS)
def show(instance_id: str) -> str:
    """Show one instance, live."""
    instance = visible_instance(instance_id)
    definition = api.definition_by_id(instance.definition_id)
    version, newest, newest_id = instance_state.newest_version(instance)
    state = instance_state.instance_state(instance)
    facts = _facts(instance, state)
    state["counts"] = _counts(state, facts)
    return render_template(
        "instances/show.html",
        instance=instance,
        definition=definition,
        version=version,
        newest=newest,
        newest_id=newest_id,
        state=state,
        tenant=db.session.get(Tenant, instance.tenant_id),
        state_json=instance_state.embedded(state),
        **facts,
    )


@blueprint.get("/<instance_id>/state.json")
@allow(*VIEWERS)
def state_json(instance_id: str) -> Response:
    """What is new since history row ``after``, and everything else as it is now."""
    instance = visible_instance(instance_id)
    state = instance_state.instance_state(instance, after=request.args.get("after", 0, type=int))
    facts = _facts(instance, state)
    state |= {"html": _fragments(instance, state, facts), "counts": _counts(state, facts)}
    response = make_response(to_json(state))
    response.mimetype = "application/json"
    return response


def _facts(instance: Instance, state: dict[str, Any]) -> dict[str, Any]:
    """What the server-made parts of the page are drawn from."""
    actor = current_actor()
    tasks = {token["id"] for token in state["tokens"] if token["type"] == "userTask"}
    return {
        "calls": instance_state.calls_of(instance.id),
        "tasks": {task.id: task for task in (db.session.get(UserTask, task_id) for task_id in tasks) if task},
        "open_incidents": [item for item in state["incidents"] if not item["resolved_at"]],
        "scopes": SCOPES,
        "may_operate": bool(actor and actor.roles & set(OPERATORS)),
        "person": instance_state.person,
    }


def _counts(state: dict[str, Any], facts: dict[str, Any]) -> dict[str, int]:
    """The numbers beside the tabs."""
    tokens = [token for token in state["tokens"] if token["type"] not in SCOPES]
    return {"tokens": len(tokens), "calls": len(facts["calls"]), "incidents": len(facts["open_incidents"])}


def _fragments(instance: Instance, state: dict[str, Any], facts: dict[str, Any]) -> dict[str, str]:
    """The parts that live news replaces, by the id of their box."""
    parts = {
        "status": "status",
        "actions": "actions",
        "p-tokens": "tokens",
        "p-calls": "calls",
        "p-incidents": "incidents",
    }
    return {
        box: render_template(f"instances/_{name}.html", instance=instance, state=state, **facts)
        for box, name in parts.items()
    }


@blueprint.post("/<instance_id>/cancel")
@allow(*OPERATORS)
def cancel(instance_id: str) -> BaseResponse:
    """End an instance by choice."""
    instance = visible_instance(instance_id)
    api.cancel_instance(instance.id, _actor_id())
    toast("Cancelled. What it had already done stays done.", "cancelled")
    return redirect(url_for("instances.show", instance_id=instance.id))


@blueprint.post("/<instance_id>/retry")
@allow(*OPERATORS)
def retry(instance_id: str) -> BaseResponse:
    """Try every open incident of an instance again."""
    instance = visible_instance(instance_id)
    for incident in api.show(instance.id, history=False)["incidents"]:
        if not incident["resolved_at"]:
            api.retry_incident(incident["id"], _actor_id())
    toast("Trying again.", "running")
    return redirect(url_for("instances.show", instance_id=instance.id, tab=request.form.get("tab") or None))


def _actor_id() -> str:
    actor = current_actor()
    assert actor is not None  # the view is closed to strangers
    return actor.user_id
