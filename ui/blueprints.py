"""Everything with URLs, in the order of registration. Only the web process imports this."""

from __future__ import annotations

from flask import Blueprint

import modules.directory.pages
import modules.identity.pages
import modules.inventory.pages
import modules.portals.pbx.pages
import modules.support.calls
import modules.support.memos  # noqa: F401 - list pages
from modules.portals.communicator import screens as communicator
from modules.reporting import screens as reporting
from ui import account, files, health, home, inbox, incidents, instances, live, mail, me, phone, processes, search

BLUEPRINTS: tuple[Blueprint, ...] = (
    home.blueprint,
    inbox.blueprint,
    account.blueprint,
    search.blueprint,
    health.blueprint,
    live.blueprint,
    files.blueprint,
    phone.blueprint,
    processes.blueprint,
    instances.blueprint,
    incidents.blueprint,
    mail.blueprint,
    me.blueprint,
    communicator.blueprint,
    reporting.blueprint,
)
