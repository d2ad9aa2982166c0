"""Where tokens meet: converging parallel and inclusive gateways (BPMN 2.0, 13.4.1 and 13.4.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.semantics.token import Token

if TYPE_CHECKING:
    from engine.semantics.machine import Machine
    from engine.semantics.node import Flow, Node
    from engine.semantics.scope import Scope


def join_parallel(gateway: Node, token: Token) -> bool:
    """Let a token arrive; True when it is the one that goes on, for one token of each incoming flow.

    Tokens that arrive twice by the same flow wait for the next time.
    """
    scope = token.scope
    arrived = arrive(scope, gateway, token)
    if len(arrived) < len(gateway.incoming):
        return False
    unite(scope, gateway, token, arrived)
    return True


def arrive(scope: Scope, gateway: Node, token: Token) -> dict[str, list[Token]]:
    """Note that a token waits at a gateway; return all that wait there, by flow."""
    arrived = scope.arrived.setdefault(gateway.name, {})
    arrived.setdefault(token.flow or "", []).append(token)
    return arrived


def unite(scope: Scope, gateway: Node, token: Token, arrived: dict[str, list[Token]]) -> None:
    """Merge one token of each flow into ``token``, one of them; the others end here."""
    for flow_id in list(arrived):
        waiting = arrived[flow_id]
        other = token if token in waiting else waiting[0]
        waiting.remove(other)
        if not waiting:
            del arrived[flow_id]
        if other is not token:
            token.absorb(other.data, other.stamps)
            token.machine.end(other, "merged")
    if not arrived:
        scope.arrived.pop(gateway.name, None)


class InclusiveJoin:
    """An inclusive gateway at which tokens of one scope wait."""

    def __init__(self, scope: Scope, gateway: Node) -> None:
        self.scope = scope
        self.gateway = gateway

    @classmethod
    def of(cls, machine: Machine, scope: Scope, gateway: Node) -> InclusiveJoin:
        """Return the join of a gateway in a scope."""
        return machine.joins.setdefault((scope.id, gateway.name), cls(scope, gateway))

    def arrive(self, token: Token) -> None:
        """Let a token wait."""
        arrive(self.scope, self.gateway, token)

    def try_to_fire(self, machine: Machine) -> None:
        """Send a token on unless another one can still come by a flow that has none.

        A token elsewhere holds the gateway up when it can reach an empty incoming flow without passing the gateway,
        and cannot reach one that already has a token.
        """
        arrived = self.scope.arrived.get(self.gateway.name)
        if not arrived:
            machine.joins.pop((self.scope.id, self.gateway.name), None)
            return
        reach = feeders(self.gateway)
        here = {token.id for waiting in arrived.values() for token in waiting}
        empty = [flow.id for flow in self.gateway.incoming if flow.id not in arrived]
        for token in self.scope.living():
            if token.id in here:
                continue
            name = token.node.name
            if any(name in reach[flow] for flow in empty) and not any(name in reach[flow] for flow in arrived):
                return
        first = next(iter(arrived.values()))[0]
        unite(self.scope, self.gateway, first, arrived)
        first.phase = "leave"
        machine.make_ready(first)


def feeders(gateway: Node) -> dict[str, frozenset[str]]:
    """Return, for each incoming flow, the nodes from which a token can reach it without passing the gateway."""
    if gateway.feeders is None:
        gateway.feeders = {flow.id: _upstream(flow, gateway) for flow in gateway.incoming}
    return gateway.feeders


def _upstream(flow: Flow, gateway: Node) -> frozenset[str]:
    seen: set[str] = set()
    border: list[Node] = [flow.source]
    while border:
        node = border.pop()
        if node is gateway or node.name in seen:
            continue
        seen.add(node.name)
        border.extend(_sources(node))
    return frozenset(seen)


def _sources(node: Node) -> Iterable[Node]:
    for flow in node.incoming:
        yield flow.source
    if node.attached_to is not None:
        yield node.attached_to
