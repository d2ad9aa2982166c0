"""The carrier of media commands: from the outbox of the host that runs the instance to the agent of the call."""

from __future__ import annotations

from collections import defaultdict

import structlog
from sqlalchemy import select

from engine import api
from engine.kernel.db import db, unit_of_work
from engine.kernel.errors import TransientError
from media.calls import lock_call, take_lease, tell
from media.models import Call
from media.protocol import Command, Message, ProtocolError, action_from

log = structlog.get_logger()


class MediaCarrier:
    """Sends the outbox rows of kind ``media`` for one host."""

    def __init__(self, host: str) -> None:
        self._host = host

    def send(self, rows: list[api.Outbox]) -> None:
        """Send each row's command; commands for calls that are over are answered here.

        Raises ``TransientError`` when Redis is away: the sweep tries again.
        """
        calls = self._leased({str(row.payload["call"]) for row in rows})
        messages: dict[str, list[Message]] = defaultdict(list)
        for row in rows:
            call = calls.get(str(row.payload["call"]))
            if call is None or call.state == "ended":
                self._answer_ended(row)
                continue
            try:
                action = action_from(row.payload["verb"], row.payload["arguments"])
            except ProtocolError as error:
                log.error("command_malformed", outbox=row.id, error=str(error))
                continue
            messages[call.agent].append(Command(row.key, call.id, call.epoch, self._host, action, row.instance_id))
        told = [tell(agent, *commands) for agent, commands in messages.items()]
        if not all(told):
            raise TransientError("Not every agent could be told: Redis is away.")

    def _leased(self, call_ids: set[str]) -> dict[str, Call]:
        """Return the calls, all owned by this host: it runs their instances."""
        with unit_of_work(write=False):
            calls = {call.id: call for call in db.session.scalars(select(Call).where(Call.id.in_(call_ids)))}
        if all(call.owner == self._host or call.state == "ended" for call in calls.values()):
            return calls
        with unit_of_work():
            for call_id in calls:
                call = lock_call(call_id)
                if call is not None:
                    take_lease(call, self._host)
                    calls[call_id] = call
        return calls

    @staticmethod
    def _answer_ended(row: api.Outbox) -> None:
        verb = row.payload["verb"]
        if verb == "cancel":
            return
        ended = api.Failure("business", "call.ended", "The caller has hung up.")
        with unit_of_work():
            api.resume(
                row.instance_id,
                row.token_id,
                row.attempt,
                result={} if verb == "hangup" else None,
                error=None if verb == "hangup" else ended,
                key=f"answer:{row.key}",
            )
