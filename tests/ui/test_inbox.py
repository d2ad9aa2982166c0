"""The inbox with a real process behind it: find a task, claim it, complete it, and be told the outcome."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import select

from engine import api
from engine.execution.host import Host
from engine.execution.records import Event
from engine.kernel.db import db, unit_of_work
from modules.identity import create_tenant, create_user, operator_tenant
from modules.identity.demo import demo_customer
from tests.engine.diagrams import diagram, flows
from tests.ui.conftest import PASSWORD, Person

People = Callable[..., Person]
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

FORM = {
    "id": "ask",
    "schema": {
        "type": "object",
        "required": ["outcome"],
        "additionalProperties": False,
        "properties": {
            "outcome": {"type": "string", "title": "Outcome", "oneOf": [{"const": "yes", "title": "Agreed"}]},
            "note": {"type": "string", "title": "Note", "minLength": 10},
            "by": {"type": "string", "format": "date", "title": "By"},
        },
    },
}
TASK = """
<bpmn:startEvent id="s"/>
<bpmn:userTask id="ask" name="Ask the customer"><bpmn:extensionElements>
  <zeebe:formDefinition formId="ask"/><zeebe:assignmentDefinition candidateGroups="agent,customer_admin"/>
  <zeebe:taskSchedule dueDate="=now() - duration(&quot;PT26M&quot;)"/>
</bpmn:extensionElements></bpmn:userTask>
<bpmn:endEvent id="e"/>
"""


class Machine:
    """A real host, turned by hand."""

    def __init__(self) -> None:
        self.host = Host("interactive-1", "interactive", [])

    def turn(self) -> bool:
        """Advance what has events; False when nothing had any."""
        with unit_of_work(write=False) as session:
            waiting = list(session.scalars(select(Event.instance_id).distinct()))
        for instance_id in waiting:
            self.host._advance(instance_id)
        return bool(waiting)

    def start(self) -> str:
        """Start an instance that waits for a person; return its task's id."""
        with unit_of_work():
            files = {
                "p.bpmn": diagram(TASK + flows("s>ask>e"), "p"),
                "ask.json": json.dumps(FORM).encode(),
            }
            tenant = demo_customer().id
            definition = api.deploy(files, tenant_id=tenant, actor_id="test")[0]
            data = {"contact": {"name": "Amara Okafor"}, "call": {"id": "c", "from": "+4930123456", "to": "1000"}}
            instance_id = api.start(definition_id=definition.id, tenant_id=tenant, data=data)
        while self.turn():
            pass
        with unit_of_work(write=False) as session:
            return str(session.scalar(select(api.UserTask.id).where(api.UserTask.instance_id == instance_id)))

    @contextmanager
    def turning(self) -> Iterator[None]:
        """Keep turning beside the test."""
        end = threading.Event()

        def run() -> None:
            while not end.wait(0.02):
                self.turn()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


@pytest.fixture
def machine(web: Flask) -> Machine:
    return Machine()


def status_of(task_id: str) -> tuple[str, str]:
    """The task's status and its process's."""
    with unit_of_work(write=False):
        task = db.session.get(api.UserTask, task_id)
        assert task
        instance = db.session.get(api.Instance, task.instance_id)
        assert instance
        return task.status, instance.status


def test_a_task_is_found_claimed_completed_and_its_process_ends(machine: Machine, person: People) -> None:
    task = machine.start()
    reception = person("reception")
    inbox = reception.get("/inbox").text
    for words in ("Ask the customer", "Amara Okafor · +49 30 123456", "Late 26 min", "My groups"):
        assert words in inbox
    page = reception.get(f"/inbox/{task}").text
    assert "Not claimed" in page
    assert reception.get(f"/inbox/{task}/diagram").mimetype == "application/xml"
    assert reception.post(f"/inbox/{task}/claim").status_code == 302
    assert "Claimed by you" in reception.get(f"/inbox/{task}").text
    assert "Ask the customer" in reception.get("/inbox?tab=mine").text
    with machine.turning():
        data = {"/outcome": "yes", "/note": "She agrees to it.", "/by": "2026-06-17"}
        answer = reception.post(f"/inbox/{task}/complete", data)
    assert answer.location == "/inbox"
    assert "Ask the customer is completed." in reception.get("/inbox").text
    assert status_of(task) == ("completed", "completed")
    with unit_of_work(write=False):
        shown = api.show(db.session.get(api.UserTask, task).instance_id)  # type: ignore[union-attr]
    assert shown["data"]["outcome"] == "yes"
    assert shown["data"]["by"] == "2026-06-17"


