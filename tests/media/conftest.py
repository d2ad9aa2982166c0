"""Calls of a made-up customer, whose number 1000 is answered by a process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from flask import Flask

import media.operations  # noqa: F401 - registers call.*
from engine.definitions.models import Definition
from engine.kernel.db import db, new_id, unit_of_work
from engine.kernel.settings import Settings
from media import calls
from media.calls import Target
from media.protocol import FIELD, Event, Message, agent_stream, decode

TENANT = "a" * 32


class Numbers:
    """Answers 1000 with the process ``memo``, and knows extension 201."""

    def resolve(self, number: str, caller: str, account: str) -> Target | None:
        if number == "1000":
            return Target(TENANT, "b" * 32, "Memo", process_id="memo", parameters={"language": "en"})
        if number == "1001":
            return Target(TENANT, "b" * 32, "Gone", process_id="never_deployed")
        return None

    def dial_address(self, tenant_id: str, target: str) -> str | None:
        return {"201": "larkspur-201"}.get(target)


@pytest.fixture
def numbers(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Numbers:
    """The numbers, plugged in, and the definition that they name."""
    answers = Numbers()
    monkeypatch.setattr(calls, "_applications", answers)
    with unit_of_work():
        definition = Definition(
            id=new_id(),
            tenant_id=TENANT,
            deployment_id=new_id(),
            process_id="memo",
            name="Memo",
            version=1,
            resource="memo.bpmn",
            digest="",
            parameters={},
            warnings=[],
        )
        db.session.add(definition)
    return answers


class Agent:
    """The agent's end of the protocol: numbers events, reads what it is told."""

    def __init__(self, settings: Settings, name: str = "agent-1", boot: str = "boot-1") -> None:
        self.redis = redis.Redis.from_url(settings.redis)
        self.name, self.boot = name, boot

    def event(self, call: str, seq: int, event: str, data: dict[str, Any] | None = None, **more: Any) -> Event:
        return Event(call, seq, self.name, self.boot, event, data=data or {}, **more)

    def incoming(self, call: str, to: str = "1000", caller: str = "+4930123456") -> Event:
        return self.event(call, 1, "incoming", {"from": caller, "to": to, "account": "", "sip_call_id": "x@y"})

    def told(self) -> list[Message]:
        """Return and forget what hosts wrote to the agent."""
        entries = self.redis.xrange(agent_stream(self.name))
        self.redis.delete(agent_stream(self.name))
        return [decode(fields[FIELD.encode()]) for _, fields in entries]


@pytest.fixture
def agent(settings: Settings) -> Iterator[Agent]:
    """An agent without SIP."""
    agent = Agent(settings)
    yield agent
    agent.redis.close()
