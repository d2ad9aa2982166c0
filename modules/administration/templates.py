"""Mail templates: ``<name>.txt`` and ``<name>.html`` in directories that modules add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.sandbox import render_text

_sources: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Body:
    """A mail's text in both forms; ``html`` is empty where the template has none."""

    text: str
    html: str


def add_mail_templates(directory: Path) -> None:
    """Make the templates of ``directory`` known. Raises ``ValueError`` when a name is taken by another one."""
    for path in sorted([*directory.glob("*.txt"), *directory.glob("*.html")]):
        source = path.read_text()
        if _sources.setdefault(path.name, source) != source:
            raise ValueError(f"the mail template {path.name} exists twice; {path} is the second")


def render_body(template: str, data: Mapping[str, Any]) -> Body:
    """Return the mail that ``template`` makes of ``data``. Raises ``TemplateRefused``."""
    text = render_text(_sources, f"{template}.txt", data)
    html = render_text(_sources, f"{template}.html", data) if f"{template}.html" in _sources else ""
    return Body(text.strip() + "\n", html)


add_mail_templates(Path(__file__).parent / "mail")