@on_sqlite
def test_a_refused_answer_keeps_the_input_and_completes_nothing(machine: Machine, person: People) -> None:
    task = machine.start()
    answer = person("reception").post(f"/inbox/{task}/complete", {"/note": "Crown"})
    assert answer.status_code == 422
    for words in ("Not completed: 2 answers need", "Choose one.", "at least 10 characters; this one has 5", "Crown"):
        assert words in answer.text
    assert status_of(task)[0] == "open"
    assert person("reception").get(f"/inbox/{task}/complete").status_code == 302


@on_sqlite
def test_without_a_host_the_page_says_in_progress_and_nothing_is_lost(machine: Machine, person: People) -> None:
    task = machine.start()
    reception = person("reception")
    answer = reception.post(f"/inbox/{task}/complete", {"/outcome": "yes"})
    assert answer.location == f"/inbox/{task}"
    page = reception.get(answer.location).text
    assert "Handed in." in page
    assert 'id="task-form"' not in page
    assert status_of(task)[0] == "completing"
    while machine.turn():
        pass
    assert status_of(task) == ("completed", "completed")
    assert "This task is done." in reception.get(f"/inbox/{task}").text


@on_sqlite
def test_the_slower_of_two_people_is_told(machine: Machine, person: People) -> None:
    with unit_of_work():
        tenant = demo_customer().id
        create_user(tenant_id=tenant, email="b@larkspur.example", name="Ben", roles=["agent"], password=PASSWORD)
    task = machine.start()
    reception, ben = person("reception"), person()
    ben.login("b@larkspur.example")
    assert ben.get(f"/inbox/{task}").status_code == 200
    reception.post(f"/inbox/{task}/claim")
    answer = ben.post(f"/inbox/{task}/complete", {"/outcome": "yes", "/note": "my long answer"})
    assert answer.status_code == 409
    assert "Somebody else has the task" in answer.text
    assert "my long answer" in answer.text
    assert status_of(task)[0] == "claimed"
    ben.post(f"/inbox/{task}/claim")
    assert "Somebody else has the task" in ben.get("/inbox").text
    reception.post(f"/inbox/{task}/release")
    with machine.turning():
        assert ben.post(f"/inbox/{task}/complete", {"/outcome": "yes"}).status_code == 302
    late = reception.post(f"/inbox/{task}/complete", {"/outcome": "yes"})
    assert late.status_code == 409
    assert "has already been completed" in late.text


def test_others_neither_see_nor_complete_the_task(machine: Machine, person: People) -> None:
    with unit_of_work():
        other = create_tenant(name="Brackenhill Clinics", parent_id=operator_tenant().id)
        create_user(tenant_id=other.id, email="b@b.example", name="Bea", roles=["agent"], password=PASSWORD)
    task = machine.start()
    bea = person()
    bea.login("b@b.example")
    for somebody in (bea, person("analyst")):
        assert "Ask the customer" not in somebody.get("/inbox").text
        assert somebody.get(f"/inbox/{task}").status_code == 404
        assert somebody.get(f"/inbox/{task}/diagram").status_code == 404
        assert somebody.post(f"/inbox/{task}/complete", {"/outcome": "yes"}).status_code == 404
        assert somebody.post(f"/inbox/{task}/claim").status_code == 404
    assert status_of(task)[0] == "open"


@on_sqlite
def test_an_open_page_learns_that_its_task_has_changed(machine: Machine, person: People) -> None:
    task = machine.start()
    reception = person("reception")
    fragment = {"HX-Request": "true", "HX-Target": "task-state"}
    same = reception.get(f"/inbox/{task}?status=open:", headers=fragment)
    assert same.status_code == 204
    assert "HX-Refresh" not in same.headers
    reception.post(f"/inbox/{task}/claim")
    assert reception.get(f"/inbox/{task}?status=open:", headers=fragment).headers["HX-Refresh"] == "true"


@on_sqlite
def test_the_home_page_shows_the_task_and_counts_it(machine: Machine, person: People) -> None:
    machine.start()
    page = person("reception").get("/").text
    assert "Ask the customer" in page
    assert 'data-nav-count="Inbox" aria-label="1 Inbox"' in page
    assert "No live calls" in page
