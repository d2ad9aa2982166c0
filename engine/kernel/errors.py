"""The error tree.

    CmsError                     code, sentence for people, details
    ├── BusinessError            a rule said no; becomes a BPMN error with its code
    │   └── InvalidInput         one or more named fields are wrong
    ├── NotFound                 no such thing, or not yours to see
    ├── NotPermitted             you may see it, but not do that
    ├── Conflict                 somebody else was first
    ├── TransientError           worth trying again by itself
    └── ConfigurationError       the operator must change a setting

Vendor exceptions are translated into these where the vendor is called. Anything that is not a
``CmsError`` is a defect: in a process it becomes an incident, on a page a 500.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class CmsError(Exception):
    """Base of all expected failures.

    ``code`` is permanent and machine-readable (``directory.number_taken``), ``message`` is one
    sentence for people, ``details`` is JSON-serialisable.
    """

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        if code is not None:
            self.code = code

    def as_json(self) -> dict[str, Any]:
        """Return ``{"code", "message", "details"}``."""
        return {"code": self.code, "message": self.message, "details": self.details}


class BusinessError(CmsError):
    """A rule of the business said no. Thrown by an operation it becomes a BPMN error with its ``code``."""

    code = "business_error"


class InvalidInput(BusinessError):
    """Input that breaks a rule; ``fields`` maps the field's name to what is wrong with it and how to mend it."""

    code = "invalid_input"

    def __init__(self, message: str, fields: Mapping[str, str] | None = None, *, code: str | None = None) -> None:
        super().__init__(message, code=code, fields=dict(fields or {}))
        self.fields = dict(fields or {})


class NotFound(CmsError):
    """There is no such thing, or the actor may not know of it."""

    code = "not_found"


class NotPermitted(CmsError):
    """The actor may see the thing but not do this to it."""

    code = "not_permitted"


class Conflict(CmsError):
    """Somebody else was first (a task already completed, a version already replaced)."""

    code = "conflict"


class TransientError(CmsError):
    """The outside world is unwell; the same call may work later. Retried with back-off, then an incident."""

    code = "transient"


class ConfigurationError(CmsError):
    """A setting is missing or wrong; the message names it and the remedy."""

    code = "configuration"
