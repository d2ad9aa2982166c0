"""Files that want to harm: each is refused in plain words, at once, and nothing outside is touched."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.definitions import documents
from engine.definitions.documents import LARGEST_FILE, MOST_FILES
from engine.definitions.lint import lint_files

HOSTILE = Path(__file__).parent / "data" / "hostile"

RULES = {
    "attribute_bomb.bpmn": "xml.entities",
    "bad_encoding.bpmn": "xml.malformed",
    "bad_form.json": "form.malformed",
    "billion_laughs.bpmn": "xml.entities",
    "deep.bpmn": "xml.depth",
    "deep_form.json": "form.malformed",
    "empty.bpmn": "xml.malformed",
    "external_dtd.bpmn": "xml.entities",
    "external_entity.bpmn": "xml.entities",
    "no_form.json": "form.malformed",
    "not_utf8.bpmn": "xml.malformed",
    "not_xml.bpmn": "xml.malformed",
    "other_namespace.bpmn": "file.kind",
    "other_root.bpmn": "file.kind",
    "parameter_entity.bpmn": "xml.entities",
    "undefined_entity.bpmn": "xml.malformed",
    "utf16_bomb.bpmn": "xml.entities",
}


def test_every_file_of_the_corpus_has_its_rule() -> None:
    assert {path.name for path in HOSTILE.iterdir()} == set(RULES)


@pytest.mark.parametrize("name", sorted(RULES))
def test_it_is_refused(name: str) -> None:
    started = time.process_time()
    (problem,) = lint_files({name: (HOSTILE / name).read_bytes()})
    assert time.process_time() - started < 1
    assert problem.rule == RULES[name]
    assert problem.severity == "error"
    assert problem.remedy
    assert "root:" not in problem.message


def test_too_large_a_file_is_refused_before_it_is_read() -> None:
    (problem,) = lint_files({"large.bpmn": b"<" * (LARGEST_FILE + 1)})
    assert problem.rule == "file.size"
    assert "2.0 MB; the limit is 2 MB" in problem.message


def test_too_many_files_and_too_large_an_upload_are_refused() -> None:
    (many,) = lint_files({f"{n}.bpmn": b"" for n in range(MOST_FILES + 1)})
    assert many.rule == "file.count"
    (large,) = lint_files({f"{n}.bpmn": b"<" * LARGEST_FILE for n in range(5)})
    assert large.rule == "file.size"


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_ELEMENTS", 10)
    (problem,) = lint_files({"wide.bpmn": b"<d>" + b"<e/>" * 20 + b"</d>"})
    assert problem.rule == "xml.size"
