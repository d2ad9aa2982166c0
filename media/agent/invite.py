"""Who calls whom, read from an INVITE as the edge sends it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invite:
    """An incoming call: the dialled number, the caller's as the edge vouches for it ("" when withheld), the account
    that authenticated, and the SIP Call-ID."""

    to_number: str
    from_number: str
    account: str
    sip_call_id: str


def parse_invite(message: str) -> Invite:
    """Read who calls whom from an INVITE: the Request-URI, and P-Asserted-Identity before From."""
    head = message.split("\r\n\r\n", 1)[0].split("\r\n")
    headers: dict[str, str] = {}
    for line in head[1:]:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    asserted = headers.get("p-asserted-identity") or headers.get("from") or headers.get("f") or ""
    caller = user_part(asserted)
    return Invite(
        to_number=user_part(head[0]),
        from_number="" if caller.lower() in ("anonymous", "unknown") else caller,
        account=headers.get("x-cms-account", ""),
        sip_call_id=headers.get("call-id") or headers.get("i") or "",
    )


def user_part(text: str) -> str:
    """Return the user of the first SIP or tel URI in ``text``, or an empty text."""
    # A display name is whatever its owner likes, a URI for instance.
    text = re.sub(r'"(?:\\.|[^"\\])*"', "", text)
    match = re.search(r"sips?:([^@;>\s]+)@|tel:([^;>\s]+)", text)
    return (match.group(1) or match.group(2)).split(";")[0] if match else ""
