"""Processes: upload with what lint says about it, deploy, versions, and starting an instance."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased
from werkzeug.wrappers import Response as BaseResponse

from engine import api
from engine.api import Definition, Instance, Problem, Refused
from engine.kernel.actor import Actor, current_actor, scoped
from engine.kernel.db import db, new_id
from engine.kernel.errors import InvalidInput, NotFound
from engine.kernel.settings import Settings
from engine.pages import Column, Empty, Link, ListPage, add_list, allow
from modules.identity import ancestors_of, find_tenant
from modules.inventory import PhoneNumber
from modules.portals.pbx import bind_number, numbers_of_process
from ui.instance_state import ENDED
from ui.shell import toast
from ui.uploads import read_upload, refuse_excess

URL = "/administration/processes"
blueprint = Blueprint("processes", __name__, url_prefix=URL)

VIEWERS = ("administrator", "customer_admin")
DEPLOYERS = ("administrator",)
#: what a form may need beside the files themselves
ENVELOPE = 100_000

ResponseJson = dict[str, Any] | tuple[dict[str, Any], int]


@dataclass(frozen=True)
class ProcessList(ListPage):
    """The newest version of each process; published ones of the tenants above are among them."""

    def rows(self) -> Select[Any]:
        """Return the select of all rows that the actor may see here."""
        newest = (
            select(func.max(Definition.version))
            .where(Definition.tenant_id == this.tenant_id, Definition.process_id == this.process_id)
            .scalar_subquery()
        )
        return select(this).where(readable(this), this.version == newest)


#: the row itself, beside which its other versions are looked at
this = aliased(Definition)


def _open_instances(definition: Definition) -> int:
    same = (Definition.tenant_id == definition.tenant_id, Definition.process_id == definition.process_id)
    versions = select(Definition.id).where(*same)
    counted = scoped(Instance, func.count()).where(Instance.definition_id.in_(versions))
    return db.session.scalar(counted.where(Instance.status.not_in(ENDED))) or 0


def _owner(definition: Definition) -> str:
    return find_tenant(definition.tenant_id).name


add_list(
    ProcessList(
        name="administration.processes",
        url=URL,
        section="Administration",
        title="Processes",
        singular="process",
        model=this,
        roles=VIEWERS,
        columns=(
            Column("name", "Name", this.name, show=lambda row: Link(row.name, f"{URL}/{row.id}")),
            Column("process_id", "Process id", this.process_id, kind="code", under=True),
            Column("owner", "Owner", show=_owner, width=170),
            Column("version", "Version", this.version, kind="number", width=90),
            Column("open", "Open instances", show=_open_instances, width=120),
            Column("created_at", "Deployed", this.created_at, kind="when", width=140),
        ),
        search=lambda text: or_(
            this.name.icontains(text, autoescape=True), this.process_id.icontains(text, autoescape=True)
        ),
        sort="name",
        links=(Link("Upload", f"{URL}/upload", "upload", DEPLOYERS),),
        empty=Empty(
            "No process is deployed yet",
            "A process says what happens when somebody calls, orders or pays. Draw one in any BPMN editor and upload"
            " it: it is checked before anything is stored.",
            "route",
        ),
        order=10,
    )
)


def actor() -> Actor:
    """Return who asks; the views here are closed to strangers."""
    found = current_actor()
    assert found is not None
    return found


def settings() -> Settings:
    """Return the settings in force."""
    found: Settings = current_app.extensions["cms_settings"]
    return found


def readable(definition: Any) -> Any:
    """Return the condition for versions the actor may see: his tenants', and what those above publish to them."""
    above = definition.published & definition.tenant_id.in_(ancestors_of(actor().tenant_id))
    return definition.tenant_id.in_(actor().tenant_ids) | above


def visible_definition(definition_id: str) -> Definition:
    """Return a version that the actor may see. Raises ``NotFound``."""
    found = db.session.scalar(select(Definition).where(Definition.id == definition_id, readable(Definition)))
    if found is None:
        raise NotFound("There is no such process, or it belongs to somebody else.", code="definition.unknown")
    return found


