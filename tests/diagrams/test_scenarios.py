"""Every shipped diagram is played through every one of its elements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask

from engine import api
from engine.definitions.documents import bpmn, local, parse_xml
from engine.definitions.elements import NODES
from engine.definitions.lint import lint_files
from engine.execution import carriers
from tests.diagrams.scenario import FILES, Player, answered_by_hand, completed, read, rules
from tests.engine.conftest import Engine
from ui.shipped import SHIPPED, read_folder

DIAGRAMS = sorted(SHIPPED.glob("*/*.bpmn"))

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def engine(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    answered_by_hand(monkeypatch)
    api.register_carrier("external", lambda rows: None)
    with time_machine.travel(datetime.now(UTC)) as clock:
        yield Engine(clock)
    carriers._carriers.clear()


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_scenario_takes_its_path(engine: Engine, file: Path) -> None:
    scenario = read(file)
    shown = Player(engine, scenario, file.parents[1]).play()
    expected: dict[str, Any] = scenario["expect"]
    assert shown["incidents"] == []
    assert completed(shown) == expected["path"]
    assert shown["status"] == expected["status"]
    for name, value in expected.get("data", {}).items():
        assert shown["data"][name] == value, name
    if "rules" in expected:
        assert list(rules(shown)) == expected["rules"]


def nodes_of(diagram: Path) -> set[str]:
    return {element.get("id") for element in parse_xml(diagram.read_bytes()).iter() if local(element) in NODES}


@pytest.mark.parametrize("diagram", DIAGRAMS, ids=[diagram.stem for diagram in DIAGRAMS])
def test_the_scenarios_of_a_diagram_reach_every_element(database: str, diagram: Path) -> None:
    process = next(parse_xml(diagram.read_bytes()).iter(bpmn("process"))).get("id")
    reached = {
        element
        for scenario in map(read, FILES)
        if scenario["process"] == process
        for element in scenario["expect"]["path"]
    }
    assert nodes_of(diagram) - reached == set()


@pytest.mark.parametrize(
    "folder", sorted(path for path in SHIPPED.iterdir() if path.is_dir()), ids=lambda path: path.name
)
def test_nothing_is_to_be_said_about_shipped_diagrams(database: str, folder: Path) -> None:
    assert lint_files(read_folder(folder)) == []
