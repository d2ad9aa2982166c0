"""Dialling somebody else for the caller, and joining the two."""

from __future__ import annotations

import re
import time

from media.agent.endpoint import SipError
from media.agent.verbs import Verb
from media.protocol import Dial, Prompt

TARGET = re.compile(r"[+*#0-9A-Za-z][0-9A-Za-z_.*#-]{0,63}")
BUSY = frozenset({486, 600, 603})
NO_ANSWER = frozenset({408, 487})


class DialVerb(Verb):
    """Rings the target, lets the caller hear that it rings, and joins both until one hangs up."""

    name = Dial.verb
    #: leg that was dialled, while it exists
    far_leg: int | None = None

    def start(self) -> None:
        assert isinstance(self.command.action, Dial)
        self._wish = self.command.action
        self._joined_at: float | None = None
        self._ringing = False
        if not TARGET.fullmatch(self._wish.target):
            self.finish(result="unavailable", duration_s=0.0)
            return
        try:
            self.far_leg = self.line.reach(self._wish.target, self._wish.caller)
        except SipError:
            self.finish(result="unavailable", duration_s=0.0)
            return
        self.after(self._wish.timeout, self._give_up)

    def progress(self, status: int) -> None:
        """The target rings, or sends audio before it answers."""
        if self.over or self.far_leg is None:
            return
        if status == 183:
            self.hush()
            self.line.endpoint.join(self.far_leg, self.line.leg, both=False)
        elif status == 180 and not self._ringing:
            self._ringing = True
            self.speak(Prompt(sound="ringback"), lambda: None, loop=True)

    def established(self) -> None:
        """The target has answered."""
        if self.over or self.far_leg is None:
            return
        self._quiet()
        self._joined_at = time.monotonic()
        # Keys pressed while it rang were meant for nobody.
        self.line.keys.clear()
        self.line.endpoint.join(self.line.leg, self.far_leg)

    def far_gone(self, status: int) -> None:
        """The target has hung up or never answered."""
        self.far_leg = None
        if self.over:
            return
        if self._joined_at is not None:
            self._hand_in()
        elif status in NO_ANSWER:
            self.finish(result="no_answer", duration_s=0.0)
        else:
            self.finish(result="busy" if status in BUSY else "unavailable", duration_s=0.0)

    def key(self, digit: str) -> bool:
        if self._joined_at is None or self.far_leg is None:
            return False
        self.line.endpoint.press(self.far_leg, digit)
        return True

    def far_key(self, digit: str) -> None:
        """The target pressed a key: the caller's phone gets it."""
        if self._joined_at is not None and not self.over:
            self.line.endpoint.press(self.line.leg, digit)

    def line_gone(self) -> None:
        # Answer first: releasing the target may report its end at once.
        if self._joined_at is not None:
            self._hand_in()
        else:
            super().line_gone()
        self._release()

    def cancel(self) -> None:
        super().cancel()
        self._release()

    def _give_up(self) -> None:
        if self._joined_at is None:
            # The edge may take its time to confirm; nobody waits for that.
            self.finish(result="no_answer", duration_s=0.0)
            self._release()

    def _release(self) -> None:
        if self.far_leg is not None:
            self.line.release(self.far_leg)

    def _hand_in(self) -> None:
        seconds = time.monotonic() - (self._joined_at or time.monotonic())
        self.finish(result="answered", duration_s=round(seconds, 2))
