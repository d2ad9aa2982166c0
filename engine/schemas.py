"""JSON schemas from strangers: forms and parameters are checked before they are used, and validate within limits.

Nothing is fetched, references are refused, and patterns run in linear time or time out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson
import regex
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry

from engine.kernel.errors import InvalidInput

DEEPEST = 12
LONGEST = 64 * 1024
LONGEST_PATTERN = 300
PATTERN_SECONDS = 0.1

_REFERENCES = frozenset(("$ref", "$dynamicRef", "$recursiveRef", "$schema", "$id", "$anchor", "$dynamicAnchor"))


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    return regex.compile(pattern)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, str):
        return
    try:
        found = _compiled(pattern).search(instance, timeout=PATTERN_SECONDS)
    except TimeoutError:
        yield ValidationError("The text takes too long to check; write it shorter.")
        return
    if not found:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator: Any = extend(Draft202012Validator, {"pattern": _pattern})


def validator_of(schema: Mapping[str, Any], formats: FormatChecker | None = None) -> Draft202012Validator:
    """Return a validator that fetches nothing and stops at hostile patterns; its schema passed ``check_schema``."""
    checker = formats if formats is not None else Draft202012Validator.FORMAT_CHECKER
    made: Draft202012Validator = _Validator(dict(schema), format_checker=checker, registry=Registry())
    return made


def check_schema(schema: Any) -> None:
    """Raise ``InvalidInput`` when a schema is no JSON Schema of an object, or wants more than forms may."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise InvalidInput('It does not describe an object: begin with "type": "object".', code="schema.object")
    _check_depth(schema, 0)
    check_characters(schema)
    if len(orjson.dumps(schema)) > LONGEST:
        raise InvalidInput(f"It is longer than {LONGEST // 1024} KB.", code="schema.size")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = "/".join(map(str, error.absolute_path))
        raise InvalidInput(
            f"It is no JSON Schema: {error.message}{f' at /{place}' if place else ''}.", code="schema.invalid"
        ) from error


def check_characters(value: Any) -> None:
    """Raise ``InvalidInput`` for texts that a database cannot keep: null characters and halves of characters."""
    try:
        written = orjson.dumps(value)
    except (TypeError, ValueError) as error:
        raise InvalidInput("It holds characters or numbers that JSON cannot carry.", code="schema.text") from error
    if b"\\u0000" in written:
        raise InvalidInput("It holds a null character.", code="schema.text")


def _check_depth(part: Any, depth: int) -> None:
    if depth > DEEPEST * 2:  # each level of a form is an object and its properties
        raise InvalidInput(f"It nests deeper than {DEEPEST} levels.", code="schema.depth")
    if isinstance(part, list):
        for item in part:
            _check_depth(item, depth + 1)
    if not isinstance(part, dict):
        return
    for key, item in part.items():
        if key in _REFERENCES and isinstance(item, str) and key != "$schema":
            raise InvalidInput(f"It uses {key}: write the parts out instead.", code="schema.reference")
        if key == "patternProperties":
            raise InvalidInput("It uses patternProperties: name the properties.", code="schema.reference")
        if key == "pattern" and isinstance(item, str):
            _check_pattern(item)
        _check_depth(item, depth + 1)


def _check_pattern(pattern: str) -> None:
    if len(pattern) > LONGEST_PATTERN:
        raise InvalidInput(f"A pattern is longer than {LONGEST_PATTERN} characters.", code="schema.pattern")
    try:
        _compiled(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        raise InvalidInput(f"{pattern!r} is not a regular expression: {error}.", code="schema.pattern") from error
