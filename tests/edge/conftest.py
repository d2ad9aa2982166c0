"""A real Kamailio, unprivileged, on ports of its own, with user agents that tests drive by hand."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from engine.kernel.db import unit_of_work
from engine.kernel.errors import CmsError
from engine.kernel.settings import Settings
from engine.kernel.types import Secret
from media.edge import kamailio_command, prepare_edge
from media.edge.accounts import SipAccount, save_account
from media.edge.probe import dispatcher_states
from media.edge.rpc import call as rpc
from tests import support
from tests.edge.sip import UserAgent

PASSWORD = "correct horse battery"
TENANT = "t" * 32


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The deployment of a test, with three agents on free ports."""
    ports = support.free_ports(50, consecutive=True)
    names = ("web_port", "sip_port", "ws_port", "rtpengine_port", "catcher_port", "agent_port")
    more = {"agents": 3, "edge_rtp_port": ports[10], "edge_rtp_port_end": ports[-1]}
    return settings.model_copy(update={**more, **dict(zip(names, ports, strict=False))})


@dataclass
class Edge:
    """A running Kamailio and everything that talks to it."""

    settings: Settings
    stack: ExitStack = field(default_factory=ExitStack)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.settings.log_dir / "kamailio.log").read_text()

    def start(self) -> None:
        prepare_edge(self.settings)
        self.settings.log_dir.mkdir(exist_ok=True)
        give_away(self.settings.data_dir)
        with (self.settings.log_dir / "kamailio.log").open("ab") as log:
            self.process = self.stack.enter_context(unprivileged(kamailio_command(self.settings), stderr=log))
        self.wait_until_up()

    def restart(self) -> None:
        """Stop Kamailio as the supervisor does, and start it again."""
        assert self.process
        self.process.terminate()
        self.process.wait(8)
        self.start()

    def wait_until_up(self) -> None:
        try:
            support.wait_until(lambda: answers(self.settings), what="kamailio")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log[-4000:]}") from error

    def agent(self, number: int, **options: Any) -> UserAgent:
        """An agent's SIP socket."""
        port = self.settings.agent_port + number
        return self.stack.enter_context(UserAgent(self.settings.sip_port, port, **options))

    def phone(self, **options: Any) -> UserAgent:
        """A phone, or anything else that sends SIP."""
        return self.stack.enter_context(UserAgent(self.settings.sip_port, **options))

    def family(self) -> list[int]:
        """Kamailio's processes that are alive, without the guard; zombies have no command line."""
        assert self.process
        wanted = "\0".join(self.process.args[3:]).encode() + b"\0"  # type: ignore[index]
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    if (entry / "cmdline").read_bytes() == wanted:
                        found.append(int(entry.name))
        return found

    def loads(self) -> dict[str, int]:
        """How many calls each agent carries by Kamailio's count."""
        return {name: item["load"] for name, item in self.agents().items()}

    def agents(self) -> dict[str, dict[str, Any]]:
        return dispatcher_states(self.settings)


def answers(settings: Settings) -> bool:
    """Whether Kamailio answers its management socket."""
    try:
        return bool(rpc(settings, "core.uptime", timeout=0.2))
    except CmsError:
        return False


def give_away(path: Path) -> None:
    """Let the service user own ``path`` and everything below it."""
    for item in (path, *path.rglob("*")):
        support.give_to_service_user(item)


@contextmanager
def unprivileged(argv: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program as the service user."""
    user = support.service_user()
    more = {"user": user, "group": os.stat("/").st_gid, "extra_groups": []} if user else {}
    with support.program(argv, **more, **options) as process:
        yield process


@pytest.fixture
def edge(app: Flask, settings: Settings) -> Iterator[Edge]:
    """A running Kamailio without agents."""
    running = Edge(settings)
    with running.stack:
        running.start()
        yield running


@pytest.fixture
def account(app: Flask) -> Callable[..., SipAccount]:
    """Make an account with the password of the tests."""

    def make(username: str, **values: Any) -> SipAccount:
        with unit_of_work():
            new = SipAccount(tenant_id=TENANT, username=username, number=values.pop("number", username), **values)
            return save_account(new, Secret(PASSWORD))

    return make
