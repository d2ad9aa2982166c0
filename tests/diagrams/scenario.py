"""Playing a scenario: the real engine runs the shipped diagram, the scenario answers its operations.

A scenario is a JSON file in ``bpmn/*/scenarios``::

    {"title": …, "process": "clid_memo", "data": {…},
     "operations": {"call.say": {}},                       results by operation, wherever no step says otherwise
     "steps": [{"at": "record_memo", "result": {…}},        the operation at this element is answered
               {"at": "record_memo", "error": "call.ended"},  … or fails with a BPMN error
               {"at": "offer_menu", "message": "call.ended", "payload": {…}},  a message arrives meanwhile
               {"at": "review_memo", "complete": {…}},      a person completes the task
               {"at": "keep", "pass": "P30D"}],             time passes while the token waits there
     "expect": {"status": "completed", "path": […], "data": {…}, "rules": […]}}

Texts in results that begin with ``=`` are FEEL. A result must fit the operation's declared one, so that scenarios
cannot drift away from the operations.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import TypeAdapter
from sqlalchemy import select

import ui.composition  # noqa: F401 - registers all operations and screens
from engine import api, operations
from engine.expressions import as_timer
from engine.feel import compile_feel
from engine.kernel.db import unit_of_work
from engine.operations import Operation, Pending, find_operation
from tests.engine.conftest import TENANT, Engine
from ui.shipped import SHIPPED, read_folder

FILES = sorted(SHIPPED.glob("*/scenarios/*.json"))


def read(path: Path) -> dict[str, Any]:
    """Return a scenario."""
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def answered_by_hand(patch: pytest.MonkeyPatch) -> None:
    """Let every operation wait for the scenario's answer; parameters are still checked against the real ones."""
    waiting = {
        name: replace(operation, kind="external", cancel=None) for name, operation in operations._operations.items()
    }
    patch.setattr(operations, "_operations", waiting)


def result_type(operation: Operation) -> Any:
    """Return what an operation answers in the end: its declared result without ``Pending``."""
    declared = get_type_hints(operation.function, include_extras=True).get("return", Any)
    if get_origin(declared) in (Union, types.UnionType):
        return Union[tuple(part for part in get_args(declared) if part is not Pending)]  # noqa: UP007
    return declared


def evaluated(value: Any) -> Any:
    """Replace texts that are FEEL by their values."""
    if isinstance(value, str) and value.startswith("="):
        return compile_feel(value[1:]).evaluate({})
    if isinstance(value, dict):
        return {key: evaluated(item) for key, item in value.items()}
    return [evaluated(item) for item in value] if isinstance(value, list) else value


class Player:
    """Plays one scenario on one engine."""

    def __init__(self, engine: Engine, scenario: dict[str, Any], folder: Path) -> None:
        self.engine = engine
        self.scenario = scenario
        with unit_of_work():
            deployed = api.deploy(read_folder(folder), tenant_id=TENANT, actor_id="test")
        definition = next(item for item in deployed if item.process_id == scenario["process"])
        self.instance = engine.start(definition.id, scenario.get("data", {}))

    def play(self) -> dict[str, Any]:
        """Do all steps and return the instance as it is then."""
        for step in self.scenario.get("steps", []):
            self._reach(step["at"])
            self._do(step)
        while self._answer_one():
            pass
        return self.engine.show(self.instance)

    def _open(self) -> list[api.Outbox]:
        with unit_of_work(write=False) as session:
            rows = select(api.Outbox).where(api.Outbox.instance_id == self.instance).order_by(api.Outbox.created_at)
            found = list(session.scalars(rows))
            session.expunge_all()
            return found

    def _waiting(self) -> list[str]:
        return [token["element"] for token in self.engine.show(self.instance)["tokens"]]

    def _reach(self, element: str) -> None:
        while element not in self._waiting():
            if not self._answer_one():
                shown = self.engine.show(self.instance)
                raise AssertionError(f"{element} is not reached: {shown['tokens']} {shown['incidents']}")

    def _answer_one(self) -> bool:
        for row in self._open():
            if row.operation in self.scenario.get("operations", {}):
                self._answer(row, self.scenario["operations"][row.operation])
                return True
        return False

    def _answer(self, row: api.Outbox, result: Any, error: api.Failure | None = None) -> None:
        value = None if error else evaluated(result)
        if error is None:
            TypeAdapter(result_type(find_operation(row.operation))).validate_python(value)
        with unit_of_work():
            api.resume(row.instance_id, row.token_id, row.attempt, result=value, error=error, key=f"by-hand:{row.key}")
        self.engine.run()

    def _do(self, step: dict[str, Any]) -> None:
        if "message" in step:
            receivers = self.engine.message(step["message"], step.get("payload", {}), instance_id=self.instance)
            assert receivers == 1
        elif "complete" in step:
            task = next(task for task in self.engine.tasks() if task.element_id == step["at"])
            self.engine.complete(step["complete"], name=task.name)
        elif "pass" in step:
            duration = as_timer(step["pass"])
            assert isinstance(duration, timedelta)
            self.engine.pass_time(duration)
        else:
            row = next(row for row in self._open() if row.element_id == step["at"])
            failure = api.Failure("business", step["error"], step["error"]) if "error" in step else None
            self._answer(row, step.get("result"), failure)


def completed(shown: dict[str, Any]) -> list[str]:
    """Return the elements that were left in the ordinary way, in order."""
    return [row["element"] for row in shown["history"] if row["outcome"] == "completed"]


def rules(shown: dict[str, Any]) -> Iterator[str]:
    """Yield the decision rules that fired, in order."""
    for row in shown["history"]:
        for rule in row["rules"] or ():
            yield rule["rule"]
