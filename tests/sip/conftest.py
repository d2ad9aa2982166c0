"""A real agent on ports of its own, driven through its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import support
from tests.sip.caller import Phone, Sipp
from tests.sip.driver import Driver, agent


@dataclass
class Bench:
    """An agent, the host that drives it, and ways to call it."""

    directory: Path
    redis_url: str
    port: int
    driver: Driver
    agent: Any
    spare: Iterator[int]

    def phone(self, **plan: Any) -> Phone:
        """Call by the platform's dialler; what it hears is in ``heard.wav``."""
        return Phone(
            target=f"sip:1000@127.0.0.1:{self.port}",
            caller="sip:+4930123456@127.0.0.1",
            **{"record": str(self.directory / "heard.wav"), "max_duration": 40, **plan},
        )

    def sipp(self, xml: str, *options: str) -> Sipp:
        """Call by SIPp."""
        port = next(self.spare)
        service = ["-s", "1000"] if "-s" not in options else []
        return Sipp(
            self.directory, xml, *service, *options, port=port, media_port=port + 4, target=f"127.0.0.1:{self.port}"
        )

    def log(self) -> str:
        """Return what the agent has written."""
        return (self.directory / "agent-1.log").read_text()


@pytest.fixture
def bench(data_dir: Path, redis_server: str) -> Iterator[Bench]:
    """One agent that a host with the name ``interactive-1`` drives."""
    # SIPp takes its SIP port, its media port and the three after that.
    ports = support.free_ports(40)
    with Driver(redis_server) as driver, agent(data_dir, redis_server, ports[0], rtp_port=24_000) as process:
        yield Bench(data_dir, redis_server, ports[0], driver, process, iter(ports[2::8]))
        assert process.poll() in (None, 0, -9), f"the agent ended with {process.returncode}"
