"""SIP accounts: who may register and call. Ours in SQL, projected into Kamailio's database after each commit.

A change takes effect with the next request of the phone, within a second and without restarting anything:
Kamailio reads the account at every challenge. What a disabled account, or one with a new password, had registered
is forgotten at once. A projection that failed (Kamailio's file was locked, the process was killed) is made good by
``sweep_accounts``, which the clock calls and every start.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import delete, insert, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from engine.kernel.db import Identified, TenantOwned, after_commit, db, now, settings_in_force, unit_of_work
from engine.kernel.errors import CmsError, InvalidInput, TransientError
from engine.kernel.settings import Settings
from engine.kernel.types import Secret
from media.edge import rpc
from media.edge.database import edge_transaction, ensure_edge_database, location, subscriber

log = structlog.get_logger()

#: digest realm; part of every stored hash, so it never changes
REALM = "cms"
#: the account of ``./cms dial``, whose From is believed; its password is the deployment's secret ``trunk_password``
TRUNK_USERNAME = "cms-dial"

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_NUMBER = re.compile(r"\+?[0-9]{0,20}")
_CLEAR_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


class SipAccount(Identified, TenantOwned, db.Model):
    """What one phone, browser or trunk logs in with."""

    __tablename__ = "sip_account"

    #: name in the digest; unique in the deployment
    username: Mapped[str] = mapped_column(unique=True)
    #: MD5 of username, realm and password (RFC 2617), all that digest needs; the password itself is not kept
    ha1: Mapped[str]
    #: shown to the called phone
    display_name: Mapped[str] = mapped_column(default="")
    #: the account's own number, which every call of it shows as its caller; empty: withheld
    number: Mapped[str] = mapped_column(default="")
    #: address that it registers: its username, or that of the account whose calls it takes too (a second device)
    address: Mapped[str] = mapped_column(index=True)
    #: a disabled account is unregistered and its calls are refused
    enabled: Mapped[bool] = mapped_column(default=True)
    #: a trunk brings calls of others: its From is believed
    trunk: Mapped[bool] = mapped_column(default=False)
    #: person whose browser phone it is
    user_id: Mapped[str | None] = mapped_column(index=True)
    #: a browser phone's account ends by itself
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


def new_password() -> Secret:
    """Return a random password of 20 characters that are hard to confuse: 99 bits."""
    return Secret("".join(secrets.choice(_CLEAR_LETTERS) for _ in range(20)))


def hash_password(username: str, password: Secret) -> str:
    """Return what digest compares: the MD5 that RFC 2617 prescribes."""
    text = f"{username}:{REALM}:{password.reveal()}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def save_account(account: SipAccount, password: Secret | None = None) -> SipAccount:
    """Add or change an account in the current unit of work; Kamailio learns of it after the commit.

    Without ``password`` the present one stays. Raises ``InvalidInput`` that names the wrong fields.
    """
    wrong = _wrong_fields(account, password)
    if wrong:
        raise InvalidInput("The account cannot be saved: " + " ".join(wrong.values()), wrong, code="sip_account")
    account.address = account.address or account.username
    account.display_name = re.sub(r'[\x00-\x1f"\\<>]', "", account.display_name or "")[:64]
    if password is not None:
        account.ha1 = hash_password(account.username, password)
    db.session.add(account)
    db.session.flush()
    _project_after_commit([account.username])
    return account


def _wrong_fields(account: SipAccount, password: Secret | None) -> dict[str, str]:
    wrong = {}
    if not _USERNAME.fullmatch(account.username or "") or account.username == TRUNK_USERNAME:
        wrong["username"] = "Use letters, digits, dots, dashes: such as 201 or reception-2."
    else:
        with db.session.no_autoflush:
            same = select(SipAccount.id).where(SipAccount.username == account.username, SipAccount.id != account.id)
            if db.session.scalar(same) is not None:
                wrong["username"] = f"{account.username} is taken: choose another name."
    if not _NUMBER.fullmatch(account.number or ""):
        wrong["number"] = "Use an extension such as 201, or + and the country code."
    if password is not None and len(password.reveal()) < 12:
        wrong["password"] = "Use at least 12 characters."  # noqa: S105 - a message
    if password is None and not account.ha1:
        wrong["password"] = "A new account needs a password."  # noqa: S105 - a message
    return wrong


def disable_account(account: SipAccount) -> None:
    """Disable an account, and the second devices that register its address; they are unregistered after the commit."""
    _set_enabled(account, enabled=False)


def enable_account(account: SipAccount) -> None:
    """Let a disabled account register and call again."""
    _set_enabled(account, enabled=True)


def _set_enabled(account: SipAccount, *, enabled: bool) -> None:
    account.enabled = enabled
    others = select(SipAccount).where(SipAccount.address == account.username, SipAccount.id != account.id)
    second_devices = db.session.scalars(others).all()
    for device in second_devices:
        device.enabled = enabled
    _project_after_commit([account.username, *(device.username for device in second_devices)])


def delete_account(account: SipAccount) -> None:
    """Delete an account and its second devices; they are unregistered after the commit."""
    same = select(SipAccount).where(or_(SipAccount.address == account.username, SipAccount.id == account.id))
    accounts = db.session.scalars(same).all()
    for item in accounts:
        db.session.delete(item)
    _project_after_commit([item.username for item in accounts])


def registered(settings: Settings, address: str) -> list[dict[str, Any]]:
    """Return the contacts at which an address is reached now: ``{"contact", "user_agent", "expires_s"}``.

    Raises ``TransientError`` when Kamailio does not answer.
    """
    try:
        found = rpc.call(settings, "ul.lookup", "location", address)
    except TransientError:
        raise
    except CmsError:
        return []  # Kamailio calls an address without contacts an error
    contacts = [item["Contact"] for item in found["Contacts"]]
    return [
        {"contact": item["Address"], "user_agent": item.get("User-Agent", ""), "expires_s": item["Expires"]}
        for item in contacts
    ]


def _project_after_commit(usernames: Collection[str]) -> None:
    after_commit(partial(_project_quietly, settings_in_force(), tuple(usernames)))


def _project_quietly(settings: Settings, usernames: Collection[str]) -> None:
    try:
        project_accounts(settings, usernames)
    except SQLAlchemyError as error:
        # Committed is committed: the page must not fail for this, and the sweep makes it good.
        log.warning("account_not_projected", accounts=list(usernames), error=str(error))


def project_accounts(settings: Settings, usernames: Collection[str] | None = None) -> int:
    """Bring Kamailio's accounts (all, or the named ones) in line with ours; return how many changed."""
    ensure_edge_database(settings)
    wanted = _wanted(settings, usernames)
    columns = [column for column in subscriber.c if column.name not in ("id", "domain")]
    with edge_transaction(settings, write=False) as connection:
        query = select(*columns)
        if usernames is not None:
            query = query.where(subscriber.c.username.in_(usernames))
        present = {row["username"]: dict(row) for row in connection.execute(query).mappings()}
        changed = {name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)}
    if changed:
        with edge_transaction(settings) as connection:
            connection.execute(delete(subscriber).where(subscriber.c.username.in_(changed)))
            rows = [wanted[name] for name in changed if name in wanted]
            if rows:
                connection.execute(insert(subscriber), rows)
    forgotten = {
        present[name]["address"]
        for name in changed & present.keys()
        if name not in wanted or wanted[name]["ha1"] != present[name]["ha1"]
    }
    _unregister(settings, _unowned(settings, forgotten, changed))
    return len(changed)