@blueprint.get("/upload")
@allow(*DEPLOYERS)
def upload() -> str:
    """Choose files; the page shows what lint says before anything is stored."""
    owner = find_tenant(actor().tenant_id)
    return render_template("processes/upload.html", limit=settings().upload_limit, owner=owner)


@blueprint.post("/check")
@allow(*DEPLOYERS)
def check() -> ResponseJson:
    """Say what lint says about the files, and give back their drawings. Stores nothing."""
    files, problems = _checked()
    return _outcome(files, problems)


@blueprint.post("/deploy")
@allow(*DEPLOYERS)
def deploy() -> ResponseJson:
    """Store the files as a new version; refused files store nothing."""
    files, problems = _checked()
    if any(problem.severity == "error" for problem in problems):
        return _outcome(files, problems)
    try:
        made = api.deploy(
            files,
            tenant_id=actor().tenant_id,
            actor_id=actor().user_id,
            published=request.form.get("published") == "true",
        )
    except Refused as refused:
        return _outcome(files, refused.problems)
    db.session.flush()
    first = made[0]
    toast(f"{first.name}: version {first.version} is deployed. Running instances keep theirs.")
    return {"location": url_for("processes.show", definition_id=first.id)}


def _checked() -> tuple[dict[str, bytes], list[Problem]]:
    """Read and lint the request's files; what cannot even be read is a problem of its own."""
    limit = settings().upload_limit
    try:
        refuse_excess(request.content_length or 0, limit + ENVELOPE, "What you sent")
        files = read_upload(request.files.getlist("files"), limit)
    except InvalidInput as error:
        return {}, [_unreadable(error)]
    return files, api.lint_files(files, tenant_id=actor().tenant_id)


def _unreadable(error: InvalidInput) -> Problem:
    return Problem(
        file="",
        element=None,
        name=None,
        line=None,
        rule=error.code,
        severity="error",
        message=error.message,
        remedy=error.fields.get("files", ""),
    )


def _outcome(files: dict[str, bytes], problems: list[Problem]) -> ResponseJson:
    errors = sum(problem.severity == "error" for problem in problems)
    unreadable = {problem.file for problem in problems if problem.rule.startswith(("xml.", "file."))}
    drawings = {
        name: content.decode("utf-8", "replace")
        for name, content in files.items()
        if name.lower().endswith((".bpmn", ".xml")) and name not in unreadable
    }
    html = render_template("processes/_problems.html", files=files, problems=problems, errors=errors)
    answer = {
        "ok": not errors and bool(files),
        "drawings": drawings,
        "problems": [problem.as_json() for problem in problems],
        "html": html,
    }
    return (answer, 200) if not errors else (answer, 422)


@blueprint.get("/<definition_id>")
@allow(*VIEWERS)
def show(definition_id: str) -> str:
    """Show one version: its drawing, the other versions, its instances, and what can be done with it."""
    return _page(visible_definition(definition_id))


def _page(definition: Definition, *, typed: str | None = None, error: str = "") -> str:
    same = (Definition.tenant_id == definition.tenant_id, Definition.process_id == definition.process_id)
    versions = list(db.session.scalars(select(Definition).where(*same).order_by(Definition.version.desc())))
    bindings = numbers_of_process(definition.process_id)
    return render_template(
        "processes/show.html",
        definition=definition,
        versions=versions,
        counts=_counts([version.id for version in versions]),
        owner=find_tenant(definition.tenant_id),
        sample=_sample(definition),
        typed=typed,
        error=error,
        start_key=new_id(),
        bindings=bindings,
        free_numbers=_other_numbers({number.id for number, _ in bindings}),
        may_deploy=bool(actor().roles & set(DEPLOYERS)),
    )


