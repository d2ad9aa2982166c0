"""The codec of process data: JSON that comes back with its types.

Plain JSON types cost nothing extra. Any other value becomes ``{"$type": tag, "value": …}``; data that itself has a
key ``$type`` is wrapped, so that everything round-trips. Used for live state, event payloads and parameters of
external operations; never for what people read (that is ``engine.kernel.types.to_json``, which masks secrets).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

import orjson
from pydantic import BaseModel

from engine.feel import YearsMonths
from engine.kernel.types import E164, Money, Secret, to_json
from engine.semantics.values import copy

__all__ = ["copy", "decode", "encode", "plain", "register_type", "restore", "shown"]

MARK = "$type"
_MARK_BYTES = b'"$type":'
_ESCAPED = "dict"

_encoders: dict[type, tuple[str, Callable[[Any], Any]]] = {}
_decoders: dict[str, Callable[[Any], Any]] = {}


def register_type(kind: type, tag: str, encode: Callable[[Any], Any], decode: Callable[[Any], Any]) -> None:
    """Teach the codec a value type; ``encode`` returns plain JSON and ``decode`` takes it back."""
    _encoders[kind] = (tag, encode)
    _decoders[tag] = decode


register_type(Decimal, "decimal", str, Decimal)
register_type(datetime, "datetime", datetime.isoformat, datetime.fromisoformat)
register_type(date, "date", date.isoformat, date.fromisoformat)
register_type(time, "time", time.isoformat, time.fromisoformat)
register_type(
    timedelta, "duration", lambda value: [value.days, value.seconds, value.microseconds], lambda v: timedelta(*v)
)
register_type(YearsMonths, "months", lambda value: value.months, YearsMonths)
register_type(Money, "money", lambda value: [str(value.amount), value.currency], lambda v: Money(Decimal(v[0]), v[1]))
register_type(E164, "e164", str.__str__, E164)
register_type(Secret, "secret", Secret.reveal, Secret)
register_type(set, "set", sorted, set)
register_type(frozenset, "set", sorted, set)


class _Encoder:
    """Counts the marks it writes, so that data with the mark as a key of its own is noticed."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        self.marks = 0

    def __call__(self, value: Any) -> Any:
        for kind in type(value).__mro__:
            if kind in _encoders:
                tag, encode = _encoders[kind]
                self.marks += 1
                return {MARK: tag, "value": encode(value)}
        match value:
            case BaseModel():
                return value.model_dump()
            case Enum():
                return value.value
            case str():
                return str.__str__(value)
            case dict():
                return dict(value)
            case list():
                return list(value)
            case int():
                return int(value)
        raise TypeError(f"{type(value).__name__} cannot be kept in process data")


_OPTIONS = (
    orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_NON_STR_KEYS
)


def encode(value: Any) -> bytes:
    """Return ``value`` as bytes. Raises ``TypeError`` for a value that has no kept form."""
    encoder = _Encoder()
    raw = orjson.dumps(value, default=encoder, option=_OPTIONS)
    if raw.count(_MARK_BYTES) == encoder.marks:
        return raw
    return orjson.dumps(_escape(value), default=_Encoder(), option=_OPTIONS)


def _escape(value: Any) -> Any:
    if isinstance(value, dict):
        inner = {key: _escape(item) for key, item in value.items()}
        return {MARK: _ESCAPED, "value": list(inner.items())} if MARK in inner else inner
    if isinstance(value, (list, tuple)):
        return [_escape(item) for item in value]
    return value


def decode(raw: bytes) -> Any:
    """Return what ``encode`` was given."""
    value = orjson.loads(raw)
    return restore(value) if _MARK_BYTES in raw else value


def restore(value: Any) -> Any:
    """Return a plain JSON structure with its marked values as their types again."""
    if isinstance(value, dict):
        tag = value.get(MARK)
        if tag is None:
            return {key: restore(item) for key, item in value.items()}
        if tag == _ESCAPED:
            return {key: restore(item) for key, item in value["value"]}
        return _decoders[tag](restore(value["value"]))
    if isinstance(value, list):
        return [restore(item) for item in value]
    return value


def plain(value: Any) -> Any:
    """Return ``value`` as plain JSON structure with marks, for JSON columns; ``restore`` takes it back."""
    return orjson.loads(encode(value))


def shown(value: Any) -> Any:
    """Return process data as plain JSON for people: secrets masked, decimals as text."""
    return orjson.loads(to_json(value))
