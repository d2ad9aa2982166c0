"""Failures inside the machine."""

from __future__ import annotations

from engine.kernel.errors import CmsError


class Unparsable(CmsError):
    """A diagram that cannot be executed; ``element_id`` says where."""

    code = "definition.unparsable"

    def __init__(self, element_id: str | None, message: str) -> None:
        super().__init__(message, element=element_id)
        self.element_id = element_id


class BpmnError(Exception):
    """A BPMN error on its way to whoever catches it (BPMN 2.0, 10.5.7)."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or f"Error {code} was thrown and nothing catches it.")
        self.code = code
        self.message = str(self)


class NoFlow(CmsError):
    """No condition of a gateway is true and it has no default flow (BPMN 2.0, 13.3.2)."""

    code = "gateway.no_flow"
