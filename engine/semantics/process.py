"""The parsed form of one process or subprocess: its nodes, by id, and how its tokens come to life."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec

if TYPE_CHECKING:
    from engine.semantics.events import StartEvent
    from engine.semantics.node import Node
    from engine.semantics.subprocess import EventSubprocess


class ProcessSpec(BpmnProcessSpec):
    """One level of flow elements. Shared by all instances of a definition and never changed after parsing.

    SpiffWorkflow's artificial start, end and join tasks are left out: a scope ends when its last token does.
    """

    def __init__(self, process_id: str, name: str) -> None:
        WorkflowSpec.__init__(self, name=process_id)
        self.title = name
        self.starts: list[StartEvent] = []
        self.event_subprocesses: list[EventSubprocess] = []
        #: nodes without incoming flow where no start event is drawn (BPMN 2.0, 13.3.1)
        self.heads: list[Node] = []

    @property
    def nodes(self) -> dict[str, Node]:
        """The nodes of this level, by element id."""
        nodes: dict[str, Node] = self.task_specs
        return nodes

    def plain_start(self) -> StartEvent | None:
        """Return the none start event."""
        return next((start for start in self.starts if start.trigger.kind == "none"), None)

    def walk(self) -> Iterator[Node]:
        """Yield the nodes of this level and of all subprocesses below."""
        for node in self.nodes.values():
            yield node
            if node.inner is not None:
                yield from node.inner.walk()
