"""The composition root: the one place that knows every module.

Importing it registers all operations, screens and models; ``compose`` plugs answers into the protocols that lower
rooms declare. Pages are in ``ui.blueprints``: only the web process pays for them.
"""

from __future__ import annotations

import engine.api
import engine.kernel.files  # noqa: F401 - tables
import media.edge.accounts
import media.models
import media.operations  # noqa: F401 - tables and operations
import modules.administration
import modules.directory.demo
import modules.identity.demo
import modules.portals.communicator.review
import reports.documents.operations  # noqa: F401 - tables, operations, screens
from engine.kernel.settings import Settings
from ui.shipped import deploy_shipped


def compose(settings: Settings) -> None:
    """Plug what lower rooms need from higher ones. Called once by every process."""


def create_demo(settings: Settings) -> None:
    """Add the demo data of every module inside the open unit of work."""
    modules.identity.demo.create_demo(settings)
    modules.directory.demo.create_demo(settings)
    deploy_shipped()
