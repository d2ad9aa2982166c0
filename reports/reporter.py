"""``python -m reports.reporter``: the socket server in front of the warm Java children.

The server never renders: it hands each request to a child that is free, and replaces a child that takes too long,
stops answering or dies. A request whose child died is tried once more on the next one; a request that ran out of
time is not, because it would do so again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import structlog

from engine.kernel.process import set_up_log
from engine.kernel.settings import Settings, load_settings
from reports.catalogue import JRXML_DIRECTORY, REPORTS
from reports.client import SIZE_LIMIT, socket_path

log = structlog.get_logger()

PROJECT = Path(__file__).resolve().parent.parent
START_S = 120.0
RENDER_S = 60.0
PROBE_S = 6.0
#: an idle child is asked this often whether it still answers
HEARTBEAT_S = 60.0
BACK_OFF_S = (0.0, 1.0, 2.0, 5.0, 15.0, 30.0)

Answer = tuple[dict[str, Any], bytes]


class ChildLost(Exception):
    """The child died or did not answer in time, and was ended."""

    def __init__(self, *, timed_out: bool) -> None:
        super().__init__("timed out" if timed_out else "died")
        self.timed_out = timed_out


class Child:
    """One Java process. Ended as a group, so that nothing it started remains."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.resident_mb = 0

    @classmethod
    async def start(cls, scratch: Path, reports: Path, memory_mb: int) -> Child:
        """Start a child and wait until it has warmed up."""
        scratch.mkdir(parents=True, exist_ok=True)
        names = [name for name in sorted(REPORTS) if (reports / f"{name}.jrxml").exists()]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "reports.jvm", "--reports", str(reports), "--scratch", str(scratch)),
            *("--memory", str(memory_mb), "--warm-up", *names),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=PROJECT,
            env=child_environment(),
            limit=1_000_000,
            start_new_session=True,
        )
        child = cls(process)
        try:
            await asyncio.wait_for(child._read(), START_S)
        except (TimeoutError, OSError, EOFError, ValueError, asyncio.CancelledError) as error:
            await child.end()
            if isinstance(error, asyncio.CancelledError):
                raise
            raise ChildLost(timed_out=isinstance(error, TimeoutError)) from error
        return child

    @property
    def alive(self) -> bool:
        """Whether the process is still there."""
        return self._process.returncode is None

    async def ask(self, line: bytes, timeout: float) -> Answer:
        """Send one request and return the answer. Raises ``ChildLost``; the child is then gone."""
        try:
            return await asyncio.wait_for(self._exchange(line), timeout)
        except (TimeoutError, OSError, EOFError, ValueError) as error:
            await self.end()
            raise ChildLost(timed_out=isinstance(error, TimeoutError)) from error
        except asyncio.CancelledError:
            await self.end()  # its answer would be taken for that of the next request
            raise

    async def _exchange(self, line: bytes) -> Answer:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        await self._process.stdin.drain()
        return await self._read()

    async def _read(self) -> Answer:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise EOFError
        head: dict[str, Any] = json.loads(line)
        body = await self._process.stdout.readexactly(head["size"])
        self.resident_mb = head["resident_mb"]
        return head, body

    async def dies_within(self, seconds: float) -> bool:
        """Wait that long; True as soon as the process has ended."""
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def end(self) -> None:
        """Kill the child and everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()


def child_environment() -> dict[str, str]:
    """Return the little that the child needs: no secrets, and no options that would reach Java from outside."""
    kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME", "LANG", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": str(PROJECT), "MALLOC_ARENA_MAX": "2"}


class Slot:
    """Keeps one child alive and lends it out."""

    def __init__(self, scratch: Path, reports: Path, memory_mb: int) -> None:
        self._scratch, self._reports, self._memory_mb = scratch, reports, memory_mb
        self._lock = asyncio.Lock()
        self._child: Child | None = None
        self.failures = 0
        self.busy_since: float | None = None
        self.retry_at = 0.0

    @property
    def state(self) -> str:
        """``ready``, ``busy`` (with a report) or ``warming`` (Java starts)."""
        if self.busy_since is not None:
            return "busy"
        return "ready" if self._child and self._child.alive else "warming"

    @property
    def resident_mb(self) -> int:
        """Memory of the child after its last answer."""
        return self._child.resident_mb if self._child else 0

    async def ready(self) -> None:
        """Return when a warm child is there."""
        async with self._lock:
            await self._ensure()

    async def ask(self, line: bytes, timeout: float) -> Answer:
        """Have the child answer, once more when it dies on the way. Raises ``ChildLost``."""
        async with self._lock:
            for last in (False, True):
                child = await self._ensure()
                self.busy_since = time.monotonic()
                try:
                    return await child.ask(line, timeout)
                except ChildLost as lost:
                    log.warning("report_child_lost", reason=str(lost))
                    if lost.timed_out or last:
                        raise
                finally:
                    self.busy_since = None
        raise AssertionError("unreachable")

    async def dies_within(self, seconds: float) -> bool:
        """Wait that long; True as soon as the child has died."""
        return self._child is None or await self._child.dies_within(seconds)

    async def end(self) -> None:
        """End the child."""
        if self._child:
            await self._child.end()

    async def _ensure(self) -> Child:
        while not (self._child and self._child.alive):
            await asyncio.sleep(BACK_OFF_S[min(self.failures, len(BACK_OFF_S) - 1)])
            started = time.monotonic()
            try:
                self._child = await Child.start(self._scratch, self._reports, self._memory_mb)
            except ChildLost as lost:
                self.failures += 1
                log.error("report_child_failed", reason=str(lost), failures=self.failures)
            else:
                self.failures = 0
                log.info("report_child_ready", seconds=round(time.monotonic() - started, 1), mb=self.resident_mb)
        return self._child


class Reporter:
    """The server and its children."""

    def __init__(
        self,
        settings: Settings,
        *,
        reports: Path = JRXML_DIRECTORY,
        render_s: float = RENDER_S,
        probe_s: float = PROBE_S,
    ) -> None:
        self._path = socket_path(settings)
        self._scratch = settings.run_dir.absolute() / "reporter"
        self._render_s, self._probe_s = render_s, probe_s
        self._slots = [
            Slot(self._scratch / str(n), reports, settings.report_memory) for n in range(settings.report_children)
        ]
        self._queue: asyncio.Queue[Slot] = asyncio.Queue()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        shutil.rmtree(self._scratch, ignore_errors=True)  # what a killed child left behind
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._serve, str(self._path), limit=SIZE_LIMIT)
        self._path.chmod(0o600)
        for slot in self._slots:
            self._queue.put_nowait(slot)
        watches = [asyncio.create_task(self._watch(slot)) for slot in self._slots]
        log.info("reporter_listens", socket=str(self._path), children=len(self._slots))
        try:
            await stop.wait()
        finally:
            server.close()
            for watch in watches:
                watch.cancel()
            for slot in self._slots:
                await slot.end()
            self._path.unlink(missing_ok=True)

    async def _watch(self, slot: Slot) -> None:
        """Keep a warm child in the slot; when nothing else is asked of it for a while, see whether it answers."""
        while True:
            with contextlib.suppress(ChildLost):
                await slot.ready()
                if not await slot.dies_within(HEARTBEAT_S) and slot.state == "ready":
                    await slot.ask(_PROBE_LINE, self._probe_s)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head, body = await self.answer_one(reader)
            writer.write(json.dumps({"resident_mb": 0, **head, "size": len(body)}).encode() + b"\n" + body)
            await writer.drain()
        except (OSError, ValueError, KeyError) as error:
            log.warning("report_request_dropped", error=str(error))
        finally:
            writer.close()

    async def answer_one(self, reader: asyncio.StreamReader) -> Answer:
        """Read one request and return its answer, whatever happens to the children meanwhile."""
        line = await reader.readline()
        request = json.loads(line)
        if request.get("probe"):
            return await self._probe(), b""
        if request["report"] not in REPORTS:
            return {"ok": False, "code": "report.failed", "message": "not a shipped report"}, b""
        slot = await self._queue.get()
        try:
            return await slot.ask(line, self._render_s)
        except ChildLost as lost:
            message = (
                f"The report took longer than {self._render_s:g} seconds and was stopped. Choose a shorter period."
                if lost.timed_out
                else "The report failed twice because its process ended. Try again in a moment."
            )
            return {"ok": False, "code": "report.timeout" if lost.timed_out else "report.lost", "message": message}, b""
        finally:
            self._queue.put_nowait(slot)

    async def _probe(self) -> dict[str, Any]:
        """Say how the children are; an idle one proves it by doing a report."""
        slot = self._slots[0]
        state, detail = slot.state, f"Java did not start {slot.failures} times" if slot.failures else "Java starts"
        if state == "busy":
            detail = f"a report has been running for {time.monotonic() - (slot.busy_since or 0):.0f} s"
        elif state == "ready":
            began = time.monotonic()
            try:
                await slot.ask(_PROBE_LINE, self._probe_s)
            except ChildLost:
                state, detail = "warming", "Java did not answer and is being restarted"
            else:
                detail = f"an empty report took {time.monotonic() - began:.2f} s"
        return {"ok": True, "state": state, "detail": detail, "resident_mb": slot.resident_mb}


def to_line(request: dict[str, Any]) -> bytes:
    """Return a request as a child reads it."""
    return json.dumps(request).encode() + b"\n"


_PROBE_LINE = to_line({"report": "calls", "format": "csv", "data": {"rows": []}})


def main() -> None:
    """Run the reporter of the deployment that the environment names."""
    settings = load_settings()
    set_up_log(settings.log_level)
    asyncio.run(Reporter(settings).run())


if __name__ == "__main__":
    main()
