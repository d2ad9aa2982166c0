"""FEEL by generated expressions: arithmetic agrees with exact decimals, and texts come back."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.feel import FeelError, compile_feel, enter, kind, text_of
from engine.feel.values import DECIMAL128

numbers = st.one_of(
    st.integers(-(10**15), 10**15),
    st.decimals(min_value=-(10**9), max_value=10**9, places=6, allow_nan=False, allow_infinity=False),
)


@st.composite
def sums(draw: st.DrawFn, depth: int = 3) -> tuple[str, Decimal]:
    """Return an arithmetic text and what it comes to in decimal128."""
    if depth == 0 or draw(st.booleans()):
        number = Decimal(draw(numbers))
        text = format(number, "f")
        return (f"({text})" if number < 0 else text), number
    operator = draw(st.sampled_from("+-*"))
    left, left_value = draw(sums(depth - 1))
    right, right_value = draw(sums(depth - 1))
    with localcontext(DECIMAL128):
        value = {"+": left_value + right_value, "-": left_value - right_value, "*": left_value * right_value}[operator]
    return f"({left} {operator} {right})", value


@given(sums())
def test_arithmetic_is_exact(case: tuple[str, Decimal]) -> None:
    text, expected = case
    assert compile_feel(text).evaluate({}) == expected


@given(st.text(max_size=60))
def test_a_quoted_text_means_itself(text: str) -> None:
    clean = text.encode("utf-16", "ignore").decode("utf-16")
    quoted = clean.replace("\\", "\\\\").replace('"', '\\"')
    assert compile_feel(f'"{quoted}"').evaluate({}) == clean


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_are_read_as_they_are_written(value: datetime) -> None:
    assert compile_feel(f'@"{text_of(value)}"').evaluate({}) == value


@given(st.timedeltas(min_value=timedelta(-10000), max_value=timedelta(10000)))
def test_durations_are_read_as_they_are_written(value: timedelta) -> None:
    assert compile_feel(f'duration("{text_of(value)}")').evaluate({}) == value


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_any_process_data_enters_with_a_kind(value: Any) -> None:
    entered = enter(value)
    assert kind(entered) != "opaque"
    assert compile_feel("x = x").evaluate({"x": value}) in (True, None)


WORDS = "a b 1 2.5 + - * / ** ( ) [ ] { } , : . .. = < >= and or not if then else for in return some every satisfies "
WORDS += '"x" @"P1D" null true between instance of number function ? sum( count( x[ date( string( ]1..2['


@given(st.lists(st.sampled_from(WORDS.split()), max_size=14))
def test_no_text_escapes_the_language(words: list[str]) -> None:
    """Whatever is typed either is refused or has a value; nothing else ever happens."""
    with suppress(FeelError):
        compile_feel(" ".join(words)).evaluate({"a": [1, {"b": 2}], "b": 3})


@given(st.text(alphabet="ab1.+-*/()[]{}\"',:=<>@? \n", max_size=40))
def test_no_characters_escape_the_language(text: str) -> None:
    with suppress(FeelError):
        compile_feel(text).evaluate({"a": 1, "b": "c"})
