"""What the calls report selects, and for whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask

from engine.kernel.actor import Actor, acting_as
from engine.kernel.db import unit_of_work
from engine.kernel.errors import InvalidInput, NotPermitted
from engine.kernel.settings import Settings
from modules.identity import create_tenant, subtree_of
from modules.reporting import calls, make_report
from modules.reporting.calls import select_calls
from tests.reports.conftest import add_call

TODAY = date(2026, 11, 23)


@pytest.fixture
def tenants(app: Flask) -> dict[str, str]:
    """Operator, customer and another customer, each with calls."""
    with unit_of_work():
        operator = create_tenant(name="Operator", kind="operator").id
        larkspur = create_tenant(name="Larkspur Dental", parent_id=operator, branding={"to": "#112233"}).id
        other = create_tenant(name="Tern & Gable", parent_id=operator).id
        add_call(larkspur, "2026-11-22T23:30:00+01:00", 90)
        add_call(larkspur, "2026-11-23T00:10:00+01:00", None, cause="no_answer", from_number="")
        add_call(larkspur, "2026-11-23T10:00:00+01:00", 3600, to_number="2000")
        add_call(larkspur, "2026-11-23T11:00:00+01:00", None, from_number="=HYPERLINK(1)")
        add_call(larkspur, "2026-10-20T11:00:00+02:00", 5)
        add_call(other, "2026-11-23T12:00:00+01:00", 7, from_number="+442079460118")
    return {"operator": operator, "larkspur": larkspur, "other": other}


@pytest.fixture
def larkspur(tenants: dict[str, str]) -> Iterator[None]:
    with acting(tenants["larkspur"]):
        yield


def acting(tenant_id: str) -> Any:
    with unit_of_work(write=False):
        return acting_as(Actor("u", tenant_id, subtree_of(tenant_id)))


def selected(**given: str) -> tuple[dict[str, Any], dict[str, Any]]:
    with unit_of_work(write=False):
        return select_calls(given, today=TODAY)


@pytest.mark.usefixtures("larkspur")
def test_rows_are_told_in_the_tenants_zone() -> None:
    data, parameters = selected(period="last_7_days")
    assert [(row["started"], row["from"], row["result"], row["length"]) for row in data["rows"]] == [
        ("2026-11-22T23:30:00", "+49 30 123456", "answered", "1:30"),
        ("2026-11-23T00:10:00", "withheld", "no answer", "0:00"),
        ("2026-11-23T10:00:00", "+49 30 123456", "answered", "60:00"),
        ("2026-11-23T11:00:00", "=HYPERLINK(1)", "gave up", "0:00"),
    ]
    assert parameters["total"] == 4
    assert parameters["answered"] == 2
    assert parameters["talk_time"] == "1:01"
    assert parameters["average"] == "30:45"
    assert parameters["time_zone"] == "Europe/Berlin"
    assert (parameters["tenant"], parameters["colour"]) == ("Larkspur Dental", "#112233")
    bars = {bar["day"]: (bar["answered"], bar["missed"]) for bar in data["days"]}
    assert bars["Sun 22"] == (1, 0)
    assert bars["Mon 23"] == (1, 2)
    assert len(bars) == 7


@pytest.mark.usefixtures("larkspur")
def test_spreadsheets_do_not_run_what_callers_send() -> None:
    data, _ = selected(period="today")
    assert [row["from_number"] for row in data["rows"]] == ["", "+4930123456", "'=HYPERLINK(1)"]


@pytest.mark.usefixtures("larkspur")
@pytest.mark.parametrize(("number", "count"), [("2000", 1), ("1000", 4), ("+49 30 123456", 3), ("+4999", 0)])
def test_one_number(number: str, count: int) -> None:
    data, parameters = selected(period="days", **{"from": "2026-10-01"}, number=number)
    assert len(data["rows"]) == parameters["total"] == count


def test_nobody_sees_the_calls_of_others(tenants: dict[str, str]) -> None:
    with acting(tenants["other"]):
        assert [row["from"] for row in selected()[0]["rows"]] == ["+44 20 7946 0118"]
        assert selected(number="1000")[1]["total"] == 1
    with acting(tenants["operator"]):
        assert selected()[1]["total"] == 5
    with pytest.raises(NotPermitted):
        selected()


@pytest.mark.usefixtures("larkspur")
def test_call_that_goes_on_counts_until_now(tenants: dict[str, str]) -> None:
    with unit_of_work():
        add_call(tenants["larkspur"], "2026-11-23T12:00:00+01:00", 0, state="talking", ended_at=None)
        add_call(tenants["larkspur"], "2026-11-23T12:00:01+01:00", None, state="ringing", ended_at=None, cause=None)
    data, _ = selected(period="today")
    assert [row["result"] for row in data["rows"][-2:]] == ["answered", "ringing"]
    assert data["rows"][-2]["seconds"] >= 0


@pytest.mark.usefixtures("larkspur")
def test_too_many_rows_are_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "ROWS_LIMIT", 3)
    assert selected(period="today")[1]["total"] == 3
    with pytest.raises(InvalidInput) as error:
        selected(period="last_7_days")
    assert "shorter period" in error.value.fields["period"]


@pytest.mark.usefixtures("larkspur")
def test_unknown_parameters_and_numbers(settings: Settings) -> None:
    with pytest.raises(InvalidInput, match="colour"), unit_of_work(write=False):
        make_report("calls", "pdf", {"colour": "red"}, settings=settings)
    with pytest.raises(InvalidInput, match="no number"):
        selected(number="1000; DROP")
