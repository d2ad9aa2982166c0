"""What the caller behind ``./cms dial`` is asked to do. Standard library only, as the protocol."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """One call to make."""

    #: SIP URI to ring
    target: str
    #: own SIP URI: what the callee sees
    caller: str
    username: str = ""
    password: str = ""
    #: keys; a comma is a pause of a second
    press: str = ""
    #: WAV file to speak
    speak: str = ""
    #: seconds after the answer to speak at; None: when the far end has been silent for a moment
    speak_after: float | None = None
    #: WAV file to write what was heard to
    record: str = ""
    max_duration: float = 120.0
    ring_timeout: float = 60.0
