"""Templates that may do nothing but format what they are given.

Documents and mails are written from Jinja2 templates. The sandbox keeps a template from reaching Python through the
values it sees; those must be plain JSON values anyway. Values are escaped, a misspelt name is an error, and a
template cannot make a text of any size out of a short one. It bounds memory for one step, not time: whoever renders
a template of a stranger does it in a process with limits (``reports.documents``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
from jinja2 import DictLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

from engine.kernel.errors import BusinessError
from engine.kernel.types import to_json

#: characters that a template may produce
OUTPUT_LIMIT = 5_000_000
#: elements of a repetition, digits of a power's result, width of a padded text
STEP_LIMIT = 100_000


class TemplateRefused(BusinessError):
    """A template is faulty, does not fit its data, or tries what it may not."""

    code = "template.refused"


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "%" and isinstance(left, str):
            raise SecurityError("formatting with % is not available; use filters")
        if operator == "*":
            for text, times in ((left, right), (right, left)):
                if isinstance(text, str | list | tuple) and isinstance(times, int) and len(text) * times > STEP_LIMIT:
                    raise SecurityError(f"a repetition has at most {STEP_LIMIT} elements")
        if operator == "**" and (abs(left) > STEP_LIMIT or abs(right) > 64):
            raise SecurityError("this power is too large")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        # text methods that make a long text out of a width; the filters below do the same within bounds
        if isinstance(obj, str) and attr in ("format", "format_map", "center", "ljust", "rjust", "zfill", "expandtabs"):
            return False
        return bool(super().is_safe_attribute(obj, attr, value))


def _bounded_center(value: str, width: int = 80) -> str:
    if width > STEP_LIMIT:
        raise SecurityError("this width is too large")
    return str(value).center(width)


def _environment(sources: Mapping[str, str]) -> _Environment:
    environment = _Environment(
        loader=DictLoader(dict(sources)),
        autoescape=lambda name: not (name or "").endswith(".txt"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["center"] = _bounded_center
    for name in ("format", "indent", "pprint", "xmlattr"):
        del environment.filters[name]
    del environment.globals["lipsum"]
    return environment


def render_text(sources: Mapping[str, str], name: str, data: Mapping[str, Any]) -> str:
    """Return template ``name`` of ``sources`` rendered with ``data``; it may include others of ``sources``.

    ``data`` are plain JSON values. Raises ``TemplateRefused`` that says what is wrong with the template.
    """
    if name not in sources:
        raise TemplateRefused(f"There is no template {name!r}; known: {', '.join(sorted(sources))}.")
    parts: list[str] = []
    size = 0
    try:
        for part in _environment(sources).get_template(name).generate(_plain(data)):
            size += len(part)
            if size > OUTPUT_LIMIT:
                raise TemplateRefused(f"The template {name} makes more than {OUTPUT_LIMIT:,} characters.")
            parts.append(part)
    except TemplateError as error:
        raise TemplateRefused(f"The template {name} cannot be used: {error.message}") from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError, MemoryError) as error:
        raise TemplateRefused(f"The template {name} failed: {type(error).__name__}: {error}") from error
    return "".join(parts)


def _plain(value: Any) -> Any:
    """Return a copy made of nothing but JSON types and decimals: an object's attributes are open to the template."""
    match value:
        case None | bool() | int() | float() | Decimal():
            return value
        case date() | timedelta():
            return orjson.loads(to_json(value))
        case str():
            return str(value)
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} is not plain data")
