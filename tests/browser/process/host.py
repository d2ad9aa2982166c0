"""``python -m tests.browser.process.host``: a real interactive host that also knows the tests' operations."""

from __future__ import annotations

import tests.browser.process.operations  # noqa: F401 - registers operations
import ui.composition
from engine import api
from engine.kernel.settings import load_settings

if __name__ == "__main__":
    settings = load_settings()
    ui.composition.compose(settings)
    api.run_host(settings, name="interactive-1", kind="interactive", listeners=[])
