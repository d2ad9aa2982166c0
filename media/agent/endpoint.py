"""The SIP endpoint: pjsua2 behind plain numbers. Nothing else imports pjsua2.

pjsua2 aborts the process when it is misused, so its rules are kept here and nowhere else:

- one thread makes, uses and drops every object; only ``onEof2`` comes on another one, and it only posts a job;
- a ``pj.Call`` has one strong reference, in ``_calls``, which goes inside the callback of its end: pjsua2 uses its few
  call ids again at once, and a late destructor would hang up the next call. Everybody else has the *leg*, our number;
- a player is destroyed half a second after it was stopped, when no event of it can be queued any more;
- no reference cycles, and the cyclic collector runs on this thread only;
- no exception leaves a callback.
"""

from __future__ import annotations

import functools
import itertools
import logging
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pjsua2 as pj

from media.agent.invite import Invite, parse_invite

log = logging.getLogger("endpoint")
F = TypeVar("F", bound=Callable[..., Any])
GRAVE_SECONDS = 0.5
#: pjsua2 takes things off its conference bridge with the audio clock, so it runs on for a while
IDLE_SECONDS = 3.0
#: pjsua2's ioqueue keeps closed sockets for half a second and aborts when its 64 are used up
SETUPS_PER_SECOND = 10


class SipError(Exception):
    """pjsua2 refused to do it."""


class Observer(Protocol):
    """Who is told what happens to legs, on the main thread."""

    def incoming(self, leg: int, invite: Invite) -> None:
        """A call wants to come in."""

    def progress(self, leg: int, status: int) -> None:
        """The far end of an outgoing leg rings (180) or sends early audio (183)."""

    def established(self, leg: int) -> None:
        """The leg is answered and its audio flows."""

    def digit(self, leg: int, digit: str) -> None:
        """The far end pressed a key."""

    def played(self, leg: int, player: int) -> None:
        """A player has come to its end."""

    def gone(self, leg: int, status: int, reason: str) -> None:
        """The leg is over."""


@dataclass(frozen=True, slots=True)
class SipAccount:
    """Who we are to the edge. Without a password calls go out unauthenticated, as those of agents do."""

    uri: str
    username: str = ""
    password: str = ""
    proxy: str = ""


def guarded(method: F) -> F:
    """Keep exceptions inside a callback: one that gets out would keep its frame, and with it the call, alive."""

    @functools.wraps(method)
    def call(*arguments: Any) -> None:
        try:
            method(*arguments)
        except Exception:
            log.exception("callback %s failed", method.__name__)

    return call  # type: ignore[return-value]


class _Call(pj.Call):
    def __init__(self, endpoint: Endpoint, leg: int, call_id: int = -1) -> None:
        super().__init__(endpoint.account, call_id)
        self.endpoint, self.leg, self.established = endpoint, leg, False

    @guarded
    def onCallState(self, prm: Any) -> None:  # noqa: N802
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.endpoint.release(self.leg)
            self.endpoint.observer.gone(self.leg, info.lastStatusCode, info.lastReason)
        elif info.state == pj.PJSIP_INV_STATE_EARLY and info.role == pj.PJSIP_ROLE_UAC:
            self.endpoint.observer.progress(self.leg, info.lastStatusCode)
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self._established_now()

    @guarded
    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        self._established_now()

    @guarded
    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        self.endpoint.observer.digit(self.leg, prm.digit)

    def _established_now(self) -> None:
        info = self.getInfo()
        if self.established or info.state != pj.PJSIP_INV_STATE_CONFIRMED:
            return
        if any(item.type == pj.PJMEDIA_TYPE_AUDIO and item.status == pj.PJSUA_CALL_MEDIA_ACTIVE for item in info.media):
            self.established = True
            self.endpoint.observer.established(self.leg)


class _Player(pj.AudioMediaPlayer):
    def __init__(self, on_end: Callable[[], None]) -> None:
        super().__init__()
        self.on_end = on_end

    def onEof2(self) -> None:  # noqa: N802 - on pjsua2's event thread
        self.on_end()


class _Account(pj.Account):
    endpoint: Endpoint

    @guarded
    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        self.endpoint.take(prm.callId, prm.rdata.wholeMsg)


