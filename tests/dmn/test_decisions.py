"""Decision tables and the shipped decisions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.definitions.documents import parse_xml
from engine.dmn import Decided, DmnError, decide, parse_decisions
from engine.kernel.errors import NotFound

PORTALS = Path(__file__).parents[2] / "bpmn" / "portals"


def table(
    policy: str, rules: list[tuple[str, str]], *, aggregation: str = "", values: str = "", default: str = ""
) -> Any:
    """Return the decisions of a file with one table over ``x``."""
    rows = "".join(
        f"<rule id='r{n}'><inputEntry><text>{test}</text></inputEntry>"
        f"<outputEntry><text>{output}</text></outputEntry></rule>"
        for n, (test, output) in enumerate(rules, 1)
    )
    aggregated = f" aggregation='{aggregation}'" if aggregation else ""
    text = (
        "<definitions xmlns='https://www.omg.org/spec/DMN/20191111/MODEL/' name='t' namespace='t'>"
        "<decision id='d' name='The decision'><variable name='answer'/>"
        f"<decisionTable hitPolicy='{policy}'{aggregated}>"
        "<input label='X'><inputExpression><text>x</text></inputExpression></input>"
        f"<output name='answer'>{f'<outputValues><text>{values}</text></outputValues>' if values else ''}"
        f"{f'<defaultOutputEntry><text>{default}</text></defaultOutputEntry>' if default else ''}</output>"
        f"{rows}</decisionTable></decision></definitions>"
    )
    return parse_decisions(parse_xml(text.encode()))


def made(decisions: Any, x: Any) -> Decided:
    return decide(decisions, "d", {"x": x})


RULES = [("[1..5]", "10"), ("&gt;= 5", "20"), ("5", "30")]


@pytest.mark.parametrize(
    ("policy", "aggregation", "expected"),
    [
        ("FIRST", "", 10),
        ("RULE ORDER", "", [10, 20, 30]),
        ("COLLECT", "", [10, 20, 30]),
        ("COLLECT", "SUM", 60),
        ("COLLECT", "MIN", 10),
        ("COLLECT", "MAX", 30),
        ("COLLECT", "COUNT", 3),
        ("UNIQUE", "", None),
        ("ANY", "", None),
        ("PRIORITY", "", 30),
        ("OUTPUT ORDER", "", [30, 10, 20]),
    ],
)
def test_hit_policies(policy: str, aggregation: str, expected: Any) -> None:
    values = "30, 10, 20" if policy in ("PRIORITY", "OUTPUT ORDER") else ""
    assert made(table(policy, RULES, aggregation=aggregation, values=values), 5).result == expected


def test_the_rules_that_fired_are_told_with_their_inputs() -> None:
    decided = made(table("RULE ORDER", RULES), 7)
    assert decided.rules == [{"decision": "d", "rule": "r2", "index": 2, "inputs": {"X": 7}, "outputs": {"answer": 20}}]


def test_two_rules_of_a_unique_table_are_a_null_with_its_cause() -> None:
    decided = made(table("UNIQUE", RULES), 5)
    assert decided.result is None
    assert decided.rules == []
    assert decided.causes == ["The decision: 3 rules match, but only one may"]


def test_no_rule_gives_the_default_or_null() -> None:
    assert made(table("UNIQUE", RULES), 0).result is None
    assert made(table("UNIQUE", RULES, default="99"), 0).result == 99
    assert made(table("COLLECT", RULES), 0).result == []


def test_a_decision_is_found_by_name_too_and_an_unknown_one_is_told() -> None:
    assert decide(table("FIRST", RULES), "The decision", {"x": 1}).result == 10
    with pytest.raises(NotFound, match="There is no decision 'other'; there are: d"):
        decide(table("FIRST", RULES), "other", {})


def test_a_cell_that_cannot_be_read_is_refused_with_its_place() -> None:
    with pytest.raises(DmnError, match="The test cannot be read") as refusal:
        table("FIRST", [("&gt;", "1")])
    assert refusal.value.details["element"] == "r1"


def shipped(name: str) -> Any:
    return parse_decisions(parse_xml((PORTALS / name).read_bytes()))


@pytest.mark.parametrize(
    ("known", "guests", "treatment"),
    [
        (True, "refuse", "greet by name"),
        (True, "record", "greet by name"),
        (False, "record", "record as guest"),
        (False, "refuse", "refuse"),
    ],
)
def test_caller_policy(known: bool, guests: str, treatment: str) -> None:
    data = {"contact": {"known": known}, "parameters": {"guests": guests}}
    decided = decide(shipped("caller_policy.dmn"), "caller_policy", data)
    assert decided.result == treatment
    assert len(decided.rules) == 1


HOURS = {
    "zone": "Europe/Berlin",
    "opens": "08:00",
    "closes": "18:00",
    "days": [1, 2, 3, 4, 5],
    "holidays": ["2026-12-25"],
}


@pytest.mark.parametrize(
    ("at", "is_open", "reason"),
    [
        ("2026-11-23T07:00:00Z", True, "business hours"),  # Monday 08:00 in Berlin
        ("2026-11-23T06:59:00Z", False, "outside business hours"),
        ("2026-11-23T17:00:00Z", False, "outside business hours"),  # the closing minute itself
        ("2026-07-06T06:00:00Z", True, "business hours"),  # summer time
        ("2026-11-22T10:00:00Z", False, "outside business hours"),  # Sunday
        ("2026-12-25T10:00:00Z", False, "holiday"),  # a Friday
        ("2026-11-22T23:30:00Z", False, "outside business hours"),  # Monday in Berlin, at night
    ],
)
def test_business_hours(at: str, is_open: bool, reason: str) -> None:
    decided = decide(shipped("business_hours.dmn"), "business_hours", {"at": at, "parameters": {"hours": HOURS}})
    assert decided.result == {"open": is_open, "reason": reason}
    assert [rule["decision"] for rule in decided.rules] == ["business_hours"]


def test_an_office_that_is_always_open_is_open_now() -> None:
    hours = {**HOURS, "opens": "00:00", "closes": "24:00", "days": [1, 2, 3, 4, 5, 6, 7], "holidays": []}
    assert decide(shipped("business_hours.dmn"), "business_hours", {"parameters": {"hours": hours}}).result["open"]
