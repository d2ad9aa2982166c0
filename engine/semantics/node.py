"""A node of a diagram, and how tokens enter and leave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec

from engine.expressions import Expression
from engine.semantics.errors import NoFlow
from engine.semantics.token import Token

if TYPE_CHECKING:
    from engine.semantics.process import ProcessSpec


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow."""

    id: str
    source: Node
    target: Node
    condition: Expression | None = None

    def is_taken(self, token: Token) -> bool:
        """Say whether the token may take it. A condition that is not true, null included, is false."""
        return self.condition is None or self.condition.evaluate(token.context) is True


class Node(BpmnTaskSpec):
    """Base of all task specs of ours.

    SpiffWorkflow's life of a task stays (``run`` → ``_run`` → ``complete`` → ``_on_complete``); its prediction of
    tasks that may come and its walks over the tree are gone. A token goes through three phases, and an incident is
    retried in the phase in which it happened: ``enter`` (do what the node is for), ``answer`` (take in what an event
    brought), ``leave`` (choose the flows).
    """

    #: BPMN type, as the history names it
    type = "task"

    def __init__(self, process: ProcessSpec, element_id: str, name: str = "", *, hidden: bool = False) -> None:
        super().__init__(process, element_id, inputs=[], outputs=[], data={})
        self.bpmn_id = element_id
        self.bpmn_name = name
        #: made by the normaliser: neither in the history nor among the tokens people see
        self.hidden = hidden
        self.incoming: list[Flow] = []
        self.outgoing: list[Flow] = []
        self.default: Flow | None = None
        #: id of the default flow, until that is read
        self.default_flow_id: str | None = None
        #: the level below, of a subprocess
        self.inner: ProcessSpec | None = None
        #: of an activity: events at its border
        self.boundaries: list[Any] = []
        #: of a boundary event: the activity
        self.attached_to: Node | None = None
        #: of a converging inclusive gateway: which nodes can reach which incoming flow
        self.feeders: dict[str, frozenset[str]] | None = None

    def add_flow(self, flow: Flow, *, default: bool) -> None:
        """Let a sequence flow begin here."""
        self.outgoing.append(flow)
        flow.target.incoming.append(flow)
        self.connect(flow.target)
        if default:
            self.default = flow

    # -- the three phases -------------------------------------------------------------------------------------------

    def enter(self, token: Token) -> bool:
        """Do what the node is for; True when that is done, False when an event will bring the answer."""
        return True

    def answered(self, token: Token, answer: Any) -> bool:
        """Take in what an event brought; True when the node is done, False when the token goes on waiting."""
        return True

    def choose(self, token: Token) -> list[Flow]:
        """Return the flows a token leaves by: all whose condition holds, else the default (BPMN 2.0, 13.2.1)."""
        taken = [flow for flow in self.outgoing if flow is not self.default and flow.is_taken(token)]
        if taken or not self.outgoing:
            return taken
        if self.default is not None:
            return [self.default]
        raise self.no_flow()

    def handover(self, token: Token) -> Any:
        """Return the answer that the tokens behind this node start with; only an event-based gateway has one."""
        return None

    def no_flow(self) -> Exception:
        """Return the error for a token that has flows to leave by and may take none."""
        return NoFlow(f"No condition of the flows out of “{self.bpmn_name or self.bpmn_id}” is true.")

    # -- SpiffWorkflow's hooks --------------------------------------------------------------------------------------

    def _predict(self, my_task: Token, seen: Any = None, looked_ahead: int = 0, mask: Any = None) -> None:
        """Tokens exist only where they are."""

    def _update(self, my_task: Token) -> None:
        """A token is ready when it is made."""

    def _run(self, my_task: Token) -> bool | None:
        done = True
        if my_task.phase == "enter":
            done = self.begin(my_task)
        elif my_task.phase == "answer":
            done = self.answered(my_task, my_task.answer)
        return True if done else None

    def begin(self, token: Token) -> bool:
        """Enter the node; activities wrap this with loops, input mappings and boundary events."""
        return self.enter(token)

    def _on_complete(self, my_task: Token) -> None:
        my_task.phase = "leave"
        my_task.answer = None
        my_task.machine.leave(my_task)

    def _on_cancel(self, my_task: Token) -> None:
        """Nodes that hold something let it go through ``Effects.release``."""
