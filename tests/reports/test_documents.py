"""Documents: the memo note as it is read, and templates that try what they may not."""

from __future__ import annotations

import io
import subprocess
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

from engine.kernel.db import db, unit_of_work
from engine.kernel.files import FileStore, StoredFile
from engine.kernel.settings import Settings
from engine.operations import OperationContext, running
from reports.documents.operations import write_document
from reports.documents.paper import DocumentTooSlow, write_pdf
from reports.sandbox import TemplateRefused, render_text

NOTE: dict[str, Any] = {
    "brand": {"name": "Larkspur Dental", "initials": "LD", "from": "#aa3377", "to": "#aa3377"},
    "reference": "3f9c12ab",
    "caller": "+49 30 123456",
    "caller_name": "Amara Okafor",
    "organisation": "Okafor & Daughters",
    "number": "1000",
    "outcome_title": "Call back",
    "outcome_status": "waiting",
    "call_back_by": "24 November 2026",
    "recorded_at": "Monday, 23 November 2026, 10:43",
    "time_zone": "Europe/Berlin",
    "length": "0:42",
    "owner_name": "Anna Weber",
    "reviewer": "Marta Silva",
    "reviewed_at": "23 November 2026, 10:54",
    "kept_until": "23 December 2026",
    "note": "Crown came loose.\nČeká na <b>zavolání</b> – κλήση.",
}


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_memo_note_says_everything(tmp_path: Path) -> None:
    paper = write_pdf("memo_note", NOTE)
    text = text_of(paper.pdf)
    for part in (
        *("Larkspur Dental", "Amara Okafor", "+49 30 123456", "Okafor & Daughters", "Call back", "24 November 2026"),
        *("Monday, 23 November 2026, 10:43", "Europe/Berlin", "0:42", "Marta Silva", "Anna Weber", "23 December 2026"),
        *("Crown came loose.", "Čeká na <b>zavolání</b> – κλήση.", "Page 1 of 1", "memo 3f9c12ab"),
    ):
        assert part in text
    assert paper.pages == 1
    (tmp_path / "note.pdf").write_bytes(paper.pdf)
    subprocess.run(["pdftoppm", "-r", "50", "-png", "note.pdf", "page"], cwd=tmp_path, check=True)
    (picture,) = [Image.open(path).convert("RGB") for path in tmp_path.glob("page*.png")]
    colours = {colour: count for count, colour in picture.getcolors(1_000_000) or []}
    assert colours[(255, 255, 255)] < 0.97 * picture.width * picture.height
    assert colours.get((0xAA, 0x33, 0x77), 0) > 100  # the tenant's logo tile


def test_long_notes_take_more_pages() -> None:
    paper = write_pdf("memo_note", {**NOTE, "note": "A sentence of some length that goes on. " * 300})
    assert paper.pages > 1
    assert f"Page {paper.pages} of {paper.pages}" in text_of(paper.pdf)


def test_unknown_caller_and_no_note() -> None:
    empty = {"caller": "", "caller_name": "", "organisation": "", "note": "", "call_back_by": "", "number": ""}
    text = text_of(write_pdf("memo_note", {**NOTE, **empty}).pdf)
    assert "Unknown caller" in text
    assert "number withheld" in text
    assert "No note was written." in text


def refusal(source: str, data: dict[str, Any] | None = None, **more: Any) -> str:
    """Return why a template is refused."""
    with pytest.raises(TemplateRefused) as refused:
        write_pdf("t", data or {"name": "x"}, **{"sources": {"t.html": source}, **more})
    return refused.value.message


HOSTILE = {
    "classes": "{{ name.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ cycler.__init__.__globals__ }}",
    "attr filter": "{{ name|attr('__class__') }}",
    "format string": "{{ '{0.__class__}'.format(name) }}",
    "percent": "{{ '%0999999999d' % 1 }}",
    "changing data": "{{ items.append(1) }}",
    "other template": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}",
    "misspelt": "{{ nmae }}",
    "syntax": "{% if %}",
    "huge text": "{{ 'a' * 200000000 }}",
    "huge list": "{{ [1] * 200000000 }}",
    "huge padding": "{{ name|center(200000000) }}",
    "huge width": "{{ name.ljust(200000000) }}",
    "huge power": "{{ 9 ** 9 ** 9 }}",
    "huge range": "{{ range(200000000)|length }}",
    "much text": "{% for i in range(10000) %}{{ 'a' * 9999 }}{% endfor %}",
}


