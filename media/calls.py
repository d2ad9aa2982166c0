"""Calls and their leases: who owns a call, who answers a number, what its agent is told.

A call is owned by one host. The lease, ``owner`` and ``epoch`` of its row, follows the process instance: the host that
wants to command the call, or that an agent turned to because the owner was silent, takes it with the next epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import redis
import structlog
from sqlalchemy import select

from engine.kernel.bus import announce, bus
from engine.kernel.db import after_commit, db
from engine.kernel.errors import ConfigurationError
from media.models import Call
from media.protocol import FIELD, STREAM_LIMIT, Message, agent_stream, encode

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Target:
    """The application that answers a number. Exactly one of ``process_id`` (newest version) and ``definition_id``."""

    tenant_id: str
    application_id: str
    name: str
    process_id: str | None = None
    definition_id: str | None = None
    #: what the customer filled in
    parameters: dict[str, Any] = field(default_factory=dict)


class Applications(Protocol):
    """Answers that a higher room gives: which application a number belongs to, which account an extension."""

    def resolve(self, number: str, caller: str, account: str) -> Target | None:
        """Return who answers ``number`` for this caller and authenticated SIP account; None: nobody."""

    def dial_address(self, tenant_id: str, target: str) -> str | None:
        """Return the SIP user behind a tenant's extension or number; None: there is none."""


_applications: Applications | None = None


def use_applications(applications: Applications) -> None:
    """Plug in the answers; called by the composition root."""
    global _applications
    _applications = applications


def applications() -> Applications:
    """Return what was plugged in. Raises ``ConfigurationError`` before that."""
    if _applications is None:
        raise ConfigurationError("nobody answers numbers: the composition root has not called use_applications")
    return _applications


def lock_call(call_id: str) -> Call | None:
    """Return the call and keep other units of work from changing it until this one ends."""
    # SQLite has one writer anyway and ignores this.
    return db.session.scalar(select(Call).where(Call.id == call_id).with_for_update())


def take_lease(call: Call, host: str) -> None:
    """Make ``host`` the call's owner."""
    if call.owner != host:
        log.info("lease_taken", call=call.id, host=host, before=call.owner, epoch=call.epoch + 1)
        call.owner, call.epoch = host, call.epoch + 1


def tell(agent: str, *messages: Message) -> bool:
    """Write to an agent and say whether that worked.

    What Redis loses is said again: commands by the sweep, acknowledgements when the agent repeats itself.
    """
    try:
        with bus().pipeline(transaction=False) as pipe:
            for message in messages:
                pipe.xadd(agent_stream(agent), {FIELD: encode(message)}, maxlen=STREAM_LIMIT, approximate=True)
            pipe.execute()
    except redis.RedisError as error:
        log.warning("agent_not_told", agent=agent, messages=len(messages), error=str(error))
        return False
    return True


def tell_after_commit(agent: str, message: Message) -> None:
    """Write to an agent once this unit of work has committed."""

    def send() -> None:
        tell(agent, message)

    after_commit(send)


def announce_after_commit(call: Call) -> None:
    """Send the call's state to open pages once this unit of work has committed."""
    topic, call_id, state = f"calls:{call.tenant_id}", call.id, call.state
    after_commit(lambda: announce(topic, call=call_id, state=state))
