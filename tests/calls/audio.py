"""Listening in tests: what was said, and is it what should have been said?"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000

Samples = NDArray[np.float64]


def speak(path: Path, text: str, voice: str = "en") -> Path:
    """Write what a caller says: ``text`` in a synthetic voice, 8 kHz mono."""
    raw = path.with_suffix(".raw.wav")
    subprocess.run(["espeak-ng", "-v", voice, "-p", "70", "-w", str(raw), text], check=True)
    subprocess.run(["sox", str(raw), "-r", str(RATE), "-c", "1", "-b", "16", str(path)], check=True)
    raw.unlink()
    return path


def tone_share(heard: Samples, frequency: float) -> float:
    """Return the share (0 to 1) of the loud half seconds in which ``frequency`` in Hz is the strongest."""
    size = RATE // 2
    loud = hits = 0
    for start in range(0, len(heard) - size, size):
        piece = heard[start : start + size]
        if np.sqrt(np.mean(piece**2)) < 0.01:
            continue
        loud += 1
        peak = np.argmax(np.abs(np.fft.rfft(piece * np.hanning(size)))) * RATE / size
        hits += abs(peak - frequency) <= 10
    return hits / loud if loud else 0.0


def seconds_of_sound(heard: Samples) -> float:
    """Return for how many seconds there was anything to hear."""
    size = RATE // 50
    pieces = heard[: len(heard) // size * size].reshape(-1, size)
    return float(np.sum(np.sqrt(np.mean(pieces**2, axis=1)) > 0.01)) / 50
