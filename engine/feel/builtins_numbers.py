"""Built-in functions: numbers, lists and their aggregations."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from typing import Any

from engine.feel.builtins_text import invoke
from engine.feel.library import builtin, grown, many, number, of_kind, spread, string, whole
from engine.feel.limits import Unfit, current
from engine.feel.operators import equal, less
from engine.feel.values import ORDERED, Function, YearsMonths, kind


def _rounding(name: str, mode: str) -> None:
    @builtin(name, "n|scale")
    def rounded(value: Any, scale: Any = 0) -> Decimal:
        places = whole(scale)
        if not -6111 <= places <= 6176:
            raise Unfit(f"{places} is not a scale")
        amount = Decimal(number(value))
        if amount.adjusted() + places > 33:  # has no digits there that could be rounded away
            return amount
        return amount.quantize(Decimal(1).scaleb(-places), rounding=mode)


_rounding("decimal", ROUND_HALF_EVEN)
_rounding("floor", ROUND_FLOOR)
_rounding("ceiling", ROUND_CEILING)
_rounding("round up", ROUND_UP)
_rounding("round down", ROUND_DOWN)
_rounding("round half up", ROUND_HALF_UP)
_rounding("round half down", ROUND_HALF_DOWN)
_rounding("round half even", ROUND_HALF_EVEN)


@builtin("abs", "n")
def absolute(value: Any) -> Any:
    if type(value) is YearsMonths:
        return YearsMonths(abs(value.months))
    return abs(of_kind(value, "number", "days and time duration"))


@builtin("modulo", "dividend|divisor")
def modulo(dividend: Any, divisor: Any) -> Any:
    if number(divisor) == 0:
        raise Unfit("division by zero")
    quotient = (Decimal(number(dividend)) / divisor).to_integral_value(ROUND_FLOOR)
    return dividend - divisor * quotient


@builtin("sqrt", "number")
def square_root(value: Any) -> Decimal:
    return Decimal(number(value)).sqrt()


@builtin("log", "number")
def logarithm(value: Any) -> Decimal:
    if number(value) <= 0:
        raise Unfit("only positive numbers have a logarithm")
    return Decimal(value).ln()


@builtin("exp", "number")
def exponential(value: Any) -> Decimal:
    return Decimal(number(value)).exp()


@builtin("odd", "number")
def odd(value: Any) -> bool:
    return number(value) % 2 in (1, -1)


@builtin("even", "number")
def even(value: Any) -> bool:
    return number(value) % 2 == 0


# --- aggregations ---------------------------------------------------------------------------------------------


def _numbers(values: tuple[Any, ...]) -> list[int | Decimal]:
    found = [number(value) for value in spread(values)]
    current().tick(len(found))
    if not found:
        raise Unfit("the list is empty")
    return found


@builtin("count", "list")
def count(first: Any, *more: Any) -> int:
    return len(spread((first, *more)))


def _extreme(values: tuple[Any, ...], better: Callable[[Any, Any], bool]) -> Any:
    found = spread(values)
    current().tick(len(found))
    if not found:
        raise Unfit("the list is empty")
    of = kind(found[0])
    if of not in ORDERED:
        raise Unfit(f"a {of} has no order")
    best = found[0]
    for value in found[1:]:
        if better(of_kind(value, of), best):
            best = value
    return best


@builtin("min", "list", "c1*")
def minimum(*values: Any) -> Any:
    return _extreme(values, lambda value, best: bool(value < best))


@builtin("max", "list", "c1*")
def maximum(*values: Any) -> Any:
    return _extreme(values, lambda value, best: bool(value > best))


@builtin("sum", "list", "n1*")
def total(*values: Any) -> Any:
    found = spread(values)
    if found and kind(found[0]) == "days and time duration":
        return functools.reduce(lambda a, b: a + of_kind(b, "days and time duration"), found[1:], found[0])
    return Decimal(sum(_numbers(values))) + 0


@builtin("mean", "list", "n1*")
def mean(*values: Any) -> Any:
    found = _numbers(values)
    return Decimal(sum(found)) / len(found)


@builtin("product", "list", "n1*")
def product(*values: Any) -> Any:
    result = Decimal(1)
    for value in _numbers(values):
        result = result * value
    return result


@builtin("median", "list", "n1*")
def median(*values: Any) -> Any:
    found = sorted(_numbers(values))
    middle = len(found) // 2
    return found[middle] if len(found) % 2 else Decimal(found[middle - 1] + found[middle]) / 2


@builtin("stddev", "list", "n1*")
def standard_deviation(*values: Any) -> Any:
    found = _numbers(values)
    if len(found) < 2:
        raise Unfit("it takes two numbers to differ")
    average = Decimal(sum(found)) / len(found)
    return (sum(((value - average) ** 2 for value in found), Decimal(0)) / (len(found) - 1)).sqrt()


@builtin("mode", "list", "n1*")
def mode(*values: Any) -> list[Any]:
    if not spread(values):
        return []
    counted: dict[Any, int] = {}
    for value in _numbers(values):
        counted[value] = counted.get(value, 0) + 1
    most = max(counted.values())
    return sorted(value for value, times in counted.items() if times == most)


def _quantified(values: tuple[Any, ...], wanted: bool) -> bool | None:
    found = spread(values)
    if any(value is wanted for value in found):
        return wanted
    return (not wanted) if all(value is (not wanted) for value in found) else None


@builtin("all", "list", "b1*")
def all_true(*values: Any) -> bool | None:
    return _quantified(values, False)


@builtin("any", "list", "b1*")
def any_true(*values: Any) -> bool | None:
    return _quantified(values, True)


# --- lists ----------------------------------------------------------------------------------------------------


def _holds(found: list[Any], value: Any) -> bool:
    current().tick(len(found))
    return any(equal(item, value) is True for item in found if kind(item) == kind(value))


@builtin("list contains", "list|element")
def list_contains(found: Any, element: Any) -> bool:
    return _holds(many(found), element)


@builtin("append", "list|item*")
def append(found: Any, *added: Any) -> list[Any]:
    return list(grown([*many(found), *added]))


@builtin("concatenate", "list*")
def concatenate(*lists: Any) -> list[Any]:
    return list(grown([item for found in lists for item in many(found)]))


@builtin("union", "list*")
def union(*lists: Any) -> list[Any]:
    return distinct_values(concatenate(*lists))


@builtin("distinct values", "list")
def distinct_values(found: Any) -> list[Any]:
    result: list[Any] = []
    for item in many(found):
        if not _holds(result, item):
            result.append(item)
    return list(grown(result))


@builtin("duplicate values", "list")
def duplicate_values(found: Any) -> list[Any]:
    source = many(found)
    return distinct_values([item for place, item in enumerate(source) if _holds(source[:place], item)])


@builtin("flatten", "list")
def flatten(found: Any) -> list[Any]:
    result: list[Any] = []
    waiting = list(reversed(many(found)))
    while waiting:
        current().tick()
        item = waiting.pop()
        if type(item) is list:
            waiting.extend(reversed(item))
        else:
            result.append(item)
    return list(grown(result))


@builtin("reverse", "list")
def reverse(found: Any) -> list[Any]:
    return list(grown(many(found)[::-1]))


@builtin("index of", "list|match")
def index_of(found: Any, match: Any) -> list[int]:
    source = many(found)
    current().tick(len(source))
    return [place for place, item in enumerate(source, 1) if kind(item) == kind(match) and equal(item, match) is True]


def _place(found: list[Any], position: Any) -> int:
    place = whole(position)
    if not 0 < abs(place) <= len(found):
        raise Unfit(f"there is no position {place} in a list of {len(found)}")
    return place - 1 if place > 0 else len(found) + place


@builtin("sublist", "list|start position|length")
def sublist(found: Any, start: Any, length: Any = None) -> list[Any]:
    source = many(found)
    first = _place(source, start)
    return list(grown(source[first:] if length is None else source[first : first + max(whole(length), 0)]))


@builtin("insert before", "list|position|newItem")
def insert_before(found: Any, position: Any, item: Any) -> list[Any]:
    source = many(found)
    place = _place(source, position)
    return list(grown([*source[:place], item, *source[place:]]))


@builtin("remove", "list|position")
def remove(found: Any, position: Any) -> list[Any]:
    source = many(found)
    place = _place(source, position)
    return list(grown([*source[:place], *source[place + 1 :]]))


@builtin("list replace", "list|position|newItem", "list|match|newItem")
def list_replace(found: Any, position: Any, item: Any) -> list[Any]:
    source = many(found)
    if type(position) is Function:
        return list(grown([item if invoke(position, old, item) is True else old for old in source]))
    place = _place(source, position)
    return list(grown([*source[:place], item, *source[place + 1 :]]))


@builtin("sort", "list|precedes")
def sort(found: Any, precedes: Any = None) -> list[Any]:
    source = many(found)
    current().tick(len(source) * max(1, len(source).bit_length()))
    if precedes is None:
        if len({kind(item) for item in source}) > 1:
            raise Unfit("items of several kinds have no order")
        return list(grown(sorted(source, key=functools.cmp_to_key(lambda a, b: -1 if less(a, b) else 1))))

    def compare(left: Any, right: Any) -> int:
        if invoke(precedes, left, right) is True:
            return -1
        return 1 if invoke(precedes, right, left) is True else 0

    return list(grown(sorted(source, key=functools.cmp_to_key(compare))))


@builtin("partition", "list|size")
def partition(found: Any, size: Any) -> list[list[Any]]:
    source, length = many(found), whole(size)
    if length < 1:
        raise Unfit("the size is at least 1")
    return list(grown([source[at : at + length] for at in range(0, len(source), length)]))


@builtin("is empty", "list")
def is_empty(found: Any) -> bool:
    return not many(found)


@builtin("is blank", "string")
def is_blank(text: Any) -> bool:
    return not string(text).strip()
