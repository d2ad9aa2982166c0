"""User tasks (BPMN 2.0, 10.3.3): who may do them, claiming, releasing, completing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jsonschema import FormatChecker
from sqlalchemy import select, update

from engine.execution.events import find_instance, insert_event
from engine.execution.records import UserTask
from engine.kernel.actor import Actor
from engine.kernel.bus import announce
from engine.kernel.db import after_commit, db
from engine.kernel.errors import Conflict, InvalidInput, NotFound, NotPermitted
from engine.schemas import validator_of

ADMINISTRATOR = "administrator"


def may_do(task: UserTask, actor: Actor) -> bool:
    """Say whether the actor may claim and complete the task: its assignee, a candidate, or an administrator."""
    if ADMINISTRATOR in actor.roles or task.assignee == actor.user_id or actor.user_id in task.candidate_users:
        return True
    if task.candidate_groups:
        return not actor.roles.isdisjoint(task.candidate_groups)
    return not task.candidate_users and task.assignee is None


def list_tasks(
    actor: Actor,
    *,
    statuses: Sequence[str] = ("open", "claimed"),
    instance_id: str | None = None,
    limit: int = 500,
) -> list[UserTask]:
    """Return the tasks that the actor may do, oldest first: his own and those nobody has taken."""
    statement = (
        select(UserTask)
        .where(UserTask.tenant_id.in_(actor.tenant_ids), UserTask.status.in_(statuses))
        .order_by(UserTask.created_at, UserTask.id)
    )
    if instance_id is not None:
        statement = statement.where(UserTask.instance_id == instance_id)
    found: list[UserTask] = []
    for task in db.session.scalars(statement):
        if may_do(task, actor) and (task.assignee in {None, actor.user_id} or ADMINISTRATOR in actor.roles):
            found.append(task)
            if len(found) == limit:
                break
    return found


def get_task(task_id: str, actor: Actor | None = None) -> UserTask:
    """Return a task. Raises ``NotFound``, also when it is of a tenant that ``actor`` may not see."""
    task = db.session.get(UserTask, task_id)
    if task is None or (actor is not None and task.tenant_id not in actor.tenant_ids):
        raise NotFound(f"There is no task {task_id}.", code="task.unknown")
    return task


def _permitted(task_id: str, actor: Actor) -> UserTask:
    task = get_task(task_id, actor)
    if not may_do(task, actor):
        raise NotPermitted(f"The task “{task.name}” is for others.", code="task.not_permitted")
    return task


def claim_task(task_id: str, actor: Actor) -> UserTask:
    """Take a task. Raises ``Conflict`` when somebody else has it or it is done, ``NotPermitted``, ``NotFound``."""
    task = _permitted(task_id, actor)
    if task.status == "claimed" and task.assignee == actor.user_id:
        return task
    _change(task, {"status": "claimed", "assignee": actor.user_id}, ("open",), actor)
    return task


def release_task(task_id: str, actor: Actor) -> UserTask:
    """Give a task back. Raises ``Conflict`` when the actor does not have it, ``NotFound``."""
    task = get_task(task_id, actor)
    if task.assignee != actor.user_id and ADMINISTRATOR not in actor.roles:
        raise Conflict(f"The task “{task.name}” is not yours to release.", code="task.not_yours")
    _change(task, {"status": "open", "assignee": None}, ("claimed",), actor)
    return task


def complete_task(task_id: str, data: dict[str, Any], actor: Actor) -> str:
    """Complete a task with the form's values and return the key of the event, for ``wait_for_event``.

    Values that the form's schema does not name are left out. Raises ``InvalidInput`` whose fields are JSON pointers,
    ``Conflict`` when somebody else has the task or it is done, ``NotPermitted``, ``NotFound``.
    """
    task = _permitted(task_id, actor)
    values = checked_values(task.form.get("schema") or {}, data)
    _change(task, {"status": "completing", "assignee": actor.user_id}, ("open", "claimed"), actor)
    key = f"task:{task.id}"
    payload = {"token": task.id, "data": values}
    insert_event(find_instance(task.instance_id), "task_completed", payload, key=key, actor_id=actor.user_id)
    return key


def _change(task: UserTask, values: dict[str, Any], allowed: tuple[str, ...], actor: Actor) -> None:
    """Change the row if its status is still one of ``allowed`` and nobody else has it: one of two people wins."""
    statement = update(UserTask).where(UserTask.id == task.id, UserTask.status.in_(allowed))
    if ADMINISTRATOR not in actor.roles:
        statement = statement.where((UserTask.assignee == actor.user_id) | UserTask.assignee.is_(None))
    changed: Any = db.session.execute(statement.values(**values), execution_options={"synchronize_session": False})
    db.session.refresh(task)
    if changed.rowcount != 1:
        raise Conflict(_why(task), code="task.taken", status=task.status, assignee=task.assignee)
    tenant_id, fields = task.tenant_id, {"task": task.id, "status": task.status}
    after_commit(lambda: announce(f"tasks:{tenant_id}", **fields))


def _why(task: UserTask) -> str:
    if task.status == "cancelled":
        return f"The task “{task.name}” is no longer needed."
    if task.status in {"completing", "completed"}:
        return f"The task “{task.name}” has already been completed."
    return f"Somebody else has the task “{task.name}”."


def checked_values(schema: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return the values that the schema names. Raises ``InvalidInput`` with one sentence for each JSON pointer."""
    properties = schema.get("properties")
    values = {name: data[name] for name in properties if name in data} if isinstance(properties, dict) else dict(data)
    fields: dict[str, str] = {}
    for error in validator_of(schema, FormatChecker()).iter_errors(values):
        path = list(error.absolute_path)
        if error.validator == "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            fields.update({_pointer([*path, name]): "Fill this in." for name in missing})
        else:
            fields.setdefault(_pointer(path), error.message)
    if fields:
        raise InvalidInput("Some fields need your attention.", fields, code="task.invalid")
    return values


def _pointer(path: Sequence[Any]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
