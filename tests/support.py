"""Servers and ports for tests: private, on loopback or unix sockets, and gone when the tests are."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

from engine.kernel.process import die_with_parent
from ui.cli.table import redis_program


def wait_until(condition: Callable[[], Any], timeout: float = 10, interval: float = 0.02, what: str = "") -> Any:
    """Return the first true value of ``condition``. Raises ``AssertionError`` after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what or condition} did not come true within {timeout} s")
        time.sleep(interval)


FIRST_PORT, LAST_PORT = 10_000, 30_000
_next_port = random.Random().randrange(FIRST_PORT, LAST_PORT)  # suites that run side by side begin elsewhere


def free_ports(count: int, *, consecutive: bool = False) -> list[int]:
    """Return ports that are free for UDP and TCP on loopback, and that were not given away here before.

    They are outside the range from which the kernel takes ports for clients.
    """
    global _next_port
    found: list[int] = []
    for _ in range(LAST_PORT - FIRST_PORT):
        port = _next_port
        _next_port = port + 1 if port < LAST_PORT else FIRST_PORT
        if _is_free(port):
            found.append(port)
        elif consecutive:
            found.clear()
        if len(found) == count:
            return found
    raise AssertionError(f"no {count} free ports")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def conformance_data(name: str) -> Path:
    """Return the folder of a conformance data set: beside the checkout, or where ``CMS_SHARED_DATA`` says.

    The folder need not exist: the sets are not part of the project.
    """
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("CMS_SHARED_DATA", beside)) / name


def service_user() -> str | None:
    """Return the user that servers run as when the tests run as root, else None."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("cms").pw_name
    except KeyError:
        return "nobody"


def give_to_service_user(path: Path) -> None:
    """Let the service user own ``path``, when the tests run as root."""
    if user := service_user():
        shutil.chown(path, user)


@contextmanager
def short_directory() -> Iterator[Path]:
    """Yield a directory with a name short enough for unix sockets; removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="cms-", dir="/tmp"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def program(argv: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that dies with the tests; ended with SIGTERM, after five seconds with SIGKILL."""
    process = subprocess.Popen([str(item) for item in argv], preexec_fn=die_with_parent, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def redis_server(directory: Path) -> Iterator[str]:
    """Run a private Redis on a unix socket and yield its URL."""
    path = directory / "redis.sock"
    argv = [
        redis_program(),
        "--port",
        "0",
        "--unixsocket",
        path,
        "--unixsocketperm",
        "700",
        "--save",
        "",
        "--dir",
        directory,
    ]
    with program(argv, stdout=subprocess.DEVNULL):
        client = redis.Redis(unix_socket_path=str(path))
        wait_until(lambda: path.exists() and client.ping(), what="redis-server")
        client.close()
        yield f"unix://{path}"


def postgres_program(name: str) -> str:
    """Return the path of a program of PostgreSQL's server, which Debian keeps off the PATH."""
    found = shutil.which(name) or next(iter(sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))), None)
    if found is None:
        raise AssertionError(f"{name} is missing: apt-get install postgresql")
    return found


@contextmanager
def postgres_server(directory: Path) -> Iterator[str]:
    """Run a private PostgreSQL on a unix socket and yield the URL of its maintenance database.

    Like Redis it is never on TCP. Nothing of it is synced to disk: tests kill processes, not machines.
    """
    give_to_service_user(directory)
    data = directory / "pg"
    user = service_user()
    options: dict[str, Any] = {"cwd": directory, "user": user, "extra_groups": []} if user else {"cwd": directory}
    # fmt: off
    initdb = [postgres_program("initdb"), "-D", data, "-U", "cms", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
              "--no-sync", "--no-instructions"]
    subprocess.run([str(item) for item in initdb], check=True, stdout=subprocess.DEVNULL, **options)
    server = [postgres_program("postgres"), "-D", data, "-k", directory, "-c", "listen_addresses=", "-c", "fsync=off",
              "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=64MB",
              "-c", "max_connections=200"]
    # fmt: on
    with (directory / "pg.log").open("wb") as log, program(server, stdout=log, stderr=log, **options) as process:
        wait_until(lambda: _answers(directory), timeout=30, what="postgres")
        yield f"postgresql+psycopg://cms@/postgres?host={directory}"
        process.send_signal(signal.SIGINT)  # a fast shutdown; SIGTERM would wait for open connections


def _answers(directory: Path) -> bool:
    try:
        psycopg.connect(host=str(directory), user="cms", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True
