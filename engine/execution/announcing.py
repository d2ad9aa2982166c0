"""Live news of an advance, for pages that are open."""

from __future__ import annotations

from typing import Any

from engine.execution.advance import Advanced
from engine.execution.state import word_for
from engine.kernel.bus import announce
from engine.semantics.token import Token


def announce_advance(done: Advanced) -> None:
    """Tell open pages where the tokens of an instance are now."""
    tokens = [
        token_news(token) for token in done.machine.tokens.values() if token.role == "token" and not token.node.hidden
    ]
    announce(f"instance:{done.instance_id}", version=done.version, status=done.status, tokens=tokens)
    if done.tasks_changed:
        announce(f"tasks:{done.tenant_id}", instance=done.instance_id)


def token_news(token: Token) -> dict[str, Any]:
    """Return one open token in the shape of ``engine.execution.view``."""
    return {
        "id": token.id,
        "element": token.node.bpmn_id,
        "name": token.node.bpmn_name,
        "type": token.node.type,
        "state": word_for(token.state),
        "since": token.entered_at.isoformat(),
        "from": token.came_from,
    }