class Endpoint:
    """One SIP user agent on ``port`` (0: any), without sound devices."""

    def __init__(self, observer: Observer, post: Callable[[Callable[[], None]], None]) -> None:
        self.observer = observer
        self._post = post
        self._legs = itertools.count(1)
        self._calls: dict[int, _Call] = {}
        self._players: dict[int, tuple[int, _Player]] = {}
        self._recorders: dict[int, tuple[int, Any]] = {}
        self._numbers = itertools.count(1)
        self._grave: deque[tuple[float, Any]] = deque()
        self._setups: deque[float] = deque(maxlen=SETUPS_PER_SECOND)
        self._doorbell = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._address = ("127.0.0.1", 0)
        self._pj = pj.Endpoint()
        self._clock = False
        self._idle_since = time.monotonic()

    def start(
        self, *, port: int, bind: str, rtp_port: int, rtp_ports: int, account: SipAccount, slots: int = 4
    ) -> None:
        """Open the SIP port. Raises ``SipError`` when it is taken."""
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = slots
        config.uaConfig.userAgent = "CMS"
        config.medConfig.clockRate = 8000
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        config.medConfig.sndAutoCloseTime = -1
        # RTP is read by the main thread too: pjmedia's own would poll a hundred times a second, calls or not.
        config.medConfig.hasIoqueue = False
        config.medConfig.threadCnt = 0
        config.logConfig.level = config.logConfig.consoleLevel = 1
        transport = pj.TransportConfig()
        transport.port, transport.boundAddress = port, "127.0.0.1"
        try:
            self._pj.libCreate()
            self._pj.libInit(config)
            self._pj.audDevManager().setNullDev()
            self._clock = True
            for codec in self._pj.codecEnum2():
                wanted = {"PCMU": 200, "PCMA": 190}.get(codec.codecId.split("/")[0], 0)
                self._pj.codecSetPriority(codec.codecId, wanted)
            number = self._pj.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
            address = self._pj.transportGetInfo(number).localName
            self._address = ("127.0.0.1", int(address.rsplit(":", 1)[1]))
            self._pj.libStart()
            self.account = _Account()
            self.account.endpoint = self
            self.account.create(_account_config(account, bind, rtp_port, rtp_ports))
        except pj.Error as error:
            raise SipError(error.info()) from error

    def wake(self) -> None:
        """End ``turn``'s waiting at once; any thread may call it. pjsip drops such a packet as a keep-alive."""
        self._doorbell.sendto(b"\r\n\r\n", self._address)

    def turn(self, seconds: float) -> None:
        """Handle SIP until something happened or ``seconds`` have passed."""
        self._pj.libHandleEvents(max(0, int(seconds * 1000)))
        now = time.monotonic()
        while self._grave and self._grave[0][0] < now:
            self._grave.popleft()
        if self._calls or self._grave:
            self._idle_since = now
        elif self._clock and now - self._idle_since > IDLE_SECONDS:
            self._pj.audDevManager().setNoDev()
            self._clock = False

    def _run_clock(self) -> None:
        """Start the audio clock, fifty ticks a second, which stands still while there are no calls."""
        if not self._clock:
            self._pj.audDevManager().setNullDev()
            self._clock = True
        self._idle_since = time.monotonic()

    def stop(self) -> None:
        """Hang up everything and close."""
        self._pj.hangupAllCalls()
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline and (self._calls or self._grave):
            self.turn(0.02)
        self._calls.clear()
        self._players.clear()
        self._recorders.clear()
        self._grave.clear()
        self.account.shutdown()
        del self.account
        self._pj.libDestroy()

    # legs

    def take(self, call_id: int, message: str) -> None:
        """Give an incoming call its leg and tell the observer."""
        self._run_clock()
        leg = next(self._legs)
        self._calls[leg] = _Call(self, leg, call_id)
        self.observer.incoming(leg, parse_invite(message))

    def release(self, leg: int) -> None:
        """Drop everything of a leg that is over."""
        for number in [number for number, (owner, _) in self._players.items() if owner == leg]:
            self._grave.append((time.monotonic() + GRAVE_SECONDS, self._players.pop(number)[1]))
        for number in [number for number, (owner, _) in self._recorders.items() if owner == leg]:
            self._recorders.pop(number)
        self._calls.pop(leg, None)

    def call(self, uri: str, *, display: str = "", caller_uri: str = "") -> int:
        """Ring ``uri`` and return the new leg. Raises ``SipError`` when there is no room or too many set-ups."""
        now = time.monotonic()
        if len(self._setups) == SETUPS_PER_SECOND and now - self._setups[0] < 1.0:
            raise SipError("too many call set-ups within a second")
        self._setups.append(now)
        self._run_clock()
        leg = next(self._legs)
        call = _Call(self, leg)
        parameters = pj.CallOpParam(True)
        parameters.opt.videoCount = 0
        if caller_uri:
            parameters.txOption.localUri = f'"{display}" <{caller_uri}>' if display else caller_uri
        # Before the call is made: a failure may be reported from inside makeCall.
        self._calls[leg] = call
        try:
            call.makeCall(uri, parameters)
        except pj.Error as error:
            self._calls.pop(leg, None)
            raise SipError(error.info()) from error
        return leg

    def respond(self, leg: int, status: int) -> None:
        """Answer an incoming leg with a SIP status."""
        parameters = pj.CallOpParam()
        parameters.statusCode = status
        self._do(leg, lambda call: call.answer(parameters))

    def hangup(self, leg: int, status: int = 0, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """End a leg; an unanswered incoming one with ``status``. Harmless when it is over."""
        parameters = pj.CallOpParam()
        parameters.statusCode = status
        for name, value in headers:
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            parameters.txOption.headers.append(header)
        self._do(leg, lambda call: call.hangup(parameters))

    def press(self, leg: int, digits: str) -> None:
        """Send keys as RFC 4733 events."""
        self._do(leg, lambda call: call.dialDtmf(digits))

    def is_alive(self, leg: int) -> bool:
        """Tell whether the leg still exists."""
        return leg in self._calls

    def sip_call_id(self, leg: int) -> str:
        """Return the SIP Call-ID, or an empty text."""
        found = self._do(leg, lambda call: call.getInfo().callIdString)
        return found or ""

    def level(self, leg: int) -> int:
        """Return the loudness of what the far end sends, counted while something listens to it.

        A full tone measures 44, speech of a quiet voice about 12, a hundredth of a full tone 8, line noise below 4.
        """
        # "Tx" is what the bridge transmits from this port to its listeners; "Rx" is what it plays to the far end.
        return self._do(leg, lambda call: call.getAudioMedia(-1).getTxLevel()) or 0

    def join(self, first: int, second: int, *, both: bool = True) -> None:
        """Let ``second`` hear ``first``, and the other way round."""

        def connect(call: Any) -> None:
            here = call.getAudioMedia(-1)
            other = self._calls.get(second)
            if other is not None:
                there = other.getAudioMedia(-1)
                here.startTransmit(there)
                if both:
                    there.startTransmit(here)

        self._do(first, connect)

    # players and recorders

    def play(self, leg: int, path: Path, *, loop: bool = False) -> int:
        """Let the leg hear a WAV file and return the player's number. Raises ``SipError``."""
        number = next(self._numbers)
        on_end = functools.partial(self._post, functools.partial(self._ended, number))
        player = _Player((lambda: None) if loop else on_end)
        call = self._calls.get(leg)
        if call is None:
            raise SipError("the leg is over")
        try:
            player.createPlayer(str(path), 0 if loop else pj.PJMEDIA_FILE_NO_LOOP)
            self._players[number] = (leg, player)
            player.startTransmit(call.getAudioMedia(-1))
        except pj.Error as error:
            self.stop_player(number)
            raise SipError(error.info()) from error
        return number

    def _ended(self, number: int) -> None:
        if number in self._players:
            leg = self._players[number][0]
            self.stop_player(number)
            self.observer.played(leg, number)

    def stop_player(self, number: int) -> None:
        """Stop a player; its end is not reported. Harmless when it has stopped."""
        if number not in self._players:
            return
        leg, player = self._players.pop(number)
        call = self._calls.get(leg)
        try:
            if call is not None:
                player.stopTransmit(call.getAudioMedia(-1))
        except pj.Error as error:
            log.debug("stopping a player: %s", error.info())
        self._grave.append((time.monotonic() + GRAVE_SECONDS, player))

    def record(self, leg: int, path: Path) -> int:
        """Write what the far end says to a WAV file and return the recorder's number. Raises ``SipError``."""
        call = self._calls.get(leg)
        if call is None:
            raise SipError("the leg is over")
        number = next(self._numbers)
        recorder = pj.AudioMediaRecorder()
        try:
            recorder.createRecorder(str(path))
            call.getAudioMedia(-1).startTransmit(recorder)
        except pj.Error as error:
            raise SipError(error.info()) from error
        self._recorders[number] = (leg, recorder)
        return number

    def stop_recorder(self, number: int) -> None:
        """Close a recorder; its file is complete about 100 ms later. Harmless when it has stopped."""
        if number not in self._recorders:
            return
        leg, recorder = self._recorders.pop(number)
        call = self._calls.get(leg)
        try:
            if call is not None:
                call.getAudioMedia(-1).stopTransmit(recorder)
        except pj.Error as error:
            log.debug("stopping a recorder: %s", error.info())

    def _do(self, leg: int, action: Callable[[Any], Any]) -> Any:
        call = self._calls.get(leg)
        if call is None:
            return None
        try:
            return action(call)
        except pj.Error as error:
            log.debug("leg %d: %s", leg, error.info())
            return None


def _account_config(account: SipAccount, bind: str, rtp_port: int, rtp_ports: int) -> Any:
    config = pj.AccountConfig()
    config.idUri = account.uri
    if account.username:
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", account.username, 0, account.password))
    if account.proxy:
        config.sipConfig.proxies.append(account.proxy)
    media = config.mediaConfig
    media.transportConfig.port, media.transportConfig.portRange = rtp_port, rtp_ports
    if bind not in ("0.0.0.0", "::"):  # noqa: S104 - then pjsua2 offers the machine's own address
        media.transportConfig.boundAddress = bind
    media.lockCodecEnabled = False
    config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_INACTIVE
    return config
