"""The live state of an instance as kept in its row: open scopes and tokens, nothing that has finished.

Each scope and token is encoded by itself (``orjson.Fragment``), so that an advance encodes again only what it touched.
A token keeps only the variables that were written since its scope was entered; the scope keeps those of its entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.execution import codec


@dataclass(frozen=True, slots=True)
class LiveToken:
    """An open token as far as people care."""

    id: str
    element: str
    name: str
    #: BPMN type, such as ``userTask``
    type: str
    #: running, waiting, incident
    state: str
    #: ISO text
    since: str
    came_from: str | None


def live_tokens(raw: bytes) -> Iterator[LiveToken]:
    """Yield the open tokens, oldest first; armed boundary events and hidden nodes are not among them."""
    for token in codec.decode(raw)["tokens"]:
        if token["shown"]:
            yield LiveToken(
                token["id"],
                token["node"],
                token["name"],
                token["type"],
                token["state"],
                token["since"],
                token["from"],
            )


def live_data(raw: bytes) -> dict[str, Any]:
    """Return the variables as they stand now: of every name the value written last by any open scope or token."""
    state = codec.decode(raw)
    data: dict[str, Any] = {}
    newest: dict[str, int] = {}
    for part in [*state["scopes"], *state["tokens"]]:
        for name, stamp in part["stamps"].items():
            if stamp > newest.get(name, -1):
                newest[name] = stamp
                if name in part["data"]:
                    data[name] = part["data"][name]
                else:
                    data.pop(name, None)
    return data
