"""Makes the communicator's templates known to the web."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("communicator", __name__, template_folder="templates")
