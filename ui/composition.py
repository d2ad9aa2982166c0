"""The composition root: the one place that knows every module.

Importing it registers all operations, screens and pages; ``compose`` plugs answers into the protocols that lower
rooms declare.
"""

from __future__ import annotations

from flask import Blueprint

import modules.identity.demo
from engine.kernel.settings import Settings
from ui import account, home, search

#: everything with URLs, in the order of registration
BLUEPRINTS: tuple[Blueprint, ...] = (home.blueprint, account.blueprint, search.blueprint)


def compose(settings: Settings) -> None:
    """Plug what lower rooms need from higher ones. Called once by every process."""


def create_demo(settings: Settings) -> None:
    """Add the demo data of every module inside the open unit of work."""
    modules.identity.demo.create_demo(settings)
