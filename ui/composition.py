"""The composition root: the one place that knows every module.

Importing it registers all operations, screens and models; ``compose`` plugs answers into the protocols that lower
rooms declare. Pages are in ``ui.blueprints``: only the web process pays for them.
"""

from __future__ import annotations

import engine.api
import engine.kernel.files
import media.edge.accounts
import media.models
import media.operations
import modules.administration
import modules.directory.demo
import modules.identity.demo
import modules.portals.communicator.review
import modules.portals.pbx.demo
import reports.documents.operations  # noqa: F401 - tables, operations, screens
from engine.kernel.settings import Settings
from media.calls import use_applications
from modules.portals.pbx import TenantApplications
from ui.shipped import deploy_shipped


def compose(settings: Settings) -> None:
    """Plug what lower rooms need from higher ones. Called once by every process."""
    use_applications(TenantApplications())
    engine.api.register_sweep(media.edge.accounts.sweep_accounts)


def create_demo(settings: Settings) -> None:
    """Add the demo data of every module inside the open unit of work."""
    modules.identity.demo.create_demo(settings)
    modules.directory.demo.create_demo(settings)
    deploy_shipped()
    modules.portals.pbx.demo.create_demo(settings)
