"""The inbox: tasks that wait for people, and the page on which one is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select

from engine import api
from engine.api import Instance, UserTask
from engine.definitions.models import Definition, Resource
from engine.definitions.store import definition_by_id
from engine.kernel.actor import Actor, current_actor, scoped
from engine.kernel.db import begin, db, finish, now
from engine.kernel.errors import CmsError, Conflict, InvalidInput, NotFound
from engine.pages import EVERYONE, ROLES, Hit, NavItem, SearchProvider, add_search, add_to_navigation, allow
from engine.screens import find_screen
from modules.identity import User
from ui import forms
from ui.filters import duration, phone, zone
from ui.shell import toast

log = structlog.get_logger()
blueprint = Blueprint("inbox", __name__, url_prefix="/inbox")

OPEN = ("open", "claimed")
TABS = (("mine", "Mine"), ("groups", "My groups"), ("late", "Overdue"))
#: how long the page waits for the outcome of a completed task before it says "in progress"
PATIENCE_S = 2.0
SCALARS = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the inbox."""

    task: UserTask
    process: str
    subject: str
    group: str
    mine: bool
    late: bool


def actor() -> Actor:
    """Return who is logged in; the check in front of every view has made sure that somebody is."""
    found = current_actor()
    assert found is not None
    return found


def open_tasks() -> int:
    """Count what the actor may do, without loading what the tasks are about."""
    me = actor()
    columns = (UserTask.assignee, UserTask.candidate_users, UserTask.candidate_groups)
    rows: Any = db.session.execute(scoped(UserTask, *columns).where(UserTask.status.in_(OPEN)).limit(500))
    return sum(row.assignee in (None, me.user_id) and api.may_do(row, me) for row in rows)


def _find(text: str, limit: int) -> list[Hit]:
    found = [entry for entry in entries() if text.casefold() in f"{entry.task.name} {entry.subject}".casefold()]
    return [Hit(entry.task.name, f"/inbox/{entry.task.id}", entry.subject, "inbox") for entry in found[:limit]]


add_to_navigation(NavItem("", "Inbox", "/inbox", (EVERYONE,), order=10, icon="inbox", count=open_tasks))
add_search(SearchProvider("Tasks", _find, (EVERYONE,), order=20))


def entries() -> list[Entry]:
    """Return the actor's tasks: the most urgent first, then the oldest."""
    me, instant = actor(), now()
    tasks = api.list_tasks(me)
    names = _process_names(tasks)
    found = [
        Entry(
            task=task,
            process=names.get(task.instance_id, task.process_id),
            subject=subject_of(task.variables),
            group=_group(task.candidate_groups),
            mine=task.assignee == me.user_id,
            late=task.due_at is not None and task.due_at < instant,
        )
        for task in tasks
    ]
    return sorted(found, key=lambda entry: (entry.task.due_at is None, entry.task.due_at or entry.task.created_at))


def _group(names: list[str]) -> str:
    """The first group that may do it, and how many more."""
    first = ROLES.get(names[0], names[0]) if names else ""
    return f"{first} +{len(names) - 1}" if len(names) > 1 else first


def _process_names(tasks: list[UserTask]) -> dict[str, str]:
    """Names of the processes by instance."""
    wanted = {task.instance_id for task in tasks}
    query = select(Instance.id, Definition.name, Definition.process_id).join(
        Definition, Definition.id == Instance.definition_id
    )
    rows: Any = db.session.execute(query.where(Instance.id.in_(wanted))) if wanted else ()
    return {row[0]: row[1] or row[2] for row in rows}


def subject_of(variables: dict[str, Any]) -> str:
    """Return whom or what a task is about: the contact and number of its call, else its first short texts."""
    contact, call = variables.get("contact"), variables.get("call")
    parts: list[str] = []
    if isinstance(contact, dict) and contact.get("name"):
        parts.append(str(contact["name"]))
    if isinstance(call, dict) and "from" in call:
        parts.append(phone(call["from"]))
    if not parts:
        texts = [value for value in variables.values() if isinstance(value, str | int) and not isinstance(value, bool)]
        parts = [str(value) for value in texts if 0 < len(str(value)) <= 60][:2]
    return " · ".join(parts)


def _pick(found: list[Entry], tab: str, text: str) -> list[Entry]:
    kept = {"mine": [e for e in found if e.mine], "late": [e for e in found if e.late]}.get(tab, found)
    text = text.casefold()
    return [e for e in kept if text in f"{e.task.name} {e.subject} {e.process}".casefold()] if text else kept


