"""JSON-Schema forms: what is drawn can be read back, and what is wrong is said at its place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from ui import forms

BERLIN = ZoneInfo("Europe/Berlin")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["outcome", "name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "title": "Name", "minLength": 3, "maxLength": 40},
        "outcome": {"type": "string", "oneOf": [{"const": "a", "title": "First"}, {"const": "b", "title": "Second"}]},
        "count": {"type": "integer", "minimum": 1},
        "share": {"type": "number", "maximum": 1},
        "day": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "agree": {"type": "boolean"},
        "phone": {"type": "string", "format": "phone"},
        "target": {"type": "string", "format": "dialable"},
        "days": {"type": "array", "uniqueItems": True, "items": {"enum": ["mon", "tue", "wed"]}},
        "words": {"type": "array", "items": {"type": "string"}},
        "hours": {
            "type": "object",
            "required": ["zone"],
            "properties": {
                "zone": {"type": "string"},
                "open": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["from"],
                        "properties": {"from": {"type": "string", "format": "time"}, "to": {"type": "string"}},
                    },
                },
            },
        },
        "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
}


def read(**sent: Any) -> dict[str, Any]:
    pairs = [(name, text) for name, value in sent.items() for text in (value if isinstance(value, list) else [value])]
    return forms.read(SCHEMA, MultiDict(pairs), zone=BERLIN)


def test_texts_become_values_of_their_type() -> None:
    assert read(
        **{
            "/name": "  Ada\r\nLovelace ",
            "/count": " 12 ",
            "/share": "0,5",
            "/day": "2026-02-03",
            "/at": "2026-07-01T10:00",
            "/agree": ["false", "true"],
            "/phone": "030 123456",
            "/target": "201",
            "/days": ["mon", "wed"],
            "/words/0": "x",
            "/words/2": "y",
            "/hours/zone": "Europe/Berlin",
            "/hours/open/0/from": "08:00",
            "/hours/open/3/from": "13:00",
            "/hours/open/4/from": "",
            "/maybe": "7",
        }
    ) == {
        "name": "Ada\nLovelace",
        "count": 12,
        "share": 0.5,
        "day": "2026-02-03",
        "at": "2026-07-01T08:00:00+00:00",
        "agree": True,
        "phone": "+4930123456",
        "target": "201",
        "days": ["mon", "wed"],
        "words": ["x", "y"],
        "hours": {"zone": "Europe/Berlin", "open": [{"from": "08:00"}, {"from": "13:00"}]},
        "maybe": 7,
    }


def test_empty_fields_are_absent() -> None:
    assert read(**{"/name": " ", "/count": "", "/hours/zone": "", "/agree": "false"}) == {
        "agree": False,
        "days": [],
        "words": [],
    }


@pytest.mark.parametrize(
    ("data", "pointer", "words"),
    [
        ({"outcome": "a"}, "/name", "Fill this in."),
        ({"name": "Ada"}, "/outcome", "Choose one."),
        ({"name": "Al", "outcome": "a"}, "/name", "at least 3 characters; this one has 2"),
        ({"name": "Ada", "outcome": "c"}, "/outcome", "Choose one of: First, Second."),
        ({"name": "Ada", "outcome": "a", "count": "x"}, "/count", "whole number"),
        ({"name": "Ada", "outcome": "a", "count": 0}, "/count", "1 or more"),
        ({"name": "Ada", "outcome": "a", "share": "x"}, "/share", "Write a number"),
        ({"name": "Ada", "outcome": "a", "day": "2026-02-30"}, "/day", "Write a day"),
        ({"name": "Ada", "outcome": "a", "at": "soon"}, "/at", "a day and a time"),
        ({"name": "Ada", "outcome": "a", "phone": "12"}, "/phone", "Write a phone number"),
        ({"name": "Ada", "outcome": "a", "target": "x"}, "/target", "or an extension"),
        ({"name": "Ada", "outcome": "a", "hours": {}}, "/hours/zone", "Fill this in."),
        ({"name": "Ada", "outcome": "a", "hours": {"zone": "x", "open": [{}]}}, "/hours/open/0/from", "Fill this in."),
        ({"name": "Ada", "outcome": "a", "maybe": "x"}, "/maybe", "whole number"),
        ({"name": "Ada", "outcome": "a", "other": 1}, "", "nobody asked for"),
    ],
)
def test_messages_say_how_to_mend_it(data: dict[str, Any], pointer: str, words: str) -> None:
    found = forms.check(SCHEMA, data)
    assert list(found) == [pointer]
    assert words in found[pointer]


def test_a_forms_own_words_come_first() -> None:
    ui = {"hours": {"open": {"items": {"from": {"ui:error": "Say when you open."}}}}}
    data = {"name": "Ada", "outcome": "a", "hours": {"zone": "x", "open": [{}]}}
    assert forms.check(SCHEMA, data, ui) == {"/hours/open/0/from": "Say when you open."}


def sent_by(drawn: list[forms.Field]) -> MultiDict[str, str]:
    """What a browser would send for the drawn fields."""
    sent: MultiDict[str, str] = MultiDict()
    for field in (item for top in drawn for item in top.walk()):
        if field.widget == "checkboxes":
            for value in field.value:
                sent.add(field.pointer, value)
        elif field.widget == "checkbox":
            sent.add(field.pointer, "false")
            if field.value is True:
                sent.add(field.pointer, "true")
        elif field.widget not in {"object", "array"}:
            sent.add(field.pointer, str(field.value))
    return sent


texts = st.text(st.characters(categories=["L", "N"]), min_size=3, max_size=12)


@given(
    name=texts,
    outcome=st.sampled_from(["a", "b"]),
    count=st.integers(1, 10**9),
    agree=st.booleans(),
    days=st.lists(st.sampled_from(["mon", "tue", "wed"]), unique=True),
    words=st.lists(texts, max_size=4),
    opening=st.lists(st.times().map(lambda value: value.strftime("%H:%M")), max_size=3),
    # within one summer: an hour that the clock shows twice cannot be told apart in a form
    at=st.datetimes(datetime(2026, 4, 1), datetime(2026, 10, 1)).map(  # noqa: DTZ001 - made aware right here
        lambda value: value.replace(second=0, microsecond=0, tzinfo=UTC).isoformat()
    ),
)
def test_what_is_drawn_is_read_back_the_same(
    name: str, outcome: str, count: int, agree: bool, days: list[str], words: list[str], opening: list[str], at: str
) -> None:
    data = {
        "name": name,
        "outcome": outcome,
        "count": count,
        "agree": agree,
        "days": days,
        "words": words,
        "at": at,
        "hours": {"zone": "UTC", "open": [{"from": text} for text in opening]},
    }
    drawn = forms.fields(SCHEMA, data, zone=BERLIN)
    assert forms.read(SCHEMA, sent_by(drawn), zone=BERLIN) == data
    assert forms.check(SCHEMA, data) == {}


def test_order_widgets_and_references() -> None:
    schema = {
        "type": "object",
        "$defs": {"Person": {"type": "object", "properties": {"name": {"type": "string", "title": "Full name"}}}},
        "properties": {"note": {"type": "string"}, "who": {"$ref": "#/$defs/Person"}, "kind": {"enum": list("abcd")}},
    }
    ui = {"ui:order": ["kind", "who"], "note": {"ui:widget": "textarea", "ui:help": "Short, please."}}
    drawn = forms.fields(schema, {}, ui, zone=BERLIN)
    assert [(field.pointer, field.widget) for field in drawn] == [
        ("/kind", "select"),
        ("/who", "object"),
        ("/note", "textarea"),
    ]
    assert drawn[1].children[0].label == "Full name"
    assert drawn[2].help == "Short, please."
