"""Parameters of application templates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.api import check_parameters, with_defaults
from engine.definitions.documents import CMS, parse_xml
from engine.kernel.errors import InvalidInput

PORTALS = Path(__file__).parents[2] / "bpmn" / "portals"


def schema_of(name: str) -> dict[str, object]:
    root = parse_xml((PORTALS / name).read_bytes())
    return json.loads(next(root.iter(f"{{{CMS}}}parameters")).text)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["clid_memo.bpmn", "company_ivr.bpmn"])
def test_the_defaults_of_a_shipped_template_satisfy_it(name: str) -> None:
    schema = schema_of(name)
    check_parameters(schema, with_defaults(schema, {}))


def test_defaults_fill_nested_objects_and_leave_the_customers_values() -> None:
    values = with_defaults(schema_of("company_ivr.bpmn"), {"hours": {"opens": "10:00"}, "menu": "Press one."})
    days = [1, 2, 3, 4, 5]
    defaults = {"zone": "Europe/Berlin", "closes": "18:00", "days": days, "holidays": []}
    assert values["hours"] == {"opens": "10:00", **defaults}
    assert values["menu"] == "Press one."
    assert values["attempts"] == 3


def test_every_title_is_there_for_the_form() -> None:
    for name in ("clid_memo.bpmn", "company_ivr.bpmn"):
        schema = schema_of(name)
        assert all("title" in item and "default" in item for item in schema["properties"].values())  # type: ignore[attr-defined]


def test_wrong_values_are_named_by_json_pointers() -> None:
    schema = schema_of("company_ivr.bpmn")
    values = with_defaults(schema, {"hours": {"opens": "late"}, "reception": "abc", "extra": 1})
    del values["menu"], values["greeting"]
    with pytest.raises(InvalidInput) as refusal:
        check_parameters(schema, values)
    assert set(refusal.value.fields) == {"/", "/menu", "/greeting", "/reception", "/hours/opens"}
