"""Built-in functions: conversion, boolean, string and context functions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import regex

from engine.feel.library import (
    builtin,
    grown,
    many,
    matched,
    number,
    of_kind,
    optional_string,
    pattern,
    string,
    whole,
)
from engine.feel.limits import Unfit
from engine.feel.operators import call, equal
from engine.feel.values import kind, text_of

_NUMBER = regex.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", regex.ASCII)


@builtin("number", "from|grouping separator|decimal separator")
def to_number(value: Any, grouping: Any = None, point: Any = None) -> Decimal:
    text = string(value)
    if grouping not in (None, " ", ",", ".") or point not in (None, ",", ".") or (grouping and grouping == point):
        raise Unfit("separators are ' ', ',' or '.', and differ")
    if grouping:
        text = text.replace(grouping, "")
    if point:
        text = text.replace(point, ".")
    if not _NUMBER.fullmatch(text):
        raise Unfit(f"{value!r} is not a number")
    return Decimal(text) + 0


@builtin("string", "from|mask")
def to_string(value: Any, mask: Any = None) -> str | None:
    return None if value is None else str(grown(text_of(value)))


@builtin("not", "negand")
def negated(value: Any) -> bool | None:
    return (not value) if type(value) is bool else None


@builtin("substring", "string|start position|length")
def substring(text: Any, start: Any, length: Any = None) -> str:
    source, begin = string(text), whole(start)
    if begin == 0 or (length is not None and number(length) < 1):
        raise Unfit("positions count from 1, or from -1 backwards, and lengths from 1")
    first = begin - 1 if begin > 0 else len(source) + begin
    last = len(source) if length is None else first + whole(length)
    return source[max(first, 0) : max(last, 0)]


@builtin("string length", "string")
def string_length(text: Any) -> int:
    return len(string(text))


@builtin("upper case", "string")
def upper_case(text: Any) -> str:
    return str(grown(string(text).upper()))


@builtin("lower case", "string")
def lower_case(text: Any) -> str:
    return str(grown(string(text).lower()))


@builtin("trim", "string")
def trim(text: Any) -> str:
    return string(text).strip()


@builtin("substring before", "string|match")
def substring_before(text: Any, match: Any) -> str:
    before, found, _ = string(text).partition(string(match)) if string(match) else ("", "", "")
    return before if found else ""


@builtin("substring after", "string|match")
def substring_after(text: Any, match: Any) -> str:
    if not string(match):
        return string(text)
    return string(text).partition(match)[2]


@builtin("contains", "string|match")
def contains(text: Any, match: Any) -> bool:
    return string(match) in string(text)


@builtin("starts with", "string|match")
def starts_with(text: Any, match: Any) -> bool:
    return string(text).startswith(string(match))


@builtin("ends with", "string|match")
def ends_with(text: Any, match: Any) -> bool:
    return string(text).endswith(string(match))


@builtin("matches", "input|pattern|flags")
def matches(text: Any, expression: Any, flags: Any = None) -> bool:
    compiled, source = pattern(expression, flags), string(text)
    return bool(matched(lambda seconds: compiled.search(source, timeout=seconds)))


@builtin("replace", "input|pattern|replacement|flags")
def replace(text: Any, expression: Any, replacement: Any, flags: Any = None) -> str:
    compiled, source = pattern(expression, flags), string(text)
    template = regex.sub(r"\\(?![$\\])", r"\\\\", string(replacement))
    template = regex.sub(r"(?<!\\)\$(\d)", r"\\g<\1>", template).replace("\\$", "$")
    if len(source) * max(len(template), 1) > 50_000_000:
        raise Unfit("the result would be too long")
    try:
        return str(grown(matched(lambda seconds: compiled.sub(template, source, timeout=seconds))))
    except (regex.error, IndexError) as error:
        raise Unfit(f"{replacement!r} is not a replacement: {error}") from error


@builtin("split", "string|delimiter")
def split(text: Any, delimiter: Any) -> list[str]:
    compiled, source = pattern(delimiter), string(text)
    return list(grown(matched(lambda seconds: compiled.split(source, timeout=seconds))))


@builtin("extract", "input|pattern")
def extract(text: Any, expression: Any) -> list[Any]:
    compiled, source = pattern(expression), string(text)
    return list(grown(matched(lambda seconds: compiled.findall(source, timeout=seconds))))


@builtin("string join", "list|delimiter|prefix|suffix")
def string_join(parts: Any, delimiter: Any = None, prefix: Any = None, suffix: Any = None) -> str:
    texts = [string(part) for part in many(parts) if part is not None]
    joint = optional_string(delimiter) or ""
    grown(range(sum(len(text) + len(joint) for text in texts)))
    joined = joint.join(texts)
    return (optional_string(prefix) or "") + joined + (optional_string(suffix) or "")


# --- contexts -------------------------------------------------------------------------------------------------


@builtin("get value", "m|key", "context|key", "context|keys")
def get_value(value: Any, key: Any) -> Any:
    found = of_kind(value, "context")
    for part in many(key):
        if type(found) is not dict or part not in found:
            raise Unfit(f"there is no {part!r}")
        found = found[part]
    return found


@builtin("get entries", "m", "context")
def get_entries(value: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": item} for key, item in of_kind(value, "context").items()]


@builtin("context put", "context|key|value", "context|keys|value")
def context_put(value: Any, key: Any, item: Any) -> dict[str, Any]:
    source = of_kind(value, "context")
    keys = many(key)
    if not keys:
        raise Unfit("there is no key")
    if len(keys) == 1:
        return {**source, string(keys[0]): item}
    return {**source, string(keys[0]): context_put(source.get(keys[0]), keys[1:], item)}


@builtin("context merge", "contexts")
def context_merge(values: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for value in many(values):
        result.update(of_kind(value, "context"))
    return result


@builtin("context", "entries")
def to_context(entries: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for entry in many(entries):
        of_kind(entry, "context")
        if "key" not in entry or "value" not in entry or string(entry["key"]) in result:
            raise Unfit("entries need a key that occurs once, and a value")
        result[entry["key"]] = entry["value"]
    return result


@builtin("is", "value1|value2")
def is_same(left: Any, right: Any) -> bool:
    if kind(left) != kind(right):
        return False
    if kind(left) in ("date and time", "time"):
        return bool(left == right and left.utcoffset() == right.utcoffset() and str(left.tzinfo) == str(right.tzinfo))
    return equal(left, right) is True


def invoke(function: Any, *arguments: Any) -> Any:
    """Call a function value that was handed to a built-in."""
    return call(of_kind(function, "function"), list(arguments))