def _wanted(settings: Settings, usernames: Collection[str] | None) -> dict[str, dict[str, Any]]:
    """Return the rows that Kamailio should have, by username."""
    query = select(SipAccount).where(
        SipAccount.enabled, or_(SipAccount.expires_at.is_(None), SipAccount.expires_at > now())
    )
    if usernames is not None:
        query = query.where(SipAccount.username.in_(usernames))
    with unit_of_work(write=False) as session:
        rows = {
            account.username: {
                "username": account.username,
                "ha1": account.ha1,
                "number": account.number,
                "display_name": account.display_name,
                "address": account.address,
                "trunk": int(account.trunk),
            }
            for account in session.scalars(query)
        }
    if usernames is None or TRUNK_USERNAME in usernames:
        rows[TRUNK_USERNAME] = {
            "username": TRUNK_USERNAME,
            "ha1": hash_password(TRUNK_USERNAME, Secret(settings.secret("trunk_password"))),
            "number": "",
            "display_name": "",
            "address": TRUNK_USERNAME,
            "trunk": 1,
        }
    return rows


def _unowned(settings: Settings, addresses: Iterable[str], changed: Collection[str]) -> set[str]:
    """Leave out addresses that another account, which did not change, still answers for."""
    addresses = set(addresses)
    if not addresses:
        return addresses
    query = select(subscriber.c.address).where(
        subscriber.c.address.in_(addresses), subscriber.c.username.not_in(changed)
    )
    with edge_transaction(settings, write=False) as connection:
        kept = set(connection.scalars(query))
    return {address for address in addresses if address in changed or address not in kept}


def _unregister(settings: Settings, addresses: Collection[str]) -> None:
    """Forget where the addresses are reached: in Kamailio's memory, and in its table for its next start."""
    if not addresses:
        return
    for address in addresses:
        try:
            rpc.call(settings, "ul.rm", "location", address)
        except TransientError as error:
            log.info("kamailio_not_told", address=address, error=error.message)
        except CmsError:
            log.debug("was_not_registered", address=address)
    with edge_transaction(settings) as connection:
        connection.execute(delete(location).where(location.c.username.in_(addresses)))


def sweep_accounts(settings: Settings | None = None) -> int:
    """Delete expired accounts and make good every projection that failed; return how many accounts changed."""
    settings = settings or settings_in_force()
    expired = select(SipAccount.id).where(SipAccount.expires_at <= now())
    with unit_of_work(write=False) as session:
        due = list(session.scalars(expired))
    if due:
        with unit_of_work() as session:
            session.execute(delete(SipAccount).where(SipAccount.id.in_(due)))
    changed = project_accounts(settings)
    with edge_transaction(settings, write=False) as connection:
        stray = select(location.c.username).where(location.c.username.not_in(select(subscriber.c.address))).distinct()
        addresses = set(connection.scalars(stray))
    _unregister(settings, addresses)
    return changed + len(addresses)
