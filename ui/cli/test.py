"""``cms test``: everything that must hold. With arguments only pytest, with them."""

from __future__ import annotations

import subprocess
import sys

import click

from ui.cli.table import ROOT

#: Checks besides pytest, which also checks the import rules (tests/architecture).
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy", "engine", "media", "modules", "reports", "ui", "wsgi.py"),
)


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run all checks and tests; with arguments (-k word, a path …) only pytest with them."""
    wrong = [] if arguments else [" ".join(check) for check in CHECKS if not _passes(*check)]
    passed = _passes("pytest", *(arguments or ("--durations=25",)))
    if wrong:
        click.echo(f"Not clean (see above): {'; '.join(wrong)}", err=True)
    sys.exit(0 if passed and not wrong else 1)


def _passes(module: str, *arguments: str) -> bool:
    argv = [sys.executable, "-m", module, *arguments]
    click.echo(f"$ {module} {' '.join(arguments)}")
    return subprocess.run(argv, cwd=ROOT, check=False).returncode == 0
