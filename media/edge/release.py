"""Releasing the far ends of a lost agent, through the dialogs that Kamailio keeps."""

from __future__ import annotations

import secrets
from typing import Any

import structlog

from engine.kernel.db import settings_in_force
from engine.kernel.errors import CmsError
from engine.kernel.settings import Settings
from media.edge import rpc

log = structlog.get_logger()

#: Kamailio's states of a dialog: 1 unconfirmed, 2 early, 3 answered, 4 acknowledged, 5 ended
CONFIRMED = 3


def end_dialogs(agent_name: str, settings: Settings | None = None, started_before: float | None = None) -> int:
    """End every dialog of an agent: answered calls by BYE, ringing ones by 480. Return how many there were.

    For an agent that is gone: one that lives would be hung up on as well. When it has come back already,
    ``started_before`` (seconds since 1970) spares the calls of its new life; Kamailio dates them by whole seconds.
    Never raises; a Kamailio that does not answer is logged, and the caller's next try ends what is left.
    """
    settings = settings or settings_in_force()
    try:
        dialogs = agent_dialogs(settings, agent_name)
    except CmsError as error:
        log.warning("dialogs_not_released", agent=agent_name, error=error.message)
        return 0
    if started_before is not None:
        dialogs = [dialog for dialog in dialogs if dialog["init_ts"] < int(started_before)]
    ended = 0
    for dialog in dialogs:
        try:
            if dialog["state"] >= CONFIRMED:
                rpc.call(settings, "dlg.end_dlg", dialog["h_entry"], dialog["h_id"])
            else:
                # answers the caller, and cancels the call where it rings
                rpc.call(settings, "tm.reply_callid", 480, "Agent lost", *_transaction(dialog), secrets.token_hex(8))
            ended += 1
        except CmsError as error:
            # it ended by itself in between, or it goes with its time-out
            log.info("dialog_not_released", agent=agent_name, call_id=dialog.get("call-id"), error=error.message)
    log.info("dialogs_released", agent=agent_name, dialogs=ended)
    return ended


def _transaction(dialog: dict[str, Any]) -> tuple[str, str]:
    """Return what names the INVITE of a dialog that is not yet answered."""
    return dialog["call-id"], dialog["caller"]["cseq"]


def agent_dialogs(settings: Settings, agent_name: str) -> list[dict[str, Any]]:
    """Return the dialogs of an agent as Kamailio describes them. Raises ``TransientError`` when it is silent."""
    found = rpc.call(settings, "dlg.profile_list", "agent", agent_name)
    if isinstance(found, dict):
        found = [found]
    return list(found or [])
