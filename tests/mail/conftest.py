"""A tenant, a running operation, and real SMTP servers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask

from engine.kernel.db import new_id, unit_of_work
from engine.kernel.settings import Settings
from engine.operations import OperationContext, running
from modules.administration.catcher import Keeper
from modules.identity import create_tenant


@pytest.fixture
def tenant_id(app: Flask) -> str:
    with unit_of_work():
        return create_tenant(name="Larkspur Dental", branding={"initials": "LD", "to": "#aa3377"}).id


@pytest.fixture
def operation_of(tenant_id: str) -> Callable[..., AbstractContextManager[None]]:
    """Return a function that makes an operation run: ``with operation_of(): send_mail(…)``."""

    def make(token_id: str = "", instance_id: str = "", attempt: int = 1) -> AbstractContextManager[None]:
        token, instance = token_id or new_id(), instance_id or new_id()
        return running(OperationContext(instance, token, "mail_it", attempt, tenant_id, "system"))

    return make


class Inbox:
    """What a scripted SMTP server received, and what it answers."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        #: recipient → answer
        self.recipients: dict[str, str] = {}
        self.data = "250 ok"
        self.lock = threading.Lock()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        answer = self.recipients.get(address, "250 ok")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.data.startswith("250"):
            with self.lock:
                self.contents.append(envelope.content)
        return self.data


@contextmanager
def listening(handler: Any, port: int, **options: Any) -> Iterator[Controller]:
    """Run an SMTP server on loopback inside the block."""
    controller = Controller(handler, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield controller
    finally:
        controller.stop()


@pytest.fixture
def catcher(app: Flask, settings: Settings) -> Iterator[Controller]:
    """The built-in catcher."""
    with listening(Keeper(settings), settings.catcher_port, data_size_limit=40_000_000) as controller:
        yield controller
