"""Compiled expressions and unary tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from engine.feel import builtins_numbers, builtins_text, builtins_time  # noqa: F401 - they fill the library
from engine.feel.compiler import build
from engine.feel.lexer import Names
from engine.feel.library import BUILTINS
from engine.feel.limits import FeelError, FeelSyntaxError, Run, running
from engine.feel.operators import is_in
from engine.feel.parser import Parser
from engine.feel.values import enter, leave

_NAMES = Names(BUILTINS)


class FeelExpression:
    """One expression. ``names`` are the variables it reads."""

    def __init__(self, text: str, known: Iterable[str] = ()) -> None:
        self.text = text
        parser = Parser(text, _NAMES, known)
        node = _guard(parser.whole)
        self._function, self.names = build(lambda generator: generator.value(node, []), BUILTINS)

    def value(self, data: Mapping[str, Any], run: Run | None = None) -> Any:
        """Return the value as FEEL has it (``Decimal``, ``Range``, …). Raises ``FeelLimit``."""
        with running(run or Run()):
            return self._function(data)

    def evaluate(self, data: Mapping[str, Any]) -> Any:
        """Return the value as a process value: whole numbers as ``int``. Raises ``FeelLimit``."""
        return leave(self.value(data))

    def explain(self, data: Mapping[str, Any]) -> tuple[Any, list[str]]:
        """Return the value and the causes of the nulls that were met on the way."""
        run = Run()
        value = self.value(data, run)
        return leave(value), run.causes


class UnaryTests:
    """The tests of an input entry: ``-``, ``"a", "b"``, ``[1..3]``, ``not(< 5)``, ``? > limit``."""

    def __init__(self, text: str, known: Iterable[str] = ()) -> None:
        self.text = text
        parser = Parser(text, _NAMES, known)
        self._negated, tests = _guard(parser.unary_tests)
        #: matches every value
        self.any = not tests
        self.names: frozenset[str] = frozenset()
        self._function: Callable[..., Any] | None = None
        if tests:
            self._function, self.names = build(
                lambda generator: generator.tests(tests, "tested", []), BUILTINS, tested="tested"
            )

    def matches(self, data: Mapping[str, Any], value: Any, run: Run | None = None) -> bool | None:
        """Tell whether a value passes."""
        if self._function is None:
            return True
        with running(run or Run()):
            answer = self._function(data, enter(value))
        if type(answer) is not bool:
            return None
        return not answer if self._negated else answer


def _guard(parse: Callable[[], Any]) -> Any:
    try:
        return parse()
    except RecursionError as error:
        raise FeelSyntaxError("The expression nests too deeply; split it.") from error


@lru_cache(maxsize=4096)
def compile_feel(text: str, known: frozenset[str] = frozenset()) -> FeelExpression:
    """Compile an expression; the same text is compiled once. Raises ``FeelSyntaxError`` with the column."""
    return FeelExpression(text, known)


@lru_cache(maxsize=4096)
def compile_tests(text: str, known: frozenset[str] = frozenset()) -> UnaryTests:
    """Compile unary tests; the same text is compiled once. Raises ``FeelSyntaxError`` with the column."""
    return UnaryTests(text, known)


__all__ = ["FeelError", "FeelExpression", "UnaryTests", "compile_feel", "compile_tests", "is_in"]
