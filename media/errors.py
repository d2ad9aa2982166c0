"""Errors of calls.

BusinessError
├── CallEnded          call.ended            the caller is gone
└── PromptMissing      call.prompt_missing   a sound that a diagram names cannot be played
InvalidInput
└── PromptRefused      prompt.refused        an uploaded file is no sound
"""

from __future__ import annotations

from engine.kernel.errors import BusinessError, InvalidInput


class CallEnded(BusinessError):
    """The caller is gone, or the call was never there."""

    code = "call.ended"


class PromptMissing(BusinessError):
    """A sound that a diagram names cannot be played."""

    code = "call.prompt_missing"


class PromptRefused(InvalidInput):
    """An uploaded file is no sound, or too long."""

    code = "prompt.refused"