def _list_context() -> dict[str, Any]:
    found = entries()
    tab = request.args.get("tab", "groups")
    text = request.args.get("q", "").strip()[:100]
    counts = {"mine": sum(e.mine for e in found), "groups": len(found), "late": sum(e.late for e in found)}
    topics = " ".join(f"tasks:{tenant}" for tenant in sorted(actor().tenant_ids))
    query = "".join(
        f"&{name}={value}" for name, value in (("tab", tab if tab != "groups" else ""), ("q", text)) if value
    )
    return {
        "entries": _pick(found, tab, text),
        "counts": counts,
        "tab": tab,
        "tabs": TABS,
        "text": text,
        "topics": topics,
        "keep": "?" + query[1:] if query else "",
    }


@blueprint.get("")
@allow(EVERYONE)
def index() -> ResponseReturnValue:
    """Show the tasks; on large screens the first one is open beside them."""
    context = _list_context()
    if request.headers.get("HX-Target") == "task-list":
        return render_template("inbox_list.html", **context, task=None)
    return render_template("inbox.html", **context, task=None)


@blueprint.get("/<task_id>")
@allow(EVERYONE)
def show(task_id: str) -> ResponseReturnValue:
    """Show one task with what happened, its form and where it stands in the process."""
    task = _visible(task_id)
    if request.headers.get("HX-Target") == "task-state":
        return _state(task)
    return _page(task)


def _visible(task_id: str) -> UserTask:
    """Return the task. Raises ``NotFound`` also for one of the tenant that is for others."""
    task = api.get_task(task_id, actor())
    if not api.may_do(task, actor()) and task.assignee != actor().user_id:
        raise NotFound("There is no such task for you.", code="task.unknown")
    return task


def _state(task: UserTask) -> ResponseReturnValue:
    """Tell an open page whether the task is still the same; the page reloads itself when it is not."""
    response = current_app.make_response(("", 204))
    if request.args.get("status") != _stamp(task):
        response.headers["HX-Refresh"] = "true"
    return response


def _stamp(task: UserTask) -> str:
    return f"{task.status}:{task.assignee or ''}"


def form_of(task: UserTask) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema and uiSchema: the task's own, else one for the plain variables in scope."""
    if task.form.get("schema"):
        return task.form["schema"], task.form.get("uiSchema") or {}
    properties: dict[str, Any] = {}
    for name, value in task.variables.items():
        if isinstance(value, SCALARS):
            kind = {bool: "boolean", int: "integer", float: "number"}.get(type(value), "string")
            properties[name] = {"type": kind}
    return {"type": "object", "properties": properties}, {}


def _page(
    task: UserTask, data: dict[str, Any] | None = None, wrong: dict[str, str] | None = None, conflict: str = ""
) -> ResponseReturnValue:
    schema, ui = form_of(task)
    region = current_app.extensions["cms_settings"].default_region
    known = {name: value for name, value in task.variables.items() if name in schema.get("properties", {})}
    drawn = forms.fields(schema, known if data is None else data, ui, zone=zone(), region=region, errors=wrong)
    instance = db.session.get(Instance, task.instance_id)
    definition = definition_by_id(instance.definition_id) if instance else None
    holder = db.session.get(User, task.assignee) if task.assignee else None
    body = render_template(
        "inbox.html",
        **_list_context(),
        task=task,
        stamp=_stamp(task),
        definition=definition,
        holder=holder,
        mine=task.assignee == actor().user_id,
        others=task.assignee is not None and task.assignee != actor().user_id,
        fields=drawn,
        errors=wrong or {},
        known=forms.labels(drawn),
        conflict=conflict,
        story=_story(task),
        details=_details(task),
        steps=_steps(task.instance_id),
    )
    return body, 409 if conflict else 422 if wrong else 200


def _story(task: UserTask) -> Markup | None:
    """What the task's own screen shows, if it has one. A screen that fails must not hide the form."""
    if not task.screen:
        return None
    try:
        screen = find_screen(task.screen)
        context = screen.context(task_id=task.id, variables=task.variables)
        return Markup(render_template(screen.template, task=task, **context))  # noqa: S704 - rendered by us just now
    except CmsError as error:
        log.warning("screen_failed", screen=task.screen, task=task.id, error=error.message)
        return None


