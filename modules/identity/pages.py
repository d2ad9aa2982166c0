"""The users page, for administrators and customer admins."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import or_, select

from engine.kernel.actor import current_actor
from engine.kernel.db import db
from engine.kernel.errors import InvalidInput, NotPermitted
from engine.pages import ROLES, Action, Column, Empty, Form, ListPage, Preview, Section, Status, View, add_list
from modules.identity.models import Role, Tenant, User, user_roles
from modules.identity.users import create_user, end_sessions, rename_user, set_password, set_roles

ADMINS = ("administrator", "customer_admin")


def _status(user: User) -> Status:
    return Status("completed", "Active") if user.active else Status("cancelled", "Disabled")


def _titles(user: User) -> list[str]:
    return [ROLES[name] for name in ROLES if name in user.role_names]


def _tenant_name(user: User) -> str:
    tenant = db.session.get(Tenant, user.tenant_id)
    return tenant.name if tenant else ""


def _has_role(name: str) -> Any:
    return User.id.in_(
        select(user_roles.c.user_id).join(Role, Role.id == user_roles.c.role_id).where(Role.name == name)
    )


def grantable() -> list[str]:
    """Return the roles that the actor may give: only an administrator makes administrators."""
    actor = current_actor()
    everything = actor is not None and "administrator" in actor.roles
    return [name for name in ROLES if everything or name != "administrator"]


def preview(user: User) -> Preview:
    """What stands beside the list."""
    facts = [
        ("Status", _status(user)),
        ("Tenant", _tenant_name(user)),
        ("Last sign-in", user.last_login_at),
        ("Since", user.created_at),
        ("Password", "To be changed at the next sign-in" if user.must_change_password else "Chosen by the user"),
    ]
    return Preview(
        user.name,
        [
            Section("Details", facts=facts),
            Section("Contact info", facts=[("Mail", user.email)]),
            Section("Roles", labels=_titles(user)),
        ],
        subtitle=user.email,
    )


def form(user: User | None) -> Form:
    """The form for a new or a known user."""
    roles = {
        "type": "array",
        "title": "Roles",
        "uniqueItems": True,
        "minItems": 1,
        "items": {"oneOf": [{"const": name, "title": ROLES[name]} for name in grantable()]},
    }
    properties: dict[str, Any] = {
        "name": {"type": "string", "title": "Name", "maxLength": 120},
        "email": {
            "type": "string",
            "title": "Mail address",
            "format": "email",
            "maxLength": 200,
            "description": "People sign in with it.",
        },
        "roles": roles,
    }
    if user is None:
        tenants = db.session.scalars(select(Tenant).where(Tenant.id.in_(_visible())).order_by(Tenant.name)).all()
        if len(tenants) > 1:
            options = [{"const": tenant.id, "title": tenant.name} for tenant in tenants]
            properties["tenant_id"] = {"type": "string", "title": "Tenant", "oneOf": options}
        properties["password"] = {
            "type": "string",
            "title": "First password",
            "description": "At least 10 characters. It must be changed at the first sign-in.",
        }
    schema = {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }
    ui = {"password": {"ui:autocomplete": "off"}, "tenant_id": {"ui:widget": "select"}}
    if user is None:
        return Form(schema, {"password": secrets.token_urlsafe(9)}, ui)
    return Form(schema, {"name": user.name, "email": user.email, "roles": sorted(user.role_names)}, ui)


def _visible() -> frozenset[str]:
    actor = current_actor()
    return actor.tenant_ids if actor else frozenset()


def create(data: dict[str, Any]) -> User:
    """Add a user to a tenant the actor may see. Raises ``InvalidInput``, ``NotPermitted``."""
    actor = current_actor()
    tenant_id = data.get("tenant_id") or (actor.tenant_id if actor else "")
    if tenant_id not in _visible():
        raise NotPermitted("That tenant is not below yours.")
    return create_user(
        tenant_id=tenant_id,
        email=data["email"],
        name=data["name"],
        roles=_granted(data["roles"]),
        password=data["password"],
        must_change_password=True,
    )


def update(user: User, data: dict[str, Any]) -> None:
    """Change name, address and roles. Raises ``InvalidInput``, ``NotPermitted``."""
    _not_above(user)
    rename_user(user, name=data["name"], email=data["email"])
    before = user.role_names
    set_roles(user, _granted(data["roles"]))
    if "administrator" in before - user.role_names:
        _keep_one_administrator(user)


def _granted(roles: list[str]) -> list[str]:
    if not set(roles) <= set(grantable()):
        raise InvalidInput("Only an administrator makes administrators.", {"roles": "Leave out Administrator."})
    return roles


def _not_above(user: User) -> None:
    actor = current_actor()
    if "administrator" in user.role_names and not (actor and "administrator" in actor.roles):
        raise NotPermitted("Only an administrator may change an administrator.")


def _keep_one_administrator(user: User) -> None:
    others = list(db.session.scalars(select(User).where(_has_role("administrator"), User.active.is_(True))))
    if not any(other.id != user.id for other in others):
        raise InvalidInput("Somebody must stay administrator.", {"roles": "This is the last active administrator."})


def disable(user: User) -> str:
    """Forbid the user to sign in, at once. Raises ``NotPermitted`` for oneself, ``InvalidInput`` for the last one."""
    actor = current_actor()
    _not_above(user)
    if actor and actor.user_id == user.id:
        raise NotPermitted("You cannot disable your own account.")
    if "administrator" in user.role_names:
        _keep_one_administrator(user)
    user.active = False
    end_sessions(user)
    return f"{user.name} can no longer sign in."


def enable(user: User) -> str:
    """Let the user sign in again."""
    _not_above(user)
    user.active = True
    return f"{user.name} can sign in again."


def new_password(user: User) -> str:
    """Give the user a password to be changed at the next sign-in."""
    _not_above(user)
    password = secrets.token_urlsafe(9)
    set_password(user, password)
    user.must_change_password = True
    return f"The new password of {user.name} is {password}. It is shown only now."


users = add_list(
    ListPage(
        name="identity.users",
        url="/administration/users",
        section="Administration",
        title="Users",
        singular="user",
        model=User,
        roles=ADMINS,
        edit_roles=ADMINS,
        order=60,
        columns=(
            Column("name", "Name", User.name, kind="person", width=150),
            Column("email", "Mail", User.email, under=True),
            Column(
                "roles",
                "Roles",
                kind="labels",
                show=_titles,
                where=_has_role,
                choices=tuple(ROLES.items()),
                width=150,
            ),
            Column("tenant", "Tenant", show=_tenant_name, width=124),
            Column(
                "active",
                "Status",
                User.active,
                kind="boolean",
                show=_status,
                width=92,
                keep=True,
            ),
            Column("last_login_at", "Last sign-in", User.last_login_at, kind="when", width=112),
        ),
        search=lambda text: or_(
            User.name.icontains(text, autoescape=True), User.email.icontains(text, autoescape=True)
        ),
        sort="name",
        views=(View("disabled", "Disabled", lambda: User.active.is_(False)),),
        preview=preview,
        form=form,
        create=create,
        update=update,
        actions=(
            Action(
                "password",
                "New password",
                new_password,
                "key",
                confirm="Give this user a new password? Open sessions end at once.",
                sticky=True,
            ),
            Action(
                "disable",
                "Disable",
                disable,
                "user-off",
                when=lambda user: bool(user.active),
                danger=True,
                confirm="Disable this user? Open sessions end at once.",
            ),
            Action("enable", "Enable", enable, "user-check", when=lambda user: not user.active),
        ),
        empty=Empty("No users yet", "Add the people who work with the platform.", "users"),
    )
)
