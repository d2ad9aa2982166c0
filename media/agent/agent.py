"""The agent: joins the endpoint, its calls and the link to the hosts on one main loop."""

from __future__ import annotations

import functools
import gc
import logging
import secrets
import time

from media.agent.bridge import DialVerb
from media.agent.call import AgentCall, Tools
from media.agent.configuration import RTP_PORTS, Configuration
from media.agent.endpoint import Endpoint, SipAccount
from media.agent.invite import Invite
from media.agent.link import Link
from media.agent.loop import Loop
from media.agent.speech import Renderer
from media.protocol import Acknowledge, Command, Event, Message, Resend

log = logging.getLogger("agent")
LONGEST_TURN = 0.2
COLLECT_SECONDS = 30.0
BUSY_HERE = 486
UNAVAILABLE = 503
#: longest an agent that is told to stop waits for its calls
FAREWELL_SECONDS = 2.0


class Agent:
    """One endpoint and its calls. Implements ``media.agent.endpoint.Observer``."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._loop = Loop(self._wake)
        self._endpoint = Endpoint(self, self._loop.post)
        self._link = Link(configuration, lambda message: self._loop.post(functools.partial(self._receive, message)))
        self._renderer = Renderer(configuration.prompts, self._loop.post)
        self._tools = Tools(configuration, self._endpoint, self._loop, self._renderer, self._link, {})
        self._calls: dict[str, AgentCall] = {}
        self._legs: dict[int, AgentCall] = {}
        self._running = True

    def run(self) -> None:
        """Serve until ``stop``. Raises ``SipError`` when the SIP port is taken."""
        configuration = self._configuration
        self._endpoint.start(
            port=configuration.sip_port,
            bind=configuration.bind,
            rtp_port=configuration.rtp_port,
            rtp_ports=RTP_PORTS,
            account=SipAccount(uri=f"sip:{configuration.name}@127.0.0.1:{configuration.sip_port}"),
            slots=configuration.slots,
        )
        self._link.start()
        self._renderer.start()
        # The cyclic collector would run on whichever thread allocates, and might drop a pjsua2 object there.
        gc.collect()
        gc.freeze()
        gc.disable()
        log.info("%s takes %d calls on SIP port %d", configuration.name, configuration.inbound, configuration.sip_port)
        collected = time.monotonic()
        while self._running:
            self._endpoint.turn(self._loop.pause(LONGEST_TURN))
            self._loop.run()
            self._tidy()
            if time.monotonic() - collected > COLLECT_SECONDS:
                gc.collect()
                collected = time.monotonic()
        self._end_calls()
        self._endpoint.stop()
        self._link.stop()

    def stop(self) -> None:
        """End at the next turn."""
        self._running = False

    def _end_calls(self) -> None:
        """Hang up, and let calls hand in what they have."""
        for leg in list(self._legs):
            self._endpoint.hangup(leg, UNAVAILABLE)
        deadline = time.monotonic() + FAREWELL_SECONDS
        while time.monotonic() < deadline and not all(call.reported for call in self._calls.values()):
            self._endpoint.turn(self._loop.pause(0.02))
            self._loop.run()

    def _wake(self) -> None:
        self._endpoint.wake()

    def _tidy(self) -> None:
        self._link.turned()
        for call in [call for call in self._calls.values() if call.forgettable]:
            del self._calls[call.id]
            self._link.forget(call.id)
        open_calls = [call for call in self._calls.values() if call.state != "ended"]
        self._link.describe(
            self._configuration.inbound - len(open_calls),
            [call.snapshot() for call in self._calls.values() if not call.settled],
        )

    def _receive(self, message: Message) -> None:
        call = self._calls.get(getattr(message, "call", ""))
        match message:
            case Command() if call is None:
                self._deny(message)
            case Command() if call is not None:
                call.obey(message)
            case Acknowledge(seq=seq, epoch=epoch, host=host) if call is not None:
                call.acknowledge(seq, epoch, host)
            case Resend() if call is not None:
                self._link.resend(call.id)

    def _deny(self, command: Command) -> None:
        """Tell the host that the call of its command is not (any more) here."""
        self._link.send_loose(
            command.host,
            Event(
                call=command.call,
                seq=0,
                agent=self._configuration.name,
                boot=self._link.boot,
                event="unknown",
                at=time.time(),
                id=command.id,
                verb=command.action.verb,
                instance=command.instance,
            ),
        )

    # what the endpoint sees

    def incoming(self, leg: int, invite: Invite) -> None:
        """Take a call, or refuse it when the other legs are kept for dialling out: the edge tries the next agent."""
        if len(self._legs) >= self._configuration.inbound:
            self._endpoint.hangup(leg, BUSY_HERE)
            return
        call = AgentCall(self._tools, secrets.token_hex(16), leg, invite)
        self._calls[call.id] = self._legs[leg] = call
        call.begin()

    def progress(self, leg: int, status: int) -> None:
        """A dialled leg rings."""
        verb = self._far_verb(leg)
        if verb is not None:
            verb.progress(status)

    def established(self, leg: int) -> None:
        """A leg is connected."""
        if leg in self._legs:
            self._legs[leg].established()
        elif leg in self._tools.far_legs:
            verb = self._far_verb(leg)
            if verb is not None:
                verb.established()
            else:
                self._endpoint.hangup(leg)

    def digit(self, leg: int, digit: str) -> None:
        """A key was pressed on a leg."""
        if leg in self._legs:
            self._legs[leg].key(digit)
        else:
            verb = self._far_verb(leg)
            if verb is not None:
                verb.far_key(digit)

    def played(self, leg: int, player: int) -> None:
        """A player has come to its end."""
        if leg in self._legs:
            self._legs[leg].played(player)

    def gone(self, leg: int, status: int, reason: str) -> None:
        """A leg is over."""
        if leg in self._legs:
            self._legs.pop(leg).gone(status, reason)
            return
        verb = self._far_verb(leg)
        self._tools.far_legs.pop(leg, None)
        if verb is not None:
            verb.far_gone(status)

    def _far_verb(self, leg: int) -> DialVerb | None:
        """Return the running verb that dialled the leg; None when it has ended meanwhile."""
        call = self._tools.far_legs.get(leg)
        return call.dialling(leg) if call else None
