"""``cms process NAME`` (called by the supervisor): become the process of that name.

Every process can also be started by hand, on this machine or another, with the same settings.
"""

from __future__ import annotations

from collections.abc import Callable

import click

from engine.kernel.errors import NotFound
from engine.kernel.process import set_up_log
from engine.kernel.settings import Settings, load_settings

#: Kind of process → what runs it until SIGTERM; it gets the name, such as ``interactive-1``.
KINDS: dict[str, Callable[[Settings, str], None]] = {}


@click.command(hidden=True)
@click.argument("name")
def process(name: str) -> None:
    """Become the process NAME, such as clock or interactive-1."""
    kind = name.rstrip("0123456789").rstrip("-")
    if kind not in KINDS:
        raise NotFound(f"there is no process {name!r}; known: {', '.join(sorted(KINDS))}")
    settings = load_settings()
    set_up_log(settings.log_level)
    KINDS[kind](settings, name)
