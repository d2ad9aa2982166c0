"""A customer whose callers leave memos through the shipped diagram and the real engine.

Only the agents are absent: what they would answer is given by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

import ui.composition  # noqa: F401 - operations and screens of the diagram
from engine import api
from engine.definitions.parameters import with_defaults
from engine.kernel.db import db, new_id, now, unit_of_work
from engine.kernel.files import FileStore
from engine.kernel.settings import Settings
from media.models import Call, Recording
from modules.administration import CaughtMail
from modules.directory import Contact, ContactNumber
from modules.identity import User, create_tenant, create_user
from modules.identity.users import actor_of
from modules.portals.communicator import Memo
from tests.engine.conftest import Engine, engine  # noqa: F401 - fixture
from tests.mail.conftest import catcher  # noqa: F401 - fixture
from ui.shipped import deploy_shipped

SOUND = b"RIFF" + bytes(range(256)) * 200


class House:
    """A customer with people, a contact, a call and its recording, and the deployed diagram."""

    def __init__(self, turned: Engine, settings: Settings) -> None:
        self.engine, self.store = turned, FileStore(settings)
        with unit_of_work():
            operator = create_tenant(name="Operator", kind="operator")
            self.customer = create_tenant(name="Larkspur Dental", parent_id=operator.id, branding={"initials": "LD"}).id
            self.reception = self._user("reception", "Marta Silva", "customer_admin")
            self.anna = self._user("anna", "Anna Weber", "consumer")
            contact = Contact(tenant_id=self.customer, name="Amara Okafor", organisation="Okafor & Daughters")
            contact.numbers = [ContactNumber(tenant_id=self.customer, number="+4930123456")]
            db.session.add(contact)
            deploy_shipped()
            self.definition = api.find_definition("clid_memo", tenant_id=self.customer)

    def _user(self, local: str, name: str, role: str) -> str:
        address = f"{local}@larkspur.example"
        return create_user(tenant_id=self.customer, email=address, name=name, roles=[role], password="x" * 12).id

    def call(self, caller: str = "+4930123456", **parameters: Any) -> str:
        """Let somebody call and speak; returns the instance."""
        data = {
            "call": {"id": new_id(), "from": caller, "to": "1000", "direction": "inbound", "application": new_id()},
            "parameters": with_defaults(self.definition.parameters, parameters),
        }
        with unit_of_work():
            db.session.add(
                Call(
                    id=data["call"]["id"],
                    tenant_id=self.customer,
                    from_number=caller,
                    to_number="1000",
                    agent="agent-1",
                    owner="interactive-1",
                    answered_at=now(),
                    state="talking",
                )
            )
            self.instance = api.start(definition_id=self.definition.id, tenant_id=self.customer, data=data)
        self.call_id = data["call"]["id"]
        self.engine.run()
        while self.engine.sent:
            self._answer(self.engine.sent.pop(0))
        return self.instance

    def _answer(self, row: api.Outbox) -> None:
        with unit_of_work():
            result = self._record() if row.operation == "call.record" else {}
            api.resume(row.instance_id, row.token_id, row.attempt, result=result, key=f"{row.key}:answer")
        self.engine.run()

    def _record(self) -> dict[str, Any]:
        stored = self.store.write(self.customer, "memo.wav", "audio/wav", SOUND)
        recording = Recording(
            id=new_id(),
            tenant_id=self.customer,
            call_id=self.call_id,
            stored_file_id=stored.id,
            duration_s=3.2,
            reason="key",
        )
        db.session.add(recording)
        return {"recording": recording.id, "duration_s": 3.2, "reason": "key"}

    def memos(self) -> list[Memo]:
        with unit_of_work(write=False):
            return list(db.session.scalars(select(Memo)))

    def mails(self) -> list[CaughtMail]:
        with unit_of_work(write=False):
            return list(db.session.scalars(select(CaughtMail)))

    def files(self) -> list[Path]:
        return [path for path in self.store.root.rglob("*") if path.is_file()]

    def review(self, user_id: str, **data: Any) -> None:
        """Complete the open task as a user, and let the worker write the note."""
        with unit_of_work():
            actor = actor_of(db.session.get_one(User, user_id))
            (task,) = api.list_tasks(actor)
            api.complete_task(task.id, data, actor)
        self.engine.run()
        self.engine.work()


@pytest.fixture
def house(app: Flask, settings: Settings, engine: Engine, catcher: object) -> House:  # noqa: F811 - the fixtures
    return House(engine, settings)
