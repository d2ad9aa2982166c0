"""The host's ear for calls: takes in what agents report, and watches over agents that say nothing."""

from __future__ import annotations

import fcntl
import os
import platform
import secrets
import time
from collections.abc import Callable
from itertools import count
from typing import TypeAlias

import redis
import structlog
from sqlalchemy import select

from engine import api
from engine.kernel.bus import bus
from engine.kernel.db import db, unit_of_work
from media.arrivals import end_lost_call, take_in
from media.calls import lock_call, tell
from media.carrier import MediaCarrier
from media.edge import end_dialogs
from media.models import ONGOING, Call
from media.protocol import (
    AGENTS,
    FIELD,
    HOST_SILENCE,
    HOSTS,
    Command,
    Event,
    Hangup,
    ProtocolError,
    Sign,
    Watch,
    decode,
    inbox_stream,
)

log = structlog.get_logger()
#: seconds of silence after which an agent is given up when its process cannot be looked at
AGENT_SILENCE = 3.0
#: and when its process is seen to live: it is stuck
STUCK_SILENCE = 8.0
#: signs of an agent without the call before the call is given up
MISSING_SIGNS = 3


Release: TypeAlias = Callable[[str, float | None], object]


class CallListener:
    """Implements ``engine.api.Listener`` for one host."""

    def __init__(self, host: str, release: Release) -> None:
        self._host = host
        self._release = release
        self._sign = Sign(boot=secrets.token_hex(8), beat=0, pid=os.getpid(), machine=platform.node())
        self._beats = count(1)
        self._agents = Watch()
        self._hosts = Watch()
        #: since when the signs could be seen
        self._began = time.monotonic()
        self._missing: dict[str, set[int]] = {}
        self._idle: set[str] = set()
        self._released: set[tuple[str, str]] = set()

    def stream(self, host: str) -> str:
        """Return the stream that the host reads for us."""
        return inbox_stream(host)

    def deliver(self, entry: dict[bytes, bytes]) -> None:
        """Take in one entry of the stream, inside the host's unit of work."""
        try:
            event = decode(entry[FIELD.encode()])
        except (ProtocolError, KeyError) as error:
            log.error("event_malformed", error=str(error))
            return
        if isinstance(event, Event):
            take_in(event, self._host)

    def tick(self) -> None:
        """Give a sign of life, and end the calls whose agent is gone."""
        now = time.monotonic()
        self._exchange_signs(now)
        with unit_of_work(write=False):
            ongoing = list(db.session.scalars(select(Call).where(Call.state.in_(ONGOING))))
            instances = {call.instance_id for call in ongoing if call.owner == self._host and call.instance_id}
            statuses = api.statuses(instances) if instances else {}
        watched = [call for call in ongoing if self._is_ours(call, now)]
        self._end_lost(watched, now)
        self._hang_up_unattended([call for call in watched if call.owner == self._host], statuses)

    def _exchange_signs(self, now: float) -> None:
        sign = Sign(self._sign.boot, next(self._beats), pid=self._sign.pid, machine=self._sign.machine)
        try:
            with bus().pipeline(transaction=False) as pipe:
                pipe.hset(HOSTS, self._host, sign.encode())
                pipe.hgetall(HOSTS)
                pipe.hgetall(AGENTS)
                _, hosts, agents = pipe.execute()
        except redis.RedisError as error:
            log.warning("signs_unseen", error=str(error))
            self._hosts.blind(now)
            self._agents.blind(now)
            self._began = now
            return
        self._hosts.look(_signs(hosts), now)
        self._agents.look(_signs(agents), now)

    def _is_ours(self, call: Call, now: float) -> bool:
        """Whether to look after the call: it is owned here, or by a host that says nothing any more."""
        if call.owner == self._host:
            return True
        silence = self._hosts.silence(call.owner, now)
        return (now - self._began if silence is None else silence) > HOST_SILENCE

    # agents

    def _end_lost(self, calls: list[Call], now: float) -> None:
        by_life: dict[tuple[str, str], list[str]] = {}
        for call in calls:
            if self._is_lost(call, now):
                by_life.setdefault((call.agent, call.agent_boot), []).append(call.id)
        for (agent, boot), call_ids in by_life.items():
            if (agent, boot) not in self._released and self._life_is_over(agent, boot, now):
                # Far ends hear silence until this is done; the database can wait for a moment.
                self._released.add((agent, boot))
                sign = self._agents.sign(agent)
                self._release(agent, sign.started if sign and sign.boot != boot else None)
            for call_id in call_ids:
                with unit_of_work():
                    lost = lock_call(call_id)
                    if lost is not None:
                        end_lost_call(lost)
        self._missing = {call.id: self._missing[call.id] for call in calls if call.id in self._missing}

    def _is_lost(self, call: Call, now: float) -> bool:
        if self._life_is_over(call.agent, call.agent_boot, now):
            return True
        sign = self._agents.sign(call.agent)
        if sign is None or any(known["id"] == call.id for known in sign.calls):
            self._missing.pop(call.id, None)
            return False
        # The agent lives and does not know the call: not yet, or not any more.
        beats = self._missing.setdefault(call.id, set())
        beats.add(sign.beat)
        return len(beats) > MISSING_SIGNS

    def _life_is_over(self, agent: str, boot: str, now: float) -> bool:
        sign = self._agents.sign(agent)
        silence = self._agents.silence(agent, now)
        if sign is None or silence is None:
            return now - self._began > AGENT_SILENCE
        if sign.boot != boot:
            return True
        alive = _process_lives(sign)
        if alive is None:
            return silence > AGENT_SILENCE
        return not alive or silence > STUCK_SILENCE

    def _hang_up_unattended(self, calls: list[Call], statuses: dict[str, str]) -> None:
        """Hang up on callers whose instance has ended without doing so; a tick late: hanging up takes a moment."""
        idle = {
            call.id
            for call in calls
            if call.instance_id and statuses.get(call.instance_id) in (None, "completed", "cancelled")
        }
        for call in calls:
            if call.id in idle & self._idle:
                tell(call.agent, Command(f"unattended:{call.id}", call.id, call.epoch, self._host, Hangup()))
        self._idle = idle


def _signs(raw: dict[bytes, bytes]) -> dict[str, Sign]:
    signs: dict[str, Sign] = {}
    for name, text in raw.items():
        try:
            signs[name.decode()] = Sign.decode(text)
        except ProtocolError as error:
            log.warning("sign_malformed", name=name.decode(), error=str(error))
    return signs


def _process_lives(sign: Sign) -> bool | None:
    """Whether the agent's process lives, seen by its lock; None when it runs elsewhere."""
    if sign.machine != platform.node() or not sign.lock:
        return None
    try:
        descriptor = os.open(sign.lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def release_far_ends(agent: str, before: float | None) -> None:
    """End, at the edge, the far ends of an agent's former life: dialogs that began before the instant, or all."""
    end_dialogs(agent, started_before=before)


def serve_calls(host: str, release: Release = release_far_ends) -> CallListener:
    """Make this process serve calls as ``host``: carry media commands, and listen."""
    api.register_carrier("media", MediaCarrier(host).send)
    return CallListener(host, release)
