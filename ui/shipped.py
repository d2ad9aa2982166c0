"""The diagrams that come with the platform: read from ``bpmn/`` and kept deployed for every customer."""

from __future__ import annotations

from pathlib import Path

import structlog
from sqlalchemy import select

from engine.definitions.models import Definition, Deployment
from engine.definitions.problems import Refused
from engine.definitions.store import deploy
from engine.kernel.actor import SYSTEM
from engine.kernel.db import db
from modules.identity.tenants import operator_tenant

log = structlog.get_logger()

SHIPPED = Path(__file__).parents[1] / "bpmn"

_SUFFIXES = (".bpmn", ".dmn")


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the diagrams, decisions and forms of a folder and those below, by their path inside it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.suffix in _SUFFIXES or (path.suffix == ".json" and path.parent.name == "forms"):
            found[name.as_posix()] = path.read_bytes()
    return found


def deploy_shipped() -> list[Definition]:
    """Deploy every shipped folder that is new or changed; one whose process an operator changed is left alone.

    A folder that lint refuses is logged and skipped: the platform starts without it.
    """
    operator = operator_tenant().id
    deployed: list[Definition] = []
    for folder in sorted(path for path in SHIPPED.iterdir() if path.is_dir()):
        files = read_folder(folder)
        if not files or _changed_by_people(operator, [name for name in files if name.endswith(".bpmn")]):
            continue
        try:
            deployed += deploy(files, tenant_id=operator, actor_id=SYSTEM, published=True)
        except Refused as refusal:
            log.error("shipped_diagrams_refused", folder=folder.name, reason=refusal.message)
    return deployed


def _changed_by_people(tenant_id: str, files: list[str]) -> bool:
    newest: dict[str, str] = {}
    statement = (
        select(Definition.process_id, Deployment.created_by)
        .join(Deployment, Deployment.id == Definition.deployment_id)
        .where(Definition.tenant_id == tenant_id, Definition.resource.in_(files))
        .order_by(Definition.version)
    )
    for process_id, author in db.session.execute(statement):
        newest[process_id] = author
    return any(author != SYSTEM for author in newest.values())
