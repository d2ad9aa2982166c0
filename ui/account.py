"""The user's own account: a new password."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_security import current_user, login_user

from engine.kernel.errors import InvalidInput
from engine.pages import EVERYONE, allow
from modules.identity import User
from modules.identity.users import set_password
from ui.shell import toast

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.route("/password", methods=["GET", "POST"])
@allow(EVERYONE)
def password() -> ResponseReturnValue:
    """Choose a new password; other sessions of the user end."""
    wrong: dict[str, str] = {}
    user: User = current_user._get_current_object()  # the proxy itself must not become the session's user
    if request.method == "POST":
        old, new = request.form.get("old", ""), request.form.get("password", "")
        if not user.verify_and_update_password(old):
            wrong["old"] = "This is not your present password."
        elif old == new:
            wrong["password"] = "Choose one that differs from the present password."  # noqa: S105 - a message
        elif new != request.form.get("again", ""):
            wrong["again"] = "The two new passwords differ. Type the same one twice."
        else:
            try:
                set_password(user, new)
            except InvalidInput as error:
                wrong = error.fields
        if not wrong:
            login_user(user)
            toast("Your password is changed. Other sessions have ended.")
            return redirect("/")
    return render_template("account_password.html", wrong=wrong), 422 if wrong else 200
