"""How a token reaches the world beyond its variables: operations, other instances, messages and signals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select

from engine.definitions.store import find_definition
from engine.execution import codec
from engine.execution.escaping import is_caught_by
from engine.execution.events import find_instance, insert_event, send_event
from engine.execution.messages import send_message, send_signal
from engine.execution.records import Instance
from engine.execution.resending import RESEND
from engine.execution.starting import start_definition
from engine.execution.trouble import OperationFault
from engine.kernel.actor import SYSTEM, Actor, acting_as
from engine.kernel.db import db, new_id, now
from engine.kernel.errors import InvalidInput
from engine.operations import Operation, OperationContext, Pending, find_operation, running
from engine.semantics.effects import LATER
from engine.semantics.token import Token


class Operating:
    """Runs operations that belong to the advance and hands the others to their carriers."""

    def __init__(self, instance: Any) -> None:
        #: the instance's row: id, tenant_id, process_id, definition_id, priority, owner, started_by, parent_id …
        self.instance = instance
        #: who caused the event that is being delivered
        self.actor_id = SYSTEM
        self.outbox: dict[str, dict[str, Any]] = {}
        self.dropped_outbox: set[str] = set()
        #: an error has ended the instance on its way to the calling one
        self.escaped = False
        self._guarded = False
        self._nested: Any = None

    # -- operations -------------------------------------------------------------------------------------------------

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what operations did in the block when it raises; costs nothing when none ran."""
        self._guarded, self._nested = True, None
        try:
            yield
        except BaseException:
            if self._nested is not None:
                self._nested.rollback()
            raise
        else:
            if self._nested is not None:
                self._nested.commit()
        finally:
            self._guarded, self._nested = False, None

    def operate(self, token: Token, operation: str, parameters: dict[str, Any]) -> Any:
        """Run an operation or hand it over; return its result or ``LATER``.

        Raises ``OperationFault`` for wrong parameters: that is a defect of the diagram, no rule of the business.
        """
        found = find_operation(operation)
        given = codec.copy(parameters)
        try:
            values = found.validate(given)
        except InvalidInput as error:
            raise OperationFault(error.message, code=error.code, **error.details) from error
        if found.kind == "external":
            self._send(token, found, codec.plain(given))
            return LATER
        if self._guarded and self._nested is None:
            self._nested = db.session.begin_nested()
        with acting_as(self._actor()), running(self._context(token)):
            result = found.function(**values)
        if isinstance(result, Pending):
            self._send(token, found, codec.plain(result.payload))
            return LATER
        return result.model_dump() if isinstance(result, BaseModel) else result

    def _context(self, token: Token) -> OperationContext:
        return OperationContext(
            instance_id=self.instance.id,
            token_id=token.id,
            element_id=token.node.bpmn_id,
            attempt=token.attempt,
            tenant_id=self.instance.tenant_id,
            actor_id=self._acting(),
        )

    def _acting(self) -> str:
        started_by: str = self.instance.started_by
        return self.actor_id if self.actor_id != SYSTEM else started_by

    def _actor(self) -> Actor:
        tenant_id: str = self.instance.tenant_id
        return Actor(self._acting(), tenant_id, frozenset({tenant_id}))

    def _send(self, token: Token, operation: Operation, payload: dict[str, Any], *, suffix: str = "") -> None:
        key = self._context(token).key + suffix
        self.outbox[key] = {
            "id": new_id(),
            "kind": operation.kind,
            "instance_id": self.instance.id,
            "token_id": token.id,
            "element_id": token.node.bpmn_id,
            "tenant_id": self.instance.tenant_id,
            "actor_id": self._acting(),
            "attempt": token.attempt,
            "key": key,
            "operation": operation.name,
            "payload": payload,
            "created_at": now(),
            "next_at": now() + RESEND,
            "tries": 0,
            "taken_by": None,
        }

    def end_operation(self, token: Token, *, cancelled: bool) -> None:
        """Drop the outbox row of an operation that was answered, or interrupt one that was not."""
        work = token.work
        if work is None or work.operation is None:
            return
        context = self._context(token)
        if self.outbox.pop(context.key, None) is not None:
            return  # never left
        self.dropped_outbox.add(context.key)
        operation = find_operation(work.operation)
        if cancelled and operation.cancel is not None:
            with acting_as(self._actor()), running(context):
                command = operation.cancel(context, work.input or {})
            if command is not None and operation.kind == "media":
                self._send(token, operation, codec.plain(command.payload), suffix=":cancel")

    # -- other instances --------------------------------------------------------------------------------------------

    def call(self, token: Token, process: str, data: dict[str, Any]) -> None:
        """Start a child instance."""
        start_definition(
            find_definition(process, tenant_id=self.instance.tenant_id),
            tenant_id=self.instance.tenant_id,
            data=codec.copy(data),
            actor_id=self._acting(),
            business_key=self.instance.business_key,
            priority=self.instance.priority,
            owner=self.instance.owner,
            key=self._context(token).key,
            parent=(self.instance.id, token.id),
        )

    def cancel_children(self, token: Token) -> None:
        """End the child instances that a call activity has started."""
        children = select(Instance.id).where(Instance.parent_id == self.instance.id, Instance.parent_token == token.id)
        for child_id in db.session.scalars(children).all():
            send_event(child_id, "control", {"do": "cancel"}, key=f"cancel:{child_id}:{token.id}")

    def answer_parent(self, data: dict[str, Any], error: dict[str, str] | None = None) -> None:
        """Tell the instance that called this one how it ended."""
        if self.instance.parent_id is None:
            return
        payload = {"token": self.instance.parent_token, "data": data, "error": error}
        parent = find_instance(self.instance.parent_id)
        insert_event(parent, "child_ended", payload, key=f"child:{self.instance.id}", actor_id=self.actor_id)

    def escape(self, token: Token, code: str, message: str) -> bool:
        """Let an error that nobody here catches go up to the calling instance, when that catches it."""
        if self.instance.parent_id is None or not is_caught_by(
            self.instance.parent_id, self.instance.parent_token, code
        ):
            return False
        self.answer_parent({}, {"code": code, "message": message})
        self.escaped = True
        return True

    def send_message(self, token: Token, name: str, correlation: str, payload: dict[str, Any]) -> None:
        """Send a message to whoever in the tenant waits for it."""
        send_message(
            name,
            tenant_id=self.instance.tenant_id,
            payload=codec.copy(payload),
            correlation=correlation,
            key=f"{self._context(token).key}:message",
            actor_id=self._acting(),
        )

    def send_signal(self, token: Token, name: str, payload: dict[str, Any]) -> None:
        """Broadcast a signal in the tenant."""
        send_signal(
            name,
            tenant_id=self.instance.tenant_id,
            payload=codec.copy(payload),
            key=f"{self._context(token).key}:signal",
            actor_id=self._acting(),
            sender=self.instance.id,
        )
