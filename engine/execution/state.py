"""The live state of an instance as kept in its row: open scopes and tokens, nothing that has finished.

Each scope and token is encoded by itself (``orjson.Fragment``), so that an advance encodes again only what it touched.
A token keeps only the variables that were written since its scope was entered; the scope keeps those of its entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

import orjson
from SpiffWorkflow.task import TaskState

from engine.execution import codec
from engine.semantics import Machine, ProcessSpec
from engine.semantics.effects import Effects
from engine.semantics.gateways import InclusiveGateway, ParallelGateway
from engine.semantics.joins import InclusiveJoin, arrive
from engine.semantics.scope import Scope
from engine.semantics.token import Token, Work
from engine.semantics.wait import Wait

FORMAT = 1

#: attributes of a token that are kept when they differ from what a fresh token has
_OPTIONAL: dict[str, Any] = {
    "host": None,
    "flow": None,
    "phase": "enter",
    "answer": None,
    "attempt": 1,
    "tries": 0,
    "actor": None,
    "locals": None,
    "inner": False,
    "loop": None,
    "holds": False,
    "incident": None,
    "changes": {},
}


# -- writing ------------------------------------------------------------------------------------------------------


def encode(machine: Machine) -> bytes:
    """Return the machine's state. Raises ``TypeError`` for a variable that cannot be kept."""
    for token in machine.touched.values():
        token.fragment = None
    for scope in machine.touched_scopes.values():
        scope.fragment = None
    machine.touched.clear()
    machine.touched_scopes.clear()
    scopes = [_fragment(scope, _scope_record) for scope in machine.scopes.values()]
    tokens = [_fragment(token, _token_record) for token in machine.tokens.values()]
    return orjson.dumps({"format": FORMAT, "writes": machine.writes, "scopes": scopes, "tokens": tokens})


def _fragment(item: Any, record: Any) -> orjson.Fragment:
    if item.fragment is None:
        item.fragment = orjson.Fragment(codec.encode(record(item)))
    fragment: orjson.Fragment = item.fragment
    return fragment


def _scope_record(scope: Scope) -> dict[str, Any]:
    return {
        "id": scope.id,
        "kind": scope.kind,
        "host": scope.host.id if scope.host is not None else None,
        "base": scope.base,
        "local_names": sorted(scope.local_names),
        "data": scope.data,
        "stamps": scope.stamps,
    }


def _token_record(token: Token) -> dict[str, Any]:
    node, data = token.node, token.data
    record: dict[str, Any] = {
        "id": token.id,
        "scope": token.scope.id,
        "node": node.name,
        "name": node.bpmn_name,
        "type": node.type,
        "shown": token.role == "token" and not node.hidden,
        "state": token.state,
        "since": token.entered_at.isoformat(),
        "from": token.came_from,
        "role": token.role,
        "data": {name: data[name] for name in token.stamps if name in data},
        "stamps": token.stamps,
    }
    for name, usual in _OPTIONAL.items():
        value = getattr(token, name)
        if value != usual:
            record[name] = value
    if token.wait is not None:
        record["wait"] = asdict(token.wait)
    if token.work is not None:
        record["work"] = asdict(token.work)
    return record


# -- reading ------------------------------------------------------------------------------------------------------


def decode(raw: bytes, spec: ProcessSpec, effects: Effects | None) -> Machine:
    """Return the machine that ``encode`` was given, on the specs of its definition.

    Without ``effects`` it can be looked at but not moved.
    """
    state = codec.decode(raw)
    machine = Machine(spec, cast(Effects, effects))
    machine.writes = state["writes"]
    nodes = {node.name: node for node in spec.walk()}
    tokens = {record["id"]: record for record in state["tokens"]}
    for record in state["scopes"]:
        _restore_scope(machine, record, nodes, tokens)
    for record in state["tokens"]:
        _restore_token(machine, record, nodes)
    for record in state["scopes"]:
        if record["host"] is not None:
            scope, host = machine.scopes[record["id"]], machine.tokens[record["host"]]
            scope.host, host.child = host, scope
    for token in machine.tokens.values():
        _restore_place(machine, token)
    machine.touched.clear()
    machine.touched_scopes.clear()
    return machine


