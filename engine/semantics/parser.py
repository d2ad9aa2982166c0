"""SpiffWorkflow's parser with our task specs, and without recursion from node to node.

Takes the normalised tree of ``engine.definitions``: extension elements are zeebe's and our own.
"""

from __future__ import annotations

from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser as SpiffProcessParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException

from engine.expressions import ExpressionError, compile_expression
from engine.semantics import events, gateways, reading, subprocess, tasks
from engine.semantics.errors import Unparsable
from engine.semantics.node import Flow, Node
from engine.semantics.process import ProcessSpec
from engine.semantics.xml import BPMN, GENERATED, child


class NodeParser(TaskParser):
    """Makes the spec of one flow node; what it says beyond its type is read by ``reading``."""

    def parse_node(self) -> Node:
        """Return the spec, not yet connected."""
        kind: type[Node] = reading.kind_of(self.node, self.spec_class)
        hidden = self.node.get(GENERATED) == "true"
        node = kind(self.spec, self.node.get("id"), self.node.get("name") or "", hidden=hidden)
        reading.read(node, self.node, self.process_parser.parser)
        return node


class ProcessParser(SpiffProcessParser):
    """Parses a process or subprocess: first all nodes, then all flows, so that its length does not matter."""

    def _parse(self) -> None:
        self.spec = ProcessSpec(self.bpmn_id, self.get_name() or self.bpmn_id)
        self.fill(self.spec, self.node)

    def fill(self, spec: ProcessSpec, element: Any) -> None:
        """Fill ``spec`` from a process or subprocess element."""
        outer, self.spec = self.spec, spec
        try:
            for item in element.iterchildren(tag=etree.Element):
                if item.tag in self.parser.PARSER_CLASSES:
                    self._add_node(spec, item)
            for item in element.iterchildren(BPMN + "sequenceFlow"):
                self._add_flow(spec, item)
        finally:
            self.spec = outer
        self._add_boundaries(spec, element)
        self._sort_starts(spec)

    def _add_node(self, spec: ProcessSpec, item: Any) -> None:
        if not item.get("id"):
            raise Unparsable(None, f"A {etree.QName(item).localname} has no id.")
        parser_class, spec_class = self.parser.PARSER_CLASSES[item.tag]
        try:
            node = parser_class(self, spec_class, item, self.nsmap, lane="").parse_node()
        except ExpressionError as error:
            raise Unparsable(item.get("id"), error.message) from error
        except KeyError as error:
            raise Unparsable(item.get("id"), f"The id {item.get('id')!r} is used twice.") from error
        if isinstance(node, subprocess.Subprocess):
            node.inner = ProcessSpec(node.bpmn_id, node.bpmn_name)
            self.fill(node.inner, item)
            if isinstance(node, subprocess.EventSubprocess):
                self._set_event_start(node)

    @staticmethod
    def _set_event_start(node: subprocess.EventSubprocess) -> None:
        if len(node.inner.starts) != 1 or node.inner.starts[0].trigger.kind == "none":
            raise Unparsable(node.bpmn_id, "An event subprocess has one start event with an event definition.")
        start = node.inner.starts[0]
        node.trigger, node.start_id = start.trigger, start.bpmn_id
        node.interrupting = start.interrupting or start.trigger.kind == "error"

    @staticmethod
    def _add_flow(spec: ProcessSpec, item: Any) -> None:
        source, target = (spec.nodes.get(item.get(name)) for name in ("sourceRef", "targetRef"))
        if source is None or target is None:
            raise Unparsable(item.get("id"), "A sequence flow must join two elements of the same process level.")
        text = child(item, "conditionExpression")
        try:
            condition = (
                compile_expression(text.text.strip()) if text is not None and (text.text or "").strip() else None
            )
        except ExpressionError as error:
            raise Unparsable(item.get("id"), error.message) from error
        source.add_flow(
            Flow(item.get("id"), source, target, condition), default=item.get("id") == source.default_flow_id
        )

    @staticmethod
    def _add_boundaries(spec: ProcessSpec, element: Any) -> None:
        for item in element.iterchildren(BPMN + "boundaryEvent"):
            host = spec.nodes.get(item.get("attachedToRef"))
            node = spec.nodes[item.get("id")]
            if host is None:
                raise Unparsable(item.get("id"), "A boundary event must be attached to an activity of its level.")
            node.attached_to = host
            host.boundaries.append(node)

    @staticmethod
    def _sort_starts(spec: ProcessSpec) -> None:
        for node in spec.nodes.values():
            if isinstance(node, events.StartEvent):
                spec.starts.append(node)
            elif isinstance(node, subprocess.EventSubprocess):
                spec.event_subprocesses.append(node)
        if not spec.starts:
            spec.heads = [
                node
                for node in spec.nodes.values()
                if not node.incoming and not isinstance(node, (events.BoundaryEvent, subprocess.EventSubprocess))
            ]


class Parser(BpmnParser):
    """SpiffWorkflow's parser with our classes for each element."""

    PROCESS_PARSER_CLASS = ProcessParser
    PARSER_CLASSES = {
        full_tag(tag): (NodeParser, spec_class)
        for tag, spec_class in {
            "startEvent": events.StartEvent,
            "endEvent": events.EndEvent,
            "intermediateCatchEvent": events.CatchEvent,
            "intermediateThrowEvent": events.ThrowEvent,
            "boundaryEvent": events.BoundaryEvent,
            "task": tasks.PlainTask,
            "manualTask": tasks.ManualTask,
            "userTask": tasks.UserTask,
            "scriptTask": tasks.ScriptTask,
            "serviceTask": tasks.OperationTask,
            "sendTask": tasks.SendTask,
            "receiveTask": tasks.ReceiveTask,
            "businessRuleTask": tasks.RuleTask,
            "subProcess": subprocess.Subprocess,
            "callActivity": subprocess.CallActivity,
            "exclusiveGateway": gateways.ExclusiveGateway,
            "parallelGateway": gateways.ParallelGateway,
            "inclusiveGateway": gateways.InclusiveGateway,
            "eventBasedGateway": gateways.EventBasedGateway,
        }.items()
    }

    def _add_data_stores(self, bpmn: Any) -> None:
        """Data stores are refused by lint; SpiffWorkflow would want a class for each."""

    def _add_messages(self, bpmn: Any) -> None:
        super()._add_messages(bpmn)
        self.elements = {item.get("id"): item for item in bpmn.iter(tag=etree.Element) if item.get("id")}


def parse(tree: Any, process_id: str) -> ProcessSpec:
    """Return the executable form of a process of a normalised diagram.

    Raises ``Unparsable`` that names the element and says what is wrong with it.
    """
    root = tree.getroot() if hasattr(tree, "getroot") else tree
    parser = Parser()
    try:
        parser.add_bpmn_xml(root)
        spec: ProcessSpec = parser.get_spec(process_id)
    except ValidationException as error:
        raise Unparsable(None, str(error)) from error
    return spec
