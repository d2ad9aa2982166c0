"""The DMN Technology Compatibility Kit, where a copy is at hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.definitions.documents import parse_xml
from engine.dmn import decide, parse_decisions
from engine.feel.temporal import parse_literal
from tests import support

KIT = support.conformance_data("dmn_tck")
CASE = "{http://www.omg.org/spec/DMN/20160719/testcase}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
NUMBERS = ("decimal", "double", "integer", "int", "float", "long")
TIMES = ("date", "time", "dateTime", "duration", "dayTimeDuration", "yearMonthDuration")


def value_of(element: Any) -> Any:
    """Read a typed value of a test file."""
    value, listed = element.find(CASE + "value"), element.find(CASE + "list")
    components = element.findall(CASE + "component")
    if listed is not None:
        return None if listed.get(XSI + "nil") == "true" else [value_of(item) for item in listed.findall(CASE + "item")]
    if components:
        return {component.get("name"): value_of(component) for component in components}
    if value is None or value.get(XSI + "nil") == "true":
        return None
    kind, text = (value.get(XSI + "type") or "").rpartition(":")[2], value.text or ""
    if kind in NUMBERS:
        return Decimal(text)
    if kind == "boolean":
        return text == "true"
    return parse_literal(text) if kind in TIMES else text


def agree(found: Any, expected: Any) -> bool:
    if isinstance(expected, Decimal) and isinstance(found, int | Decimal) and not isinstance(found, bool):
        return abs(Decimal(found) - expected) <= Decimal("1e-8") * max(Decimal(1), abs(expected))
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(agree, found, expected))
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(agree(found[name], expected[name]) for name in expected)
    return type(found) is type(expected) and found == expected


FILES = sorted(KIT.glob("compliance-level-2/*/*-test-*.xml"))


@pytest.mark.skipif(not FILES, reason="the DMN kit is not at hand")
@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_level_2(file: Path) -> None:
    suite = parse_xml(file.read_bytes())
    decisions = parse_decisions(parse_xml((file.parent / suite.findtext(CASE + "modelName")).read_bytes()))
    for case in suite.findall(CASE + "testCase"):
        data = {node.get("name"): value_of(node) for node in case.findall(CASE + "inputNode")}
        for node in case.findall(CASE + "resultNode"):
            expected = value_of(node.find(CASE + "expected"))
            found = decide(decisions, node.get("name"), data)
            assert agree(found.result, expected), (case.get("id"), found, expected)
