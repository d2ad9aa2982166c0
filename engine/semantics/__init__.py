"""What BPMN elements mean: SpiffWorkflow's parser, specs and tasks, extended to what the standard says."""

from engine.semantics.errors import BpmnError, Unparsable
from engine.semantics.machine import Machine
from engine.semantics.parser import parse
from engine.semantics.process import ProcessSpec

__all__ = ["BpmnError", "Machine", "ProcessSpec", "Unparsable", "parse"]