def _other_numbers(bound: set[str]) -> list[PhoneNumber]:
    """Return the actor's numbers that something else answers, or nothing."""
    others = scoped(PhoneNumber).where(PhoneNumber.id.not_in(bound)) if bound else scoped(PhoneNumber)
    return list(db.session.scalars(others.order_by(PhoneNumber.application_id.is_not(None), PhoneNumber.number)))


def _counts(definition_ids: list[str]) -> dict[str, dict[str, int]]:
    """Return how many of the actor's instances each version has in each status."""
    rows = scoped(Instance, Instance.definition_id, Instance.status, func.count())
    rows = rows.where(Instance.definition_id.in_(definition_ids)).group_by(Instance.definition_id, Instance.status)
    counts: dict[str, dict[str, int]] = {definition_id: {} for definition_id in definition_ids}
    for definition_id, status, number in db.session.execute(rows):
        counts[definition_id][status] = number
    return counts


def _sample(definition: Definition) -> str:
    """Return data to begin with: the parameters with their defaults, for processes that have some."""
    properties = definition.parameters.get("properties", {}) if definition.parameters else {}
    defaults = {name: schema["default"] for name, schema in properties.items() if "default" in schema}
    data = {"parameters": defaults} if defaults else {}
    return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()


@blueprint.get("/<definition_id>/diagram.bpmn")
@allow(*VIEWERS, "supervisor", "agent")
def diagram(definition_id: str) -> BaseResponse:
    """The drawing of a version. It never changes, so browsers may keep it."""
    definition = visible_definition(definition_id)
    response = make_response(api.diagram_xml(definition.id))
    response.mimetype = "application/xml"
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


@blueprint.get("/<definition_id>/files.zip")
@allow(*VIEWERS)
def download(definition_id: str) -> Response:
    """Everything that was deployed together with this version."""
    definition = visible_definition(definition_id)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in api.deployment_files(definition.id).items():
            archive.writestr(name, data)
    name = f"{definition.process_id}-v{definition.version}.zip"
    response = make_response(content.getvalue())
    response.mimetype = "application/zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.post("/<definition_id>/start")
@allow(*VIEWERS)
def start(definition_id: str) -> BaseResponse | tuple[str, int]:
    """Start an instance with the data of the form."""
    definition = visible_definition(definition_id)
    typed = request.form.get("data", "")
    try:
        data = _json_object(typed)
    except InvalidInput as error:
        return _page(definition, typed=typed, error=f"{error.message} {error.fields['data']}"), 422
    instance_id = api.start(
        definition_id=definition.id,
        tenant_id=actor().tenant_id,
        data=data,
        actor_id=actor().user_id,
        business_key=request.form.get("business_key", "").strip() or None,
        key=request.form.get("key") or new_id(),
    )
    return redirect(url_for("instances.show", instance_id=instance_id))


@blueprint.post("/<definition_id>/bind")
@allow(*VIEWERS)
def bind(definition_id: str) -> BaseResponse:
    """Let the process answer a number of the actor's tenants."""
    definition = visible_definition(definition_id)
    number = db.session.scalar(scoped(PhoneNumber).where(PhoneNumber.id == request.form.get("number", "")))
    if number is None:
        raise NotFound("There is no such number, or it belongs to somebody else.", code="number.unknown")
    bind_number(number, definition)
    toast(f"{number.number} is answered by {definition.name} from the next call on.")
    return redirect(url_for("processes.show", definition_id=definition.id))


def _json_object(text: str) -> dict[str, Any]:
    """Read the data field. Raises ``InvalidInput`` that says where it is wrong."""
    try:
        data = orjson.loads(text.strip() or "{}")
    except orjson.JSONDecodeError as error:
        raise InvalidInput(
            f"The data is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.",
            {"data": 'Write a JSON object, such as {"amount": 12}.'},
        ) from error
    if not isinstance(data, dict):
        raise InvalidInput("The data is not a JSON object.", {"data": "Begin with { and name each value."})
    return data
