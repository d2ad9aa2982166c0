"""Exceptions as operators see them."""

from __future__ import annotations

import traceback

from engine.kernel.errors import CmsError
from engine.semantics import BpmnError

LONGEST_DETAIL = 8000


class OperationFault(CmsError):
    """What a worker or an agent reported about an operation that failed there."""

    code = "operation.fault"


def code_of(error: Exception) -> str:
    """Return the error's code; a defect is named by its class."""
    if isinstance(error, (CmsError, BpmnError)):
        return error.code
    return type(error).__name__


def sentence(error: Exception) -> str:
    """Return what is shown first."""
    return str(error) or type(error).__name__


def explain(error: Exception) -> str:
    """Return the traceback."""
    return "".join(traceback.format_exception(error))[-LONGEST_DETAIL:]