def _restore_scope(machine: Machine, record: dict[str, Any], nodes: dict[str, Any], tokens: dict[str, Any]) -> None:
    spec = machine.spec
    if record["host"] is not None:
        host = tokens[record["host"]]
        spec = nodes[host["node"]].inner if record["kind"] == "subprocess" else machine.scopes[host["scope"]].spec
    scope = Scope(
        machine,
        spec,
        scope_id=record["id"],
        kind=record["kind"],
        host=None,
        base=record["base"],
        local_names=frozenset(record["local_names"]),
    )
    scope.data, scope.stamps = record["data"], record["stamps"]
    machine.scopes[scope.id] = scope
    if machine.root is None:
        machine.root = scope


def _restore_token(machine: Machine, record: dict[str, Any], nodes: dict[str, Any]) -> None:
    scope = machine.scopes[record["scope"]]
    data = record["data"]
    if record["role"] == "token":
        kept = {name: value for name, value in scope.base.items() if name not in record["stamps"]}
        data = {**codec.copy(kept), **data}
    token = Token(
        scope,
        nodes[record["node"]],
        data=data,
        stamps=record["stamps"],
        entered_at=datetime.fromisoformat(record["since"]),
        came_from=record["from"],
        role=record["role"],
        token_id=record["id"],
    )
    token._state = record["state"]
    for name in _OPTIONAL:
        if name in record:
            setattr(token, name, record[name])
    token.wait = Wait(**record["wait"]) if "wait" in record else None
    token.work = Work(**record["work"]) if "work" in record else None
    machine.tokens[token.id] = token
    scope.add(token)


def _restore_place(machine: Machine, token: Token) -> None:
    """Put a token back into the queue, the join, or the list of listeners that it was in."""
    node = token.node
    if token.host is not None:
        machine.tokens[token.host].listeners.append(token)
    if token.wait is not None and token.wait.kind == "condition":
        machine.conditions[token.id] = token
    if token.role != "token":
        return
    if token.state == TaskState.READY:
        machine.ready.append(token)
    elif token.state == TaskState.STARTED and token.phase == "enter" and len(node.incoming) > 1:
        if isinstance(node, InclusiveGateway):
            InclusiveJoin.of(machine, token.scope, node).arrive(token)
        elif isinstance(node, ParallelGateway):
            arrive(token.scope, node, token)


# -- looking ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LiveToken:
    """An open token as far as people care."""

    id: str
    element: str
    name: str
    #: BPMN type, such as ``userTask``
    type: str
    #: running, waiting, incident
    state: str
    #: ISO text
    since: str
    came_from: str | None


def word_for(state: int) -> str:
    """Return what a token's state is called in front of people."""
    if state == TaskState.ERROR:
        return "incident"
    return "running" if state == TaskState.READY else "waiting"


def live_tokens(raw: bytes) -> Iterator[LiveToken]:
    """Yield the open tokens, oldest first; armed boundary events and hidden nodes are not among them."""
    for token in codec.decode(raw)["tokens"]:
        if token["shown"]:
            yield LiveToken(
                token["id"],
                token["node"],
                token["name"],
                token["type"],
                word_for(token["state"]),
                token["since"],
                token["from"],
            )


def live_data(raw: bytes) -> dict[str, Any]:
    """Return the variables as they stand now: of every name the value written last by any open scope or token."""
    state = codec.decode(raw)
    scopes = {scope["id"]: scope for scope in state["scopes"]}
    data: dict[str, Any] = dict(state["scopes"][0]["base"]) if state["scopes"] else {}
    newest: dict[str, int] = {}
    parts = [(scope, scope["local_names"]) for scope in state["scopes"]]
    parts += [(token, scopes[token["scope"]]["local_names"]) for token in state["tokens"]]
    for part, hidden in parts:
        for name, stamp in part["stamps"].items():
            if stamp > newest.get(name, -1) and name not in hidden:
                newest[name] = stamp
                if name in part["data"]:
                    data[name] = part["data"][name]
                else:
                    data.pop(name, None)
    return data
