"""Forms and parameters come from strangers too."""

from __future__ import annotations

import time
from typing import Any

import pytest

from engine.kernel.errors import InvalidInput
from engine.schemas import check_schema, validator_of


def form(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = form(a=schema)
    return schema


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ({"type": "string"}, "schema.object"),
        ([], "schema.object"),
        (form(a={"type": "nonsense"}), "schema.invalid"),
        (form(a={"$ref": "http://127.0.0.1:9/evil.json"}), "schema.reference"),
        (form(a={"$ref": "file:///etc/passwd"}), "schema.reference"),
        (form(a={"$ref": "#"}), "schema.reference"),
        (form(a={"pattern": "(" * 50}), "schema.pattern"),
        (form(a={"pattern": "a" * 1000}), "schema.pattern"),
        ({"type": "object", "patternProperties": {"(a|a)*$": {}}}, "schema.reference"),
        (nested(40), "schema.depth"),
        (form(a={"enum": ["x" * 1000] * 100}), "schema.size"),
        (form(a={"title": "a\0b"}), "schema.text"),
        (form(a={"title": "\ud800"}), "schema.text"),
    ],
)
def test_what_forms_may_not_have_is_refused(schema: Any, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_schema(schema)
    assert refusal.value.code == code


def test_an_ordinary_form_is_accepted() -> None:
    check_schema(form(number={"type": "string", "pattern": "^[0-9]+$"}, day={"type": "string", "format": "date"}))


def test_a_pattern_that_never_ends_stops() -> None:
    validator = validator_of(form(a={"pattern": "^(a|aa)+$"}))
    started = time.process_time()
    (error,) = validator.iter_errors({"a": "a" * 60 + "!"})
    assert time.process_time() - started < 1
    assert "too long to check" in error.message


def test_patterns_and_formats_are_checked() -> None:
    validator = validator_of(form(a={"pattern": "^[0-9]+$"}, b={"format": "date"}))
    assert [error.validator for error in validator.iter_errors({"a": "12", "b": "2027-01-01"})] == []
    assert {error.validator for error in validator.iter_errors({"a": "x", "b": "soon"})} == {"pattern", "format"}
