"""What one advance makes durable: gathered while tokens move, written at its end in the same commit.

Rows go in by few statements of SQLAlchemy Core; an object of the ORM for each would cost more than the step itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from engine.definitions.parsed import Parsed
from engine.dmn import evaluate
from engine.execution import codec
from engine.execution.operating import Operating
from engine.execution.records import History, Incident, Outbox, Subscription, Timer, UserTask
from engine.execution.trouble import code_of, explain, sentence
from engine.kernel.db import new_id
from engine.kernel.errors import ConfigurationError
from engine.semantics.effects import TaskOrder
from engine.semantics.token import Token
from engine.semantics.wait import Wait

_SIMPLE = (str, int, bool, type(None))


class Recorder(Operating):
    """The surroundings of the tokens of one instance during one advance."""

    def __init__(self, instance: Any, parsed: Parsed) -> None:
        super().__init__(instance)
        self.parsed = parsed
        self.histories: list[dict[str, Any]] = []
        self.timers: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.task_changes: dict[str, dict[str, Any]] = {}
        self.incidents: dict[str, dict[str, Any]] = {}
        self.resolutions: dict[str, str] = {}
        self.dropped_timers: set[str] = set()
        self.dropped_subscriptions: set[str] = set()

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)

    def check(self, values: Mapping[str, Any]) -> None:
        """Raise ``TypeError`` when a value cannot be kept in process data."""
        for value in values.values():
            if not isinstance(value, _SIMPLE):
                codec.encode(value)

    # -- history ----------------------------------------------------------------------------------------------------

    def finished(self, token: Token, outcome: str) -> None:
        """Gather the history row of a token that ends."""
        work = token.work
        self.histories.append(
            {
                "instance_id": self.instance.id,
                "tenant_id": self.instance.tenant_id,
                "token_id": token.id,
                "element_id": token.node.bpmn_id,
                "name": token.node.bpmn_name,
                "type": token.node.type,
                "came_from": token.came_from,
                "outcome": outcome,
                "entered_at": token.entered_at,
                "left_at": self.now(),
                "actor_id": token.actor or self.actor_id,
                "changes": token.changes,
                "operation": work.operation if work else None,
                "input": work.input if work else None,
                "output": work.output if work else None,
                "rules": work.rules if work else None,
            }
        )

    # -- waiting ----------------------------------------------------------------------------------------------------

    def wait(self, token: Token, wait: Wait) -> None:
        """Keep a timer or a subscription."""
        if wait.due_at is not None:
            wait.timer_id = new_id()
            self.timers[token.id] = {
                "id": wait.timer_id,
                "instance_id": self.instance.id,
                "token_id": token.id,
                "due_at": wait.due_at,
                "fired": False,
            }
            return
        self.subscriptions[token.id] = {
            "id": new_id(),
            "tenant_id": self.instance.tenant_id,
            "instance_id": self.instance.id,
            "token_id": token.id,
            "element_id": token.node.bpmn_id,
            "kind": wait.kind,
            "name": wait.name,
            "correlation": wait.correlation,
        }

    def release(self, token: Token, *, cancelled: bool) -> None:
        """Drop what a token holds, and tell running operations and children that are no longer wanted."""
        if token.wait is not None:
            waiting, dropped = (
                (self.timers, self.dropped_timers)
                if token.wait.due_at is not None
                else (self.subscriptions, self.dropped_subscriptions)
            )
            if waiting.pop(token.id, None) is None:
                dropped.add(token.id)
            return
        match token.node.type:
            case "userTask":
                self._close_task(token, "cancelled" if cancelled else "completed")
            case "callActivity":
                if cancelled:
                    self.cancel_children(token)
            case _:
                self.end_operation(token, cancelled=cancelled)

    # -- people -----------------------------------------------------------------------------------------------------

    def order_task(self, token: Token, order: TaskOrder) -> None:
        """Put a user task into the inbox; one that has an assignee is his from the start."""
        form = self.parsed.forms.get(order.form_id) if order.form_id else {}
        if form is None:
            raise ConfigurationError(f"The form {order.form_id!r} was not deployed with the diagram.")
        self.tasks[token.id] = {
            "id": token.id,
            "tenant_id": self.instance.tenant_id,
            "instance_id": self.instance.id,
            "process_id": self.instance.process_id,
            "element_id": token.node.bpmn_id,
            "name": order.name,
            "status": "claimed" if order.assignee else "open",
            "assignee": order.assignee,
            "candidate_groups": order.candidate_groups,
            "candidate_users": order.candidate_users,
            "screen": order.screen,
            "form": form,
            "variables": order.variables,
            "created_at": token.entered_at,
            "due_at": order.due_at,
            "follow_up_at": order.follow_up_at,
            "completed_at": None,
            "task_priority": order.priority,
        }

    def _close_task(self, token: Token, status: str) -> None:
        if self.tasks.pop(token.id, None) is None:
            self.task_changes[token.id] = {"status": status, "completed_at": self.now()}

    # -- rules and trouble ------------------------------------------------------------------------------------------

    def decide(self, decision: str, data: dict[str, Any]) -> tuple[Any, list[Any]]:
        """Evaluate a decision of the deployment."""
        if decision not in self.parsed.decisions:
            raise ConfigurationError(f"The decision {decision!r} was not deployed with the diagram.")
        decided = evaluate(self.parsed.decisions[decision], data)
        return decided.result, decided.rules

    def incident(self, token: Token, error: Exception) -> None:
        """Gather an incident."""
        token.incident = new_id()
        self.incidents[token.incident] = {
            "id": token.incident,
            "tenant_id": self.instance.tenant_id,
            "instance_id": self.instance.id,
            "token_id": token.id,
            "element_id": token.node.bpmn_id,
            "name": token.node.bpmn_name,
            "operation": token.work.operation if token.work else None,
            "error": code_of(error),
            "message": sentence(error),
            "detail": explain(error),
            "attempts": token.attempt,
            "at": self.now(),
            "resolved_at": None,
            "resolution": None,
        }

    def recovered(self, token: Token, resolution: str) -> None:
        """Note how an incident ended."""
        if token.incident is not None:
            self.resolutions[token.incident] = resolution

    # -- writing ----------------------------------------------------------------------------------------------------

    def flush(self, connection: Connection) -> None:
        """Write what was gathered."""
        mine = self.instance.id
        if self.dropped_timers:
            connection.execute(
                delete(Timer).where(Timer.instance_id == mine, Timer.token_id.in_(list(self.dropped_timers)))
            )
        if self.dropped_subscriptions:
            tokens = list(self.dropped_subscriptions)
            connection.execute(
                delete(Subscription).where(Subscription.instance_id == mine, Subscription.token_id.in_(tokens))
            )
        if self.dropped_outbox:
            connection.execute(
                delete(Outbox).where(Outbox.instance_id == mine, Outbox.key.in_(list(self.dropped_outbox)))
            )
        for token_id, values in self.task_changes.items():
            connection.execute(update(UserTask).where(UserTask.id == token_id).values(**values))
        self._flush_resolutions(connection)
        for model, rows in (
            (History, self.histories),
            (Timer, list(self.timers.values())),
            (Subscription, list(self.subscriptions.values())),
            (UserTask, list(self.tasks.values())),
            (Incident, list(self.incidents.values())),
            (Outbox, list(self.outbox.values())),
        ):
            if rows:
                connection.execute(insert(model), rows)

    def _flush_resolutions(self, connection: Connection) -> None:
        for incident_id, resolution in self.resolutions.items():
            ended = {"resolved_at": self.now(), "resolution": resolution}
            if incident_id in self.incidents:
                self.incidents[incident_id].update(ended)
            else:
                connection.execute(update(Incident).where(Incident.id == incident_id).values(**ended))

    @property
    def tasks_changed(self) -> bool:
        """Say whether the inbox has changed."""
        return bool(self.tasks or self.task_changes)


def final_status(machine: Any) -> str:
    """Return the status of an instance whose tokens rest."""
    if machine.cancelled:
        return "cancelled"
    if machine.completed:
        return "completed"
    if any(token.incident is not None for token in machine.tokens.values()):
        return "incident"
    return "running" if machine.ready else "waiting"
