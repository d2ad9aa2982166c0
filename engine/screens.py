"""The screens registry: pages with a template of their own for user tasks.

A user task that names no screen is shown by its JSON-Schema form, and without one by a form of its variables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.kernel.errors import NotFound

F = TypeVar("F", bound=Callable[..., dict[str, Any]])


@dataclass(frozen=True)
class Screen:
    """``context(task_id=…, variables=…)`` returns what the Jinja template is rendered with, beside the task itself.

    The form's fields still come from the user task's JSON schema; the screen decides how the work is shown.
    """

    name: str
    template: str
    context: Callable[..., dict[str, Any]]


_screens: dict[str, Screen] = {}


def screen(name: str, *, template: str) -> Callable[[F], F]:
    """Register the function that gathers what ``template`` needs as the screen ``module.verb_noun``."""

    def register(function: F) -> F:
        if name in _screens and _screens[name].context is not function:
            raise TypeError(f"screen {name} is registered twice")
        _screens[name] = Screen(name, template, function)
        return function

    return register


def find_screen(name: str) -> Screen:
    """Return the screen. Raises ``NotFound`` that lists the known ones."""
    if name in _screens:
        return _screens[name]
    raise NotFound(f"There is no screen {name!r}; known: {', '.join(sorted(_screens))}.", code="screen.unknown")


def all_screens() -> list[Screen]:
    """Return every registered screen, by name."""
    return [_screens[name] for name in sorted(_screens)]
