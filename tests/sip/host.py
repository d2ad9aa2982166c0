"""``python -m tests.sip.host interactive-1``: a real host whose number 1000 is answered by the test's process."""

from __future__ import annotations

import sys

import media.operations  # noqa: F401 - registers call.*
from engine.api import run_host
from engine.kernel.process import set_up_log
from engine.kernel.settings import load_settings
from media.calls import Target, use_applications
from media.listener import serve_calls

TENANT = "a" * 32


class Numbers:
    """Answers every number with the process ``echo``."""

    def resolve(self, number: str, caller: str, account: str) -> Target | None:
        """Answer with the newest version."""
        return Target(TENANT, "b" * 32, "Echo", process_id="echo")

    def dial_address(self, tenant_id: str, target: str) -> str | None:
        """Know nobody."""
        return None


if __name__ == "__main__":
    settings = load_settings()
    set_up_log(settings.log_level)
    use_applications(Numbers())
    run_host(settings, name=sys.argv[1], kind="interactive", listeners=[serve_calls(sys.argv[1])])
