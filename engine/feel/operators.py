"""The operators of FEEL as functions: ternary logic, comparison, arithmetic, paths and filters.

Compiled expressions call these. None of them raises for unfit operands: they answer null and leave its cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal, DecimalException
from typing import Any

from engine.feel import temporal
from engine.feel.limits import FeelLimit, Unfit, current, null
from engine.feel.values import DECIMAL128, ORDERED, WHOLE_LIMIT, Function, Range, YearsMonths, enter, kind

_NUMBERS = frozenset((int, Decimal))
DURATIONS = frozenset(("days and time duration", "years and months duration"))


def say(value: Any) -> str:
    """Return a value for a cause: short, with its kind where the text does not show it."""
    of = kind(value)
    if of in ("list", "context", "function", "range", "opaque"):
        return f"a {of}"
    text = "null" if value is None else f"{value!r}" if of == "string" else str(value)
    return text if len(text) <= 40 else text[:37] + "…"


# --- logic and comparison -------------------------------------------------------------------------------------


def and_(left: Any, right: Any) -> bool | None:
    """Ternary conjunction."""
    if left is False or right is False:
        return False
    return True if left is True and right is True else None


def or_(left: Any, right: Any) -> bool | None:
    """Ternary disjunction."""
    if left is True or right is True:
        return True
    return False if left is False and right is False else None


def equal(left: Any, right: Any) -> bool | None:
    """Compare for equality; null equals null only, different kinds compare to null."""
    if left is None or right is None:
        return left is right
    of = kind(left)
    if of != kind(right):
        return null(f"{say(left)} and {say(right)} do not compare: {of} and {kind(right)}")
    if of == "list":
        current().tick(len(left))
        return len(left) == len(right) and all(equal(a, b) is True for a, b in zip(left, right, strict=True))
    if of == "context":
        current().tick(len(left))
        return left.keys() == right.keys() and all(equal(item, right[key]) is True for key, item in left.items())
    return bool(left == right)


def unequal(left: Any, right: Any) -> bool | None:
    """Negation of ``equal``."""
    same = equal(left, right)
    return None if same is None else not same


def _ordering(symbol: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | None]:
    def ordered(left: Any, right: Any) -> bool | None:
        left_of = kind(left)
        if left_of != kind(right) or left_of not in ORDERED:
            return null(f"{say(left)} {symbol} {say(right)}: {left_of} and {kind(right)} have no order")
        try:
            return compare(left, right)
        except TypeError:
            return null(f"{say(left)} {symbol} {say(right)}: only one of them has a time zone")

    return ordered


less = _ordering("<", lambda left, right: left < right)
less_or_equal = _ordering("<=", lambda left, right: left <= right)
greater = _ordering(">", lambda left, right: left > right)
greater_or_equal = _ordering(">=", lambda left, right: left >= right)


def between(value: Any, low: Any, high: Any) -> bool | None:
    """``value between low and high``, both included."""
    return and_(greater_or_equal(value, low), less_or_equal(value, high))


def contains(interval: Range, value: Any) -> bool | None:
    """Tell whether a value lies in an interval."""
    above: bool | None = True
    below: bool | None = True
    if interval.low is not None:
        above = (greater_or_equal if interval.low_included else greater)(value, interval.low)
    if interval.high is not None:
        below = (less_or_equal if interval.high_included else less)(value, interval.high)
    return and_(above, below)


def is_in(value: Any, test: Any) -> bool | None:
    """``value in test``: an interval that contains it, a list that holds it or a fitting test, or an equal value."""
    of = kind(test)
    if of == "range":
        return contains(test, value)
    if of == "list":
        current().tick(len(test) + 1)
        if any(is_in(value, item) is True if kind(item) == "range" else equal(value, item) is True for item in test):
            return True
        return bool(kind(value) == "list" and equal(value, test))
    return equal(value, test)


# --- arithmetic -----------------------------------------------------------------------------------------------


def _exact(value: int | Decimal) -> int | Decimal:
    """Round whole numbers beyond 34 digits as decimals are rounded."""
    if type(value) is int and not -WHOLE_LIMIT <= value <= WHOLE_LIMIT:
        return DECIMAL128.create_decimal(value)
    return value


def _unfit(symbol: str, left: Any, right: Any) -> None:
    return null(f"{say(left)} {symbol} {say(right)}: not defined for {kind(left)} and {kind(right)}")


def _guarded(symbol: str, work: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def operate(left: Any, right: Any) -> Any:
        if left is None or right is None:
            return null(f"{say(left)} {symbol} {say(right)}: an operand is null")
        try:
            return work(left, right)
        except (DecimalException, ArithmeticError, ValueError) as error:
            return null(f"{say(left)} {symbol} {say(right)}: {type(error).__name__}")

    return operate


def _add(left: Any, right: Any) -> Any:
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        return _exact(left + right)
    left_of, right_of = kind(left), kind(right)
    if left_of == right_of == "string":
        current().charge(len(left) + len(right))
        return left + right
    if left_of == right_of == "days and time duration":
        return left + right
    if left_of == right_of == "years and months duration":
        return YearsMonths(left.months + right.months)
    if left_of in DURATIONS:
        left, right, right_of = right, left, left_of
    result = temporal.shift(left, right) if right_of in DURATIONS else None
    return _unfit("+", left, right) if result is None else result


def _subtract(left: Any, right: Any) -> Any:
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        return _exact(left - right)
    left_of, right_of = kind(left), kind(right)
    if left_of == right_of == "days and time duration":
        return left - right
    if left_of == right_of == "years and months duration":
        return YearsMonths(left.months - right.months)
    result: Any = None
    if right_of in DURATIONS:
        result = temporal.shift(left, -right if type(right) is timedelta else YearsMonths(-right.months))
    elif right_of in ("date", "time", "date and time"):
        result = temporal.difference(left, right)
    return _unfit("-", left, right) if result is None else result


def _multiply(left: Any, right: Any) -> Any:
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        return _exact(left * right)
    if type(right) not in _NUMBERS:
        left, right = right, left
    if type(right) in _NUMBERS and kind(left) == "years and months duration":
        return YearsMonths(int(left.months * right))
    if type(right) in _NUMBERS and kind(left) == "days and time duration":
        return timedelta(microseconds=int(Decimal(left // timedelta(microseconds=1)) * right))
    return _unfit("*", left, right)


def _divide(left: Any, right: Any) -> Any:
    left_of, right_of = kind(left), kind(right)
    if left_of == right_of == "number":
        return Decimal(left) / right
    if left_of == "years and months duration" and right_of == "number":
        return YearsMonths(int(Decimal(left.months) / right))
    if left_of == right_of == "years and months duration":
        return Decimal(left.months) / right.months
    if left_of == "days and time duration" and right_of in ("number", left_of):
        micro = Decimal(left // timedelta(microseconds=1))
        if right_of == "number":
            return timedelta(microseconds=int(micro / right))
        return micro / (right // timedelta(microseconds=1))
    return _unfit("/", left, right)


def _power(left: Any, right: Any) -> Any:
    if kind(left) == kind(right) == "number":
        return Decimal(left) ** Decimal(right)
    return _unfit("**", left, right)


add = _guarded("+", _add)
subtract = _guarded("-", _subtract)
multiply = _guarded("*", _multiply)
divide = _guarded("/", _divide)
power = _guarded("**", _power)


def negate(value: Any) -> Any:
    """Unary minus."""
    if kind(value) in ("number", "days and time duration"):
        return -value
    if kind(value) == "years and months duration":
        return YearsMonths(-value.months)
    return null(f"-{say(value)}: not defined for {kind(value)}")


# --- structure ------------------------------------------------------------------------------------------------


def choose(condition: Any) -> bool | None:
    """Return the truth of an ``if``: null counts as false, anything else that is no boolean makes the result null."""
    if condition is True or condition is False:
        return condition
    if condition is None:
        return False
    return null(f"the condition of an if is {say(condition)}, not a boolean")


def path(value: Any, name: str) -> Any:
    """``value.name``; of a list, the list of its items' members."""
    of = kind(value)
    if of == "context":
        if name in value:
            return enter(value[name])
        return null(f"there is no {name!r} in the context with {', '.join(map(str, list(value)[:8])) or 'no entries'}")
    if of == "list":
        current().tick(len(value))
        return [path(item, name) for item in value]
    if of == "range":
        bounds = {
            "start": value.low,
            "end": value.high,
            "start included": value.low_included,
            "end included": value.high_included,
        }
        return bounds.get(name)
    if value is None:
        return null(f"null has no member {name!r}")
    try:
        return temporal.member(value, name)
    except (KeyError, AttributeError):
        return null(f"{of} has no member {name!r}")


