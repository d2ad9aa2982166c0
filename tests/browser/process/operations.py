"""Operations of the processes that the browser tests run."""

from __future__ import annotations

from engine.kernel.types import Secret
from engine.operations import operation, operation_context


@operation("test.look_up")
def look_up(*, key: str, failures: int = 0) -> dict[str, str]:
    """Find the caller's practice; fail as often as ordered before that."""
    attempt = operation_context().attempt
    if attempt <= failures:
        raise RuntimeError(f"the directory did not answer (attempt {attempt})")
    return {"practice": {"1": "Canal Street", "2": "Harbour Lane"}.get(key, "unknown")}


@operation("test.draw_pin")
def draw_pin() -> Secret:
    """Make a PIN that nobody may read."""
    return Secret("4711")
