"""``cms user``: accounts from the command line, for the first one and for a forgotten password."""

from __future__ import annotations

import secrets

import click
import orjson
from sqlalchemy import select

from engine.kernel.db import db, process_app, unit_of_work
from engine.kernel.errors import NotFound
from engine.kernel.settings import load_settings
from engine.pages import ROLES
from modules.identity import Tenant, User, create_user, find_user_by_email, operator_tenant, set_password

NEW_ONE = "Without it a new one is made and printed, to be changed at the next login."


@click.group()
def user() -> None:
    """List users, add one, or give one a new password."""
    process_app(load_settings())


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_users(as_json: bool) -> None:
    """List all users."""
    with unit_of_work(write=False):
        rows = [
            {"email": found.email, "name": found.name, "tenant": tenant, "roles": sorted(found.role_names)}
            for found, tenant in db.session.execute(
                select(User, Tenant.name).join(Tenant, Tenant.id == User.tenant_id).order_by(User.email)
            )
        ]
    if as_json:
        click.echo(orjson.dumps(rows).decode())
        return
    for row in rows:
        click.echo(f"{row['email']:<32} {row['name']:<24} {row['tenant']:<20} {', '.join(row['roles'])}")


@user.command()
@click.argument("email")
@click.option("--name", required=True, help="What people call him.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(list(ROLES)))
@click.option("--tenant", help="Name of the tenant; the operator without it.")
@click.option("--password", help=NEW_ONE)
def add(email: str, name: str, roles: tuple[str, ...], tenant: str | None, password: str | None) -> None:
    """Add a user who logs in with EMAIL."""
    given = password or secrets.token_urlsafe(12)
    with unit_of_work():
        owner = _tenant(tenant)
        create_user(
            tenant_id=owner.id,
            email=email,
            name=name,
            roles=roles,
            password=given,
            must_change_password=password is None,
        )
    click.echo(f"{email} may log in" + (f" with {given}" if password is None else ""))


@user.command()
@click.argument("email")
@click.option("--password", help=NEW_ONE)
def password(email: str, password: str | None) -> None:
    """Give the user EMAIL a new password and end his sessions."""
    given = password or secrets.token_urlsafe(12)
    with unit_of_work():
        found = find_user_by_email(email)
        if found is None:
            raise NotFound(f"nobody logs in with {email}")
        set_password(found, given)
        found.must_change_password = password is None
    click.echo(f"{email} may log in" + (f" with {given}" if password is None else ""))


def _tenant(name: str | None) -> Tenant:
    if name is None:
        return operator_tenant()
    found: Tenant | None = db.session.scalar(select(Tenant).where(Tenant.name == name))
    if found is None:
        known = ", ".join(db.session.scalars(select(Tenant.name).order_by(Tenant.name)))
        raise NotFound(f"there is no tenant {name!r}; known: {known}")
    return found