def items(value: Any) -> list[Any]:
    """Return what a filter or loop goes through: a list as it is, null as nothing, another value as one item."""
    if type(value) is list:
        return value
    return [] if value is None else [value]


def index(value: Any, position: Any) -> Any:
    """``value[position]``, from 1, or from the end when negative."""
    found = items(value)
    number = int(position) if position == int(position) else 0
    if 0 < number <= len(found):
        return found[number - 1]
    if number < 0 and -number <= len(found):
        return found[number]
    return null(f"there is no item {number} in a list of {len(found)}")


def filtered(value: Any, test: Callable[[Any], Any]) -> Any:
    """``value[expression]``: the items for which it is true, or the one item whose number it is."""
    run = current()
    result = []
    for place, item in enumerate(items(value)):
        run.tick()
        answer = test(item)
        if answer is True:
            result.append(item)
        elif place == 0 and type(answer) in _NUMBERS:
            return index(value, answer)
    return result


def steps(low: Any, high: Any) -> Iterator[Any]:
    """Yield ``low..high``, downwards when low is greater. Whole numbers and dates only."""
    run = current()
    if kind(low) == kind(high) == "number" and low == int(low) and high == int(high):
        start, end = int(low), int(high)
        direction = 1 if end >= start else -1
        for number in range(start, end + direction, direction):
            run.tick()
            yield number
        return
    if type(low) is date and type(high) is date:
        day = timedelta(1 if high >= low else -1)
        while (low <= high) if day > timedelta(0) else (low >= high):
            run.tick()
            yield low
            low += day
        return
    raise Unfit(f"{say(low)}..{say(high)} cannot be counted through")


