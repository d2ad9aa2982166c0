"""Login and permission: flask-security behind our own pages, and one check in front of every view."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from flask import Flask, current_app, g, redirect, request, session, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_security import MailUtil, Security, SQLAlchemyUserDatastore, current_user, user_authenticated
from werkzeug.wrappers import Response

from engine.kernel.actor import acting_as, current_actor
from engine.kernel.db import db, now
from engine.kernel.errors import NotPermitted
from engine.kernel.settings import Settings
from engine.pages import EVERYONE, PUBLIC, ROLES, allow, allowed_roles, may_open
from modules.identity import Role, User, actor_of, users_with_role

LOGIN_LIMIT = "10 per minute; 60 per hour"

limiter = Limiter(get_remote_address, default_limits=[], headers_enabled=False)


class Users(SQLAlchemyUserDatastore):
    """The datastore of flask-security, which commits by itself; here the request's unit of work does."""

    def commit(self) -> None:
        """Leave the commit to the unit of work."""
        db.session.flush()


class Addresses(MailUtil):
    """Mail addresses as we keep them: lower case, and names of private networks are fine."""

    def normalize(self, email: str) -> str:
        """Return the address as it is kept. Raises ``ValueError`` when it cannot be one."""
        address = normal_address(email)
        if address is None:
            raise ValueError("not a mail address")
        return address

    def validate(self, email: str) -> str:
        """Return the address as it is kept. Raises ``ValueError`` when it cannot be one."""
        return self.normalize(email)


def normal_address(identity: str) -> str | None:
    """Return what people type as their address in the form it is kept, or None when it cannot be one."""
    address = identity.strip().lower()
    return address if "@" in address and len(address) < 255 else None


def init_auth(app: Flask, settings: Settings) -> None:
    """Add login, logout, password change and the check in front of every view."""
    app.config.update(
        SECURITY_PASSWORD_SALT=settings.secret("password_salt"),
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - the name of the algorithm
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_DEPRECATED_PASSWORD_SCHEMES=[],
        SECURITY_PASSWORD_CONFIRM_REQUIRED=False,
        SECURITY_USER_IDENTITY_ATTRIBUTES=[{"email": {"mapper": normal_address, "case_insensitive": False}}],
        SECURITY_LOGIN_URL="/login",
        SECURITY_LOGOUT_URL="/logout",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_POST_LOGIN_VIEW="/",
        SECURITY_POST_LOGOUT_VIEW="/login",
        SECURITY_REGISTERABLE=False,
        SECURITY_SEND_REGISTER_EMAIL=False,
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        SECURITY_FLASH_MESSAGES=False,
        SECURITY_AUTO_LOGIN_AFTER_RESET=False,
        REMEMBER_COOKIE_SAMESITE="Strict",
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SECURE=app.config["SESSION_COOKIE_SECURE"],
        RATELIMIT_STORAGE_URI=settings.redis.replace("unix://", "redis+unix://", 1),
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_KEY_PREFIX="cms:limit",
    )
    Security(app, Users(db, User, Role), mail_util_cls=Addresses)
    limiter.init_app(app)
    allow(EVERYONE)(app.view_functions["security.logout"])
    login = app.view_functions["security.login"]
    limited: Any = limiter.limit(LOGIN_LIMIT, methods=["POST"])(
        limiter.limit(LOGIN_LIMIT, key_func=_typed_address, methods=["POST"])(login)
    )
    app.view_functions["security.login"] = allow(PUBLIC)(limited)
    app.before_request(check_permission)
    app.teardown_request(forget_actor)
    user_authenticated.connect(_remember_login, app)


def _typed_address() -> str:
    values: Any = request.form or (request.get_json(silent=True) if request.is_json else None) or {}
    return f"address:{normal_address(str(values.get('email', ''))) or 'none'}"


def _remember_login(app: Flask, user: User, **_: Any) -> None:
    user.last_login_at = now()


def is_static(endpoint: str) -> bool:
    """Tell whether the endpoint only hands out files that ship with the platform."""
    return endpoint == "static" or endpoint.endswith(".static")


def check_permission() -> Response | None:
    """Find out who asks, and whether the view is open to him. Raises ``NotPermitted``; strangers go to the login."""
    if request.endpoint and is_static(request.endpoint):
        return None
    known = current_user.is_authenticated
    if known:
        g.acting = ExitStack()
        g.acting.enter_context(acting_as(actor_of(current_user, session.get("tenant"))))
    if request.endpoint is None:
        return None
    allowed = allowed_roles(current_app.view_functions[request.endpoint])
    if PUBLIC in allowed:
        return None
    if not known:
        return to_login()
    if current_user.must_change_password and request.endpoint not in {"account.password", "security.logout"}:
        return redirect(url_for("account.password"))
    actor = current_actor()
    if actor is None or not may_open(actor.roles, allowed):
        raise denied(allowed)
    return None


def forget_actor(error: BaseException | None = None) -> None:
    """Leave no actor behind for the thread's next request."""
    acting: ExitStack | None = g.pop("acting", None)
    if acting is not None:
        acting.close()


def to_login() -> Response:
    """Send a stranger to the login, and from there back to where he wanted to go."""
    if request.headers.get("HX-Request"):
        response = current_app.make_response(("", 401))
        response.headers["HX-Redirect"] = url_for("security.login")
        return response
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
    if "json" in request.headers.get("Accept", "") and "html" not in request.headers.get("Accept", ""):
        return current_app.make_response(({"code": "login_required", "message": "Log in first."}, 401))
    return redirect(url_for("security.login", next=wanted if wanted != "/" else None))


def denied(allowed: frozenset[str]) -> NotPermitted:
    """Return the refusal that says what is missing and who can grant it."""
    wanted = [ROLES[name] for name in ROLES if name in allowed]
    grantors = users_with_role(current_user.tenant_id, ["customer_admin", "administrator"])
    return NotPermitted(
        f"This page is for {_either(wanted)}." if wanted else "Nobody may open this page.",
        code="page.closed",
        needed=wanted,
        grantors=[user.name for user in grantors if user.id != current_user.id],
    )


def _either(names: list[str]) -> str:
    plural = [f"{name[0].lower()}{name[1:]}s" for name in names]
    return plural[0] if len(plural) == 1 else f"{', '.join(plural[:-1])} and {plural[-1]}"
