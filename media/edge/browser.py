"""Accounts that browser phones borrow: each open page gets one of its own, for half a day."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import select

from engine.kernel.db import db, now
from engine.kernel.types import Secret
from media.edge.accounts import SipAccount, delete_account, new_password, save_account

LIFETIME = timedelta(hours=12)
#: pages that one person may have open; the oldest one loses its account
PAGES = 4


def lend_account(
    *, tenant_id: str, user_id: str, display_name: str, number: str = "", address: str = ""
) -> tuple[SipAccount, Secret]:
    """Make an account for a person's browser, and return it with the password that only this answer ever holds.

    With ``address``, the name of the account of his desk phone, the browser takes that phone's calls as well. To be
    called inside a unit of work; works for phones once it has committed.
    """
    borrowed = select(SipAccount).where(SipAccount.user_id == user_id, SipAccount.expires_at.is_not(None))
    for account in db.session.scalars(borrowed.order_by(SipAccount.id.desc()).offset(PAGES - 1)):
        delete_account(account)
    username = f"web-{secrets.token_hex(6)}"
    account = SipAccount(
        tenant_id=tenant_id,
        username=username,
        display_name=display_name,
        number=number,
        address=address or username,
        user_id=user_id,
        expires_at=now() + LIFETIME,
    )
    password = new_password()
    return save_account(account, password), password
