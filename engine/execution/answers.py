"""Answers of operations that were not done at once: a worker or an agent says how it went."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine.execution.events import send_event
from engine.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an operation failed: ``business`` becomes a BPMN error, ``transient`` is tried again, ``fault`` stops."""

    kind: Literal["business", "transient", "fault"]
    code: str
    message: str


def resume(
    instance_id: str,
    token_id: str,
    attempt: int,
    *,
    result: Any = None,
    error: Failure | None = None,
    key: str,
) -> None:
    """Answer the operation that token ``token_id`` waits for.

    An answer for a token that is gone, for an attempt that is over, or with a key that was seen is ignored: senders
    repeat themselves.
    """
    payload = {"token": token_id, "attempt": attempt, "result": result, "error": asdict(error) if error else None}
    try:
        send_event(instance_id, "operation_result", payload, key=key)
    except NotFound:
        return
