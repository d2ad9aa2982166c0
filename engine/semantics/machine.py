"""One process instance in memory: its scopes and tokens, and the loop that moves them.

Nothing here walks over what has finished: there is an index of tokens by id, a queue of those that can run, and
counters. Durable things are asked of ``Effects``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.task import TaskState

from engine.kernel.db import new_id
from engine.kernel.errors import BusinessError, TransientError
from engine.semantics import throwing
from engine.semantics.effects import Effects
from engine.semantics.errors import BpmnError
from engine.semantics.node import Flow, Node
from engine.semantics.process import ProcessSpec
from engine.semantics.scope import Scope, ScopeKind
from engine.semantics.token import Role, Token
from engine.semantics.values import copy
from engine.semantics.wait import Wait

if TYPE_CHECKING:
    from engine.semantics.joins import InclusiveJoin

#: pauses before another try when the outside world is unwell; after the last one it is an incident
BACK_OFF = (timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=30))


class Machine:
    """One running process instance."""

    def __init__(self, spec: ProcessSpec, effects: Effects) -> None:
        self.spec = spec
        self.effects = effects
        self.tokens: dict[str, Token] = {}
        self.scopes: dict[str, Scope] = {}
        self.root: Scope | None = None
        self.ready: deque[Token] = deque()
        #: converging inclusive gateways at which tokens wait
        self.joins: dict[tuple[str, str], InclusiveJoin] = {}
        #: tokens that wait for a condition to become true
        self.conditions: dict[str, Token] = {}
        self.writes = 0
        self.completed = False
        #: ended by an operator, or by an error that the calling instance catches
        self.cancelled = False
        #: what this advance changed, to be encoded again
        self.touched: dict[str, Token] = {}
        self.touched_scopes: dict[str, Scope] = {}

    def stamp(self) -> int:
        """Return the next number of the count of writes."""
        self.writes += 1
        return self.writes

    # -- life of scopes and tokens ----------------------------------------------------------------------------------

    def open_scope(
        self,
        spec: ProcessSpec,
        kind: ScopeKind,
        host: Token | None,
        base: dict[str, Any],
        local_names: frozenset[str] = frozenset(),
    ) -> Scope:
        """Open a scope below ``host`` (None for the process itself)."""
        scope = Scope(self, spec, scope_id=new_id(), kind=kind, host=host, base=base, local_names=local_names)
        self.scopes[scope.id] = scope
        self.touched_scopes[scope.id] = scope
        if host is not None:
            host.child = scope
            self.touched[host.id] = host
        else:
            self.root = scope
        return scope

    def spawn(
        self,
        scope: Scope,
        node: Node,
        data: dict[str, Any],
        stamps: dict[str, int],
        *,
        came_from: str | None = None,
        flow: Flow | None = None,
        answer: Any = None,
        role: Role = "token",
    ) -> Token:
        """Let a token appear at ``node``; with an ``answer`` it starts by taking that in."""
        token = Token(
            scope, node, data=data, stamps=stamps, entered_at=self.effects.now(), came_from=came_from, role=role
        )
        self.tokens[token.id] = self.touched[token.id] = token
        scope.add(token)
        if role == "token":
            token.flow = flow.id if flow is not None else None
            if answer is not None:
                token.phase, token.answer = "answer", answer
            self.ready.append(token)
        return token

    def listen(self, host: Token | None, scope: Scope, node: Node, wait: Wait | None, role: Role) -> Token:
        """Arm a listener at ``node`` for a token (boundary event, event-based gateway) or a scope."""
        listener = self.spawn(scope, node, {}, {}, role=role)
        listener._set_state(TaskState.WAITING)
        if host is not None:
            listener.host = host.id
            host.listeners.append(listener)
        if wait is not None:
            self.hold(listener, wait)
        return listener

    def hold(self, token: Token, wait: Wait) -> None:
        """Let a token or listener wait."""
        token.wait = wait
        token.holds = True
        token._set_state(TaskState.WAITING)
        if wait.kind == "condition":
            self.conditions[token.id] = token
        else:
            self.effects.wait(token, wait)

    def let_go(self, token: Token, *, cancelled: bool = False) -> None:
        """End what the token waits for or keeps outside."""
        if token.holds:
            token.holds = False
            self.conditions.pop(token.id, None)
            self.effects.release(token, cancelled=cancelled)
        token.wait = None

    def remove(self, token: Token) -> None:
        """Forget a token and the listeners armed for it."""
        for listener in token.listeners:
            self.let_go(listener, cancelled=True)
            self.remove(listener)
        token.listeners = []
        self.tokens.pop(token.id, None)
        token.scope.remove(token)
        self.touched.pop(token.id, None)

    def end(self, token: Token, outcome: str = "completed") -> None:
        """End a token: history, listeners, what it held."""
        self.let_go(token, cancelled=outcome == "cancelled")
        if token.incident is not None:
            self.effects.recovered(token, "cancelled" if outcome == "cancelled" else "retried")
        if not token.node.hidden:
            self.effects.finished(token, outcome)
        self.remove(token)

    def leave(self, token: Token) -> None:
        """Let a token go on over the flows that it may take; its last token ends a scope."""
        if token.id not in self.tokens:  # what it did has ended it, as an interrupting escalation does
            return
        if token.inner:
            token.node.instance_left(token)
            return
        flows = token.node.choose(token)
        self.end(token)
        self.follow(token, flows)

    def follow(self, token: Token, flows: list[Flow]) -> None:
        """Send what ``token`` carries over ``flows``; without any it ends here."""
        scope = token.scope
        came_from = token.came_from if token.node.hidden else token.node.bpmn_id
        answer = token.node.handover(token)
        for index, flow in enumerate(flows):
            last = index == len(flows) - 1
            data, stamps = (token.data, token.stamps) if last else (copy(token.data), dict(token.stamps))
            self.spawn(scope, flow.target, data, stamps, came_from=came_from, flow=flow, answer=answer)
        if not flows:
            scope.absorb(token.data, token.stamps)
            self.check_end(scope)

    def check_end(self, scope: Scope) -> None:
        """End the scope when no token is left in it."""
        if scope.live == 0 and scope.kind != "instances" and scope.id in self.scopes:
            self.close_scope(scope)
            if scope.host is not None:
                scope.host.node.inner_ended(scope.host, scope)
            else:
                self.completed = True

    def close_scope(self, scope: Scope) -> None:
        """Remove a scope, its listeners, and whatever is left in it."""
        for token in list(scope.tasks.values()):
            if token.role == "token":
                self.cancel(token)
        for token in list(scope.tasks.values()):
            self.let_go(token, cancelled=True)
            self.remove(token)
        self.scopes.pop(scope.id, None)
        self.touched_scopes.pop(scope.id, None)
        for key in [key for key in self.joins if key[0] == scope.id]:
            del self.joins[key]
        if scope.host is not None:
            scope.host.child = None

    def cancel(self, token: Token) -> None:
        """Interrupt a token and everything below it (BPMN 2.0, 13.3.2)."""
        if token.child is not None:
            self.close_scope(token.child)
        for waiting in token.scope.arrived.get(token.node.name, {}).values():
            if token in waiting:
                waiting.remove(token)
        token.cancel()
        self.end(token, "cancelled")

    def abandon(self) -> None:
        """Cancel the whole instance."""
        self.cancelled = True
        if self.root is not None:
            self.root.data, self.root.stamps = self.root.written()
            self.close_scope(self.root)

    # -- running ----------------------------------------------------------------------------------------------------

    def run(self, limit: int) -> bool:
        """Move tokens until all wait; False when ``limit`` steps did not suffice."""
        while True:
            while self.ready:
                if limit <= 0:
                    return False
                token = self.ready.popleft()
                if token.id in self.tokens and token.state == TaskState.READY:
                    limit -= 1
                    self.step(token)
                    if self.conditions:
                        self.check_conditions()
            if self.completed or self.cancelled or not self.settle():
                return True

    def step(self, token: Token) -> None:
        """Run one token at its node, and turn what goes wrong into an error, another try, or an incident."""
        try:
            token.run()
        except BpmnError as error:
            throwing.throw_error(self, token, error)
        except TransientError as error:
            self.put_off(token, error)
        except BusinessError as error:
            throwing.throw_error(self, token, BpmnError(error.code, error.message))
        except Exception as error:  # any defect stops this token only
            self.stop(token, error)

    def put_off(self, token: Token, error: TransientError) -> None:
        """Try again later what the outside world did not let us do."""
        if token.tries >= len(BACK_OFF):
            self.stop(token, error)
            return
        pause = BACK_OFF[token.tries]
        token.tries += 1
        token.attempt += 1
        self.hold(token, Wait("retry", due_at=self.effects.now() + pause))

    def stop(self, token: Token, error: Exception) -> None:
        """Keep the token where it is, for an operator."""
        self.let_go(token)
        if token.id not in self.tokens:  # it had left already: the defect is in what came after
            raise error
        token._set_state(TaskState.ERROR)
        self.effects.incident(token, error)

    def retry(self, token: Token, *, skip: bool = False) -> None:
        """Let a stopped token try again, or go on as if its node were done."""
        token.attempt += 1
        token.tries = 0
        if skip:
            token.phase = "leave"
        self.effects.recovered(token, "skipped" if skip else "retried")
        token.incident = None
        self.make_ready(token)

    def make_ready(self, token: Token) -> None:
        """Queue a token to run in its phase."""
        token._set_state(TaskState.READY)
        self.ready.append(token)

    def answer(self, token: Token, answer: Any) -> None:
        """Bring a waiting token what it waits for."""
        token.phase, token.answer = "answer", answer
        self.make_ready(token)

    def settle(self) -> bool:
        """Look at what depends on where all tokens are: inclusive joins. True when a token moves."""
        for join in list(self.joins.values()):
            join.try_to_fire(self)
        return bool(self.ready)

    def check_conditions(self) -> None:
        """Look at conditional events after each step: any may have changed a variable."""
        for token in list(self.conditions.values()):
            if token.id in self.conditions:
                throwing.check_condition(self, token)

    # -- starting ---------------------------------------------------------------------------------------------------

    def start(self, data: Mapping[str, Any], element: str | None = None) -> None:
        """Start the process at its none start event, or at ``element`` with ``data`` as what its event brought."""
        at_event = element is not None
        scope = self.open_scope(self.spec, "process", None, {} if at_event else dict(data))
        self.enter_scope(scope, element, dict(data) if at_event else None, came_from=None)

    def enter_scope(self, scope: Scope, element: str | None, payload: Any, *, came_from: str | None) -> None:
        """Arm the event subprocesses of a scope and let its first tokens appear."""
        for node in scope.spec.event_subprocesses:
            if node.trigger.waits:
                wait = node.trigger.wait(scope.base, self.effects.now())
                self.listen(None, scope, node, wait, "event_subprocess")
        start: Node | None = scope.spec.nodes[element] if element is not None else scope.spec.plain_start()
        for node in [start] if start is not None else scope.spec.heads:
            self.spawn(scope, node, copy(scope.base), {}, came_from=came_from, answer=payload)
        self.check_end(scope)