@pytest.mark.parametrize("attempt", HOSTILE)
def test_template_is_refused(attempt: str) -> None:
    with pytest.raises(TemplateRefused, match=r"t\.html"):
        render_text({"t.html": HOSTILE[attempt]}, "t.html", {"name": "x", "items": [1]})


def test_refusal_reaches_the_caller() -> None:
    assert "nmae" in refusal("{{ nmae }}")
    assert "no template" in refusal("x", sources={"other.html": "x"})


IMAGE = '<img src="{}">'
WAYS = [
    (IMAGE, "file:///etc/passwd"),
    (IMAGE, "/etc/passwd"),
    (IMAGE, "asset:../paper.py"),
    (IMAGE, "ftp://127.0.0.1/y"),
    (IMAGE, "http://127.0.0.1:9/x"),
    ('<link rel="stylesheet" href="{}">', "http://127.0.0.1:9/x"),
    ("<style>@import url({});</style>", "http://127.0.0.1:9/x"),
    ("<style>body {{ background: url({}) }}</style>", "http://127.0.0.1:9/x"),
    ("<style>@font-face {{ font-family: x; src: url({}) }} body {{ font-family: x }}</style>a", "file:///etc/passwd"),
    ('<link rel="attachment" href="{}">', "file:///etc/passwd"),
    ('<a rel="attachment" href="{}">a</a>', "file:///etc/passwd"),
    ('<object data="{}"></object>', "http://127.0.0.1:9/x"),
]


@pytest.mark.parametrize(("element", "url"), WAYS)
def test_nothing_is_fetched(element: str, url: str) -> None:
    assert "data: and asset:" in refusal(f"<body>text {element.format(url)}</body>")


def test_data_urls_and_assets_work() -> None:
    png = io.BytesIO()
    Image.new("RGB", (2, 2), (255, 0, 0)).save(png, "PNG")
    dot = f"data:image/png;base64,{b64encode(png.getvalue()).decode()}"
    source = f'<link rel="stylesheet" href="asset:paper.css"><img src="{dot}">'
    reader = PdfReader(io.BytesIO(write_pdf("t", {}, sources={"t.html": source}).pdf))
    assert len(reader.pages[0].images) == 1


def test_endless_template_is_stopped() -> None:
    rounds = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    began = time.monotonic()
    with pytest.raises(DocumentTooSlow, match="3 seconds"):
        write_pdf("t", {}, sources={"t.html": rounds}, time_limit=3)
    assert time.monotonic() - began < 6


def test_memory_is_limited() -> None:
    """A template that builds a large structure out of allowed steps ends at the process's limit."""
    doubling = "{% set ns = namespace(v='a' * 99999) %}{% for i in range(20) %}{% set ns.v = ns.v ~ ns.v %}{% endfor %}"
    assert "memory" in refusal(doubling).lower()


def test_only_plain_values_reach_a_template() -> None:
    with pytest.raises(TypeError):
        write_pdf("t", {"thing": object()}, sources={"t.html": "x"})


def test_operation_keeps_the_document_once(app: Any, settings: Settings) -> None:
    tenant = "t" * 32
    results = []
    for attempt in (1, 1, 2):
        with running(OperationContext("i" * 32, "k" * 32, "write", attempt, tenant, "system")):
            results.append(write_document(template="memo_note", data=NOTE, name="Note: Amara/Okafor"))
    first, again, second = (result["document"] for result in results)
    assert first == again != second
    with unit_of_work(write=False):
        stored = db.session.get(StoredFile, first)
        assert stored is not None
        assert (stored.name, stored.content_type, stored.tenant_id) == (
            "Note: Amara-Okafor.pdf",
            "application/pdf",
            tenant,
        )
        assert "Amara Okafor" in text_of(FileStore(settings).locate(stored).read_bytes())
    assert len(list(settings.files_dir.rglob("*.pdf"))) == 2
