"""Tree to Python: every expression becomes one function over a mapping of variables.

The generated source holds only generated identifiers, numbered constants and calls of ``operators``; no text of
the author reaches it, and no builtins are in its globals. It is compiled and turned into a function without
being executed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import CodeType, FunctionType
from typing import Any

from engine.feel import operators
from engine.feel import syntax as tree
from engine.feel.limits import FeelSyntaxError
from engine.feel.values import Function, Range, enter

_COMPARE = {
    "=": "equal",
    "!=": "unequal",
    "<": "less",
    "<=": "less_or_equal",
    ">": "greater",
    ">=": "greater_or_equal",
}
_CALCULATE = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power"}

_GLOBALS: dict[str, Any] = {
    "__builtins__": {},
    "Range": Range,
    "function": lambda names, call: Function("function", (tuple(names),), call, len(names)),
    "enter": enter,
    "type": type,
    "dict": dict,
    "negate": operators.negate,
    **{name: getattr(operators, name) for name in (*_COMPARE.values(), *_CALCULATE.values())},
    **{
        name: getattr(operators, name)
        for name in [
            "and_",
            "or_",
            "between",
            "is_in",
            "choose",
            "path",
            "index",
            "filtered",
            "steps",
            "turns",
            "collect",
            "quantify",
            "context",
            "call",
            "instance_of",
        ]
    },
}


class _Scope:
    """Where a name is looked up: variables of loops and functions, or the members of a filtered item."""

    def __init__(self, names: dict[str, str], item: str | None = None) -> None:
        self.names = names
        self.item = item


class Generator:
    """Writes the source of one function."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self.functions = functions
        self.constants: list[Any] = []
        self.variables: dict[str, str] = {}
        self.count = 0

    def constant(self, value: Any) -> str:
        """Return the identifier of a constant."""
        if value is None or value is True or value is False:
            return repr(value)
        self.constants.append(value)
        return f"k{len(self.constants) - 1}"

    def fresh(self) -> str:
        """Return an unused local identifier."""
        self.count += 1
        return f"v{self.count}"

    # --- names ------------------------------------------------------------------------------------------------

    def name(self, name: str, scopes: Sequence[_Scope]) -> str:
        for place, scope in enumerate(scopes):
            if name in scope.names:
                return scope.names[name]
            if scope.item is not None:
                if name == "item":
                    return scope.item
                key, item = self.constant(name), scope.item
                outer = self.name(name, scopes[place + 1 :])
                return f"(enter({item}[{key}]) if type({item}) is dict and {key} in {item} else {outer})"
        if name not in self.variables:
            self.variables[name] = f"x{len(self.variables)}"
        return self.variables[name]

    # --- nodes ------------------------------------------------------------------------------------------------

    def value(self, node: tree.Node, scopes: Sequence[_Scope]) -> str:
        """Return Python source that computes the node's value."""
        method = getattr(self, f"_{type(node).__name__.lower()}")
        return str(method(node, scopes))

    def truth(self, node: tree.Node, scopes: Sequence[_Scope]) -> str:
        """Return source that is true exactly when the node is; there ternary logic collapses to Python's."""
        if isinstance(node, tree.Logic):
            return f"({self.truth(node.left, scopes)} {node.operator} {self.truth(node.right, scopes)})"
        return f"({self.value(node, scopes)} is True)"

    def _literal(self, node: tree.Literal, scopes: Sequence[_Scope]) -> str:
        return self.constant(node.value)

    def _name(self, node: tree.Name, scopes: Sequence[_Scope]) -> str:
        return self.name(node.name, scopes)

    def _logic(self, node: tree.Logic, scopes: Sequence[_Scope]) -> str:
        left, right = self.value(node.left, scopes), self.value(node.right, scopes)
        return f"{node.operator}_({left}, {right})"

    def _comparison(self, node: tree.Comparison, scopes: Sequence[_Scope]) -> str:
        return f"{_COMPARE[node.operator]}({self.value(node.left, scopes)}, {self.value(node.right, scopes)})"

    def _arithmetic(self, node: tree.Arithmetic, scopes: Sequence[_Scope]) -> str:
        return f"{_CALCULATE[node.operator]}({self.value(node.left, scopes)}, {self.value(node.right, scopes)})"

    def _negation(self, node: tree.Negation, scopes: Sequence[_Scope]) -> str:
        operand = node.operand
        if isinstance(operand, tree.Literal) and type(operand.value) in (int, Decimal):
            return self.constant(-operand.value)
        return f"negate({self.value(operand, scopes)})"

    def _between(self, node: tree.Between, scopes: Sequence[_Scope]) -> str:
        parts = (self.value(part, scopes) for part in (node.value, node.low, node.high))
        return f"between({', '.join(parts)})"

    def _membership(self, node: tree.Membership, scopes: Sequence[_Scope]) -> str:
        tested = self.fresh()
        return f"(lambda {tested}: {self.tests(node.tests, tested, scopes)})({self.value(node.value, scopes)})"

    def tests(self, tests: Sequence[tree.Test], tested: str, scopes: Sequence[_Scope]) -> str:
        """Return source for the disjunction of unary tests on the local ``tested``."""
        inner = [_Scope({"?": tested}), *scopes]
        parts = [self.test(test, tested, inner) for test in tests]
        source = parts[-1]
        for part in reversed(parts[:-1]):
            source = f"or_({part}, {source})"
        return source

    def test(self, test: tree.Test, tested: str, scopes: Sequence[_Scope]) -> str:
        operand = self.value(test.operand, scopes)
        if test.operator is not None:
            return f"{_COMPARE[test.operator]}({tested}, {operand})"
        if mentions(test.operand, "?"):
            return operand
        return f"is_in({tested}, {operand})"

    def _instanceof(self, node: tree.InstanceOf, scopes: Sequence[_Scope]) -> str:
        return f"instance_of({self.value(node.value, scopes)}, {self.constant(node.type)})"

    def _if(self, node: tree.If, scopes: Sequence[_Scope]) -> str:
        then, otherwise = self.value(node.then, scopes), self.value(node.otherwise, scopes)
        if isinstance(node.condition, tree.Comparison | tree.Logic | tree.Between | tree.Membership):
            return f"({then} if {self.truth(node.condition, scopes)} else {otherwise})"
        chosen = self.fresh()
        condition = f"choose({self.value(node.condition, scopes)})"
        return f"(lambda {chosen}: {then} if {chosen} else {otherwise} if {chosen} is False else None)({condition})"

    def _interval(self, node: tree.Interval, scopes: Sequence[_Scope]) -> str:
        low = self.value(node.low, scopes) if node.low is not None else "None"
        high = self.value(node.high, scopes) if node.high is not None else "None"
        return f"Range({low}, {node.low_included}, {high}, {node.high_included})"

    def _listof(self, node: tree.ListOf, scopes: Sequence[_Scope]) -> str:
        return "[" + ", ".join(self.value(item, scopes) for item in node.items) + "]"

    def _contextof(self, node: tree.ContextOf, scopes: Sequence[_Scope]) -> str:
        made = self.fresh()
        seen: dict[str, str] = {}
        inner = [_Scope(seen), *scopes]
        parts = []
        for name, entry in node.entries:
            slot = f"{made}[{self.constant(name)}]"
            if isinstance(entry, tree.FunctionOf):  # may call itself
                seen[name] = slot
            source = self.value(entry, inner)
            parts.append(f"{made}.__setitem__({self.constant(name)}, {source})")
            seen[name] = slot
        return f"context(lambda {made}: ({''.join(part + ', ' for part in parts)}))"

    def _member(self, node: tree.Member, scopes: Sequence[_Scope]) -> str:
        return f"path({self.value(node.value, scopes)}, {self.constant(node.name)})"

    def _filter(self, node: tree.Filter, scopes: Sequence[_Scope]) -> str:
        source = self.value(node.value, scopes)
        condition = node.condition
        if isinstance(condition, tree.Negation) and isinstance(condition.operand, tree.Literal):
            condition = tree.Literal(operators.negate(condition.operand.value))
        if isinstance(condition, tree.Literal) and type(condition.value) in (int, Decimal):
            return f"index({source}, {self.constant(condition.value)})"
        item = self.fresh()
        return f"filtered({source}, lambda {item}: {self.value(node.condition, [_Scope({}, item), *scopes])})"

    def _loop(self, node: tree.Loop, scopes: Sequence[_Scope]) -> str:
        partial = self.fresh()
        seen = {"partial": partial} if node.keyword == "for" else {}
        inner = [_Scope(seen), *scopes]
        clauses = []
        for name, source in node.sources:
            if isinstance(source, tuple):
                walked = f"steps({self.value(source[0], inner)}, {self.value(source[1], inner)})"
            else:
                walked = f"turns({self.value(source, inner)})"
            turn = self.fresh()
            seen[name] = turn
            clauses.append(f" for {turn} in {walked}")
        body = f"({self.value(node.body, inner)}{''.join(clauses)})"
        if node.keyword == "for":
            return f"collect(lambda {partial}: {body})"
        return f"quantify(lambda: {body}, {node.keyword == 'some'})"

    def _functionof(self, node: tree.FunctionOf, scopes: Sequence[_Scope]) -> str:
        names = [self.fresh() for _ in node.parameters]
        body = self.value(node.body, [_Scope(dict(zip(node.parameters, names, strict=True))), *scopes])
        return f"function({self.constant(tuple(node.parameters))}, lambda {', '.join(names)}: {body})"

    def _call(self, node: tree.Call, scopes: Sequence[_Scope]) -> str:
        function = self.value(node.function, scopes)
        if node.named is None:
            return f"call({function}, [{', '.join(self.value(part, scopes) for part in node.arguments)}])"
        named = ", ".join(f"{self.constant(name)}: {self.value(part, scopes)}" for name, part in node.named)
        return f"call({function}, None, {{{named}}})"


