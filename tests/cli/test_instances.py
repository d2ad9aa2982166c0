"""``./cms start`` and ``show``."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from flask import Flask

from engine import api
from engine.execution.host import Host
from engine.kernel.db import unit_of_work
from engine.kernel.settings import Settings
from modules.identity.models import Tenant
from modules.identity.tenants import operator_tenant
from tests.engine.diagrams import diagram, end, flows, script, start
from ui.cli import main


@pytest.fixture
def deployed(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process ``adder`` of the operator, and the settings where the commands find them."""
    monkeypatch.setenv("CMS_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("CMS_REDIS_URL", settings.redis_url)
    body = start() + script("add", "n = n + 1") + end() + flows("start>add>end")
    with unit_of_work() as session:
        session.add(Tenant(name="Operator", kind="operator"))
        session.flush()
        api.deploy({"adder.bpmn": diagram(body, "adder")}, tenant_id=operator_tenant().id, actor_id="test")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_start_and_show_print_the_same_object(deployed: None) -> None:
    started = CliRunner().invoke(main, ["start", "adder", "--data", '{"n": 1}', "--json"], catch_exceptions=False)
    found = json.loads(started.stdout)
    assert (found["process"], found["version"], found["status"]) == ("adder", 1, "running")
    Host("host-1", "interactive", [])._advance(found["id"])
    shown = CliRunner().invoke(main, ["show", found["id"], "--json"], catch_exceptions=False)
    assert json.loads(shown.stdout)["data"] == {"n": 2}
    assert json.loads(shown.stdout)["status"] == "completed"
    plain = CliRunner().invoke(main, ["show", found["id"]], catch_exceptions=False)
    assert "completed" in plain.stdout


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("arguments", [["start", "nothing"], ["start", "adder", "--data", "[1]"], ["show", "nothing"]])
def test_refusals_say_why(deployed: None, arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert len(result.stderr) > 10
