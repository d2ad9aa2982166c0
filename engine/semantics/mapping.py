"""Input and output mappings of an element (zeebe:ioMapping): expressions evaluated into variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.expressions import Expression


@dataclass(frozen=True, slots=True)
class Assignment:
    """``target`` gets the value of ``source``; a target ``a.b`` is member b of variable a."""

    target: str
    source: Expression


def evaluate_all(assignments: list[Assignment], context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables that the assignments set, in order; each sees what those before it have set."""
    found: dict[str, Any] = {}
    for assignment in assignments:
        value = assignment.source.evaluate({**context, **found} if found else context)
        name, *path = assignment.target.split(".")
        if path:
            value = _with_member(found.get(name, context.get(name)), path, value)
        found[name] = value
    return found


def _with_member(value: Any, path: list[str], member: Any) -> dict[str, Any]:
    """Return a copy of ``value`` in which the member at ``path`` is set."""
    changed = dict(value) if isinstance(value, dict) else {}
    changed[path[0]] = member if len(path) == 1 else _with_member(changed.get(path[0]), path[1:], member)
    return changed
