"""What the validator of a form says, in words that tell people how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

from jsonschema import FormatChecker, ValidationError

from engine.kernel.errors import InvalidInput
from engine.kernel.types import E164
from engine.schemas import validator_of

FORMATS = FormatChecker(formats=())

_FORMAT_HINTS = {
    "date": "Write a day, such as 2026-06-17.",
    "date-time": "Choose a day and a time.",
    "time": "Write a time, such as 08:30.",
    "email": "Write a mail address, such as name@company.example.",
    "phone": "Write a phone number, such as +49 30 123456.",
    "dialable": "Write a phone number, such as +49 30 123456, or an extension, such as 201.",
}


@FORMATS.checks("date", ValueError)
def _date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@FORMATS.checks("date-time", ValueError)
def _instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@FORMATS.checks("time", ValueError)
def _time(value: object) -> bool:
    return not isinstance(value, str) or time.fromisoformat(value) is not None


@FORMATS.checks("email")
def _email(value: object) -> bool:
    if not isinstance(value, str):
        return True
    local, _, domain = value.partition("@")
    return bool(local and domain and "@" not in domain and not any(sign.isspace() for sign in value))


@FORMATS.checks("phone", InvalidInput)
def _phone(value: object) -> bool:
    return not isinstance(value, str) or bool(E164(value))


@FORMATS.checks("dialable", InvalidInput)
def _dialable(value: object) -> bool:
    if not isinstance(value, str) or (value.isascii() and value.isdigit() and 1 < len(value) <= 6):
        return True
    return bool(E164(value))


def messages(schema: Mapping[str, Any], data: Mapping[str, Any], ui: Mapping[str, Any]) -> dict[str, str]:
    """Return one message a place, by JSON pointer, in the order of the schema."""
    found: dict[str, str] = {}
    for error in validator_of(schema, FORMATS).iter_errors(data):
        for leaf in _leaves(error):
            pointer = _pointer(leaf)
            found.setdefault(pointer, str(_hint(ui, pointer) or _say(leaf)))
    return found


def _leaves(error: ValidationError) -> list[ValidationError]:
    """An optional value fails as "none of these"; people want to hear why its real half failed."""
    if error.validator == "anyOf" and error.context:
        real = [item for item in error.context if not (item.validator == "type" and item.validator_value == "null")]
        return real or [error]
    return [error]


def _pointer(error: ValidationError) -> str:
    path = "".join(f"/{part}" for part in error.absolute_path)
    if error.validator in {"required", "dependentRequired"}:
        return f"{path}/{_missing(error)}"
    return path


def _missing(error: ValidationError) -> str:
    """The one property that this error is about; the validator raises one error for each."""
    return error.message.split("'")[1]


def _hint(ui: Mapping[str, Any], pointer: str) -> Any:
    place: Any = ui
    for part in pointer.split("/")[1:]:
        place = place.get("items" if part.isdigit() else part, {}) if isinstance(place, Mapping) else {}
    return place.get("ui:error") if isinstance(place, Mapping) else None


def _schema(error: ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, Mapping) else {}


def _say(error: ValidationError) -> str:
    say = _SAYINGS.get(str(error.validator))
    return say(error) if say else f"This does not fit: {error.message}."


def _type(error: ValidationError) -> str:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    if "integer" in wanted:
        return "Write a whole number."
    if "number" in wanted:
        return "Write a number."
    return "This is not the kind of answer that is needed here."


def _choice(error: ValidationError) -> str:
    options = _schema(error).get("oneOf") or [{"title": item} for item in _schema(error).get("enum", [])]
    titles = [str(item.get("title", item.get("const", ""))) for item in options if isinstance(item, dict)]
    return f"Choose one of: {', '.join(titles)}." if titles else "Choose one of the answers."


def _required(error: ValidationError) -> str:
    child = _schema(error).get("properties", {}).get(_missing(error), {})
    if "enum" in child or "oneOf" in child:
        return "Choose one."
    return "Add at least one." if child.get("type") == "array" else "Fill this in."


def _minimum_length(error: ValidationError) -> str:
    return f"Write at least {error.validator_value} characters; this one has {len(str(error.instance))}."


def _maximum_length(error: ValidationError) -> str:
    return f"Write at most {error.validator_value} characters; this one has {len(str(error.instance))}."


def _count(error: ValidationError) -> str:
    return "Add at least one." if error.validator_value == 1 else f"Add at least {error.validator_value}."


_SAYINGS: dict[str, Callable[[ValidationError], str]] = {
    "type": _type,
    "enum": _choice,
    "oneOf": _choice,
    "const": lambda error: f"This must be {error.validator_value}.",
    "required": _required,
    "dependentRequired": _required,
    "minLength": _minimum_length,
    "maxLength": _maximum_length,
    "minimum": lambda error: f"Write {error.validator_value} or more.",
    "maximum": lambda error: f"Write {error.validator_value} or less.",
    "exclusiveMinimum": lambda error: f"Write more than {error.validator_value}.",
    "exclusiveMaximum": lambda error: f"Write less than {error.validator_value}.",
    "multipleOf": lambda error: f"Write a multiple of {error.validator_value}.",
    "pattern": lambda error: str(_schema(error).get("patternHint", "This does not have the right form.")),
    "format": lambda error: _FORMAT_HINTS.get(str(error.validator_value), "This does not have the right form."),
    "minItems": _count,
    "maxItems": lambda error: f"At most {error.validator_value} fit here.",
    "uniqueItems": lambda _: "The same answer is there twice.",
    "additionalProperties": lambda _: "There is an answer that nobody asked for.",
}
