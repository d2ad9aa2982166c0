"""Hostile expressions: each ends by itself, soon, and reaches nothing."""

from __future__ import annotations

import resource
import threading
import time
from decimal import getcontext

import pytest

from engine.expressions import ExpressionError, compile_expression
from engine.feel import FeelError, FeelLimit, compile_feel

ENDLESS = [
    "count(for i in 1..10000000 return i)",
    "for a in 1..1000, b in 1..1000 return a * b",
    "some x in 1..100000000 satisfies x < 0",
    "{f: function(n) f(n + 1), r: f(1)}.r",
    "{f: function(n) f(n - 1) + f(n - 2), r: f(60)}.r",
    'matches("' + "a" * 40 + '!", "^(a|aa)+$")',
    'replace("' + "a" * 40 + '!", "^(a|a)*$", "x")',
    'for i in 1..40 return if i = 1 then "xxxxxxxx" else partial[-1] + partial[-1]',
    "for i in 1..40 return if i = 1 then [1] else concatenate(partial[-1], partial[-1])",
    "sort(for i in 1..90000 return i, function(a, b) a < b)",
    'string join(for i in 1..100000 return "0123456789012345678901234567890123456789012345678901234567890", ",")',
]


@pytest.mark.parametrize("text", ENDLESS, ids=[text[:40] for text in ENDLESS])
def test_an_endless_expression_is_stopped_within_a_second(text: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(FeelLimit):
        compile_feel(text).evaluate({})
    assert time.process_time() - started < 1.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


HARMLESS = ["10 ** 6145", "9" * 30 + "** 100000", "1/0", "(-1) ** 0.5", "exp(100000)"]


@pytest.mark.parametrize("text", HARMLESS)
def test_numbers_that_overflow_are_null(text: str) -> None:
    assert compile_feel(text).evaluate({}) is None


TOO_DEEP = [
    "(" * 500 + "1" + ")" * 500,
    "+".join(["1"] * 9000),
    "1 in (" * 60 + "1" + ")+1" * 60,
    "[" * 3000,
    "-" * 9000 + "1",
    "x." * 5000 + "x",
    "a" * 30000,
    "if a then " * 3000,
]


@pytest.mark.parametrize("text", TOO_DEEP, ids=[text[:20] for text in TOO_DEEP])
def test_monstrous_texts_are_refused_quickly(text: str) -> None:
    started = time.process_time()
    with pytest.raises(FeelError):
        compile_feel(text)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "text",
    ["a.__class__", "a.upper", '{a: 1}.__getitem__("a")', "__import__", "a.__init__.__globals__", "string.call", "k0"],
)
def test_nothing_of_python_is_reachable(text: str) -> None:
    assert compile_feel(text).evaluate({"a": "text"}) is None


def test_precision_is_that_of_the_language_in_every_thread_and_left_alone_outside() -> None:
    found = []

    def work() -> None:
        found.append(str(compile_feel("1/3").evaluate({})))
        found.append(getcontext().prec)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == ["0.3333333333333333333333333333333333", 28]


ESCAPES = [
    "().__class__.__bases__[0].__subclasses__()",
    "__import__('os').system('id')",
    "[c for c in ().__class__.__mro__]",
    "(lambda: 1)()",
    "x.__class__",
    "x._private",
    "'{0.__class__}'.format(x)",
    "f'{x!r:>10}'",
    "eval('1')",
    "getattr(x, 'a')",
    "open('/etc/passwd').read()",
    "str.mro()",
    "x.append.__self__",
    "len.__self__",
    "globals()",
    "variables",
    "calculate",
    "(y := 1)",
    "yield_(1)",
    "await x",
    "print(1)",
    "max(*[1, 2])",
    "int(x=1)",
    "b'bytes'",
    "1j",
    "...",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_python_beyond_the_subset_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(text).evaluate({"x": "text"})
