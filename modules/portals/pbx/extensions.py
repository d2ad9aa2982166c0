"""Extensions and the SIP accounts behind them."""

from __future__ import annotations

import re

from sqlalchemy import select

from engine.kernel.db import db, new_id
from engine.kernel.errors import InvalidInput
from engine.kernel.types import Secret
from media.edge.accounts import (
    SipAccount,
    delete_account,
    disable_account,
    enable_account,
    new_password,
    save_account,
)
from modules.portals.pbx.models import Extension

_NUMBER = re.compile(r"[1-9][0-9]{1,5}")


def create_extension(
    *, tenant_id: str, number: str, name: str, password: Secret, user_id: str | None = None
) -> Extension:
    """Add an extension with a SIP account; its phone can register as soon as this has committed.

    The account is named like the number where that name is free in the deployment. Raises ``InvalidInput`` by field.
    """
    _refuse_number(number, tenant_id, "")
    taken = db.session.scalar(select(SipAccount.id).where(SipAccount.username == number))
    account = save_account(
        SipAccount(
            id=new_id(),
            tenant_id=tenant_id,
            username=f"{number}-{new_id()[-6:]}" if taken else number,
            display_name=name,
            number=number,
            user_id=user_id,
        ),
        password,
    )
    extension = Extension(tenant_id=tenant_id, number=number, name=name, user_id=user_id, sip_account_id=account.id)
    db.session.add(extension)
    db.session.flush()
    return extension


def change_extension(extension: Extension, *, number: str, name: str, user_id: str | None) -> None:
    """Change an extension; what its phone logs in with stays. Raises ``InvalidInput`` by field."""
    _refuse_number(number, extension.tenant_id, extension.id)
    extension.number, extension.name, extension.user_id = number, name, user_id
    account = account_of(extension)
    account.number, account.display_name, account.user_id = number, name, user_id
    save_account(account)


def _refuse_number(number: str, tenant_id: str, own_id: str) -> None:
    if not _NUMBER.fullmatch(number):
        raise InvalidInput(
            f"{number!r} is not an extension.", {"/number": "Use two to six digits that do not begin with 0."}
        )
    with db.session.no_autoflush:
        same = select(Extension.id).where(Extension.tenant_id == tenant_id, Extension.number == number)
        owner = db.session.scalar(same)
    if owner is not None and owner != own_id:
        raise InvalidInput(f"{number} is in use.", {"/number": f"{number} is in use: choose another."})


def account_of(extension: Extension) -> SipAccount:
    """Return the extension's SIP account."""
    return db.session.execute(select(SipAccount).where(SipAccount.id == extension.sip_account_id)).scalar_one()


def extension_of(user_id: str) -> Extension | None:
    """Return a user's extension; the lowest when there are several, None when there is none."""
    statement = select(Extension).where(Extension.user_id == user_id).order_by(Extension.number).limit(1)
    found: Extension | None = db.session.scalar(statement)
    return found


def renew_password(extension: Extension) -> Secret:
    """Give the account a new password and return it; phones with the old one are unregistered at once."""
    password = new_password()
    save_account(account_of(extension), password)
    return password


def disable_extension(extension: Extension) -> None:
    """Unregister the extension's phones and refuse their calls, from within a second after the commit."""
    disable_account(account_of(extension))


def enable_extension(extension: Extension) -> None:
    """Let a disabled extension register and call again."""
    enable_account(account_of(extension))


def delete_extension(extension: Extension) -> None:
    """Delete the extension and its account."""
    delete_account(account_of(extension))
    db.session.delete(extension)
