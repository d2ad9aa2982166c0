"""Tables of identity."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_security import RoleMixin, UserMixin
from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.kernel.db import Base, Identified, TenantOwned, db, now


class Tenant(Identified, db.Model):
    """One party in the tree operator → (reseller →) customer."""

    __tablename__ = "tenant"

    #: the party above; empty only for the operator
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("tenant.id"), index=True)
    #: ``operator``, ``reseller`` or ``customer``
    kind: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(unique=True)
    #: how its people see the platform: ``{"initials": "LD", "from": "#1f7a8c", "to": "#14505e"}``
    branding: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: IANA zone that times are shown in
    timezone: Mapped[str] = mapped_column(default="Europe/Berlin")
    #: BCP 47 tag of the language callers hear by default
    language: Mapped[str] = mapped_column(default="en")
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def initials(self) -> str:
        """Two letters for the logo tile."""
        given = self.branding.get("initials")
        return str(given) if given else "".join(word[0] for word in self.name.split()[:2]).upper()


user_roles = Table(
    "user_roles",
    Base.metadata,
    Column("user_id", ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("role.id", ondelete="CASCADE"), primary_key=True),
)


class Role(Identified, RoleMixin, db.Model):  # type: ignore[misc]  # the mixin declares an integer id
    """What somebody may do; the names are those of ``engine.pages.ROLES``."""

    __tablename__ = "role"

    name: Mapped[str] = mapped_column(unique=True)
    #: one sentence for administrators
    description: Mapped[str] = mapped_column(default="")


class User(Identified, TenantOwned, UserMixin, db.Model):  # type: ignore[misc]  # as above
    """Somebody who can log in."""

    __tablename__ = "user_account"  # "user" is a reserved word in PostgreSQL

    #: lower case; what people log in with
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    #: argon2 hash
    password: Mapped[str]
    #: false: may not log in, sessions end with the next click
    active: Mapped[bool] = mapped_column(default=True)
    #: changes end all sessions of the user
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    #: a password given by somebody else, to be replaced at the next login
    must_change_password: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_login_at: Mapped[datetime | None]  # type: ignore[assignment]  # flask-security declares it without None

    roles: Mapped[list[Role]] = relationship(  # type: ignore[assignment]  # and this without our class
        secondary=user_roles, lazy="selectin", order_by=Role.name
    )

    @property
    def role_names(self) -> frozenset[str]:
        """Names of the user's roles."""
        return frozenset(role.name for role in self.roles)
