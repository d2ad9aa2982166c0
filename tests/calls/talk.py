"""Talking to a running platform: place calls side by side, find what they left."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from media.agent.speech import make
from media.protocol import Prompt
from tests.deployment import ROOT, Platform
from tests.sip.caller import samples

Samples = np.ndarray[Any, Any]


class Dial:
    """``./cms dial`` in the background."""

    def __init__(self, platform: Platform, number: str, caller: str, *options: str | Path) -> None:
        argv = [ROOT / "cms", "dial", number, "--from", caller, *options, "--json"]
        self._process = subprocess.Popen(
            list(map(str, argv)), env=platform.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def outcome(self, timeout: float = 90) -> dict[str, Any]:
        """Wait for the end of the call and return what was printed."""
        try:
            out, err = self._process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        assert out, err.decode()
        found: dict[str, Any] = orjson.loads(out)
        return found


def spoken(directory: Path, text: str, language: str = "en") -> Samples:
    """Return how the platform speaks a text."""
    directory.mkdir(exist_ok=True)
    return samples(make(directory, Prompt(text=text, language=language)))


def instances_of(platform: Platform, process_id: str, caller: str) -> list[str]:
    """Return the ids of the instances that calls of ``caller`` started, oldest first."""
    rows = platform.query(
        "SELECT i.id FROM instance i JOIN call c ON c.instance_id = i.id"
        " WHERE i.process_id = :process AND c.from_number = :caller ORDER BY i.started_at",
        process=process_id,
        caller=caller,
    )
    return [row["id"] for row in rows]


def path_of(platform: Platform, instance_id: str) -> list[str]:
    """Return the elements that an instance has left by itself, in order."""
    rows = platform.query(
        "SELECT element_id FROM history WHERE instance_id = :id AND outcome = 'completed' ORDER BY id", id=instance_id
    )
    return [row["element_id"] for row in rows]
