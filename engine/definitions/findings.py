"""Collecting findings while lint walks through a diagram."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.definitions.problems import Problem
from engine.dmn import Decision
from engine.expressions import Expression, ExpressionError, compile_expression, compile_timer, compile_value


def article(name: str) -> str:
    """Return a name with its indefinite article."""
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


@dataclass(slots=True)
class Findings:
    """What a rule needs to look at one diagram, and where it reports."""

    file: str
    root: Any
    #: forms by id and decisions by id that are deployed with the diagram or were before
    forms: dict[str, dict[str, Any]]
    decisions: dict[str, Decision]
    problems: list[Problem] = field(default_factory=list)
    #: ids of the decisions and forms that the diagram uses
    used: set[str] = field(default_factory=set)

    def report(
        self,
        element: Any,
        rule: str,
        message: str,
        remedy: str,
        severity: Literal["error", "warning", "info"] = "error",
    ) -> None:
        """Add a finding about an element; one inside a node (a mapping) is reported at the node."""
        shown = element
        while shown.get("id") is None and shown.getparent() is not None:
            shown = shown.getparent()
        self.problems.append(
            Problem(self.file, shown.get("id"), shown.get("name"), element.sourceline, rule, severity, message, remedy)
        )

    def _compiled(self, element: Any, text: str, what: str, compile_text: Callable[[str], Expression]) -> Any:
        try:
            return compile_text(text)
        except ExpressionError as error:
            language = "FEEL" if text.strip().startswith("=") else "Python"
            self.report(
                element,
                "expression.syntax",
                f"{what} cannot be read: {error.message}",
                f"Correct the {language} expression; FEEL begins with '='.",
            )
            return None

    def value(self, element: Any, text: str, what: str) -> Expression | None:
        """Check a value (``=`` FEEL, else literal) and return it compiled."""
        return self._compiled(element, text, what, compile_value)

    def condition(self, element: Any, text: str, what: str) -> Expression | None:
        """Check a condition (``=`` FEEL, else Python) and return it compiled."""
        return self._compiled(element, text, what, compile_expression)

    def timer(self, element: Any, text: str, what: str) -> Expression | None:
        """Check a timer (``=`` FEEL, else ISO 8601) and return it compiled."""
        return self._compiled(element, text, what, compile_timer)
