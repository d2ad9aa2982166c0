"""Gateways (BPMN 2.0, 10.6 and 13.4)."""

from __future__ import annotations

from typing import Any

from engine.semantics.joins import InclusiveJoin, join_parallel
from engine.semantics.node import Flow, Node
from engine.semantics.token import Token
from engine.semantics.triggers import Trigger


class ExclusiveGateway(Node):
    """Takes the first flow whose condition holds, in the order of the diagram, else the default (13.4.2)."""

    type = "exclusiveGateway"

    def choose(self, token: Token) -> list[Flow]:
        """Return the one flow."""
        for flow in self.outgoing:
            if flow is not self.default and flow.is_taken(token):
                return [flow]
        if self.default is not None:
            return [self.default]
        if not self.outgoing:
            return []
        raise self.no_flow()


class ParallelGateway(Node):
    """Waits for a token on each incoming flow and sends one over each outgoing flow (13.4.1)."""

    type = "parallelGateway"

    def enter(self, token: Token) -> bool:
        """Arrive."""
        return len(self.incoming) < 2 or join_parallel(self, token)

    def choose(self, token: Token) -> list[Flow]:
        """Return all flows; conditions do not count here."""
        return list(self.outgoing)


class InclusiveGateway(Node):
    """Waits for all tokens that can still arrive, and takes every flow whose condition holds (13.4.3)."""

    type = "inclusiveGateway"

    def enter(self, token: Token) -> bool:
        """Arrive; whether the others can still come is seen when all tokens rest."""
        if len(self.incoming) < 2:
            return True
        InclusiveJoin.of(token.machine, token.scope, self).arrive(token)
        return False


class EventBasedGateway(Node):
    """Waits for the first of the events that follow it (13.4.4)."""

    type = "eventBasedGateway"

    def enter(self, token: Token) -> bool:
        """Arm the events."""
        machine = token.machine
        now = machine.effects.now()
        waits = [(flow.target, self._trigger(flow).wait(token.context, now)) for flow in self.outgoing]
        for node, wait in waits:
            machine.listen(token, token.scope, node, wait, "gateway")
        return False

    @staticmethod
    def _trigger(flow: Flow) -> Trigger:
        trigger: Trigger = flow.target.trigger
        return trigger

    def answered(self, token: Token, answer: Any) -> bool:
        """Keep what the event brought; it goes to the event's node."""
        token.loop = {**(token.loop or {}), "brought": answer}
        return True

    def handover(self, token: Token) -> Any:
        """Return what the event brought."""
        return (token.loop or {}).get("brought")

    def choose(self, token: Token) -> list[Flow]:
        """Return the flow to the event that happened."""
        caught = (token.loop or {}).get("caught")
        return [flow for flow in self.outgoing if flow.target.bpmn_id == caught]
