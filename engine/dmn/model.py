"""What a DMN file says, compiled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.feel import FeelExpression, UnaryTests
from engine.kernel.errors import CmsError


class DmnError(CmsError):
    """A decision cannot be read; ``details`` has element, name, line and remedy."""

    code = "decision.syntax"


class Boxed:
    """A boxed expression."""


@dataclass(slots=True)
class LiteralBox(Boxed):
    """A FEEL text."""

    expression: FeelExpression


@dataclass(slots=True)
class ContextBox(Boxed):
    """Named entries that see those before them; the result is the last one without a name, if any."""

    entries: list[tuple[str | None, Boxed]]


@dataclass(slots=True)
class ListBox(Boxed):
    """A list of boxed expressions."""

    items: list[Boxed]


@dataclass(slots=True)
class RelationBox(Boxed):
    """A table of values: a list of contexts."""

    columns: list[str]
    rows: list[list[Boxed]]


@dataclass(slots=True)
class FunctionBox(Boxed):
    """A function of boxed body, as business knowledge models are."""

    name: str
    parameters: list[str]
    body: Boxed


@dataclass(slots=True)
class InvocationBox(Boxed):
    """A call of a function with arguments by name."""

    function: FeelExpression
    arguments: list[tuple[str, Boxed]]


@dataclass(slots=True)
class InputClause:
    """A column of conditions."""

    label: str
    expression: FeelExpression
    allowed: UnaryTests | None


@dataclass(slots=True)
class OutputClause:
    """A column of conclusions; ``order`` lists its values by priority."""

    name: str
    label: str
    order: list[Any] = field(default_factory=list)
    allowed: UnaryTests | None = None
    default: FeelExpression | None = None


@dataclass(slots=True)
class Rule:
    """A row: one test for each input, one expression for each output."""

    id: str
    tests: list[UnaryTests]
    outputs: list[FeelExpression]
    annotation: str = ""


@dataclass(slots=True)
class TableBox(Boxed):
    """A decision table."""

    id: str
    hit_policy: str
    aggregation: str | None
    inputs: list[InputClause]
    outputs: list[OutputClause]
    rules: list[Rule]


@dataclass(slots=True)
class Decision:
    """One decision; ``variable`` is the name under which others see its result."""

    id: str
    name: str
    variable: str
    expression: Boxed
    #: ids of the decisions and business knowledge models it requires
    requires: list[str]
    model: Model


@dataclass(slots=True)
class Model:
    """All decisions and business knowledge models of a file by id."""

    decisions: dict[str, Decision] = field(default_factory=dict)
    knowledge: dict[str, Decision] = field(default_factory=dict)
    #: names of the input data
    inputs: list[str] = field(default_factory=list)

    def find(self, name: str) -> Decision | None:
        """Return a decision by id, name or variable."""
        if name in self.decisions:
            return self.decisions[name]
        return next((item for item in self.decisions.values() if name in (item.name, item.variable)), None)
