"""Copying process data."""

from __future__ import annotations

from typing import Any


def copy(value: Any) -> Any:
    """Return a deep copy of process data. Scalars and value types are immutable and shared."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy(item) for item in value]
    return value
