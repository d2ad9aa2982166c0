"""Probes of the edge for the doctor: each asks a component to do its work, not whether it has a pid."""

from __future__ import annotations

from typing import Any

from engine.kernel.settings import Settings
from media.edge import rpc


def dispatcher_states(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return Kamailio's view of each agent by name. Raises ``TransientError`` when Kamailio is silent."""
    sets = rpc.call(settings, "dispatcher.list").get("RECORDS", [])
    targets = [item["DEST"] for record in sets for item in record["SET"]["TARGETS"]]
    return {
        item["ATTRS"]["DUID"]: {
            "address": item["URI"].removeprefix("sip:"),
            "active": item["FLAGS"].startswith("A"),
            "load": item["RUNTIME"]["DLGLOAD"],
            "maximum": item["ATTRS"]["MAXLOAD"],
        }
        for item in targets
    }
