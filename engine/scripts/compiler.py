"""Allow-listed Python to guarded Python."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, NoReturn

from engine.feel.limits import Run, running
from engine.feel.values import leave
from engine.scripts import helpers
from engine.scripts.helpers import FUNCTION_NAMES, METHOD_NAMES, ScriptError, Variables

LONGEST = 20_000
DEEPEST = 60

_BINARY = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_UNARY = {ast.Not: "not", ast.USub: "-", ast.UAdd: "+"}
_COMPARE = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
_HELPERS = ("calculate", "compare", "negate", "member", "cut", "put", "walk", "join_text", "call", "call_method")


class _Writer:
    """Writes the source of one function over ``variables``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.constants: list[Any] = []
        self.read: set[str] = set()
        self.assigned: set[str] = set()
        self.depth = 0
        self.locals = 0

    def refuse(self, node: ast.AST, what: str) -> NoReturn:
        line = getattr(node, "lineno", 1)
        raise ScriptError(f"{what} is not allowed here (line {line} of {self.text[:60]!r})", line=line)

    def constant(self, value: Any) -> str:
        if value is None or value is True or value is False:
            return repr(value)
        self.constants.append(value)
        return f"k{len(self.constants) - 1}"

    # --- expressions ------------------------------------------------------------------------------------------

    def value(self, node: ast.expr) -> str:
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(node, "nesting that deep")
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            self.refuse(node, type(node).__name__)
        source = str(method(node))
        self.depth -= 1
        return source

    def _constant(self, node: ast.Constant) -> str:
        if type(node.value) is float:
            written = ast.get_source_segment(self.text, node) or repr(node.value)
            try:
                return self.constant(Decimal(written.replace("_", "")))
            except InvalidOperation:
                self.refuse(node, written)
        if type(node.value) is int and abs(node.value) > 10**34:
            self.refuse(node, "a number that long")
        if type(node.value) not in (str, int, bool, type(None)):
            self.refuse(node, type(node.value).__name__)
        return self.constant(node.value)

    def _name(self, node: ast.Name) -> str:
        if node.id.startswith("__"):
            self.refuse(node, repr(node.id))
        self.read.add(node.id)
        return f"variables.load({self.constant(node.id)})"

    def _binop(self, node: ast.BinOp) -> str:
        symbol = _BINARY.get(type(node.op))
        if symbol is None:
            self.refuse(node, type(node.op).__name__)
        return f"calculate({self.constant(symbol)}, {self.value(node.left)}, {self.value(node.right)})"

    def _unaryop(self, node: ast.UnaryOp) -> str:
        symbol = _UNARY.get(type(node.op))
        if symbol is None:
            self.refuse(node, type(node.op).__name__)
        return f"negate({self.constant(symbol)}, {self.value(node.operand)})"

    def _boolop(self, node: ast.BoolOp) -> str:
        joint = " and " if isinstance(node.op, ast.And) else " or "
        return "(" + joint.join(self.value(part) for part in node.values) + ")"

    def _compare(self, node: ast.Compare) -> str:
        if not all(_is_plain(middle) for middle in node.comparators[:-1]):
            self.refuse(node, "a chain of comparisons over more than names")  # its source would double
        parts, left = [], self.value(node.left)
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            parts.append(f"compare({self.constant(_COMPARE[type(operator)])}, {left}, {right})")
            left = right
        return "(" + " and ".join(parts) + ")"

    def _ifexp(self, node: ast.IfExp) -> str:
        return f"({self.value(node.body)} if {self.value(node.test)} else {self.value(node.orelse)})"

    def _list(self, node: ast.List) -> str:
        return "[" + ", ".join(self.value(item) for item in node.elts) + "]"

    def _tuple(self, node: ast.Tuple) -> str:
        return "[" + ", ".join(self.value(item) for item in node.elts) + "]"

    def _dict(self, node: ast.Dict) -> str:
        entries = []
        for key, item in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant) or type(key.value) is not str:
                self.refuse(node, "a key that is not a text")
            entries.append(f"{self.constant(key.value)}: {self.value(item)}")
        return "{" + ", ".join(entries) + "}"

    def _attribute(self, node: ast.Attribute) -> str:
        if node.attr.startswith("_"):
            self.refuse(node, repr(node.attr))
        return f"member({self.value(node.value)}, {self.constant(node.attr)})"

    def _subscript(self, node: ast.Subscript) -> str:
        if isinstance(node.slice, ast.Slice):
            if node.slice.step is not None:
                self.refuse(node, "a step")
            ends = (self.value(end) if end is not None else "None" for end in (node.slice.lower, node.slice.upper))
            return f"cut({self.value(node.value)}, {', '.join(ends)})"
        return f"member({self.value(node.value)}, {self.value(node.slice)})"

    def _joinedstr(self, node: ast.JoinedStr) -> str:
        parts = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                if part.format_spec is not None or part.conversion != -1:
                    self.refuse(part, "a format")
                parts.append(self.value(part.value))
            else:
                parts.append(self.value(part))
        return f"join_text([{', '.join(parts)}])"

    def _call(self, node: ast.Call) -> str:
        if node.keywords or any(isinstance(part, ast.Starred) for part in node.args):
            self.refuse(node, "a named or starred argument")
        arguments = "".join(f", {self.value(part)}" for part in node.args)
        if isinstance(node.func, ast.Name) and node.func.id in FUNCTION_NAMES:
            return f"call({self.constant(node.func.id)}{arguments})"
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHOD_NAMES:
            return f"call_method({self.value(node.func.value)}, {self.constant(node.func.attr)}{arguments})"
        return self.refuse(node, f"the function {ast.unparse(node.func)[:40]!r}")

    # --- statements -------------------------------------------------------------------------------------------

    def block(self, nodes: list[ast.stmt], indent: int) -> list[str]:
        self.depth += 1
        if self.depth > DEEPEST or indent > 15:
            self.refuse(nodes[0], "nesting that deep")
        lines = [line for node in nodes for line in self.statement(node, indent)]
        self.depth -= 1
        return lines

    def statement(self, node: ast.stmt, indent: int) -> list[str]:
        pad = " " * indent
        match node:
            case ast.Assign(targets=[target]):
                return [pad + self.store(target, self.value(node.value))]
            case ast.AugAssign(target=ast.Name() | ast.Attribute() | ast.Subscript()) if type(node.op) in _BINARY:
                symbol = self.constant(_BINARY[type(node.op)])
                changed = f"calculate({symbol}, {self.value(node.target)}, {self.value(node.value)})"
                return [pad + self.store(node.target, changed)]
            case ast.Expr():
                return [pad + self.value(node.value)]
            case ast.Pass() | ast.Break() | ast.Continue():
                return [pad + type(node).__name__.lower()]
            case ast.If():
                lines = [f"{pad}if {self.value(node.test)}:", *self.block(node.body, indent + 1)]
                if node.orelse:
                    lines += [f"{pad}else:", *self.block(node.orelse, indent + 1)]
                return lines
            case ast.For(orelse=[]):
                self.locals += 1
                turn = f"t{self.locals}"
                lines = [f"{pad}for {turn} in walk({self.value(node.iter)}):"]
                return [*lines, f"{pad} {self.store(node.target, turn)}", *self.block(node.body, indent + 1)]
        return self.refuse(node, type(node).__name__)

    def store(self, target: ast.expr, source: str) -> str:
        match target:
            case ast.Name(id=name) if not name.startswith("__"):
                self.assigned.add(name)
                return f"variables.store({self.constant(name)}, {source})"
            case ast.Attribute(attr=name) if not name.startswith("_"):
                return f"put({self.value(target.value)}, {self.constant(name)}, {source})"
            case ast.Subscript(slice=key) if not isinstance(key, ast.Slice):
                return f"put({self.value(target.value)}, {self.value(key)}, {source})"
            case ast.Tuple(elts=[ast.Name() as first, ast.Name() as second]):
                self.locals += 1
                pair = f"t{self.locals}"
                parts = (f"variables.store({self.constant(name.id)}, member({pair}, {place}))"
                         for place, name in enumerate((first, second)))  # fmt: skip
                return f"{pair} = {source}; " + "; ".join(parts)
        return self.refuse(target, "an assignment to that")


