"""What a caller can go through: one class a verb, each with a start, a cancel and an end.

A verb is started by its call, hears of keys and ended prompts while it runs, and calls ``finish`` or ``fail`` once.
It knows legs by number only, never a pjsua2 object.
"""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Protocol

from media.agent.endpoint import Endpoint, SipError
from media.agent.loop import Alarm, Loop
from media.agent.speech import Renderer, SpeechError
from media.protocol import Collect, Command, Play, Prompt, Record

#: loudness (scale of ``Endpoint.level``) from which somebody speaks; line noise stays below
SPEECH_LEVEL = 9
LEVEL_SECONDS = 0.1
#: a caller may think this long before he speaks, even when the pauses he may make are shorter
FIRST_WORD_SECONDS = 5.0
CLOSE_SECONDS = 0.02
CLOSE_TRIES = 25


class Line(Protocol):
    """The call as its verbs see it."""

    leg: int
    endpoint: Endpoint
    loop: Loop
    renderer: Renderer
    #: keys pressed ahead, oldest first
    keys: deque[str]

    def finished(self, verb: Verb, data: dict[str, Any]) -> None:
        """The verb is over; ``data`` is its ``{"result"}`` or ``{"error"}``."""

    def reach(self, target: str, caller: str) -> int:
        """Ring ``target`` through the edge for the running verb and return the leg. Raises ``SipError``."""

    def release(self, leg: int) -> None:
        """End a leg that ``reach`` made."""


