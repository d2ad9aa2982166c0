"""The shipped report "calls": what is in the files, and how it looks."""

from __future__ import annotations

import csv
import io
import subprocess
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from PIL import Image
from pypdf import PdfReader

from engine.kernel.errors import InvalidInput, NotFound
from engine.kernel.settings import Settings
from modules.reporting.calls import ROWS_LIMIT
from reports import render
from tests.reports.conftest import call_row

Reporter = tuple[Settings, Callable[[], int]]

ROWS = [
    call_row("2026-11-02T09:30:15", seconds=95),
    call_row("2026-11-02T10:00:00", result="no answer", caller="+420601123456"),
    call_row("2026-11-03T23:59:59", seconds=3600, caller="Ωmega Žluťoučký"),
]
DATA = {"rows": ROWS, "days": [{"day": "2", "answered": 1, "missed": 1}, {"day": "3", "answered": 1, "missed": 0}]}
PARAMETERS = {
    "tenant": "Larkspur Dental",
    "period": "2–3 November 2026",
    "time_zone": "Europe/Berlin",
    "made_at": "2026-11-04T08:15:00",
    "total": 3,
    "answered": 2,
    "talk_time": "1:01",
    "average": "30:47",
    "colour": "#AA3377",
}


def made(reporter: Reporter, output: str, **parameters: Any) -> bytes:
    return render("calls", DATA, output, {**PARAMETERS, "format": output, **parameters}, settings=reporter[0])


def pictures(pdf: bytes, directory: Path) -> list[Image.Image]:
    """Return the pages as pdftoppm draws them."""
    (directory / "a.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "60", "-png", "a.pdf", "page"], cwd=directory, check=True)
    return [Image.open(path).convert("RGB") for path in sorted(directory.glob("page*.png"))]


def test_pdf_says_what_happened(reporter: Reporter) -> None:
    text = PdfReader(io.BytesIO(made(reporter, "pdf"))).pages[0].extract_text()
    for part in (
        "Larkspur Dental",
        "2–3 November 2026",
        "times in Europe/Berlin",
        "answered, 67 %",
        "02 Nov 2026 09:30:15",
        "Ωmega Žluťoučký",
        "60:00",
        "3 calls",
        "Made 4 Nov 2026 08:15",
        "Page 1 of 1",
    ):
        assert part in text


def test_pdf_carries_its_fonts(reporter: Reporter) -> None:
    for page in PdfReader(io.BytesIO(made(reporter, "pdf"))).pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index,union-attr]
            descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert "DejaVu" in descriptor["/FontName"]
            assert "/FontFile2" in descriptor


def test_picture_shows_the_tenants_colour_and_the_bars(reporter: Reporter, tmp_path: Path) -> None:
    (page,) = pictures(made(reporter, "pdf"), tmp_path)
    colours = {colour: count for count, colour in page.getcolors(1_000_000) or []}
    assert colours.get((0xAA, 0x33, 0x77), 0) > 500  # the band
    assert colours.get((0x2F, 0x6F, 0xE4), 0) > 1000  # answered
    assert colours.get((0xD9, 0x9A, 0x26), 0) > 500  # not answered


def test_bars_follow_the_data(reporter: Reporter, tmp_path: Path) -> None:
    def blue(answered: int) -> int:
        days = [{"day": "2", "answered": answered, "missed": 4}]
        pdf = render("calls", {"rows": [], "days": days}, "pdf", PARAMETERS, settings=reporter[0])
        directory = tmp_path / str(answered)
        directory.mkdir()
        (page,) = pictures(pdf, directory)
        return sum(count for count, colour in page.getcolors(1_000_000) or [] if colour == (0x2F, 0x6F, 0xE4))

    assert blue(12) > 1.4 * blue(4)


def test_long_report_repeats_its_header(reporter: Reporter) -> None:
    rows = [call_row(f"2026-11-02T09:{minute:02}:00") for minute in range(60)] * 2
    pdf = render("calls", {"rows": rows, "days": []}, "pdf", {**PARAMETERS, "total": 120}, settings=reporter[0])
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    assert len(pages) == 4
    assert all("Started" in page and f"Page {number} of 4" in page for number, page in enumerate(pages, 1))


def test_largest_report_fits_into_the_memory(reporter: Reporter) -> None:
    """As many rows as a selection may have; with less memory Java would end in the middle of them."""
    rows = [
        call_row(f"2026-11-02T09:{number // 60 % 60:02}:{number % 60:02}", seconds=7) for number in range(ROWS_LIMIT)
    ]
    pdf = render("calls", {"rows": rows, "days": []}, "pdf", {**PARAMETERS, "total": ROWS_LIMIT}, settings=reporter[0])
    assert f"{ROWS_LIMIT} calls" in PdfReader(io.BytesIO(pdf)).pages[-1].extract_text()


def test_workbook_has_real_times_and_durations(reporter: Reporter) -> None:
    content = made(reporter, "xlsx")
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    rows = [row for row in sheet.iter_rows(values_only=True) if isinstance(row[0], datetime)]
    assert [row[0] for row in rows] == [datetime.fromisoformat(item["started"]) for item in ROWS]
    assert [row[5] for row in rows] == [timedelta(seconds=item["seconds"]) for item in ROWS]
    assert sheet.max_column == 6
    assert sheet.auto_filter.ref
    assert len(sheet._images) == 1  # type: ignore[attr-defined]


def test_csv_is_one_header_and_the_rows(reporter: Reporter) -> None:
    table = list(csv.reader(io.StringIO(made(reporter, "csv").decode("utf-8-sig"))))
    assert table == [
        ["started", "direction", "from", "to", "result", "seconds"],
        ["2026-11-02 09:30:15", "inbound", "+4930123456", "1000", "answered", "95"],
        ["2026-11-02 10:00:00", "inbound", "+420601123456", "1000", "no answer", "0"],
        ["2026-11-03 23:59:59", "inbound", "Ωmega Žluťoučký", "1000", "answered", "3600"],
    ]


def test_html_stands_alone(reporter: Reporter) -> None:
    page = made(reporter, "html").decode()
    assert "Ωmega Žluťoučký" in page
    assert 'src="data:image/' in page
    assert 'src="http' not in page
    assert "<script" not in page


def test_empty_period_says_so(reporter: Reporter) -> None:
    pdf = render("calls", {"rows": []}, "pdf", {}, settings=reporter[0])
    assert "No calls in this period." in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()


def test_markup_in_data_stays_text(reporter: Reporter) -> None:
    row = call_row("2026-11-02T09:30:15", caller="<script>x</script>")
    page = render("calls", {"rows": [row]}, "html", {}, settings=reporter[0]).decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("name", ["mine.jrxml", "../jvm/report", "/etc/passwd", "calls.jasper", "call"])
def test_only_shipped_reports_have_a_name(reporter: Reporter, name: str) -> None:
    with pytest.raises(NotFound, match="shipped: calls"):
        render(name, DATA, "pdf", settings=reporter[0])


def test_wrong_format_and_parameters_are_named(reporter: Reporter) -> None:
    with pytest.raises(InvalidInput, match="docx"):
        render("calls", DATA, "docx", settings=reporter[0])
    with pytest.raises(InvalidInput, match="colours"):
        made(reporter, "pdf", colours="#000000")
    assert made(reporter, "pdf").startswith(b"%PDF")