def _details(task: UserTask) -> list[tuple[str, Any]]:
    """The plain variables in scope, one level deep, for tasks without a screen."""
    found: list[tuple[str, Any]] = []
    for name, value in task.variables.items():
        pairs = value.items() if isinstance(value, dict) else [("", value)]
        for key, item in pairs:
            label = f"{name} {key}".strip().replace("_", " ")
            if isinstance(item, SCALARS) and item != "" and not label.endswith("id"):
                found.append((label[0].upper() + label[1:], phone(str(item)) if str(item).startswith("+") else item))
    return found[:24]


def _steps(instance_id: str) -> list[dict[str, Any]]:
    """The finished steps, newest first, those that say something."""
    rows = [row for row in api.history(instance_id) if row["name"] and row["outcome"] == "completed"]
    return [{**row, "detail": _detail(row)} for row in reversed(rows)][:12]


def _detail(row: dict[str, Any]) -> str:
    """A few words about a finished step: what it returned, else which operation it was."""
    output = row["output"]
    words = [_words(name, value) for name, value in output.items()] if isinstance(output, dict) else []
    return ", ".join([text for text in words if text][:2]) or row["operation"] or ""


def _words(name: str, value: Any) -> str:
    """Texts speak for themselves, numbers need their name; identifiers and bare yes or no tell nothing."""
    if isinstance(value, str):
        return phone(value) if value.startswith("+") else value if 0 < len(value) < 32 and "@" not in value else ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    label = name.replace("_", " ")
    return duration(value) if label.endswith(" s") else f"{label} {value}"


@blueprint.get("/<task_id>/diagram")
@allow(EVERYONE)
def diagram(task_id: str) -> ResponseReturnValue:
    """Return the diagram the task stands in, for its small picture."""
    task = _visible(task_id)
    instance = db.session.get(Instance, task.instance_id)
    if instance is None:
        raise NotFound("The process of this task is gone.")
    definition = definition_by_id(instance.definition_id)
    query = select(Resource.content).where(
        Resource.deployment_id == definition.deployment_id, Resource.name == definition.resource
    )
    return Response(db.session.scalar(query) or "", mimetype="application/xml")


@blueprint.post("/<task_id>/claim")
@allow(EVERYONE)
def claim(task_id: str) -> ResponseReturnValue:
    """Take the task."""
    _visible(task_id)
    try:
        api.claim_task(task_id, actor())
    except Conflict as error:
        toast(error.message, "waiting")
    return redirect(url_for("inbox.show", task_id=task_id))


@blueprint.post("/<task_id>/release")
@allow(EVERYONE)
def release(task_id: str) -> ResponseReturnValue:
    """Give the task back."""
    _visible(task_id)
    try:
        api.release_task(task_id, actor())
    except Conflict as error:
        toast(error.message, "waiting")
    return redirect(url_for("inbox.show", task_id=task_id))


@blueprint.get("/<task_id>/complete")
@allow(EVERYONE)
def after_refusal(task_id: str) -> ResponseReturnValue:
    """Somebody reloads the page of a refused answer: show the task again."""
    return redirect(url_for("inbox.show", task_id=task_id))


@blueprint.post("/<task_id>/complete")
@allow(EVERYONE)
def complete(task_id: str) -> ResponseReturnValue:
    """Complete the task with what was entered, and wait a moment for what the process makes of it."""
    task = _visible(task_id)
    schema, ui = form_of(task)
    region = current_app.extensions["cms_settings"].default_region
    data = forms.read(schema, request.form, zone=zone(), region=region, ui=ui)
    wrong = forms.check(schema, data, ui)
    if wrong:
        return _page(task, data, wrong)
    try:
        key = api.complete_task(task_id, data, actor())
    except InvalidInput as error:
        return _page(task, data, error.fields)
    except Conflict as error:
        return _page(api.get_task(task_id), data, conflict=error.message)
    name, instance_id = task.name, task.instance_id
    # The event must be committed before a host can see it; the answer is made in a transaction of its own.
    finish(commit=True)
    g.unit_open = False
    done = api.wait_for_event(key, PATIENCE_S)
    begin(write=False)
    g.unit_open = True
    if not done:
        toast(f"{name} is handed in; the process is still working on it.", "running")
        return redirect(url_for("inbox.show", task_id=task_id))
    if api.list_incidents(instance_id=instance_id):
        toast(f"{name} is completed, but a later step needs an operator.", "waiting")
    else:
        toast(f"{name} is completed.")
    following = next((e for e in entries() if e.task.instance_id == instance_id), None)
    return redirect(url_for("inbox.show", task_id=following.task.id) if following else url_for("inbox.index"))
