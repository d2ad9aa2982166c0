"""What compiled scripts may call: variables, members, operators, functions and methods, each guarded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, DecimalException
from typing import Any

from engine.feel.limits import FeelLimit, current
from engine.feel.values import DECIMAL128, WHOLE_LIMIT, enter, text_of
from engine.kernel.errors import CmsError

_NUMBERS = frozenset((int, Decimal, bool))
_TEMPORAL = (date, datetime, time, timedelta)
LONGEST_RANGE = 100_000


class ScriptError(CmsError):
    """A script cannot be read, is not allowed, or failed; the message says where."""

    code = "script.error"


class Variables:
    """The variables of one run: copies of the process's, and what the script assigns."""

    __slots__ = ("_data", "_loaded")

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self._loaded: dict[str, Any] = {}

    def load(self, name: str) -> Any:
        if name in self._loaded:
            return self._loaded[name]
        if name not in self._data:
            raise ScriptError(f"there is no variable {name!r}")
        value = self._loaded[name] = enter(self._data[name])
        return value

    def store(self, name: str, value: Any) -> None:
        self._loaded[name] = value

    def changed(self) -> dict[str, Any]:
        """Return what differs from the process's variables."""
        missing = object()
        return {name: value for name, value in self._loaded.items() if self._data.get(name, missing) != value}


def _numbers(left: Any, right: Any) -> bool:
    return type(left) in _NUMBERS and type(right) in _NUMBERS


def _rounded(value: Any) -> Any:
    if type(value) is int and not -WHOLE_LIMIT <= value <= WHOLE_LIMIT:
        return DECIMAL128.create_decimal(value)
    return value


def _times(left: Any, right: Any) -> Any:
    if _numbers(left, right):
        return _rounded(left * right)
    for many, count in ((left, right), (right, left)):
        if type(many) in (str, list) and type(count) is int:
            current().charge(len(many) * max(count, 0) * (1 if type(many) is str else 8))
            return many * count
    if isinstance(left, timedelta) and type(right) is int:
        return left * right
    raise TypeError


def _plus(left: Any, right: Any) -> Any:
    if _numbers(left, right):
        return _rounded(left + right)
    if type(left) is type(right) and type(left) in (str, list):
        current().charge((len(left) + len(right)) * (1 if type(left) is str else 8))
        return left + right
    if isinstance(left, _TEMPORAL) and isinstance(right, _TEMPORAL):
        return left + right  # type: ignore[operator]
    raise TypeError


def _minus(left: Any, right: Any) -> Any:
    if _numbers(left, right) or (isinstance(left, _TEMPORAL) and isinstance(right, _TEMPORAL)):
        return _rounded(left - right)
    raise TypeError