def mentions(node: Any, name: str) -> bool:
    """Tell whether a tree reads the name ``name``."""
    if isinstance(node, tree.Name):
        return node.name == name
    if isinstance(node, tree.Node):
        return any(mentions(getattr(node, slot), name) for slot in type(node).__slots__)
    if isinstance(node, list | tuple):
        return any(mentions(item, name) for item in node)
    return False


def build(
    write: Callable[[Generator], str], functions: Mapping[str, Function], *, tested: str | None = None
) -> tuple[Callable[..., Any], frozenset[str]]:
    """Return the compiled function and the variables it reads.

    ``write`` returns the source of the result; the function takes the mapping of variables and, where ``tested``
    names a local, the tested value. Raises ``FeelSyntaxError`` for what Python's compiler cannot hold.
    """
    generator = Generator(functions)
    result = write(generator)
    lines = [f"def f(variables{', ' + tested if tested else ''}):"]
    names: dict[str, Any] = {}
    for name, local in generator.variables.items():
        key = generator.constant(name)
        default = "None"
        if name in functions:
            default = generator.constant(functions[name])
        lines.append(f" {local} = enter(variables[{key}]) if {key} in variables else {default}")
    lines.append(f" return {result}")
    try:
        module = compile("\n".join(lines), "<feel>", "exec")
    except (RecursionError, SyntaxError, MemoryError) as error:
        raise FeelSyntaxError("The expression nests too deeply; split it.") from error
    code = next(item for item in module.co_consts if isinstance(item, CodeType))
    names = {f"k{place}": value for place, value in enumerate(generator.constants)}
    read = frozenset(name for name in generator.variables if name not in functions)
    return FunctionType(code, {**_GLOBALS, **names}), read
