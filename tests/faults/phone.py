"""A phone that a test holds in its hand: rings a number as the trusted trunk, hears, speaks and presses keys when told.

It shares nothing with the platform: SIP as written by hand (tests.edge.sip), and RTP of 20 ms G.711 packets.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from typing import Any

import numpy as np

from engine.kernel.settings import Settings
from tests.edge.sip import Dialog, Message, UserAgent
from tests.support import wait_until

PACKET = 160
PCMU, EVENTS = 0, 101
SILENCE = b"\xff" * PACKET
KEYS = "0123456789*#"


class Phone:
    """One call. ``heard`` is what came in so far, at 8 kHz, between -1 and 1."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind(("127.0.0.1", 0))
        self._rtp.settimeout(0.1)
        self._agent = UserAgent(settings.sip_port, rtp_port=self._rtp.getsockname()[1])
        self._dialog: Dialog | None = None
        self._far: tuple[str, int] = ("127.0.0.1", 9)
        self._packets: list[tuple[float, bytes]] = []
        self._to_say: list[bytes] = []
        self._keys: list[str] = []
        self._over = False
        self._running = True
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._talk)]

    def put_down(self) -> None:
        """Hang up if the call still goes on, and close the sockets."""
        if self._dialog is not None and not self._over:
            self.hang_up()
        self._running = False
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._agent.close()
        self._rtp.close()

    def call(self, number: str, caller: str, timeout: float = 15) -> Phone:
        """Ring ``number`` as ``caller`` and return once it was answered."""
        password = self._settings.secret("trunk_password")
        dialog = self._agent.invite(number, "cms-dial", password, sender=f"<sip:{caller}@cms>")
        dialog = self._agent.finish(dialog, timeout)
        assert dialog.answer is not None
        assert dialog.answer.status == 200, dialog.answer.start
        body = dialog.answer.body
        address, port = re.search(r"c=IN IP4 (\S+)", body), re.search(r"m=audio (\d+)", body)
        assert address, body
        assert port, body
        self._far = (address.group(1), int(port.group(1)))
        self._dialog = dialog
        for thread in self._threads:
            thread.start()
        return self

    @property
    def call_id(self) -> str:
        """The Call-ID of SIP."""
        assert self._dialog is not None
        return self._dialog.call_id

    @property
    def heard(self) -> np.ndarray[Any, Any]:
        """What came in so far."""
        return _from_mulaw(b"".join(payload for _, payload in list(self._packets)))

    @property
    def is_hearing(self) -> bool:
        """Whether sound came in within the last 200 ms."""
        recent = [payload for at, payload in list(self._packets)[-10:] if time.monotonic() - at < 0.2]
        return bool(recent) and float(np.max(np.abs(_from_mulaw(b"".join(recent))))) > 0.02

    def press(self, key: str) -> None:
        """Press one key now."""
        self._keys.append(key)

    def say(self, sound: np.ndarray[Any, Any]) -> None:
        """Speak samples of 8 kHz, after what is being said."""
        coded = to_mulaw(sound)
        self._to_say += [coded[start : start + PACKET].ljust(PACKET, b"\xff") for start in range(0, len(coded), PACKET)]

    def hang_up(self) -> None:
        """End the call."""
        assert self._dialog is not None
        self._agent.within(self._dialog, "BYE")
        self._over = True

    def wait_until_hung_up_on(self, timeout: float = 20) -> Message:
        """Wait for the far end's BYE and answer it."""
        bye = self._agent.expect("BYE", timeout)
        self._agent.reply(bye, 200, "OK")
        self._over = True
        return bye

    def wait_for_sound(self, timeout: float = 10) -> None:
        """Wait until something is heard."""
        wait_until(lambda: self.is_hearing, timeout, what="sound")

    def _listen(self) -> None:
        while self._running:
            try:
                data = self._rtp.recv(2048)
            except TimeoutError:
                continue
            if len(data) > 12 and data[1] & 0x7F == PCMU:
                self._packets.append((time.monotonic(), data[12:]))

    def _talk(self) -> None:
        sequence, stamp, due = 1, 0, time.monotonic()
        while self._running:
            if self._keys:
                sequence, due = self._send_key(self._keys.pop(0), sequence, stamp, due)
                stamp += PACKET * 8
            payload = self._to_say.pop(0) if self._to_say else SILENCE
            self._send(PCMU, sequence, stamp, payload)
            sequence, stamp, due = sequence + 1, stamp + PACKET, due + 0.02
            time.sleep(max(0.0, due - time.monotonic()))

    def _send_key(self, key: str, sequence: int, stamp: int, due: float) -> tuple[int, float]:
        """Send a telephone event (RFC 4733) of 100 ms, its end three times."""
        for step in range(8):
            end = 0x80 if step >= 5 else 0
            body = struct.pack("!BBH", KEYS.index(key), end | 10, PACKET * min(step + 1, 5))
            self._send(EVENTS, sequence, stamp, body, marker=step == 0)
            sequence, due = sequence + 1, due + 0.02
            time.sleep(max(0.0, due - time.monotonic()))
        return sequence, due

    def _send(self, kind: int, sequence: int, stamp: int, payload: bytes, *, marker: bool = False) -> None:
        head = struct.pack("!BBHII", 0x80, kind | (0x80 if marker else 0), sequence & 0xFFFF, stamp, 0x43415453)
        self._rtp.sendto(head + payload, self._far)


def _from_mulaw(coded: bytes) -> np.ndarray[Any, Any]:
    value = ~np.frombuffer(coded, dtype=np.uint8)
    magnitude = (((value & 0x0F).astype(np.int32) << 3) + 0x84 << ((value & 0x70) >> 4).astype(np.int32)) - 0x84
    return np.where(value & 0x80, -magnitude, magnitude) / 32768


def to_mulaw(samples: np.ndarray[Any, Any]) -> bytes:
    """Return samples between -1 and 1 as G.711 µ-law."""
    linear = np.clip(samples * 32768, -32635, 32635).astype(np.int32)
    sign = np.where(linear < 0, 0x80, 0)
    magnitude = np.abs(linear) + 0x84
    exponent = np.clip(np.floor(np.log2(magnitude)).astype(np.int32) - 7, 0, 7)
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    coded: bytes = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8).tobytes()
    return coded
