"""The media side of a user agent in tests: sends a tone, counts what comes back, and reads the keys pressed."""

from __future__ import annotations

import math
import re
import secrets
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

ANSWER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0 {event}\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:{event} telephone-event/8000\r\n"
    "a=ptime:20\r\na=sendrecv\r\n"
)
KEYS = "0123456789*#"


def ulaw(sample: int) -> int:
    """Encode one linear sample (ITU-T G.711 µ-law)."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32_635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> (exponent + 3) & 0x0F) & 0xFF


TONE = bytes(ulaw(int(9000 * math.sin(2 * math.pi * 440 * n / 8000))) for n in range(800))


@dataclass
class Media:
    """Answers an offer in PCMU and talks until it is closed."""

    offer: str
    received: int = 0
    keys: str = ""
    _running: bool = field(default=True, repr=False)

    def __post_init__(self) -> None:
        found = re.search(r"^m=audio (\d+) \S+ ([\d ]+)", self.offer, re.MULTILINE)
        assert found, self.offer
        host = re.search(r"^c=IN IP4 (\S+)", self.offer, re.MULTILINE)
        assert host
        self.far = (host.group(1), int(found.group(1)))
        event = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", self.offer, re.MULTILINE)
        assert event, self.offer
        self.event = int(event.group(1))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.answer = ANSWER.format(port=self.socket.getsockname()[1], event=self.event)
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Fall silent."""
        self._running = False
        for thread in self._threads:
            thread.join()
        self.socket.close()

    def _send(self) -> None:
        source, sequence, due = secrets.randbits(32), 0, time.monotonic()
        while self._running:
            header = struct.pack("!BBHII", 0x80, 0, sequence & 0xFFFF, sequence * 160, source)
            at = sequence % 5 * 160
            self.socket.sendto(header + TONE[at : at + 160], self.far)
            sequence += 1
            due += 0.02
            time.sleep(max(0.0, due - time.monotonic()))

    def _receive(self) -> None:
        pressed = None
        while self._running:
            try:
                packet = self.socket.recv(2048)
            except TimeoutError:
                continue
            kind, stamp = packet[1] & 0x7F, packet[4:8]
            self.received += 1
            if kind == self.event and stamp != pressed:  # all packets of one press carry its time stamp
                pressed = stamp
                self.keys += KEYS[packet[12]]
