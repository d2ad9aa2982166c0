"""One call in its agent: takes commands, runs their verbs one after the other, numbers what it reports."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from media.agent.bridge import DialVerb
from media.agent.configuration import Configuration
from media.agent.endpoint import Endpoint, SipError
from media.agent.invite import Invite
from media.agent.link import Link
from media.agent.loop import Loop
from media.agent.speech import Renderer
from media.agent.verbs import CollectVerb, PlayVerb, RecordVerb, Verb
from media.protocol import Answer, Cancel, Collect, Command, Dial, Event, Hangup, Play, Record, Reject, SendDtmf

log = logging.getLogger("call")
KEYS_KEPT = 32
#: a caller hears ringing no longer than this when no host takes the call
UNCLAIMED_SECONDS = 10.0
#: an ended call that no host has taken is reported this long
UNKNOWN_SECONDS = 5.0
#: an ended call answers repeated commands this long after everything was acknowledged
REMEMBER_SECONDS = 10.0
VERBS: dict[str, type[Verb]] = {
    Play.verb: PlayVerb,
    Collect.verb: CollectVerb,
    Record.verb: RecordVerb,
    Dial.verb: DialVerb,
}
#: tells the edge that the application refuses, so that it does not try another agent
REFUSED = (("X-CMS-Refused", "process"),)
ENDED = {"kind": "business", "code": "call.ended", "message": "The caller has hung up."}


@dataclass(slots=True)
class Tools:
    """What all calls of an agent share."""

    configuration: Configuration
    endpoint: Endpoint
    loop: Loop
    renderer: Renderer
    link: Link
    #: legs that calls have dialled, so that the agent finds whom an event concerns
    far_legs: dict[int, AgentCall]


@dataclass(slots=True)
class _Kept:
    """A command that was taken in; ``data`` once it was answered, in the event ``seq``."""

    command: Command
    data: dict[str, Any] | None = None
    seq: int = 0


class AgentCall:
    """A call that came in. Implements ``media.agent.verbs.Line``."""

    def __init__(self, tools: Tools, call_id: str, leg: int, invite: Invite) -> None:
        self.id = call_id
        self.leg = leg
        self.tools = tools
        self.endpoint, self.loop, self.renderer = tools.endpoint, tools.loop, tools.renderer
        self.keys: deque[str] = deque(maxlen=KEYS_KEPT)
        self.state = "ringing"
        self.epoch = 0
        self.seq = 0
        self.acknowledged_seq = 0
        self.forgettable = False
        self._invite = invite
        self._kept: dict[str, _Kept] = {}
        self._cancelled: set[str] = set()
        self._waiting: deque[Verb] = deque()
        self._running: Verb | None = None
        self._answering: Command | None = None
        self._began = time.time()
        self._established_at: float | None = None
        self._end: dict[str, Any] | None = None
        self._cause = ""

    def begin(self) -> None:
        """Let the caller hear ringing, and report the call."""
        self.endpoint.respond(self.leg, 180)
        invite = self._invite
        self._report(
            "incoming",
            {
                "from": invite.from_number,
                "to": invite.to_number,
                "account": invite.account,
                "sip_call_id": invite.sip_call_id,
            },
        )
        self.loop.after(UNCLAIMED_SECONDS, self._give_up_if_unclaimed)

    @property
    def reported(self) -> bool:
        """Whether the call is over and its end was reported."""
        return self.state == "ended" and self._end is None

    @property
    def settled(self) -> bool:
        """Whether the call is over and a host has everything of it."""
        return self.reported and self.acknowledged_seq >= self.seq

    def snapshot(self) -> dict[str, Any]:
        """Return what the sign of life says of this call."""
        doing = self._running.command.action.verb if self._running else ""
        return {"id": self.id, "state": self.state, "seq": self.seq, "doing": doing, "since": round(self._began, 3)}

    # from hosts

    def obey(self, command: Command) -> None:
        """Take in a command, once."""
        if command.epoch < self.epoch:
            log.warning("call %s: refused %s of epoch %d, now %d", self.id, command.id, command.epoch, self.epoch)
            return
        self._belong(command.host, command.epoch)
        if isinstance(command.action, Cancel):
            self._cancel(command.action.target)
            return
        if command.id in self._cancelled:
            return
        kept = self._kept.get(command.id)
        if kept is not None:
            self._repeat(kept)
            return
        self._kept[command.id] = _Kept(command)
        if self.state == "ended":
            self._reply(command, {"error": ENDED})
        else:
            self._execute(command)

    def acknowledge(self, seq: int, epoch: int, host: str) -> None:
        """A host has committed everything up to ``seq``."""
        if epoch >= self.epoch:
            self._belong(host, epoch)
        self.acknowledged_seq = max(self.acknowledged_seq, seq)
        self.tools.link.acknowledged(self.id, seq)
        if self.settled:
            self.loop.after(REMEMBER_SECONDS, self._may_be_forgotten)

    def _may_be_forgotten(self) -> None:
        self.forgettable = self.acknowledged_seq >= self.seq

    def _belong(self, host: str, epoch: int) -> None:
        self.epoch = epoch
        self.tools.link.own(self.id, host)

    def _execute(self, command: Command) -> None:
        match command.action:
            case Answer():
                self._answer(command)
            case Reject(status=status):
                self._cause = "rejected"
                self._reply(command, {"result": {}})
                self.endpoint.hangup(self.leg, status, REFUSED)
            case Hangup():
                self._cause = self._cause or "hangup"
                self._reply(command, {"result": {}})
                self.endpoint.hangup(self.leg, 0 if self._established_at else 603)
            case SendDtmf(digits=digits):
                self.endpoint.press(self.leg, digits)
                self._reply(command, {"result": {}})
            case action:
                if self._established_at is None:
                    message = "Nothing can be heard before the call is answered: put call.answer first."
                    error = {"kind": "fault", "code": "call.not_answered", "message": message}
                    self._reply(command, {"error": error})
                    return
                self._waiting.append(VERBS[action.verb](self, command))
                self._next()

    def _answer(self, command: Command) -> None:
        if self._established_at is not None:
            self._reply(command, {"result": {}})
        else:
            self._answering = command
            self.endpoint.respond(self.leg, 200)

    def _cancel(self, target: str) -> None:
        self._cancelled.add(target)
        self._waiting = deque(verb for verb in self._waiting if verb.command.id != target)
        verb = self._running
        if verb is not None and verb.command.id == target and not verb.over:
            verb.cancel()
            self._running = None
            self._next()

    def _repeat(self, kept: _Kept) -> None:
        # An answer that is still unacknowledged is sent again by the link anyway.
        if kept.data is not None and kept.seq <= self.acknowledged_seq:
            self._reply(kept.command, kept.data)

    # from the endpoint

    def established(self) -> None:
        """The caller is connected."""
        self.state, self._established_at = "talking", time.monotonic()
        self._report("answered", {})
        if self._answering is not None:
            self._reply(self._answering, {"result": {}})
            self._answering = None

    def key(self, digit: str) -> None:
        """The caller pressed a key."""
        if self._running is None or not self._running.key(digit):
            self.keys.append(digit)

    def played(self, player: int) -> None:
        """A player has come to its end."""
        if self._running is not None:
            self._running.played(player)

    def gone(self, status: int, reason: str) -> None:
        """The caller's leg is over: hand in what is running, then report the end."""
        self.state = "ended"
        answered = self._established_at is not None
        seconds = time.monotonic() - self._established_at if self._established_at is not None else 0.0
        if not self._cause:
            self._cause = _cause(status, answered=answered)
        self._end = {
            "cause": self._cause,
            "status": status,
            "reason": reason,
            "answered": answered,
            "duration_s": round(seconds, 2),
        }
        if self.epoch == 0:
            self.loop.after(UNKNOWN_SECONDS, self._forget_if_unclaimed)
        if isinstance(self._running, RecordVerb | DialVerb):
            self._running.line_gone()
        self._finish_end()

    def dialling(self, leg: int) -> DialVerb | None:
        """Return the running verb if it has dialled ``leg``."""
        return self._running if isinstance(self._running, DialVerb) and self._running.far_leg == leg else None

    # for verbs

    def finished(self, verb: Verb, data: dict[str, Any]) -> None:
        """A verb is over."""
        if data.get("error", {}).get("code") == "call.ended" and self._end is not None:
            # Whoever waits for this is to hear of the end first.
            self._waiting.appendleft(verb)
        else:
            self._reply(verb.command, data)
        if self._running is verb:
            self._running = None
        if self._end is not None:
            self._finish_end()
        else:
            self._next()

    def reach(self, target: str, caller: str) -> int:
        """Ring ``target`` through the edge. Raises ``SipError``."""
        edge = f"127.0.0.1:{self.tools.configuration.edge_port}"
        number = caller or self._invite.from_number or "anonymous"
        leg = self.endpoint.call(f"sip:{target}@{edge}", caller_uri=f"sip:{number}@{edge}")
        self.tools.far_legs[leg] = self
        return leg

    def release(self, leg: int) -> None:
        """End a leg that ``reach`` made."""
        self.endpoint.hangup(leg)

    def _next(self) -> None:
        while self._running is None and self._waiting and self.state != "ended":
            verb = self._waiting.popleft()
            self._running = verb
            try:
                verb.start()
            except (SipError, OSError) as error:
                verb.fail("fault", "call.failed", str(error))

    def _finish_end(self) -> None:
        if self._end is None or isinstance(self._running, RecordVerb | DialVerb):
            return
        if self._running is not None:
            self._waiting.appendleft(self._running)
            self._running.cancel()
            self._running = None
        end, self._end = self._end, None
        self._report("ended", end)
        for command in [self._answering, *(verb.command for verb in self._waiting)]:
            if command is not None:
                self._reply(command, {"error": ENDED})
        self._waiting.clear()

    def _give_up_if_unclaimed(self) -> None:
        if self.epoch == 0 and self.state == "ringing":
            log.warning("call %s: no host has taken it", self.id)
            self._cause = "unavailable"
            self.endpoint.hangup(self.leg, 503)

    def _forget_if_unclaimed(self) -> None:
        # Nobody shall begin with a call that was over long ago. A host that did take it sees that it is gone.
        self.forgettable = self.epoch == 0

    # to hosts

    def _reply(self, command: Command, data: dict[str, Any]) -> None:
        kept = self._kept.get(command.id)
        event = self._report("result", data, command)
        if kept is not None:
            kept.data, kept.seq = data, event.seq

    def _report(self, event: str, data: dict[str, Any], command: Command | None = None) -> Event:
        self.seq += 1
        report = Event(
            call=self.id,
            seq=self.seq,
            agent=self.tools.configuration.name,
            boot=self.tools.link.boot,
            event=event,
            at=time.time(),
            id=command.id if command else "",
            verb=command.action.verb if command else "",
            instance=command.instance if command else "",
            data=data,
        )
        self.tools.link.send(report)
        return report


def _cause(status: int, *, answered: bool) -> str:
    if answered:
        return "hangup" if status in (0, 200) else "failed"
    return {487: "cancelled", 0: "cancelled"}.get(status, "failed")
