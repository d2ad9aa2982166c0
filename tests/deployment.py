"""A whole platform for tests: ``./cms run`` on a temporary data directory and free ports."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import psutil
from circus.client import CircusClient
from circus.exc import CallError
from sqlalchemy import create_engine, text

from engine.kernel.settings import Settings
from tests import support

ROOT = Path(__file__).parents[1]
AGENTS = 3
#: RTP ports of one platform: 200 for rtpengine, then 100 for each agent, at most ten.
RTP_BLOCK = 1_200
_rtp_blocks = count(random.randrange(20))  # suites that run side by side begin elsewhere


class Platform:
    """A running platform. ``settings`` are those in force; ``cms`` calls its command line."""

    def __init__(self, settings: Settings, environment: dict[str, str]) -> None:
        self.settings = settings
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None
        self._engine = create_engine(settings.database)

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.settings.web_port}"

    @property
    def console(self) -> str:
        """What ``./cms run`` has printed so far."""
        path = self.settings.data_dir.with_suffix(".console")
        return path.read_text() if path.exists() else ""

    def log(self, name: str) -> str:
        """Return the log of one process."""
        path = self.settings.log_dir / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def tails(self, lines: int = 12) -> list[tuple[str, str]]:
        """Return the console and the last lines of every log."""
        names = sorted(path.stem for path in self.settings.log_dir.glob("*.log"))
        texts = [("./cms run", self.console), *((name, self.log(name)) for name in names)]
        return [(name, "\n".join(text.splitlines()[-lines:])) for name, text in texts if text.strip()]

    def start(self, timeout: float = 180) -> None:
        """Start it and wait until it serves."""
        with self.settings.data_dir.with_suffix(".console").open("ab") as console:
            self.process = subprocess.Popen(
                [str(ROOT / "cms"), "run"],
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        self.wait_until_ready(timeout)

    def stop(self, timeout: float = 20) -> None:
        """End it as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
        self._engine.dispose()

    def wait_until_ready(self, timeout: float = 120) -> None:
        """Wait for all but the slow reporter. Raises ``AssertionError`` that says what is missing."""
        answer: dict[str, Any] = {}

        def ready() -> bool:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"./cms run ended with {self.process.returncode}:\n{self.console}")
            answer.update(self.readiness())
            return not answer["waiting"] and set(answer["starting"]) <= {"reporter"}

        try:
            support.wait_until(ready, timeout, 0.2, "/readyz")
        except AssertionError as error:
            raise AssertionError(f"{error}: {answer}\n{self.console}") from error

    def wait_for_reporter(self, timeout: float = 90) -> None:
        """Wait until reports are served too: Java takes its time."""
        support.wait_until(lambda: not self.readiness()["starting"], timeout, 0.5, "the reporter")

    def readiness(self) -> dict[str, Any]:
        """Return what ``/readyz`` says; ``web`` is missing when it says nothing."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=20) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            body = error.read()
        except OSError:
            body = b""
        found: dict[str, Any] = orjson.loads(body) if body[:1] == b"{" else {"waiting": ["web"], "starting": []}
        return found

    def cms(self, *args: str | Path, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run ``./cms …`` against it. Raises ``AssertionError`` with the output on a wrong exit code."""
        argv = [str(ROOT / "cms"), *map(str, args)]
        done = subprocess.run(
            argv, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(argv[1:])} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def cms_json(self, *args: str | Path, timeout: float = 120) -> Any:
        """Run ``./cms … --json`` and return what it printed."""
        return orjson.loads(self.cms(*args, "--json", timeout=timeout).stdout)

    def query(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Return the rows of a reading SQL statement."""
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(statement), values).mappings()]

    def pid(self, name: str) -> int:
        """Return the process id of a child, such as ``interactive-1``; wait while it is being started again."""

        def running() -> int | None:
            client = CircusClient(endpoint=f"ipc://{self.settings.run_dir}/supervisor.sock", timeout=5)
            try:
                pids = client.send_message("list", name=name).get("pids", [])
            except CallError:
                return None
            finally:
                client.stop()
            return int(pids[0]) if pids and psutil.pid_exists(pids[0]) else None

        found: int = support.wait_until(running, 15, 0.05, f"process {name}")
        return found

    def kill(self, name: str, signum: int = signal.SIGKILL) -> int:
        """Send a signal to a child and return the process id it had."""
        pid = self.pid(name)
        os.kill(pid, signum)
        return pid


@contextmanager
def platform(database_url: str = "", agents: int = AGENTS, **more: object) -> Iterator[Platform]:
    """Start a platform of its own, with ``more`` settings, and end it."""
    web, sip, ws, rtpengine, catcher = support.free_ports(5)
    agent_port = support.free_ports(agents + 1, consecutive=True)[0]
    rtp_port = 33_000 + next(_rtp_blocks) % 20 * RTP_BLOCK
    with support.short_directory() as directory:
        settings = Settings(
            data_dir=directory / "data",
            database_url=database_url,
            web_port=web,
            sip_port=sip,
            ws_port=ws,
            rtpengine_port=rtpengine,
            catcher_port=catcher,
            agents=agents,
            agent_port=agent_port,
            rtp_port=rtp_port + 200,
            edge_rtp_port=rtp_port,
            edge_rtp_port_end=rtp_port + 199,
        ).model_copy(update=more)
        directory.chmod(0o755)
        given = {f"CMS_{name.upper()}": str(getattr(settings, name)) for name in settings.model_fields_set | set(more)}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CMS_")}
        environment |= given | {"CMS_VENV": sys.prefix, "CMS_CONFIG": str(directory / "cms.toml")}
        running = Platform(settings, environment)
        try:
            running.start()
            yield running
        finally:
            running.stop()
