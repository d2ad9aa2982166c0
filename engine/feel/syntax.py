"""The syntax tree of FEEL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Node:
    """A part of an expression; ``depth`` is its height, which the parser limits."""

    depth: int = field(default=1, init=False)


@dataclass(slots=True)
class Literal(Node):
    """A constant."""

    value: Any


@dataclass(slots=True)
class Name(Node):
    """A variable."""

    name: str


@dataclass(slots=True)
class Logic(Node):
    """``and`` or ``or``."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True)
class Comparison(Node):
    """``= != < <= > >=``."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True)
class Arithmetic(Node):
    """``+ - * / **``."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True)
class Negation(Node):
    """Unary minus."""

    operand: Node


@dataclass(slots=True)
class Between(Node):
    """``value between low and high``."""

    value: Node
    low: Node
    high: Node


@dataclass(slots=True)
class Test(Node):
    """One unary test: a comparison with the tested value, or an expression that it is looked for in."""

    operator: str | None
    operand: Node


@dataclass(slots=True)
class Membership(Node):
    """``value in (tests)``."""

    value: Node
    tests: list[Test]


@dataclass(slots=True)
class InstanceOf(Node):
    """``value instance of type``."""

    value: Node
    type: str


@dataclass(slots=True)
class If(Node):
    """``if … then … else …``."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(slots=True)
class Interval(Node):
    """``[low..high)`` and its kin; an end of None is open."""

    low: Node | None
    low_included: bool
    high: Node | None
    high_included: bool


@dataclass(slots=True)
class ListOf(Node):
    """``[a, b]``."""

    items: list[Node]


@dataclass(slots=True)
class ContextOf(Node):
    """``{key: value}``."""

    entries: list[tuple[str, Node]]


@dataclass(slots=True)
class Member(Node):
    """``value.name``."""

    value: Node
    name: str


@dataclass(slots=True)
class Filter(Node):
    """``value[expression]``."""

    value: Node
    condition: Node


@dataclass(slots=True)
class Loop(Node):
    """``for``, ``some`` or ``every``; a source is an expression or the two ends of a counted range."""

    keyword: str
    sources: list[tuple[str, Node | tuple[Node, Node]]]
    body: Node


@dataclass(slots=True)
class FunctionOf(Node):
    """``function(a, b) body``."""

    parameters: list[str]
    body: Node


@dataclass(slots=True)
class Call(Node):
    """``function(arguments)``, by position or by name."""

    function: Node
    arguments: list[Node]
    named: list[tuple[str, Node]] | None
