"""Versions: what a deployment stores, and what it leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from engine.api import (
    Refused,
    definition_by_id,
    deploy,
    deployment_files,
    diagram_xml,
    find_definition,
    list_definitions,
)
from engine.definitions.models import Definition, Deployment, Resource, StartSubscription
from engine.definitions.parsed import spec
from engine.kernel.db import db, unit_of_work
from engine.kernel.errors import NotFound
from tests.definitions.conftest import diagram

FORM = b'{"id": "look", "title": "Look", "schema": {"type": "object", "properties": {}}}'
FORM_TASK = diagram("good", "user_task.bpmn").replace(
    b'<bpmn:userTask id="n1" name="Look"/>',
    b'<bpmn:userTask id="n1" name="Look"><bpmn:extensionElements><zeebe:formDefinition formId="look"/>'
    b"</bpmn:extensionElements></bpmn:userTask>",
)


def put(files: dict[str, bytes], tenant: str = "t1", **more: bool) -> list[Definition]:
    with unit_of_work():
        return deploy(files, tenant_id=tenant, actor_id="u1", **more)


def rows() -> list[int]:
    with unit_of_work(write=False):
        return [
            db.session.scalar(select(func.count()).select_from(model))
            for model in (Deployment, Resource, Definition, StartSubscription)
        ]


def test_a_deployment_keeps_the_diagram_as_it_was_uploaded(app: Flask) -> None:
    content = diagram("good", "task.bpmn")
    (definition,) = put({"task.bpmn": content})
    assert (definition.process_id, definition.version, definition.name) == ("p", 1, "P")
    with unit_of_work(write=False):
        assert diagram_xml(definition.id).encode() == content
        assert deployment_files(definition.id) == {"task.bpmn": content}
        assert definition_by_id(definition.id).resource == "task.bpmn"


def test_a_diagram_in_another_encoding_is_kept_readable(app: Flask) -> None:
    text = diagram("good", "task.bpmn").decode().replace("Do it", "Grüße").replace('"UTF-8"', '"UTF-16"')
    (definition,) = put({"task.bpmn": text.encode("utf-16")})
    with unit_of_work(write=False):
        assert spec(definition.id).elements["n1"].name == "Grüße"


def test_a_version_is_parsed_once_with_its_forms(app: Flask) -> None:
    (definition,) = put({"task.bpmn": FORM_TASK, "look.json": FORM})
    with unit_of_work(write=False):
        parsed = spec(definition.id)
        assert spec(definition.id) is parsed
        with pytest.raises(NotFound):
            spec("unknown")
    assert parsed.forms["look"]["title"] == "Look"
    assert parsed.definition.process_id == "p"
    assert set(parsed.elements) >= {"start", "n1", "end", "f1"}


def test_an_unchanged_process_keeps_its_version_and_a_changed_one_gets_the_next(app: Flask) -> None:
    content = diagram("good", "task.bpmn")
    (first,) = put({"task.bpmn": content})
    (same,) = put({"renamed.bpmn": content})
    assert same.id == first.id
    assert rows()[0] == 1
    (second,) = put({"task.bpmn": content.replace(b"Do it", b"Do that")})
    assert second.version == 2
    (third,) = put({"task.bpmn": content})
    assert third.version == 3, "going back is a new version too"
    with unit_of_work(write=False):
        assert find_definition("p", tenant_id="t1").id == third.id
        assert find_definition("p", tenant_id="t1", version=1).id == first.id
        assert [item.version for item in list_definitions(["t1"])] == [3, 2, 1]


@pytest.mark.parametrize(
    "files",
    [
        {"a.bpmn": b"nothing"},
        {"a.bpmn": diagram("hostile", "billion_laughs.bpmn")},
        {"a.bpmn": diagram("refused", "unknown_operation.bpmn")},
        {"a.bpmn": diagram("refused", "complex_gateway.bpmn")},
        {"good.bpmn": diagram("good", "task.bpmn"), "a.bpmn": diagram("refused", "compensation.bpmn")},
        {"a.bpmn": b"x" * (3 * 1024 * 1024)},
        {"look.json": FORM},
        {},
    ],
    ids=[
        "not XML",
        "entity bomb",
        "unknown operation",
        "unexecutable",
        "one of two",
        "too large",
        "no diagram",
        "none",
    ],
)
def test_what_is_refused_leaves_nothing_behind(app: Flask, files: dict[str, bytes]) -> None:
    with pytest.raises(Refused) as refusal:
        put(files)
    assert refusal.value.message
    assert any(problem.severity == "error" for problem in refusal.value.problems)
    assert rows() == [0, 0, 0, 0]


def test_a_form_that_was_deployed_before_need_not_come_again(app: Flask) -> None:
    with pytest.raises(Refused):
        put({"task.bpmn": FORM_TASK})
    (first,) = put({"task.bpmn": FORM_TASK, "look.json": FORM})
    (second,) = put({"task.bpmn": FORM_TASK.replace(b'name="P"', b'name="Q"')})
    assert (first.version, second.version) == (1, 2)
    with unit_of_work(write=False):
        assert deployment_files(second.id)["look.json"] == FORM
    (third,) = put({"task.bpmn": FORM_TASK, "look.json": FORM.replace(b'"Look"', b'"Look again"')})
    assert third.version == 3, "a version depends on its forms"


def test_tenants_see_their_own_and_what_is_published(app: Flask) -> None:
    content = diagram("good", "task.bpmn")
    (own,) = put({"a.bpmn": content}, "t1")
    with unit_of_work(write=False), pytest.raises(NotFound):
        find_definition("p", tenant_id="t2")
    (public,) = put({"a.bpmn": content}, "operator", published=True)
    with unit_of_work(write=False):
        assert find_definition("p", tenant_id="t2").id == public.id
        assert find_definition("p", tenant_id="t1").id == own.id
        assert {item.id for item in list_definitions(["t2"])} == {public.id}


def test_only_the_newest_version_is_started_by_messages_and_timers(app: Flask) -> None:
    message = diagram("good", "message_start.bpmn")
    put({"m.bpmn": message})
    (second,) = put({"m.bpmn": message.replace(b'name="P"', b'name="Q"')})
    with unit_of_work(write=False):
        (row,) = db.session.scalars(select(StartSubscription))
        assert (row.kind, row.name, row.definition_id, row.element_id) == ("message", "m", second.id, "start")
    put({"t.bpmn": diagram("good", "timer_start.bpmn")})
    with unit_of_work(write=False):
        (row,) = db.session.scalars(select(StartSubscription))
        assert (row.kind, row.timer) == ("timer", "R/PT1H")
        assert abs(row.due_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)


def test_template_parameters_are_kept_with_the_version(app: Flask) -> None:
    content = diagram("good", "task.bpmn").replace(
        b'isExecutable="true">',
        b'isExecutable="true"><bpmn:extensionElements><cms:parameters>{"type": "object", "properties": '
        b'{"greeting": {"type": "string", "default": "Hi"}}}</cms:parameters></bpmn:extensionElements>',
    )
    (definition,) = put({"a.bpmn": content})
    assert definition.parameters["properties"]["greeting"]["default"] == "Hi"
