"""``./cms deploy``, ``lint`` and ``decide``, called as people call them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.kernel.db import unit_of_work
from engine.kernel.settings import Settings
from modules.identity.tenants import create_tenant
from tests.definitions.conftest import DATA

ROOT = Path(__file__).parents[2]
PORTALS = ROOT / "bpmn" / "portals"

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def run(settings: Settings, app: Any) -> Any:
    """Run the command line on the test's database."""
    with unit_of_work():
        operator = create_tenant(name="Operator", kind="operator")
        create_tenant(name="Larkspur Dental", parent_id=operator.id)
    environment = {
        **os.environ,
        "CMS_DATA_DIR": str(settings.data_dir),
        "CMS_DATABASE_URL": settings.database,
        "PYTHONPATH": str(ROOT),
    }

    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ui.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
            timeout=120,
        )

    return call


def test_decide_prints_the_result_and_the_rules(run: Any) -> None:
    data = {"contact": {"known": False}, "parameters": {"guests": "record"}}
    done = run("decide", PORTALS / "caller_policy.dmn", "--decision", "caller_policy", "--data", json.dumps(data))
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["decision"] == "caller_policy"
    assert printed["result"] == "record as guest"
    assert [rule["rule"] for rule in printed["rules"]] == ["welcome_guest"]


def test_decide_says_what_is_wrong(run: Any) -> None:
    unknown = run("decide", PORTALS / "caller_policy.dmn", "--decision", "other")
    assert unknown.returncode == 1
    assert "There is no decision 'other'; there are: caller_policy." in unknown.stderr
    malformed = run("decide", PORTALS / "caller_policy.dmn", "--decision", "caller_policy", "--data", "{")
    assert malformed.returncode == 2
    diagram = run("decide", PORTALS / "clid_memo.bpmn", "--decision", "caller_policy")
    assert diagram.returncode == 1


def test_lint_passes_the_shipped_folder_and_names_faults(run: Any) -> None:
    done = run("lint", PORTALS)
    assert done.returncode == 0, done.stdout
    fault = run("lint", DATA / "refused" / "complex_gateway.bpmn", "--json")
    assert fault.returncode == 1
    printed = json.loads(fault.stdout)
    assert printed["file"] == "complex_gateway.bpmn"
    (problem,) = [item for item in printed["problems"] if item["severity"] == "error"]
    assert problem["rule"] == "element.unsupported"
    assert problem["element"] == "n1"
    assert set(problem) == {"element", "name", "line", "rule", "severity", "message", "remedy"}


def test_deploy_stores_and_a_lone_changed_diagram_follows(run: Any, tmp_path: Path) -> None:
    first = run("deploy", PORTALS, "--json")
    assert first.returncode == 0, first.stdout + first.stderr
    versions = {item["process"]: item["version"] for item in json.loads(first.stdout)["definitions"]}
    assert versions["company_ivr"] == 1
    again = json.loads(run("deploy", PORTALS, "--json").stdout)
    assert {item["version"] for item in again["definitions"]} == {1}
    swapped = (PORTALS / "company_ivr.bpmn").read_text()
    swapped = swapped.replace('digits = "1"', 'digits = "x"').replace('digits = "2"', 'digits = "1"')
    (tmp_path / "company_ivr.bpmn").write_text(swapped.replace('digits = "x"', 'digits = "2"'))
    changed = run("deploy", tmp_path / "company_ivr.bpmn", "--json")
    assert changed.returncode == 0, changed.stdout + changed.stderr
    (definition,) = json.loads(changed.stdout)["definitions"]
    assert (definition["process"], definition["version"]) == ("company_ivr", 2)


def test_deploy_refuses_and_stores_nothing(run: Any) -> None:
    done = run("deploy", DATA / "hostile" / "billion_laughs.bpmn")
    assert done.returncode == 1
    assert "declares a document type (DTD) or entities" in done.stdout
    assert "nothing was stored" in done.stderr
    nobody = run("deploy", DATA / "good" / "task.bpmn", "--tenant", "Nobody")
    assert nobody.returncode == 1
    assert "There is no tenant 'Nobody'; there are: Larkspur Dental, Operator." in nobody.stderr
    own = run("deploy", DATA / "good" / "task.bpmn", "--tenant", "Larkspur Dental", "--json")
    assert json.loads(own.stdout)["tenant"] == "Larkspur Dental"
