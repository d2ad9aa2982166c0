"""What is wrong with uploaded files, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine.kernel.errors import CmsError


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. ``element`` and ``name`` are those of the diagram's element, None for the whole file."""

    file: str
    element: str | None
    name: str | None
    line: int | None
    rule: str
    severity: Literal["error", "warning", "info"]
    message: str
    remedy: str

    def as_json(self) -> dict[str, Any]:
        """Return the finding as pages and the command line print it."""
        return asdict(self)


class Refused(CmsError):
    """An upload has errors; nothing was stored."""

    code = "deployment.refused"

    def __init__(self, problems: Sequence[Problem]) -> None:
        errors = [problem for problem in problems if problem.severity == "error"]
        first = errors[0]
        where = f"{first.file}: {first.name or first.element}: " if first.element else f"{first.file}: "
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{where}{first.message}{more}", problems=[problem.as_json() for problem in problems])
        self.problems = list(problems)