def _is_plain(node: ast.expr) -> bool:
    """Tell whether a node is a name, a constant or a member of one."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name | ast.Constant)


def _parse(text: str, mode: str) -> Any:
    if len(text) > LONGEST:
        raise ScriptError(f"The script is longer than {LONGEST} characters.")
    try:
        return ast.parse(text, mode=mode)
    except SyntaxError as error:
        raise ScriptError(f"{error.msg} (line {error.lineno} of {text[:60]!r})", line=error.lineno) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ScriptError("The script cannot be read; it nests too deeply or holds null characters.") from error


def _function(writer: _Writer, body: list[str]) -> FunctionType:
    try:
        module = compile("def f(variables):\n" + "\n".join(body), "<script>", "exec")
    except (RecursionError, SyntaxError, MemoryError) as error:
        raise ScriptError("The script nests too deeply; split it.") from error
    code = next(item for item in module.co_consts if isinstance(item, CodeType))
    names = {f"k{place}": value for place, value in enumerate(writer.constants)}
    return FunctionType(code, {"__builtins__": {}, **{name: getattr(helpers, name) for name in _HELPERS}, **names})


class PythonExpression:
    """One expression. ``names`` are the variables it reads."""

    def __init__(self, text: str) -> None:
        self.text = text
        writer = _Writer(text.strip())
        source = writer.value(_parse(writer.text, "eval").body)
        self.names = frozenset(writer.read)
        self._function = _function(writer, [f" return {source}"])

    def evaluate(self, data: Mapping[str, Any]) -> Any:
        """Return the value. Raises ``ScriptError`` and ``FeelLimit``."""
        with running(Run()):
            return leave(self._function(Variables(data)))


class PythonScript:
    """Statements. ``names`` are the variables it reads, ``assigned`` those it gives a value."""

    def __init__(self, text: str) -> None:
        self.text = text
        lines = text.strip("\n").rstrip()
        margin = len(lines) - len(lines.lstrip(" ")) if lines else 0
        writer = _Writer("\n".join(line[margin:] if line[:margin].isspace() else line for line in lines.split("\n")))
        body = writer.block(_parse(writer.text, "exec").body or [ast.Pass()], 1)
        self.names = frozenset(writer.read - writer.assigned)
        self.assigned = frozenset(writer.assigned)
        self._function = _function(writer, body)

    def run(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Run it on copies of the variables and return those that changed. Raises ``ScriptError``, ``FeelLimit``."""
        variables = Variables(data)
        with running(Run()):
            self._function(variables)
        return {name: leave(value) for name, value in variables.changed().items()}


@lru_cache(maxsize=1024)
def compile_python_expression(text: str) -> PythonExpression:
    """Compile an expression; the same text is compiled once. Raises ``ScriptError``."""
    return PythonExpression(text)


@lru_cache(maxsize=1024)
def compile_python_script(text: str) -> PythonScript:
    """Compile a script; the same text is compiled once. Raises ``ScriptError``."""
    return PythonScript(text)
