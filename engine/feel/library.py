"""Registration and argument checks of the built-in functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import regex

from engine.feel.limits import FeelLimit, Unfit, current
from engine.feel.operators import say
from engine.feel.values import Function, kind

F = TypeVar("F", bound=Callable[..., Any])

BUILTINS: dict[str, Function] = {}

LONGEST_PATTERN = 500


def builtin(name: str, *signatures: str) -> Callable[[F], F]:
    """Register a function under its FEEL name.

    Each signature lists parameter names, separated by ``|``; a last one that ends in ``*`` takes any number.
    How many arguments are required comes from the Python function. Raise ``Unfit`` to answer null.
    """

    def register(function: F) -> F:
        parameters = inspect.signature(function).parameters.values()
        required = sum(
            1
            for item in parameters
            if item.default is inspect.Parameter.empty and item.kind is not inspect.Parameter.VAR_POSITIONAL
        )
        names = tuple(tuple(part for part in signature.split("|") if part) for signature in signatures)
        BUILTINS[name] = Function(name, names, function, required)
        return function

    return register


def number(value: Any) -> int | Decimal:
    """Return a number or raise ``Unfit``."""
    if type(value) is int or type(value) is Decimal:
        return value
    raise Unfit(f"{say(value)} is not a number")


def whole(value: Any) -> int:
    """Return a whole number or raise ``Unfit``; a fraction is cut off."""
    return int(number(value))


def string(value: Any) -> str:
    """Return a string or raise ``Unfit``."""
    if type(value) is str:
        return value
    raise Unfit(f"{say(value)} is not a string")


def optional_string(value: Any) -> str | None:
    """Return a string or None, or raise ``Unfit``."""
    return None if value is None else string(value)


def many(value: Any) -> list[Any]:
    """Return a list; another value but null becomes a list of one."""
    if value is None:
        raise Unfit("null is not a list")
    return value if type(value) is list else [value]


def spread(values: tuple[Any, ...]) -> list[Any]:
    """Return the items of functions that take a list or its items: ``sum([1, 2])`` and ``sum(1, 2)``."""
    return many(values[0]) if len(values) == 1 else list(values)


def of_kind(value: Any, *kinds: str) -> Any:
    """Return the value if it is of one of the kinds, else raise ``Unfit``."""
    if kind(value) in kinds:
        return value
    raise Unfit(f"{say(value)} is not a {' or '.join(kinds)}")


def grown(value: Any) -> Any:
    """Charge a new text or list to the budget and return it."""
    current().charge(len(value) * (1 if type(value) is str else 8))
    return value


def pattern(text: Any, flags: Any = None) -> Any:
    """Compile an XPath regular expression, or raise ``Unfit``."""
    source = string(text)
    if len(source) > LONGEST_PATTERN:
        raise Unfit(f"the pattern is longer than {LONGEST_PATTERN} characters")
    options = 0
    for flag in optional_string(flags) or "":
        option = {"i": regex.IGNORECASE, "s": regex.DOTALL, "m": regex.MULTILINE, "x": regex.VERBOSE}.get(flag)
        if option is None:
            raise Unfit(f"{flag!r} is no flag of a regular expression")
        options |= option
    try:
        return regex.compile(source, options | regex.VERSION0)
    except (regex.error, OverflowError, RecursionError) as error:
        raise Unfit(f"{source!r} is not a regular expression: {error}") from error


def matched(work: Callable[[float], Any]) -> Any:
    """Run a regular expression within the time that is left."""
    current().tick(20)
    try:
        return work(min(current().time_left(), 0.25))
    except TimeoutError as error:
        raise FeelLimit("A regular expression takes too long; make it simpler.") from error
