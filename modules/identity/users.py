"""Users: make them, find them, and turn one into the actor of a unit of work."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable

from argon2 import PasswordHasher
from sqlalchemy import select

from engine.kernel.actor import Actor
from engine.kernel.db import db
from engine.kernel.errors import InvalidInput, NotFound
from engine.pages import ROLES
from modules.identity.models import Role, User
from modules.identity.tenants import ancestors_of, subtree_of

PASSWORD_MINIMUM = 10

_DESCRIPTIONS = {
    "administrator": "Runs the platform: processes, instances, users of all tenants.",
    "customer_admin": "Runs one customer: numbers, extensions, applications, contacts, users.",
    "supervisor": "Watches calls and work of a team.",
    "agent": "Takes calls and tasks.",
    "consumer": "Sees own calls and memos.",
    "analyst": "Makes reports.",
}

_hasher = PasswordHasher()


def ensure_roles() -> dict[str, Role]:
    """Return all roles by name, adding those that are missing."""
    known = {role.name: role for role in db.session.scalars(select(Role))}
    for name in ROLES:
        if name not in known:
            known[name] = Role(name=name, description=_DESCRIPTIONS[name])
            db.session.add(known[name])
    db.session.flush()
    return known


def hash_password(password: str) -> str:
    """Return the argon2id hash that the login checks."""
    return _hasher.hash(unicodedata.normalize("NFKD", password))


def check_password_strength(password: str) -> None:
    """Raise ``InvalidInput`` when nobody should use the password."""
    if len(password) < PASSWORD_MINIMUM:
        raise InvalidInput(
            "The password is too short.",
            {"password": f"Use at least {PASSWORD_MINIMUM} characters; this one has {len(password)}."},
            code="identity.password_weak",
        )


def create_user(
    *, tenant_id: str, email: str, name: str, roles: Iterable[str], password: str, must_change_password: bool = False
) -> User:
    """Add a user. Raises ``InvalidInput`` for a taken address, an unknown role or a weak password."""
    email = _free_address(email)
    check_password_strength(password)
    user = User(
        tenant_id=tenant_id,
        email=email,
        name=name.strip(),
        password=hash_password(password),
        fs_uniquifier=secrets.token_hex(32),
        must_change_password=must_change_password,
    )
    set_roles(user, roles)
    db.session.add(user)
    db.session.flush()
    return user


def rename_user(user: User, *, name: str, email: str) -> None:
    """Change name and address. Raises ``InvalidInput`` for a taken address."""
    user.name = name.strip()
    if email.strip().lower() != user.email:
        user.email = _free_address(email)


def _free_address(email: str) -> str:
    email = email.strip().lower()
    local, _, domain = email.partition("@")
    if not local or not domain or " " in email:
        raise InvalidInput(f"{email!r} is no mail address.", {"email": "Write it as name@company.example."})
    if db.session.scalar(select(User.id).where(User.email == email)):
        raise InvalidInput(
            f"{email} already has an account.",
            {"email": "This address already has an account. Use another one."},
            code="identity.email_taken",
        )
    return email


def set_roles(user: User, roles: Iterable[str]) -> None:
    """Give the user exactly these roles. Raises ``InvalidInput`` for none or an unknown one."""
    wanted = set(roles)
    known = ensure_roles()
    if not wanted or wanted - set(known):
        raise InvalidInput("A user needs known roles.", {"roles": f"Choose at least one of {', '.join(ROLES)}."})
    user.roles = [known[name] for name in sorted(wanted)]


def set_password(user: User, password: str) -> None:
    """Replace the password and end all other sessions. Raises ``InvalidInput`` for a weak one."""
    check_password_strength(password)
    user.password = hash_password(password)
    user.must_change_password = False
    end_sessions(user)


def end_sessions(user: User) -> None:
    """Make every session of the user invalid."""
    user.fs_uniquifier = secrets.token_hex(32)


def find_user(user_id: str) -> User:
    """Return the user. Raises ``NotFound``."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such user.", code="identity.user_unknown")
    return user


def find_user_by_email(email: str) -> User | None:
    """Return the user who logs in with this address, if any."""
    user: User | None = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    return user


def users_with_role(tenant_id: str, roles: Iterable[str]) -> list[User]:
    """Return the active users of the tenant, or else of the nearest one above it, who have one of ``roles``."""
    wanted = set(roles)
    for owner in ancestors_of(tenant_id):
        users = db.session.scalars(
            select(User).where(User.tenant_id == owner, User.active.is_(True)).order_by(User.name)
        )
        found = [user for user in users if user.role_names & wanted]
        if found:
            return found
    return []


def actor_of(user: User, tenant_id: str | None = None) -> Actor:
    """Return who acts when ``user`` does something, seeing his tenant and all below it.

    ``tenant_id`` narrows the sight to one of those tenants; anything else is ignored.
    """
    visible = subtree_of(user.tenant_id)
    if tenant_id and tenant_id != user.tenant_id and tenant_id in visible:
        return Actor(user.id, tenant_id, subtree_of(tenant_id), user.role_names, user.name)
    return Actor(user.id, user.tenant_id, visible, user.role_names, user.name)
