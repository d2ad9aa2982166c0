"""The page of reports and the command, with a real reporter behind them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader

from engine.kernel.db import now, unit_of_work
from engine.kernel.settings import Settings
from modules.identity.demo import demo_customer
from tests.reports.conftest import PROJECT, add_call, reach_reporter

Reporter = tuple[Settings, Callable[[], int]]


@pytest.fixture
def with_calls(web: Any, settings: Settings, reporter: Reporter) -> None:
    reach_reporter(settings, reporter[0])
    with unit_of_work():
        customer = demo_customer()
        for seconds in (60, None, 30):
            add_call(customer.id, now().isoformat(), seconds)
        add_call(customer.parent_id or "", now().isoformat(), 99, from_number="+442079460118")


@pytest.mark.usefixtures("with_calls")
def test_analyst_chooses_looks_and_downloads(person: Callable[..., Any]) -> None:
    analyst = person("analyst")
    page = analyst.get("/reports").text
    assert "Calls of a period" in page
    assert '<option value="1000">' in page
    assert "/reports/calls/preview?" in page
    preview = analyst.get("/reports/calls/preview?period=today")
    assert preview.status_code == 200
    assert "+49 30 123456" in preview.text
    assert "+44 20" not in preview.text
    assert "sandbox" in preview.headers["Content-Security-Policy"]
    assert "default-src 'none'" in preview.headers["Content-Security-Policy"]
    file = analyst.get("/reports/calls.pdf?period=today&number=1000")
    assert file.mimetype == "application/pdf"
    assert "attachment" in file.headers["Content-Disposition"]
    assert "3 calls" in PdfReader(io.BytesIO(file.data)).pages[0].extract_text()
    sheet = openpyxl.load_workbook(io.BytesIO(analyst.get("/reports/calls.xlsx?period=today").data)).active
    assert sheet is not None
    assert len(analyst.get("/reports/calls.csv?period=today").text.splitlines()) == 4


@pytest.mark.usefixtures("with_calls")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_wrong_choices_are_named_beside_the_field(person: Callable[..., Any]) -> None:
    analyst = person("analyst")
    answer = analyst.get("/reports/calls?period=days&from=2026-11-05&to=2026-11-01")
    assert answer.status_code == 422
    assert 'id="to-e">Choose 5 November 2026 or later.' in answer.text
    assert "iframe" not in answer.text
    assert analyst.get("/reports/calls.pdf?number=x").status_code == 422
    assert analyst.get("/reports/calls.docx").status_code == 422
    assert analyst.get("/reports/payroll").status_code == 404
    assert analyst.get("/reports/calls/preview?period=days").status_code == 422
    # days that belong to another choice are not held against it
    assert analyst.get("/reports/calls?period=today&from=2026-11-05&to=2026-11-01").status_code == 200


@pytest.mark.usefixtures("with_calls")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_not_for_everybody(person: Callable[..., Any]) -> None:
    for url in ("/reports", "/reports/calls/preview", "/reports/calls.pdf"):
        assert person("anna").get(url).status_code == 403
        assert person().get(url).status_code in (302, 401)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_page_works_while_the_reporter_is_away(web: Any, person: Callable[..., Any]) -> None:
    analyst = person("analyst")
    assert analyst.get("/reports").status_code == 200
    answer = analyst.get("/reports/calls/preview")
    assert answer.status_code == 503
    assert "not running" in answer.text


def run_command(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    names = ("data_dir", "database_url", "redis_url")
    environment = {f"CMS_{name.upper()}": str(getattr(settings, name)) for name in names}
    return subprocess.run(
        [sys.executable, "-m", "ui.cli", "report", *arguments],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.usefixtures("with_calls")
def test_command_writes_the_file(settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "calls.csv"
    made = run_command(settings, "calls", "--format", "csv", "--out", str(out), "--param", "period=today", "--json")
    assert made.returncode == 0, made.stderr
    about = json.loads(made.stdout)
    assert about["rows"] == 4
    assert about["size"] == out.stat().st_size
    only = ("--tenant", "Larkspur Dental", "--param", "number=1000")
    made = run_command(settings, "calls", "--format", "pdf", "--out", str(tmp_path / "a.pdf"), *only)
    assert "calls of Larkspur Dental, 3 rows" in made.stdout


@pytest.mark.usefixtures("with_calls")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("mine.jrxml", "--format", "pdf"), 1, "not accepted yet"),
        (("calls", "--format", "docx"), 2, "docx"),
        (("calls", "--format", "pdf", "--param", "period"), 1, "has no value"),
        (("calls", "--format", "pdf", "--param", "period=always"), 1, "no period"),
        (("calls", "--format", "pdf", "--tenant", "Nobody"), 1, "Larkspur Dental"),
    ],
)
def test_command_refuses(settings: Settings, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    refused = run_command(settings, *arguments, "--out", str(tmp_path / "out"))
    assert refused.returncode == code
    assert words in refused.stderr
    assert not (tmp_path / "out").exists()