def _number_operation(work: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def operate(left: Any, right: Any) -> Any:
        if not _numbers(left, right):
            raise TypeError
        return _rounded(work(left, right))

    return operate


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _number_operation(lambda left, right: Decimal(left) / right),
    "//": _number_operation(lambda left, right: left // right),
    "%": _number_operation(lambda left, right: left % right),
    "**": _number_operation(lambda left, right: Decimal(left) ** Decimal(right)),
}


def calculate(symbol: str, left: Any, right: Any) -> Any:
    """Apply an arithmetic operator."""
    try:
        return _OPERATIONS[symbol](left, right)
    except TypeError as error:
        raise ScriptError(f"{symbol!r} is not defined for {_named(left)} and {_named(right)}") from error
    except (DecimalException, ArithmeticError, OverflowError) as error:
        raise ScriptError(f"{_named(left)} {symbol} {_named(right)}: {type(error).__name__}") from error


def _named(value: Any) -> str:
    return f"a value of type {type(value).__name__}" if value is not None else "None"


def compare(symbol: str, left: Any, right: Any) -> bool:
    """Apply a comparison."""
    current().tick()
    try:
        match symbol:
            case "==":
                return bool(left == right)
            case "!=":
                return bool(left != right)
            case "is":
                return left is right
            case "is not":
                return left is not right
            case "in":
                return left in right
            case "not in":
                return left not in right
            case "<":
                return bool(left < right)
            case "<=":
                return bool(left <= right)
            case ">":
                return bool(left > right)
            case _:
                return bool(left >= right)
    except TypeError as error:
        raise ScriptError(f"{_named(left)} and {_named(right)} do not compare by {symbol!r}") from error


def negate(symbol: str, value: Any) -> Any:
    """Apply a unary operator."""
    if symbol == "not":
        return not value
    if type(value) not in _NUMBERS and not isinstance(value, timedelta):
        raise ScriptError(f"{symbol!r} is not defined for {_named(value)}")
    return -value if symbol == "-" else +value


def member(value: Any, key: Any) -> Any:
    """``value.key`` and ``value[key]``: entries of dicts, items of lists and texts; never an attribute."""
    if type(value) is dict:
        if key in value:
            return value[key]
        raise ScriptError(f"there is no {key!r}; there are {', '.join(map(str, list(value)[:8])) or 'no entries'}")
    if type(value) in (list, str) and type(key) is int:
        if -len(value) <= key < len(value):
            return value[key]
        raise ScriptError(f"there is no item {key} in {len(value)}")
    if isinstance(value, date) and key in ("year", "month", "day", "hour", "minute", "second"):
        return getattr(value, key, 0)
    raise ScriptError(f"{_named(value)} has no {key!r}")


def cut(value: Any, start: Any, stop: Any) -> Any:
    """``value[start:stop]`` of texts and lists."""
    if type(value) not in (list, str):
        raise ScriptError(f"{_named(value)} cannot be cut")
    part = value[start:stop]
    current().charge(len(part) * 8)
    return part


def put(value: Any, key: Any, item: Any) -> None:
    """``value.key = item`` and ``value[key] = item``."""
    if type(value) is dict and type(key) in (str, int):
        current().charge(8)
        value[key] = item
    elif type(value) is list and type(key) is int and -len(value) <= key < len(value):
        value[key] = item
    else:
        raise ScriptError(f"{_named(value)} has no place {key!r}")


def walk(value: Any) -> Iterator[Any]:
    """Go through a list, text, dict or range, charging each turn."""
    if not isinstance(value, list | str | dict | range | tuple):
        raise ScriptError(f"{_named(value)} cannot be gone through")
    run = current()
    for item in list(value) if isinstance(value, list) else value:
        run.tick()
        yield item


def join_text(parts: list[Any]) -> str:
    """Join the parts of an f-string."""
    text = "".join(_text(part) for part in parts)
    current().charge(len(text))
    return text


def _text(value: Any) -> str:
    return value if type(value) is str else "None" if value is None else text_of(value)


def _range(*ends: Any) -> range:
    if not all(type(end) is int for end in ends) or not 1 <= len(ends) <= 3:
        raise ScriptError("range takes one to three whole numbers")
    made = range(*ends)
    if len(made) > LONGEST_RANGE:
        raise FeelLimit(f"range is longer than {LONGEST_RANGE}")
    return made


def _int(value: Any = 0) -> int:
    text_or_number = Decimal(value.strip()) if type(value) is str and len(value) < 60 else value
    if type(text_or_number) not in _NUMBERS or abs(text_or_number) > WHOLE_LIMIT:
        raise ScriptError(f"{_named(value)} is not a number")
    return int(text_or_number)


def _decimal(value: Any = 0) -> Decimal:
    if type(value) is str and len(value) < 60:
        return Decimal(value.strip()) + 0
    if type(value) not in _NUMBERS:
        raise ScriptError(f"{_named(value)} is not a number")
    return Decimal(value)


def _round(value: Any, digits: int = 0) -> Any:
    result = _decimal(value).quantize(Decimal(1).scaleb(-digits))
    return int(result) if digits == 0 else result


def _total(values: Any) -> Any:
    result: Any = 0
    for value in walk(values):
        result = calculate("+", result, value)
    return result


def _listed(value: Any = ()) -> list[Any]:
    made = list(walk(value))
    current().charge(8 * len(made))
    return made


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": lambda value: negate("-", value) if compare("<", value, 0) else value,
    "all": lambda values: all(walk(values)),
    "any": lambda values: any(walk(values)),
    "bool": bool,
    "float": _decimal,
    "Decimal": _decimal,
    "int": _int,
    "len": len,
    "list": _listed,
    "max": lambda *values: max(walk(values[0]) if len(values) == 1 else values),
    "min": lambda *values: min(walk(values[0]) if len(values) == 1 else values),
    "range": _range,
    "round": _round,
    "sorted": lambda values: sorted(walk(values)),
    "str": lambda value="": join_text([value]),
    "sum": _total,
}

FUNCTION_NAMES = frozenset(_FUNCTIONS)


def _replace(text: str, old: str, new: str) -> str:
    if not old:
        raise ScriptError("replace needs a text to look for")
    current().charge(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _join(joint: str, parts: Any) -> str:
    texts = [part for part in walk(parts) if type(part) is str]
    current().charge(sum(len(text) + len(joint) for text in texts))
    return joint.join(texts)


def _append(values: list[Any], item: Any) -> None:
    current().charge(8)
    values.append(item)


_METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    str: {
        "upper": lambda text: text.upper(),
        "lower": lambda text: text.lower(),
        "strip": lambda text: text.strip(),
        "startswith": lambda text, start: text.startswith(start),
        "endswith": lambda text, end: text.endswith(end),
        "replace": _replace,
        "split": lambda text, separator=None: text.split(separator),
        "join": _join,
        "isdigit": lambda text: text.isdigit(),
    },
    list: {"append": _append, "index": lambda values, item: values.index(item)},
    dict: {
        "get": lambda entries, key, default=None: entries.get(key, default),
        "keys": lambda entries: list(entries),
        "values": lambda entries: list(entries.values()),
        "items": lambda entries: [list(item) for item in entries.items()],
    },
}

METHOD_NAMES = frozenset(name for methods in _METHODS.values() for name in methods)


def call(name: str, *arguments: Any) -> Any:
    """Call an allowed function."""
    return _guarded(name, _FUNCTIONS[name], arguments)


def call_method(value: Any, name: str, *arguments: Any) -> Any:
    """Call an allowed method of a text, list or dict."""
    method = _METHODS.get(type(value), {}).get(name)
    if method is None:
        raise ScriptError(f"{_named(value)} has no method {name!r}")
    current().charge(len(value))
    return _guarded(name, method, (value, *arguments))


def _guarded(name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    current().tick()
    try:
        return function(*arguments)
    except CmsError:
        raise
    except (TypeError, ValueError, ArithmeticError, OverflowError) as error:
        raise ScriptError(f"{name}: {error or type(error).__name__}") from error
