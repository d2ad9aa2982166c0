"""Bringing an event to the tokens that it is for."""

from __future__ import annotations

from typing import Any

import structlog
from SpiffWorkflow.task import TaskState

from engine.execution.trouble import OperationFault
from engine.kernel.errors import TransientError
from engine.semantics import BpmnError, Machine, throwing
from engine.semantics.token import Token

log = structlog.get_logger()


def deliver(machine: Machine, kind: str, payload: dict[str, Any], actor_id: str) -> None:
    """Deliver one event. What no token waits for any more is dropped: its time is over."""
    match kind:
        case "start":
            machine.start(payload["data"], payload["element"])
        case "message":
            _message(machine, payload)
        case "signal":
            throwing.broadcast(machine, payload["name"], payload["payload"])
        case "task_completed":
            if (token := _started(machine, payload)) is not None:
                token.actor = actor_id
                machine.answer(token, payload["data"])
        case "operation_result":
            _operation_result(machine, payload)
        case "timer":
            _timer(machine, payload)
        case "child_ended":
            if (token := _started(machine, payload)) is not None:
                machine.answer(token, {"data": payload["data"], "error": payload["error"]})
        case "control":
            _control(machine, payload)
        case "continue":
            pass
        case _:
            log.warning("unknown_event", kind=kind)


def _started(machine: Machine, payload: dict[str, Any]) -> Token | None:
    token = machine.tokens.get(payload["token"])
    return token if token is not None and token.state == TaskState.STARTED else None


def _message(machine: Machine, payload: dict[str, Any]) -> None:
    name, correlation = payload["name"], payload["correlation"]
    found = throwing.catchers(machine, "message", name, correlation, addressed=not correlation)
    if found:
        throwing.fire(machine, found[0], payload["payload"])


def _operation_result(machine: Machine, payload: dict[str, Any]) -> None:
    token = _started(machine, payload)
    if token is None or token.attempt != payload["attempt"]:
        return
    error = payload["error"]
    if error is None:
        machine.answer(token, payload["result"])
        return
    machine.let_go(token)
    if error["kind"] == "business":
        throwing.throw_error(machine, token, BpmnError(error["code"], error["message"]))
    elif error["kind"] == "transient":
        machine.put_off(token, TransientError(error["message"], code=error["code"]))
    else:
        machine.stop(token, OperationFault(error["message"], code=error["code"]))


def _timer(machine: Machine, payload: dict[str, Any]) -> None:
    token = machine.tokens.get(payload["token"])
    wait = token.wait if token is not None else None
    if token is None or wait is None or wait.timer_id != payload["timer"]:
        return
    if wait.kind == "retry":
        machine.let_go(token)
        machine.make_ready(token)
    else:
        throwing.fire(machine, token, {})


def _control(machine: Machine, payload: dict[str, Any]) -> None:
    if payload["do"] == "cancel":
        machine.abandon()
        return
    token = machine.tokens.get(payload["token"])
    if token is not None and token.incident == payload["incident"]:
        machine.retry(token, skip=payload["do"] == "skip")
