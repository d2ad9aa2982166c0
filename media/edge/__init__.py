"""The edge: Kamailio (registrar, digest, dispatch to agents, WebSocket) and rtpengine (media of browsers).

``prepare_edge`` writes their configuration and rebuilds Kamailio's database; ``kamailio_command`` and
``rtpengine_command`` say how the supervisor starts them. Both run unprivileged, in the foreground.
"""

from media.edge.accounts import (
    SipAccount,
    delete_account,
    disable_account,
    save_account,
    sweep_accounts,
)
from media.edge.config import kamailio_command, prepare_edge, rtpengine_command
from media.edge.release import end_dialogs

__all__ = [
    "SipAccount",
    "delete_account",
    "disable_account",
    "end_dialogs",
    "kamailio_command",
    "prepare_edge",
    "rtpengine_command",
    "save_account",
    "sweep_accounts",
]
