"""Versions of processes: deploying them, and finding them again.

A deployment keeps the files as they were uploaded, together with the forms and decisions that its diagrams use. A
version never changes; running instances keep theirs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from engine.definitions.documents import bpmn, local
from engine.definitions.elements import event_definitions, event_kind
from engine.definitions.findings import Findings
from engine.definitions.lint import Diagram, Examination, Lookup, examine, template_parameters
from engine.definitions.models import Definition, Deployment, Resource, StartSubscription
from engine.definitions.problems import Problem, Refused
from engine.expressions import Cycle, as_timer, compile_timer
from engine.feel.temporal import shift
from engine.kernel.db import db, now
from engine.kernel.errors import NotFound

__all__ = [
    "definition_by_id",
    "deploy",
    "deployment_files",
    "diagram_xml",
    "find_definition",
    "lint_files",
    "list_definitions",
    "shelf",
]


def lint_files(files: Mapping[str, bytes], *, tenant_id: str | None = None) -> list[Problem]:
    """Return everything wrong or noteworthy about files; never raises for bad content.

    With a tenant, forms and decisions that were deployed before count as present.
    """
    return examine(files, None if tenant_id is None else shelf(tenant_id)).problems


def deploy(files: Mapping[str, bytes], *, tenant_id: str, actor_id: str, published: bool = False) -> list[Definition]:
    """Store new versions of the processes in ``files`` and return the definitions in force.

    A process whose diagram, decisions and forms are unchanged keeps its version. Forms and decisions that the
    files lack are taken from the tenant's newest deployment that has them. ``published`` lets every tenant use it.
    Raises ``Refused`` with nothing stored when lint finds errors.
    """
    examination = examine(files, shelf(tenant_id))
    if not examination.errors and not any(diagram.processes for diagram in examination.diagrams):
        file = next(iter(files), "upload")
        examination.problems.append(
            Problem(
                file,
                None,
                None,
                None,
                "upload.empty",
                "error",
                "There is no diagram in the upload.",
                "Add one (.bpmn).",
            )
        )
    if examination.errors:
        raise Refused(examination.problems)
    deployment: Deployment | None = None
    definitions = []
    for diagram in examination.diagrams:
        for process in diagram.processes:
            digest = _digest(examination, diagram, process.get("id"))
            newest = _newest(process.get("id"), tenant_id)
            if newest is not None and newest.digest == digest and newest.published == published:
                definitions.append(newest)
                continue
            deployment = deployment or _store_files(examination, tenant_id, actor_id)
            definition = Definition(
                tenant_id=tenant_id,
                deployment_id=deployment.id,
                process_id=process.get("id"),
                name=process.get("name") or process.get("id"),
                version=1 if newest is None else newest.version + 1,
                resource=diagram.document.file,
                digest=digest,
                parameters=_parameters(diagram, process),
                warnings=[
                    problem.as_json() for problem in examination.problems if problem.file == diagram.document.file
                ],
                published=published,
            )
            db.session.add(definition)
            db.session.flush()
            _subscribe(definition, process)
            definitions.append(definition)
    return definitions


def _parameters(diagram: Diagram, process: Any) -> dict[str, Any]:
    return template_parameters(Findings(diagram.document.file, diagram.document.root, {}, {}), process)


def _digest(examination: Examination, diagram: Diagram, process_id: str) -> str:
    """Return the hash of everything the execution of a process depends on."""
    wanted = {diagram.document.file} | {examination.origins[name] for name in diagram.used}
    total = hashlib.sha256(process_id.encode())
    for document in sorted(examination.documents, key=lambda item: item.file):
        if document.file in wanted:
            total.update(document.kind.encode() + hashlib.sha256(document.content).digest())
    return total.hexdigest()


def _store_files(examination: Examination, tenant_id: str, actor_id: str) -> Deployment:
    total = hashlib.sha256()
    for document in examination.documents:
        total.update(document.file.encode() + b"\0" + hashlib.sha256(document.content).digest())
    deployment = Deployment(tenant_id=tenant_id, created_by=actor_id, digest=total.hexdigest())
    db.session.add(deployment)
    db.session.flush()
    for document in examination.documents:
        content = document.content.decode("utf-8") if document.kind == "form" else _as_text(document.root, document)
        db.session.add(Resource(deployment_id=deployment.id, name=document.file, kind=document.kind, content=content))
    return deployment


def _as_text(root: Any, document: Any) -> str:
    """Return XML as text: in UTF-8 as it is, in other encodings without the declaration that would then lie."""
    encoding = (root.getroottree().docinfo.encoding or "UTF-8").upper()
    if encoding in ("UTF-8", "ASCII", "US-ASCII"):
        return str(document.content.decode("utf-8-sig"))
    text = str(document.content.decode(encoding))
    return text[text.index("?>") + 2 :].lstrip() if text.lstrip("\ufeff").startswith("<?xml") else text


# --- start events ---------------------------------------------------------------------------------------------


def _subscribe(definition: Definition, process: Any) -> None:
    """Let messages, signals and timers start the newest version and no older one."""
    older = select(Definition.id).where(
        Definition.tenant_id == definition.tenant_id, Definition.process_id == definition.process_id
    )
    db.session.execute(delete(StartSubscription).where(StartSubscription.definition_id.in_(older)))
    root = process.getroottree().getroot()
    names = {item.get("id"): item.get("name") for item in root if local(item) in ("message", "signal")}
    for event in process.iterchildren(bpmn("startEvent")):
        for trigger in event_definitions(event):
            kind = event_kind(trigger)
            row = StartSubscription(
                tenant_id=definition.tenant_id,
                definition_id=definition.id,
                kind=kind,
                name="",
                element_id=event.get("id"),
            )
            if kind in ("message", "signal"):
                row.name = names.get(trigger.get(f"{kind}Ref")) or ""
            elif kind == "timer":
                row.timer = next((part.text or "").strip() for part in trigger)
                row.due_at = first_due(row.timer)
            else:
                continue
            db.session.add(row)


def first_due(timer: str) -> datetime | None:
    """Return when a timer start event fires first."""
    value = as_timer(compile_timer(timer).evaluate({}))
    if isinstance(value, Cycle):
        return value.start or shift(now(), value.interval)
    return value if isinstance(value, datetime) else shift(now(), value)


# --- finding --------------------------------------------------------------------------------------------------


def definition_by_id(definition_id: str) -> Definition:
    """Return a definition. Raises ``NotFound``."""
    definition = db.session.get(Definition, definition_id)
    if definition is None:
        raise NotFound(f"There is no definition {definition_id}.", code="definition.unknown")
    return definition


def _newest(process_id: str, tenant_id: str) -> Definition | None:
    statement = select(Definition).where(Definition.process_id == process_id, Definition.tenant_id == tenant_id)
    found: Definition | None = db.session.scalar(statement.order_by(Definition.version.desc()).limit(1))
    return found


def find_definition(process_id: str, *, tenant_id: str, version: int | None = None) -> Definition:
    """Return a version of a process, the newest unless one is named: the tenant's own, else a published one.

    Raises ``NotFound``.
    """
    statement = select(Definition).where(Definition.process_id == process_id)
    if version is not None:
        statement = statement.where(Definition.version == version)
    newest = statement.order_by(Definition.version.desc()).limit(1)
    definition = db.session.scalar(newest.where(Definition.tenant_id == tenant_id)) or db.session.scalar(
        newest.where(Definition.published)
    )
    if definition is None:
        which = f"version {version} of process" if version is not None else "process"
        raise NotFound(f"There is no {which} {process_id!r}.", code="process.unknown")
    return definition


def list_definitions(tenant_ids: Iterable[str]) -> list[Definition]:
    """Return all versions that belong to the tenants or are published, newest first within each process."""
    statement = select(Definition).where(Definition.tenant_id.in_(list(tenant_ids)) | Definition.published)
    ordered = statement.order_by(Definition.process_id, Definition.tenant_id, Definition.version.desc())
    return list(db.session.scalars(ordered))


def diagram_xml(definition_id: str) -> str:
    """Return the diagram as it was uploaded. Raises ``NotFound``."""
    definition = definition_by_id(definition_id)
    statement = select(Resource.content).where(
        Resource.deployment_id == definition.deployment_id, Resource.name == definition.resource
    )
    return str(db.session.scalar(statement))


def deployment_files(definition_id: str) -> dict[str, bytes]:
    """Return all files that were deployed together with a definition. Raises ``NotFound``."""
    return {item.name: item.content.encode() for item in resources(definition_by_id(definition_id).deployment_id)}


def resources(deployment_id: str) -> Sequence[Resource]:
    """Return the files of a deployment."""
    statement = select(Resource).where(Resource.deployment_id == deployment_id).order_by(Resource.name)
    return list(db.session.scalars(statement))


def shelf(tenant_id: str) -> Lookup:
    """Return a lookup of the forms and decisions that a tenant may use; read at its first question."""
    return _Shelf(tenant_id)


class _Shelf:
    """Finds the forms and decisions of earlier deployments: the tenant's own first, then published ones."""

    def __init__(self, tenant_id: str) -> None:
        self.tenant_id = tenant_id
        self._found: dict[str, tuple[str, bytes]] | None = None

    def __call__(self, name: str) -> tuple[str, bytes] | None:
        if self._found is None:
            self._found = self._read()
        return self._found.get(name)

    def _read(self) -> dict[str, tuple[str, bytes]]:
        found: dict[str, tuple[str, bytes]] = {}
        published = select(Definition.deployment_id).where(Definition.published)
        for condition in (Deployment.id.in_(published), Deployment.tenant_id == self.tenant_id):
            statement = (
                select(Resource)
                .join(Deployment, Deployment.id == Resource.deployment_id)
                .where(condition, Resource.kind.in_(("form", "dmn")))
                .order_by(Deployment.created_at, Deployment.id)
            )
            for resource in db.session.scalars(statement):
                content = resource.content.encode()
                held = examine({resource.name: content})
                for name in held.origins:
                    found[name] = (resource.name, content)
        return found
