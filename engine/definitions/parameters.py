"""Parameters of application templates: defaults, and checking what a customer filled in."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from engine.kernel.errors import InvalidInput
from engine.schemas import validator_of


def with_defaults(schema: Mapping[str, Any], values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the values with the schema's defaults for what is missing, in nested objects too."""
    result: dict[str, Any] = dict(values or {})
    for name, item in schema.get("properties", {}).items():
        if name not in result and "default" in item:
            result[name] = copy.deepcopy(item["default"])
        if item.get("type") == "object" and isinstance(result.get(name), Mapping):
            result[name] = with_defaults(item, result[name])
    return result


def check(schema: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Raise ``InvalidInput`` whose fields are JSON pointers (``/hours/opens``) when the values break the schema."""
    fields: dict[str, str] = {}
    for error in validator_of(schema).iter_errors(dict(values)):
        fields.setdefault(_pointer(error), error.message)
    if fields:
        first, message = next(iter(fields.items()))
        raise InvalidInput(f"{first}: {message}", fields, code="parameters.invalid")


def _pointer(error: ValidationError) -> str:
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required":  # one error for each missing name, which only the message tells
        path.append(error.message.split("'")[1])
    return "/" + "/".join(path)