class Verb:
    """Base of all verbs: answers exactly once."""

    name: ClassVar[str]

    def __init__(self, line: Line, command: Command) -> None:
        self.line = line
        self.command = command
        self.over = False
        self._alarms: list[Alarm] = []
        self._player: int | None = None
        self._then: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Stop at once; nobody waits for an answer."""
        self._quiet()
        self.over = True

    def line_gone(self) -> None:
        """The caller has hung up. Verbs with something to hand in override this."""
        self.fail("business", "call.ended", "The caller has hung up.")

    def key(self, digit: str) -> bool:
        """A key was pressed; True when the verb has used it, else it is kept for the next one."""
        return False

    def played(self, player: int) -> None:
        """A player has come to its end."""
        if player == self._player and not self.over:
            self._player = None
            if self._then is not None:
                self._then()

    # for verbs

    def finish(self, **result: Any) -> None:
        """Answer with a result."""
        self._answer({"result": result})

    def fail(self, kind: str, code: str, message: str) -> None:
        """Answer with an error: ``business`` becomes a BPMN error, ``fault`` an incident."""
        self._answer({"error": {"kind": kind, "code": code, "message": message}})

    def _answer(self, data: dict[str, Any]) -> None:
        if not self.over:
            self._quiet()
            self.over = True
            self.line.finished(self, data)

    def after(self, seconds: float, job: Callable[[], None]) -> Alarm:
        """Do ``job`` in ``seconds`` unless the verb is over by then."""
        alarm = self.line.loop.after(seconds, lambda: None if self.over else job())
        self._alarms = [known for known in self._alarms if known.job is not None]
        self._alarms.append(alarm)
        return alarm

    def speak(self, prompt: Prompt, then: Callable[[], None], *, loop: bool = False) -> None:
        """Let the caller hear the prompt, then go on."""
        if not prompt:
            then()
            return
        self._then = then

        def ready(made: Path | SpeechError) -> None:
            if self.over or self._then is not then:
                return
            if isinstance(made, SpeechError):
                self.fail("business", "call.prompt_missing", f"The prompt cannot be played: {made}.")
                return
            try:
                self._player = self.line.endpoint.play(self.line.leg, made, loop=loop)
            except SipError as error:
                self.fail("business", "call.prompt_missing", f"The prompt cannot be played: {error}.")

        self.line.renderer.render(prompt, ready)

    @property
    def speaking(self) -> bool:
        """Whether a prompt is (about to be) heard."""
        return self._then is not None and not self.over

    def hush(self) -> None:
        """Stop the prompt."""
        self._then = None
        if self._player is not None:
            self.line.endpoint.stop_player(self._player)
            self._player = None

    def _quiet(self) -> None:
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()
        self.hush()


class PlayVerb(Verb):
    """Plays a prompt to its end."""

    name = Play.verb

    def start(self) -> None:
        assert isinstance(self.command.action, Play)
        self.speak(self.command.action.prompt, self.finish)


class CollectVerb(Verb):
    """Gathers keys."""

    name = Collect.verb

    def start(self) -> None:
        assert isinstance(self.command.action, Collect)
        self._wish = self.command.action
        self._digits = ""
        self._listening = False
        self._patience: Alarm | None = None
        if self._wish.barge_in:
            self._take_kept()
        if self.over:
            return
        if self._digits:
            self._listen()
        else:
            self.speak(self._wish.prompt, self._prompt_ended)

    def _prompt_ended(self) -> None:
        self.hush()
        self._take_kept()
        if not self.over:
            self._listen()

    def _take_kept(self) -> None:
        while self.line.keys and not self.over:
            self._press(self.line.keys.popleft())

    def _listen(self) -> None:
        self._listening = True
        wish = self._wish
        self._wait(wish.inter_digit_timeout if self._digits else wish.first_digit_timeout)

    def _wait(self, seconds: float) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = self.after(seconds, self._timed_out)

    def _timed_out(self) -> None:
        self.finish(digits=self._digits, reason="timeout" if self._digits else "no_input")

    def key(self, digit: str) -> bool:
        if not self._listening and not self._wish.barge_in:
            return False
        if not self._listening:
            self.hush()
            self._listening = True
        self._press(digit)
        if not self.over:
            self._wait(self._wish.inter_digit_timeout)
        return True

    def _press(self, digit: str) -> None:
        if digit in self._wish.terminator:
            self.finish(digits=self._digits, reason="terminator")
            return
        self._digits += digit
        if len(self._digits) >= self._wish.max_digits:
            self.finish(digits=self._digits, reason="digits")


class RecordVerb(Verb):
    """Writes what the caller says to a file."""

    name = Record.verb

    def start(self) -> None:
        assert isinstance(self.command.action, Record)
        self._wish = self.command.action
        self._recorder: int | None = None
        self._reason = ""
        self._spoken = False
        self._heard_at = 0.0
        if self._wish.beep:
            self.speak(Prompt(sound="beep"), self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        self.hush()
        # Keys pressed before the beep were meant for something else.
        self.line.keys.clear()
        path = Path(self._wish.path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._recorder = self.line.endpoint.record(self.line.leg, path)
        except (SipError, OSError) as error:
            self.fail("transient", "call.record_failed", f"The recording cannot be written: {error}.")
            return
        self._heard_at = time.monotonic()
        self.after(self._wish.max_duration, lambda: self._stop("maximum"))
        self.after(LEVEL_SECONDS, self._listen)

    def _listen(self) -> None:
        if self._reason:
            return
        now = time.monotonic()
        if self.line.endpoint.level(self.line.leg) >= SPEECH_LEVEL:
            self._heard_at, self._spoken = now, True
        longest = self._wish.max_silence if self._spoken else max(self._wish.max_silence, FIRST_WORD_SECONDS)
        if now - self._heard_at >= longest:
            self._stop("silence")
        else:
            self.after(LEVEL_SECONDS, self._listen)

    def key(self, digit: str) -> bool:
        if self._recorder is None or self._reason or digit not in self._wish.stop_key:
            return self._recorder is not None
        self._stop("key")
        return True

    def line_gone(self) -> None:
        if self._recorder is None:
            super().line_gone()
        elif not self._reason:
            self._stop("hangup")

    def cancel(self) -> None:
        super().cancel()
        if self._recorder is not None:
            self.line.endpoint.stop_recorder(self._recorder)
            path = Path(self._wish.path)
            self.line.loop.after(CLOSE_SECONDS * CLOSE_TRIES, lambda: path.unlink(missing_ok=True))

    def _stop(self, reason: str) -> None:
        self._reason = reason
        assert self._recorder is not None
        self.line.endpoint.stop_recorder(self._recorder)
        self._close(CLOSE_TRIES)

    def _close(self, tries: int) -> None:
        # pjsua2 completes the file's header a little after the recorder is gone.
        seconds = recorded_seconds(Path(self._wish.path))
        if seconds is None and tries:
            self.after(CLOSE_SECONDS, lambda: self._close(tries - 1))
        else:
            self.finish(duration_s=round(seconds or 0.0, 2), reason=self._reason)


def recorded_seconds(path: Path) -> float | None:
    """Return the length of a WAV file of 8 kHz, mono, 16 bit; None while its header is not complete."""
    try:
        with path.open("rb") as file:
            header = file.read(44)
        size = path.stat().st_size
    except OSError:
        return None
    if len(header) < 44:
        return None
    (data,) = struct.unpack("<I", header[40:44])
    return data / 16000 if 0 < data <= size - 44 else None
