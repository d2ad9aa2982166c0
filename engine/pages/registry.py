"""Permission, navigation and search: closed until opened.

Everything is closed until it says whom it is for: a view without ``allow`` is refused to everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

V = TypeVar("V", bound=Callable[..., Any])

NavSection = Literal[
    "", "Support", "Sales", "Inventory", "Smart BSS", "BI Reports", "Administration", "Services", "Directory"
]

#: the eight modules of the navigation, in its order, with their icons
SECTIONS: dict[str, str] = {
    "Support": "lifebuoy",
    "Sales": "briefcase",
    "Inventory": "box",
    "Smart BSS": "receipt",
    "BI Reports": "chart-bar",
    "Administration": "adjustments-horizontal",
    "Services": "apps",
    "Directory": "address-book",
}

#: role name to what people call it
ROLES: dict[str, str] = {
    "administrator": "Administrator",
    "customer_admin": "Customer admin",
    "supervisor": "Supervisor",
    "agent": "Agent",
    "consumer": "Consumer",
    "analyst": "Analyst",
}

PUBLIC = "public"
EVERYONE = "everyone"
STAFF = ("administrator", "customer_admin", "supervisor", "agent")


def allow(*roles: str) -> Callable[[V], V]:
    """Open a view to the roles: ``@allow("administrator")``, ``@allow(EVERYONE)`` once logged in, ``@allow(PUBLIC)``.

    Goes below the route decorator. Raises ``ValueError`` at import for an unknown role.
    """
    unknown = set(roles) - set(ROLES) - {PUBLIC, EVERYONE}
    if unknown or not roles:
        raise ValueError(f"allow: {', '.join(sorted(unknown)) or 'no role'}; known: {', '.join(ROLES)}")

    def mark(view: V) -> V:
        view.allowed_roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def allowed_roles(view: Any) -> frozenset[str]:
    """Return the roles a view was opened to; empty when it was never opened."""
    return getattr(view, "allowed_roles", frozenset())


def may_open(roles: Iterable[str], allowed: Iterable[str]) -> bool:
    """Tell whether somebody with ``roles`` may open what is ``allowed``."""
    allowed = set(allowed)
    return bool(allowed & {PUBLIC, EVERYONE} or allowed & set(roles))


@dataclass(frozen=True, slots=True)
class NavItem:
    """One line of the navigation. Without a section it stands on top, between Home and the modules."""

    section: NavSection
    title: str
    url: str
    roles: tuple[str, ...]
    order: int = 50
    icon: str = ""
    #: returns the number shown beside it, such as open tasks; called on every page, so it must be one quick query
    count: Callable[[], int] | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that the search box found."""

    title: str
    url: str
    detail: str = ""
    icon: str = "search"


@dataclass(frozen=True, slots=True)
class SearchProvider:
    """``find(text, limit)`` returns the actor's hits, best first. Asked only for those who may see them."""

    title: str
    find: Callable[[str, int], list[Hit]]
    roles: tuple[str, ...]
    order: int = 50


_nav: dict[tuple[str, str], NavItem] = {}
_search: dict[str, SearchProvider] = {}


def add_to_navigation(item: NavItem) -> NavItem:
    """Put a page into the navigation. A second item with the same section and title replaces the first."""
    _nav[(item.section, item.title)] = item
    return item


def navigation(roles: Iterable[str], section: str) -> list[NavItem]:
    """Return the section's pages that somebody with ``roles`` may open, in order."""
    mine = [item for item in _nav.values() if item.section == section and may_open(roles, item.roles)]
    return sorted(mine, key=lambda item: (item.order, item.title))


def add_search(provider: SearchProvider) -> SearchProvider:
    """Let the search box find things. A second provider with the same title replaces the first."""
    _search[provider.title] = provider
    return provider


def search_providers(roles: Iterable[str]) -> list[SearchProvider]:
    """Return who may be asked for somebody with ``roles``, in order."""
    mine = [provider for provider in _search.values() if may_open(roles, provider.roles)]
    return sorted(mine, key=lambda provider: (provider.order, provider.title))
