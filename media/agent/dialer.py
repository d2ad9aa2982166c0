"""A caller on the command line: rings a number, presses keys, speaks a file, records what it hears.

``python -m media.agent.dialer`` reads one JSON object, a ``Plan``, from standard input, so that the password stays off
the command line, and writes one: ``{"call_id", "result", "status", "duration_s", "events": [{"at_s", "event"}]}``.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from media.agent.endpoint import Endpoint, SipAccount, SipError
from media.agent.invite import Invite
from media.agent.loop import Loop
from media.agent.verbs import LEVEL_SECONDS
from media.plan import Plan

FAILURES = {486: "busy", 600: "busy", 603: "rejected", 403: "rejected", 404: "unavailable", 480: "unavailable"}
#: time for the last messages and the recording's file
FAREWELL_SECONDS = 0.3
PRESS_SECONDS = 0.35
FIRST_PRESS_SECONDS = 0.5
#: what the far end's prompts may pause before it counts as silent
PROMPT_PAUSE_SECONDS = 1.0
#: how long to wait for a first word of the far end before speaking anyway
NO_PROMPT_SECONDS = 6.0
#: loudness (scale of ``Endpoint.level``) of a prompt
NOISE_LEVEL = 5


class Caller:
    """The call of a plan. Implements ``media.agent.endpoint.Observer``."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._loop = Loop(lambda: self._endpoint.wake())
        self._endpoint = Endpoint(self, self._loop.post)
        self._leg: int | None = None
        self._began = time.monotonic()
        self._answered_at: float | None = None
        self._ended_at: float | None = None
        self._status = 0
        self._speaker: int | None = None
        self._recorder: int | None = None
        self._heard_at: float | None = None
        self._unwanted: tempfile.TemporaryDirectory[str] | None = None
        self.events: list[dict[str, Any]] = []
        self.call_id = ""

    def run(self) -> dict[str, Any]:
        """Make the call and return what came of it. Raises ``SipError`` when it cannot even be tried."""
        plan = self._plan
        self._endpoint.start(
            port=0,
            bind="127.0.0.1",
            rtp_port=_free_rtp_port(),
            rtp_ports=20,
            account=SipAccount(plan.caller, plan.username, plan.password),
        )
        gc.disable()
        self._leg = self._endpoint.call(plan.target)
        self.call_id = self._endpoint.sip_call_id(self._leg)
        self._event("calling")
        self._loop.after(plan.ring_timeout, self._stop_ringing)
        while self._ended_at is None:
            self._turn()
        # The far end's farewell is answered and the recording's file completed before the process goes.
        farewell = time.monotonic() + FAREWELL_SECONDS
        while time.monotonic() < farewell:
            self._turn()
        if self._unwanted is not None:
            self._unwanted.cleanup()
        talked = self._ended_at - self._answered_at if self._answered_at is not None else 0.0
        answered = self._answered_at is not None
        return {
            "call_id": self.call_id,
            "result": "answered" if answered else FAILURES.get(self._status, self._unanswered()),
            "status": self._status,
            "duration_s": round(talked, 2),
            "events": self.events,
        }

    def _turn(self) -> None:
        self._endpoint.turn(self._loop.pause(0.1))
        self._loop.run()

    def hang_up(self) -> None:
        """End the call from our side."""
        if self._leg is not None and self._endpoint.is_alive(self._leg):
            self._event("hanging_up")
            self._endpoint.hangup(self._leg)

    def _unanswered(self) -> str:
        return "no_answer" if self._status in (408, 487) else "failed"

    def _stop_ringing(self) -> None:
        if self._answered_at is None:
            self.hang_up()

    def _event(self, event: str, **more: Any) -> None:
        self.events.append({"at_s": round(time.monotonic() - self._began, 2), "event": event, **more})

    # what the endpoint sees

    def incoming(self, leg: int, invite: Invite) -> None:
        """Nobody calls us."""
        self._endpoint.hangup(leg, 486)

    def progress(self, leg: int, status: int) -> None:
        """The far end rings."""
        if status in (180, 183) and not any(item["event"] == "ringing" for item in self.events):
            self._event("ringing")

    def established(self, leg: int) -> None:
        """The far end has answered: begin what the plan says."""
        self._answered_at = time.monotonic()
        self._event("answered")
        plan = self._plan
        if plan.record:
            self._recorder = self._endpoint.record(leg, Path(plan.record))
        self._loop.after(plan.max_duration, self.hang_up)
        self._plan_keys(leg)
        if plan.speak and plan.speak_after is not None:
            self._loop.after(plan.speak_after, self._speak)
        elif plan.speak:
            if self._recorder is None:
                # Loudness is only measured while something listens.
                self._unwanted = tempfile.TemporaryDirectory()
                self._recorder = self._endpoint.record(leg, Path(self._unwanted.name) / "heard.wav")
            self._loop.after(LEVEL_SECONDS, self._await_silence)

    def _plan_keys(self, leg: int) -> None:
        at = FIRST_PRESS_SECONDS
        for key in self._plan.press:
            if key == ",":
                at += 1.0
                continue
            self._loop.after(at, _presser(self, leg, key))
            at += PRESS_SECONDS

    def press(self, leg: int, key: str) -> None:
        """Press a key."""
        if self._endpoint.is_alive(leg):
            self._endpoint.press(leg, key)
            self._event("dtmf_sent", digit=key)

    def _await_silence(self) -> None:
        if self._leg is None or self._ended_at is not None or self._answered_at is None:
            return
        now = time.monotonic()
        if self._endpoint.level(self._leg) >= NOISE_LEVEL:
            if self._heard_at is None:
                self._event("heard")
            self._heard_at = now
        silent = self._heard_at is not None and now - self._heard_at >= PROMPT_PAUSE_SECONDS
        if silent or (self._heard_at is None and now - self._answered_at >= NO_PROMPT_SECONDS):
            self._speak()
        else:
            self._loop.after(LEVEL_SECONDS, self._await_silence)

    def _speak(self) -> None:
        if self._leg is None or not self._endpoint.is_alive(self._leg):
            return
        try:
            self._speaker = self._endpoint.play(self._leg, Path(self._plan.speak))
            self._event("speaking")
        except SipError as error:
            self._event("error", message=str(error))

    def digit(self, leg: int, digit: str) -> None:
        """The far end sent a key."""
        self._event("dtmf", digit=digit)

    def played(self, leg: int, player: int) -> None:
        """We have said what we had to say."""
        self._event("spoken")

    def gone(self, leg: int, status: int, reason: str) -> None:
        """The call is over."""
        self._status, self._ended_at = status, time.monotonic()
        self._event("hangup", status=status, reason=reason)


def _presser(caller: Caller, leg: int, key: str) -> Callable[[], None]:
    return lambda: caller.press(leg, key)


def _free_rtp_port() -> int:
    """Return the first of twenty ports that are free now; the process id spreads callers that start at once."""
    start = 40_000 + os.getpid() * 20 % 20_000
    for offset in range(0, 20_000, 20):
        port = 40_000 + (start - 40_000 + offset) % 20_000
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise SipError("no RTP port is free")


def main() -> NoReturn:
    """Read the plan, make the call, print the outcome."""
    logging.basicConfig(level="WARNING", stream=sys.stderr)
    # pjsua2 writes its own messages to standard output, which belongs to the outcome.
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    caller = Caller(Plan(**json.load(sys.stdin)))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: caller.hang_up())
    try:
        outcome = caller.run()
    except SipError as error:
        outcome = {"call_id": "", "result": "failed", "message": str(error), "duration_s": 0.0, "events": caller.events}
    json.dump(outcome, output)
    output.close()
    # Taking pjsua2 down properly takes seconds, and nothing is left that needs it.
    os._exit(0)


if __name__ == "__main__":
    main()
