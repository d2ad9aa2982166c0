"""Operations that the diagrams of these tests name."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import operations
from engine.operations import Pending, operation

DATA = Path(__file__).parent / "data"


@pytest.fixture(autouse=True)
def known_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """``test.add`` and the media operation ``test.speak``, beside those of the platform."""
    others = {name: item for name, item in operations._operations.items() if not name.startswith("test.")}
    monkeypatch.setattr(operations, "_operations", others)

    @operation("test.add")
    def add(*, left: int, right: int) -> int:
        """Add two numbers."""
        return left + right

    @operation("test.speak", kind="media")
    def speak(*, call: str) -> Pending:
        """Say something on a call."""
        return Pending({"call": call})


def diagram(folder: str, name: str) -> bytes:
    """Return the text of a test diagram."""
    return (DATA / folder / name).read_bytes()
