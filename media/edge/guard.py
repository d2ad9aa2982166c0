"""Runs Kamailio so that it never leaves processes behind: ``python guard.py kamailio ARGUMENTS…``.

Kamailio is a family of some fifteen processes. When its first one is killed outright the others live on, hold the
ports, and no new Kamailio can start. The guard adopts them (it is their reaper) and ends them; when the guard itself
is killed, Kamailio gets SIGTERM from the kernel; and what survives both is found by its command line and ended before
the next start. Imports nothing of the project, so that it is small and starts at once.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
#: seconds Kamailio may take to end its family before it is killed
PATIENCE = 5.0

_libc = ctypes.CDLL(None, use_errno=True)


def relatives(argv: list[str]) -> list[int]:
    """Return the processes of this user that were started by the same command line."""
    wanted = "\0".join(argv).encode() + b"\0"
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if entry.stat().st_uid == os.geteuid() and (entry / "cmdline").read_bytes() == wanted:
                    found.append(int(entry.name))
            except OSError:
                continue  # it ended while we looked
    return found


def end_relatives(argv: list[str]) -> None:
    """Kill what an earlier life left behind, and wait until its ports are free."""
    deadline = time.monotonic() + PATIENCE
    while (left := relatives(argv)) and time.monotonic() < deadline:
        for pid in left:
            _kill(pid, signal.SIGKILL)
        _reap()
        time.sleep(0.02)


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _reap() -> None:
    """Collect ended processes that were handed to us."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def start(argv: list[str]) -> int:
    """Start the program with SIGTERM promised for our own death; return its process id."""
    guard = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != guard:
        os._exit(1)  # the guard died in between, so the promise was made too late
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error}\n")
        os._exit(127)


def main(argv: list[str]) -> int:
    """Run the program until it ends; return its exit status (128 and the signal when it was killed)."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    end_relatives(argv)
    pid = start(argv)

    def forward(number: int, _frame: object) -> None:
        _kill(pid, signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)
    signal.signal(signal.SIGALRM, lambda _number, _frame: _kill(pid, signal.SIGKILL))
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == pid:
            break
    signal.setitimer(signal.ITIMER_REAL, 0)
    end_relatives(argv)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
