"""Events that find their catcher: errors and escalations go up, triggers fire what waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from SpiffWorkflow.task import TaskState

from engine.semantics.errors import BpmnError
from engine.semantics.token import merge
from engine.semantics.triggers import next_time

if TYPE_CHECKING:
    from engine.semantics.events import BoundaryEvent
    from engine.semantics.machine import Machine
    from engine.semantics.node import Node
    from engine.semantics.scope import Scope
    from engine.semantics.subprocess import EventSubprocess
    from engine.semantics.token import Token

Catcher = tuple["Token | None", "Scope", "BoundaryEvent | EventSubprocess"]


def find_catcher(token: Token, kind: str, code: str) -> Catcher | None:
    """Find who catches an error or escalation: the innermost first, an event subprocess before the boundary.

    BPMN 2.0, 10.5.7: the nearest enclosing activity that has a catch event for the code, or one without a code.
    """
    host: Token | None = token
    while host is not None:
        if not host.inner and (boundary := _best(host.node.boundaries, kind, code)) is not None:
            return host, host.scope, boundary
        scope = host.scope
        if scope.kind != "instances":
            candidates = [node for node in scope.spec.event_subprocesses if node is not host.node]
            if (caught := _best(candidates, kind, code)) is not None:
                return None, scope, caught
        host = scope.host
    return None


def _best(nodes: list[Any], kind: str, code: str) -> Any:
    for wanted in (code, None):
        for node in nodes:
            if node.trigger.kind == kind and node.trigger.code == wanted:
                return node
    return None


def throw_error(machine: Machine, token: Token, error: BpmnError) -> None:
    """Interrupt whatever the catcher says, or stop the token when nobody catches the error."""
    caught = find_catcher(token, "error", error.code)
    payload = {"error": {"code": error.code, "message": error.message}}
    if caught is not None:
        fire_caught(machine, caught, payload)
    elif machine.effects.escape(token, error.code, error.message):
        machine.abandon()
    else:
        machine.stop(token, error)


def throw_escalation(machine: Machine, token: Token, code: str) -> None:
    """Let the nearest catcher take an escalation; without one nothing happens (BPMN 2.0, 10.5.7)."""
    caught = find_catcher(token, "escalation", code)
    if caught is not None:
        fire_caught(machine, caught, {"escalation": {"code": code}})


def fire_caught(machine: Machine, caught: Catcher, payload: Any) -> None:
    """Start the catching event."""
    host, scope, node = caught
    if host is not None:
        fire_boundary(machine, host, node, payload)
    else:
        fire_event_subprocess(machine, scope, node, payload)


def fire_boundary(machine: Machine, host: Token, node: Node, payload: Any) -> None:
    """Let a boundary event happen: its token carries all that the activity and what ran inside it had written."""
    scope = host.scope
    data, stamps = dict(host.data), dict(host.stamps)
    if host.child is not None:
        merge(data, stamps, *host.child.outgoing())
    came_from = host.node.bpmn_id
    if node.interrupting:
        machine.cancel(host)
    machine.spawn(scope, node, data, stamps, came_from=came_from, answer=payload)


def fire_event_subprocess(machine: Machine, scope: Scope, node: EventSubprocess, payload: Any) -> None:
    """Start an event subprocess (BPMN 2.0, 13.3.4): an interrupting one first ends all else in its scope."""
    data, stamps = scope.variables()
    if node.interrupting:
        for token in scope.living():
            machine.cancel(token)
        for listener in scope.listeners():
            machine.let_go(listener, cancelled=True)
            machine.remove(listener)
        scope.arrived.clear()
    machine.spawn(scope, node, data, stamps, answer=payload)


def fire(machine: Machine, token: Token, payload: Any) -> None:
    """Wake a token, or what its listener stands for, because the event it waits for has happened."""
    if token.role == "token":
        machine.let_go(token)
        machine.answer(token, payload)
        return
    node, scope = token.node, token.scope
    host = machine.tokens[token.host] if token.host is not None else None
    again = next_time(token.wait) if token.wait is not None else None
    stays = token.role != "gateway" and not node.interrupting
    if stays and (again is not None or (token.wait is not None and token.wait.kind != "timer")):
        if again is not None:
            machine.let_go(token)
            machine.hold(token, again)
    else:
        machine.let_go(token, cancelled=True)
        machine.remove(token)
    if token.role == "event_subprocess":
        fire_event_subprocess(machine, scope, node, payload)
    elif host is not None and token.role == "boundary":
        fire_boundary(machine, host, node, payload)
    elif host is not None:
        host.loop = {"caught": node.bpmn_id}
        machine.answer(host, payload)


def catchers(machine: Machine, kind: str, name: str, correlation: str, *, addressed: bool) -> list[Token]:
    """Return the tokens and listeners that wait for a message or signal, innermost first."""
    found = [
        token
        for token in machine.tokens.values()
        if token.wait is not None and token.wait.accepts(kind, name, correlation, addressed=addressed)
    ]
    return sorted(found, key=_depth, reverse=True)


def broadcast(machine: Machine, name: str, payload: dict[str, Any]) -> None:
    """Let every token and listener of the instance that waits for a signal have it."""
    for token in catchers(machine, "signal", name, "", addressed=True):
        if token.id in machine.tokens:
            fire(machine, token, dict(payload))


def _depth(token: Token) -> int:
    depth, scope = 0, token.scope
    while scope.host is not None:
        depth, scope = depth + 1, scope.host.scope
    return depth


def check_condition(machine: Machine, token: Token) -> None:
    """Fire a conditional event whose condition has become true (BPMN 2.0, 10.5.5)."""
    wait = token.wait
    if wait is None or not token.has_state(TaskState.WAITING | TaskState.STARTED):
        return
    try:
        holds = token.node.trigger.holds(condition_context(machine, token))
    except Exception as error:  # a condition that cannot be evaluated stops who waits for it
        host = machine.tokens.get(token.host or "")
        machine.stop(host or token, error)
        return
    rises = holds and not wait.held
    wait.held = holds
    if rises:
        fire(machine, token, {})


def condition_context(machine: Machine, token: Token) -> dict[str, Any]:
    """Return the variables that a waiting condition sees: those of its token, of its host, or of its scope."""
    if token.role == "token":
        return dict(token.context)
    data = token.scope.variables()[0]
    host = machine.tokens.get(token.host or "")
    return {**data, **host.context} if host is not None else data
