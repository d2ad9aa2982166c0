"""How a tenant looks on what leaves the platform: mails, documents and reports."""

from __future__ import annotations

import re
from typing import TypedDict

from engine.kernel.errors import NotFound
from modules.identity import find_tenant

Brand = TypedDict("Brand", {"name": str, "initials": str, "from": str, "to": str})

#: the colours of the logo tile on pages
FROM, TO = "#1f7a8c", "#14505e"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def brand_of(tenant_id: str) -> Brand:
    """Return the tenant's name, initials and colours; the platform's own look where the tenant is unknown."""
    try:
        tenant = find_tenant(tenant_id)
    except NotFound:
        return {"name": "CMS", "initials": "CM", "from": FROM, "to": TO}
    return {
        "name": tenant.name,
        "initials": tenant.initials,
        "from": _colour(tenant.branding.get("from"), FROM),
        "to": _colour(tenant.branding.get("to"), TO),
    }


def _colour(value: object, default: str) -> str:
    """Return ``value`` when it is a colour and nothing else: it goes into style sheets."""
    return value if isinstance(value, str) and _COLOUR.fullmatch(value) else default
