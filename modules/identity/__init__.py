"""Who is who: the tree of tenants, users and their roles.

Public: ``Tenant``, ``User``, ``Role``; ``actor_of`` and ``subtree_of`` for scoping; ``create_user`` and friends.
"""

from modules.identity.models import Role, Tenant, User
from modules.identity.tenants import OPERATOR, ancestors_of, create_tenant, find_tenant, operator_tenant, subtree_of
from modules.identity.users import (
    actor_of,
    create_user,
    ensure_roles,
    find_user,
    find_user_by_email,
    set_password,
    users_with_role,
)

REQUIRES: tuple[str, ...] = ()

__all__ = [
    "OPERATOR",
    "REQUIRES",
    "Role",
    "Tenant",
    "User",
    "actor_of",
    "ancestors_of",
    "create_tenant",
    "create_user",
    "ensure_roles",
    "find_tenant",
    "find_user",
    "find_user_by_email",
    "operator_tenant",
    "set_password",
    "subtree_of",
    "users_with_role",
]
