"""Tokens to tree: a precedence-climbing parser for expressions and unary tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NoReturn, TypeVar

from engine.feel import syntax as tree
from engine.feel.lexer import KEYWORDS, Names, Token, excerpt, tokens, unescape
from engine.feel.limits import FeelSyntaxError
from engine.feel.temporal import parse_literal
from engine.feel.values import DECIMAL128

NESTING = 80
HEIGHT = 160

_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_MEMBERS = ("time offset", "start included", "end included", "grouping separator", "decimal separator")
_TYPES = ("date and time", "days and time duration", "years and months duration")
_AFTER_RANGE = frozenset((",", ")", "]", "}", "=", "!=", "and", "or", "then", "else", "return", "satisfies"))

N = TypeVar("N", bound=tree.Node)


class Parser:
    """Reads one text. ``known`` are the names of variables that hold spaces or operators."""

    def __init__(self, text: str, builtin: Names, known: Iterable[str] = ()) -> None:
        self.text = text
        self.stream = tokens(text)
        self.at = 0
        self.nesting = 0
        self.range_ends = 0
        self.work = 20 * len(self.stream)
        self.names = Names((*known, *_MEMBERS, *_TYPES), base=builtin)

    # --- tools ------------------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self.stream[self.at]

    def fail(self, wanted: str) -> NoReturn:
        token = self.token
        found = "the end" if token.kind == "end" else repr(token.text)
        raise FeelSyntaxError(
            f"expected {wanted}, found {found} at column {token.at + 1} of {excerpt(self.text)}", column=token.at + 1
        )

    def see(self, *texts: str) -> bool:
        return self.token.kind != "string" and self.token.text in texts

    def take(self, text: str) -> bool:
        if self.see(text):
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.take(text):
            self.fail(repr(text))

    def build(self, node: N, *children: tree.Node) -> N:
        node.depth = 1 + max((child.depth for child in children), default=0)
        if node.depth > HEIGHT:
            raise FeelSyntaxError(f"The expression has more than {HEIGHT} levels; split it.")
        return node

    def attempt(self, parse: Callable[[], N]) -> N | None:
        """Try a reading; go back where it does not fit."""
        before, nesting, ends = self.at, self.nesting, self.range_ends
        try:
            return parse()
        except FeelSyntaxError:
            if self.work < 0:
                raise
            self.at, self.nesting, self.range_ends = before, nesting, ends
            return None

    # --- entry points -----------------------------------------------------------------------------------------

    def whole(self) -> tree.Node:
        """Read the text as one expression."""
        node = self.expression()
        if self.token.kind != "end":
            self.fail("an operator or the end")
        return node

    def unary_tests(self) -> tuple[bool, list[tree.Test]]:
        """Read the text as unary tests; True when they are negated. No tests stand for ``-``."""
        if [token.text for token in self.stream] in (["-", ""], [""]):
            return False, []
        negated = self.see("not") and self.stream[self.at + 1].text == "("
        start = self.at
        if negated:
            self.at += 2
            tests = self.test_list()
            if self.take(")") and self.token.kind == "end":
                return True, tests
            self.at = start
        tests = self.test_list()
        if self.token.kind != "end":
            self.fail("',' or the end")
        return False, tests

    def test_list(self) -> list[tree.Test]:
        found = [self.test()]
        while self.take(","):
            found.append(self.test())
        return found

    def test(self) -> tree.Test:
        if self.see(*_COMPARISONS):
            operator = self.advance().text
            operand = self.sum()
            return self.build(tree.Test(operator, operand), operand)
        operand = self.expression()
        return self.build(tree.Test(None, operand), operand)

    def advance(self) -> Token:
        token = self.token
        self.at += 1
        return token

    # --- operators, weakest first -----------------------------------------------------------------------------

    def expression(self) -> tree.Node:
        self.nesting += 1
        if self.nesting > NESTING:
            raise FeelSyntaxError(f"The expression nests deeper than {NESTING} levels; split it.")
        node = self.disjunction()
        self.nesting -= 1
        return node

    def disjunction(self) -> tree.Node:
        left = self.conjunction()
        while self.take("or"):
            right = self.conjunction()
            left = self.build(tree.Logic("or", left, right), left, right)
        return left

    def conjunction(self) -> tree.Node:
        left = self.comparison()
        while self.take("and"):
            right = self.comparison()
            left = self.build(tree.Logic("and", left, right), left, right)
        return left

    def comparison(self) -> tree.Node:
        left = self.sum()
        while True:
            if self.see(*_COMPARISONS):
                operator = self.advance().text
                right = self.sum()
                left = self.build(tree.Comparison(operator, left, right), left, right)
            elif self.take("between"):
                low = self.sum()
                self.expect("and")
                high = self.sum()
                left = self.build(tree.Between(left, low, high), left, low, high)
            elif self.see("instance"):
                self.at += 1
                self.expect("of")
                left = self.build(tree.InstanceOf(left, self.type_name()), left)
            elif self.take("in"):
                tests = self.membership()
                left = self.build(tree.Membership(left, tests), left, *tests)
            else:
                return left

    def membership(self) -> list[tree.Test]:
        if self.see("("):
            found: list[tree.Test] = []

            def several() -> tree.Node:
                self.at += 1
                found.extend(self.test_list())
                self.expect(")")
                if self.see("..", ".", "[", "+", "-", "*", "/"):
                    self.fail("the end of the tests")
                return found[0]

            if self.attempt(several):
                return found
        if self.see(*_COMPARISONS):
            return [self.test()]
        operand = self.sum()
        return [self.build(tree.Test(None, operand), operand)]

    def type_name(self) -> str:
        name = self.name()
        if self.take("<"):
            self.type_name() if not self.see(">") else None
            while self.take(",") or self.take(":"):
                self.type_name()
            self.expect(">")
            if self.take("->"):
                self.type_name()
        return name

    def sum(self) -> tree.Node:
        left = self.product()
        while self.see("+", "-"):
            operator = self.advance().text
            right = self.product()
            left = self.build(tree.Arithmetic(operator, left, right), left, right)
        return left

    def product(self) -> tree.Node:
        left = self.raised()
        while self.see("*", "/"):
            operator = self.advance().text
            right = self.raised()
            left = self.build(tree.Arithmetic(operator, left, right), left, right)
        return left

    def raised(self) -> tree.Node:
        left = self.unary()
        while self.take("**"):
            right = self.unary()
            left = self.build(tree.Arithmetic("**", left, right), left, right)
        return left

    def unary(self) -> tree.Node:
        signs = 0
        while self.take("-"):
            signs += 1
        node = self.postfix(self.primary())
        for _ in range(signs):
            node = self.build(tree.Negation(node), node)
        return node

    def postfix(self, node: tree.Node) -> tree.Node:
        while True:
            if self.take("."):
                node = self.build(tree.Member(node, self.name()), node)
            elif self.see("[") and not self.closes_range():
                self.at += 1
                condition = self.inner()
                self.expect("]")
                node = self.build(tree.Filter(node, condition), node, condition)
            elif self.see("("):
                self.at += 1
                node = self.call(node)
            else:
                return node

    def inner(self) -> tree.Node:
        """Read an expression in brackets, where a ``[`` begins a filter again."""
        ends, self.range_ends = self.range_ends, 0
        node = self.expression()
        self.range_ends = ends
        return node

    def closes_range(self) -> bool:
        """Tell whether a ``[`` after a range's upper end closes the range (``]1..3[``)."""
        following = self.stream[self.at + 1]
        return self.range_ends > 0 and (following.kind == "end" or following.text in _AFTER_RANGE)

    def call(self, function: tree.Node) -> tree.Node:
        if self.take(")"):
            return self.build(tree.Call(function, [], None), function)
        if self.token.kind in ("name", "string"):
            named = self.attempt(lambda: self.named_call(function))
            if named is not None:
                return named
        arguments = [self.inner()]
        while self.take(","):
            arguments.append(self.inner())
        self.expect(")")
        return self.build(tree.Call(function, arguments, None), function, *arguments)

    def named_call(self, function: tree.Node) -> tree.Node:
        named = []
        while True:
            name = self.key(":")
            self.expect(":")
            named.append((name, self.inner()))
            if not self.take(","):
                break
        self.expect(")")
        return self.build(tree.Call(function, [], named), function, *(node for _, node in named))

    # --- names ------------------------------------------------------------------------------------------------

    def name(self) -> str:
        """Read a name: a known one of several tokens, else all name tokens in a row, which nothing else can be."""
        if self.token.kind != "name":
            self.fail("a name")
        known = self.names.match(self.stream, self.at)
        if known is not None:
            self.at += known[1]
            return known[0]
        parts = [self.advance().text]
        while self.token.kind == "name" and self.token.text not in KEYWORDS:
            parts.append(self.advance().text)
        return " ".join(parts)

    def key(self, *ends: str) -> str:
        """Read a new name up to one of ``ends`` and know it from here on."""
        if self.token.kind == "string":
            return unescape(self.advance().text)
        start = self.at
        while not self.see(*ends):
            if self.token.kind not in ("name", "number") and not self.see(*"+-*/.'", "**"):
                self.fail("a name")
            self.at += 1
        if start == self.at:
            self.fail("a name")
        first, last = self.stream[start], self.stream[self.at - 1]
        name = " ".join(self.text[first.at : last.at + len(last.text)].split())
        self.names.learn(name)
        return name

    # --- operands ---------------------------------------------------------------------------------------------

    def primary(self) -> tree.Node:
        token = self.token
        self.work -= 1
        if self.work < 0:  # readings that are tried and given up multiply
            raise FeelSyntaxError("The expression can be read in too many ways; add parentheses.")
        if token.kind == "number":
            self.at += 1
            whole = token.text.isdigit() and len(token.text) <= 34
            return tree.Literal(int(token.text) if whole else DECIMAL128.create_decimal(Decimal(token.text)))
        if token.kind == "string":
            self.at += 1
            return tree.Literal(unescape(token.text))
        if token.kind == "operator":
            return self.bracketed(token)
        if token.kind == "end":
            self.fail("an expression")
        if token.text in ("true", "false", "null"):
            self.at += 1
            return tree.Literal({"true": True, "false": False, "null": None}[token.text])
        if token.text == "if":
            return self.conditional()
        if token.text in ("for", "some", "every") and self.stream[self.at + 1].text != "(":
            return self.loop()
        if token.text == "function" and self.stream[self.at + 1].text == "(":
            return self.function()
        if token.text in KEYWORDS and self.names.match(self.stream, self.at) is None:
            self.fail("an expression")
        return tree.Name(self.name())

    def bracketed(self, token: Token) -> tree.Node:
        self.at += 1
        match token.text:
            case "@":
                return self.temporal_literal()
            case "?":
                return tree.Name("?")
            case "{":
                return self.context()
            case "<" | "<=" | ">" | ">=":
                bound = self.sum()
                return self.open_interval(token.text, bound)
            case "(" if self.see("=", "!=", "<", "<=", ">", ">="):
                operator = self.advance().text
                bound = self.sum()
                self.expect(")")
                return self.open_interval(operator, bound)
            case "(" | "[" | "]":
                return self.parenthesised(token.text)
        self.at -= 1
        return self.fail("an expression")

    def open_interval(self, operator: str, bound: tree.Node) -> tree.Node:
        low = bound if operator in (">", ">=", "=") else None
        high = bound if operator in ("<", "<=", "=") else None
        if low is None and high is None:
            self.fail("an interval")
        return self.build(tree.Interval(low, operator in (">=", "="), high, operator in ("<=", "=")), bound)

    def parenthesised(self, opening: str) -> tree.Node:
        if opening == "[" and self.take("]"):
            return tree.ListOf([])
        first = self.inner()
        if self.take(".."):
            self.range_ends += 1
            high = self.expression()
            self.range_ends -= 1
            closing = self.advance().text
            if closing not in (")", "]", "["):
                self.at -= 1
                self.fail("')' or ']'")
            return self.build(tree.Interval(first, opening == "[", high, closing == "]"), first, high)
        if opening == "(":
            self.expect(")")
            return first
        if opening == "]":
            self.fail("'..'")
        items = [first]
        while self.take(","):
            items.append(self.inner())
        self.expect("]")
        return self.build(tree.ListOf(items), *items)

    def temporal_literal(self) -> tree.Node:
        token = self.token
        if token.kind != "string":
            self.fail("a text after @")
        self.at += 1
        try:
            return tree.Literal(parse_literal(unescape(token.text)))
        except (ValueError, OverflowError) as error:
            raise FeelSyntaxError(
                f"{error} at column {token.at + 1} of {excerpt(self.text)}", column=token.at + 1
            ) from error

    def context(self) -> tree.Node:
        entries: list[tuple[str, tree.Node]] = []
        while not self.take("}"):
            name = self.key(":")
            self.expect(":")
            entries.append((name, self.inner()))
            if not self.take(","):
                self.expect("}")
                break
        return self.build(tree.ContextOf(entries), *(node for _, node in entries))

    def conditional(self) -> tree.Node:
        self.at += 1
        condition = self.expression()
        self.expect("then")
        then = self.expression()
        self.expect("else")
        otherwise = self.expression()
        return self.build(tree.If(condition, then, otherwise), condition, then, otherwise)

    def loop(self) -> tree.Node:
        keyword = self.advance().text
        sources: list[tuple[str, tree.Node | tuple[tree.Node, tree.Node]]] = []
        nodes = []
        while True:
            name = self.key("in")
            self.expect("in")
            first = self.expression()
            nodes.append(first)
            if self.take(".."):
                last = self.expression()
                nodes.append(last)
                sources.append((name, (first, last)))
            else:
                sources.append((name, first))
            if not self.take(","):
                break
        self.expect("return" if keyword == "for" else "satisfies")
        body = self.expression()
        return self.build(tree.Loop(keyword, sources, body), body, *nodes)

    def function(self) -> tree.Node:
        self.at += 2
        parameters = []
        while not self.take(")"):
            parameters.append(self.key(",", ")", ":"))
            if self.take(":"):
                self.type_name()
            if not self.see(")"):
                self.expect(",")
        body = self.expression()
        return self.build(tree.FunctionOf(parameters, body), body)
