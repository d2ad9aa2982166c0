"""Callers for tests: SIPp for signalling and keys, the platform's own dialler where audio is looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import correlate

from tests import support

ROOT = Path(__file__).parents[2]
#: samples of a piece of sound that is looked for as a whole: a quarter of a second
PIECE = 2000
PCAPS = Path("/usr/share/sip-tester")
HEADER = """
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:+4930123456@[local_ip]:[local_port]>;tag=[call_number]
{to}
Call-ID: [call_id]
CSeq: {number} {method}
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70"""
SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=user1 53655765 2353687637 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
"""


def request(method: str, number: int, *, body: str = "Content-Length: 0", to: str = "[last_To:]") -> str:
    """Return a SIPp step that sends a request."""
    header = HEADER.format(to=to, number=number, method=method)
    text = f"{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0{header}\n{body}\n\n"
    retransmit = "" if method == "ACK" else ' retrans="500"'
    return f"<send{retransmit}><![CDATA[\n\n{text}]]></send>"


INVITE = request("INVITE", 1, body=SDP, to="To: <sip:[service]@[remote_ip]:[remote_port]>")
PROVISIONAL = "".join(f'<recv response="{code}" optional="true"/>' for code in (100, 180, 183))


def answered(*steps: str, bye: bool = True) -> str:
    """Return the scenario of a caller who is answered, goes through ``steps``, and hangs up or is hung up on."""
    end = request("BYE", 9) + '<recv response="200"/>' if bye else hung_up()
    return scenario(INVITE, PROVISIONAL, '<recv response="200" rtd="true"/>', request("ACK", 1), *steps, end)


def refused(status: int) -> str:
    """Return the scenario of a caller who is refused."""
    return scenario(INVITE, PROVISIONAL, f'<recv response="{status}"/>', request("ACK", 1))


def hung_up() -> str:
    """Return the step of being hung up on."""
    reply = """<send><![CDATA[

SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>"""
    return f'<recv request="BYE" timeout="20000"/>{reply}'


def pause(milliseconds: int) -> str:
    """Return a pause."""
    return f'<pause milliseconds="{milliseconds}"/>'


def key(digit: str) -> str:
    """Return a key press as RFC 4733 telephone event."""
    name = {"#": "pound", "*": "star"}.get(digit, digit)
    return f'<nop><action><exec play_pcap_audio="{PCAPS}/dtmf_2833_{name}.pcap"/></action></nop>'


def info_key(digit: str, number: int) -> str:
    """Return a key press as SIP INFO."""
    body = f"Content-Type: application/dtmf-relay\nContent-Length: [len]\n\nSignal={digit}\nDuration=160\n"
    return request("INFO", number, body=body) + '<recv response="200"/>'


def scenario(*parts: str) -> str:
    """Return a whole SIPp scenario."""
    return f'<?xml version="1.0" encoding="ISO-8859-1" ?><scenario name="test">{"".join(parts)}</scenario>'


class Sipp:
    """A SIPp run; its exit code is the verdict."""

    def __init__(self, directory: Path, xml: str, *options: str, port: int, media_port: int, target: str = "") -> None:
        self.directory = directory / f"sipp-{port}"
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "scenario.xml").write_text(xml)
        argv = ["sipp", *([target] if target else []), "-sf", "scenario.xml", "-i", "127.0.0.1", "-p", str(port)]
        argv += ["-mp", str(media_port), "-nostdin", "-m", "1", "-timeout", "60s", "-timeout_error"]
        argv += ["-trace_err", "-error_file", "errors.txt", *options]
        self._output = (self.directory / "output.txt").open("wb")
        self._context = support.program(argv, cwd=self.directory, stdout=self._output, stderr=subprocess.STDOUT)
        self.process = self._context.__enter__()

    def __enter__(self) -> Sipp:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.__exit__(None, None, None)
        self._output.close()

    def verdict(self, timeout: float = 60) -> int:
        """Wait for the end and return the exit code: 0 when every call went by the scenario."""
        code = self.process.wait(timeout)
        errors = self.directory / "errors.txt"
        if code and errors.exists():
            sys.stderr.write(errors.read_text()[-3000:])
        return code


class Phone:
    """A call by the platform's dialler, in the background."""

    def __init__(self, **plan: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "media.agent.dialer"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ),
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(plan).encode())
        self._process.stdin.close()
        self._output = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self._output = self._process.stdout.read()

    def hang_up(self) -> None:
        """Let the caller hang up."""
        self._process.terminate()

    def outcome(self, timeout: float = 60) -> dict[str, Any]:
        """Wait for the end and return what the dialler printed."""
        try:
            self._process.wait(timeout)
        finally:
            self._process.kill()
        self._reader.join(5)
        outcome: dict[str, Any] = json.loads(self._output)
        return outcome


def sound(path: Path, *effects: str | Sequence[str]) -> Path:
    """Make a WAV of 8 kHz with sox; ``effects`` begin with ``synth``."""
    subprocess.run(["sox", "-n", "-r", "8000", "-c", "1", "-b", "16", path, *map(str, effects)], check=True)
    return path


def samples(path: Path) -> np.ndarray[Any, Any]:
    """Return the samples of a WAV of 8 kHz, between -1 and 1."""
    with wave.open(str(path)) as file:
        assert file.getframerate() == 8000
        raw = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return raw.astype(float) / 32768


def _likeness(heard: np.ndarray[Any, Any], piece: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the normalised cross-correlation of ``piece`` with each place in ``heard``."""
    product = correlate(heard, piece, mode="valid", method="fft")
    energy = correlate(heard**2, np.ones(len(piece)), mode="valid", method="fft")
    likeness: np.ndarray[Any, Any] = product / np.sqrt(np.maximum(energy, 1e-6) * np.sum(piece**2))
    return likeness


def _pieces(expected: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """Return the loud pieces of a sound. A busy machine delays a packet now and then, and what follows is shifted."""
    pieces = [expected[start : start + PIECE] for start in range(0, len(expected) - PIECE + 1, PIECE)]
    return [piece for piece in pieces if np.sqrt(np.mean(piece**2)) > 0.02]


def similarity(heard: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> float:
    """Return how well ``heard`` contains ``expected``: the median over its pieces; 1 is the same sound."""
    if len(heard) < PIECE:
        return 0.0
    return float(np.median([np.max(_likeness(heard, piece)) for piece in _pieces(expected)]))


def occurrences(heard: np.ndarray[Any, Any], expected: np.ndarray[Any, Any], threshold: float = 0.9) -> int:
    """Return how often ``heard`` contains ``expected``: the median over its pieces."""
    counts = []
    for piece in _pieces(expected):
        likeness, count = _likeness(heard, piece), 0
        while (best := int(np.argmax(likeness))) >= 0 and likeness[best] > threshold:
            count += 1
            likeness[max(0, best - PIECE) : best + PIECE] = 0
        counts.append(count)
    return int(np.median(counts))