def turns(source: Any) -> Iterator[Any]:
    """Yield the items that ``for``, ``some`` and ``every`` go through."""
    if source is None:
        raise Unfit("null cannot be gone through")
    if type(source) is Range:
        low = source.low if source.low_included else add(source.low, 1)
        high = source.high if source.high_included else subtract(source.high, 1)
        yield from steps(low, high)
        return
    run = current()
    for item in items(source):
        run.tick()
        yield item


def collect(loop: Callable[[list[Any]], Iterator[Any]]) -> list[Any] | None:
    """Run a ``for``; its body sees what is collected so far as ``partial``."""
    result: list[Any] = []
    run = current()
    try:
        for item in loop(result):
            run.charge(8)
            result.append(item)
    except Unfit as cause:
        return null(str(cause))
    return result


def quantify(loop: Callable[[], Iterator[Any]], wanted: bool) -> bool | None:
    """Run ``some`` (wanted true) or ``every`` (wanted false) with ternary logic."""
    unknown = False
    try:
        for answer in loop():
            if answer is wanted:
                return wanted
            unknown = unknown or answer is not (not wanted)
    except Unfit as cause:
        return null(str(cause))
    return null("some answers are neither true nor false") if unknown else not wanted


def context(fill: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """Build a context; entries see those before them."""
    result: dict[str, Any] = {}
    fill(result)
    return result


def call(function: Any, arguments: list[Any] | None, named: dict[str, Any] | None = None) -> Any:
    """Invoke a function value, by position or by name."""
    run = current()
    run.tick()
    if type(function) is Range and arguments is not None and len(arguments) == 1:
        return contains(function, arguments[0])
    if type(function) is not Function:
        return null(f"{say(function)} is not a function")
    if named is not None:
        arguments = _by_name(function, named)
        if arguments is None:
            names = " or ".join(", ".join(signature) or "none" for signature in function.signatures)
            return null(f"{function.name}: parameters are {names}, not {', '.join(named)}")
    assert arguments is not None
    most = max((len(names) for names in function.signatures), default=0)
    endless = any(names and names[-1].endswith("*") for names in function.signatures)
    if len(arguments) < function.required or (len(arguments) > most and not endless):
        return null(f"{function.name}: {len(arguments)} arguments do not fit")
    run.depth += 1
    try:
        if run.depth > 120:
            raise FeelLimit("The expression's functions call each other too deeply.")
        return function.call(*arguments)
    except Unfit as cause:
        return null(f"{function.name}: {cause}")
    except (DecimalException, ArithmeticError, ValueError, TypeError) as error:
        return null(f"{function.name}: {error or type(error).__name__}")
    finally:
        run.depth -= 1


def _by_name(function: Function, named: dict[str, Any]) -> list[Any] | None:
    for signature in function.signatures:
        plain = [name.rstrip("*") for name in signature]
        if set(named) <= set(plain):
            last = max(plain.index(name) for name in named) if named else -1
            return [named.get(name) for name in plain[: last + 1]]
    return None


def instance_of(value: Any, name: str) -> bool | None:
    """``value instance of name`` for the built-in types."""
    if name == "Any":
        return value is not None
    if name in ("Null", "null"):
        return value is None
    return kind(value) == name
