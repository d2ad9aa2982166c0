"""User tasks: who may, who is first, what is valid."""

from __future__ import annotations

import json

import pytest

from engine import api
from engine.kernel.actor import Actor
from engine.kernel.db import unit_of_work
from engine.kernel.errors import Conflict, InvalidInput, NotFound, NotPermitted
from tests.engine.conftest import ANNA, BEN, TENANT, Engine
from tests.engine.diagrams import end, flows, start, user

FORM = {
    "id": "review",
    "title": "Review",
    "schema": {
        "type": "object",
        "required": ["note"],
        "properties": {"note": {"type": "string", "minLength": 2}, "stars": {"type": "integer", "maximum": 5}},
    },
}
ASSIGNED = '<zeebe:formDefinition formId="review"/><zeebe:assignmentDefinition candidateGroups="agent, supervisor"/>'


def review(engine: Engine) -> str:
    body = start() + user("review", ASSIGNED) + end() + flows("start>review>end")
    definition = engine.deploy(body, **{"review.json": json.dumps(FORM).encode()})
    return engine.start(definition)


def test_claim_release_and_complete(engine: Engine) -> None:
    instance = review(engine)
    task = engine.tasks()[0]
    with unit_of_work():
        assert api.claim_task(task.id, ANNA).assignee == "anna"
    assert engine.tasks(BEN) == []
    for attempt in (api.claim_task, api.release_task):
        with pytest.raises(Conflict), unit_of_work():
            attempt(task.id, BEN)
    with unit_of_work():
        assert api.release_task(task.id, ANNA).status == "open"
    engine.complete({"note": "fine", "stars": 5, "status": "hacked"}, BEN)
    found = engine.show(instance)
    assert found["data"] == {"note": "fine", "stars": 5}
    assert found["history"][1]["actor"] == "ben"
    with unit_of_work(write=False):
        assert api.get_task(task.id).status == "completed"


def test_two_people_completing_one_task(engine: Engine) -> None:
    instance = review(engine)
    task = engine.tasks()[0]
    with unit_of_work():
        key = api.complete_task(task.id, {"note": "first"}, ANNA)
    with pytest.raises(Conflict, match="already been completed"), unit_of_work():
        api.complete_task(task.id, {"note": "second"}, BEN)
    assert not api.wait_for_event(key, timeout=0.02)
    engine.run()
    assert api.wait_for_event(key, timeout=0.02)
    assert engine.show(instance)["data"] == {"note": "first"}


def test_fields_are_named_by_json_pointer(engine: Engine) -> None:
    review(engine)
    task = engine.tasks()[0]
    with pytest.raises(InvalidInput) as caught, unit_of_work():
        api.complete_task(task.id, {"stars": 6}, ANNA)
    assert set(caught.value.fields) == {"/note", "/stars"}
    assert engine.tasks()[0].status == "open"


def test_others_may_not(engine: Engine) -> None:
    review(engine)
    task = engine.tasks()[0]
    analyst = Actor("eve", TENANT, frozenset({TENANT}), frozenset({"analyst"}))
    stranger = Actor("mallory", "t2", frozenset({"t2"}), frozenset({"agent", "administrator"}))
    with pytest.raises(NotPermitted), unit_of_work():
        api.complete_task(task.id, {"note": "no"}, analyst)
    with pytest.raises(NotFound), unit_of_work():
        api.complete_task(task.id, {"note": "no"}, stranger)
    assert engine.tasks(analyst) == engine.tasks(stranger) == []
