"""Write requirements.txt and requirements-dev.txt: the installed versions of what pyproject.toml needs.

``python -m ui.cli.freeze`` after adding or upgrading a package in the virtual environment.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
HEAD = "# Written by `python -m ui.cli.freeze` from pyproject.toml and the installed versions.\n"


def closure(requirements: Iterable[str]) -> dict[str, str]:
    """Return name and installed version of the requirements and of all that they need.

    Raises ``LookupError`` for one that is not installed or in a version that is not allowed.
    """
    found: dict[str, str] = {}
    done: set[tuple[str, str]] = set()
    open_ones = [(Requirement(text), "") for text in requirements]
    while open_ones:
        requirement, extra = open_ones.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            raise LookupError(f"{name} is not installed") from None
        if not requirement.specifier.contains(installed.version, prereleases=True):
            raise LookupError(f"{name} {installed.version} is not {requirement.specifier}")
        found[name] = installed.version
        for wanted in {"", *requirement.extras} - {e for n, e in done if n == name}:
            done.add((name, wanted))
            open_ones += [(Requirement(text), wanted) for text in installed.requires or []]
    return found


def pins() -> dict[str, str]:
    """Return the content of each requirements file by its name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    run = closure(project["project"]["dependencies"])
    development = closure(project["dependency-groups"]["dev"])
    more = {name: version for name, version in development.items() if name not in run}
    return {
        "requirements.txt": HEAD + _lines(run),
        "requirements-dev.txt": HEAD + "-r requirements.txt\n" + _lines(more),
    }


def _lines(versions: dict[str, str]) -> str:
    return "".join(f"{name}=={version}\n" for name, version in sorted(versions.items()))


if __name__ == "__main__":
    for file, text in pins().items():
        (ROOT / file).write_text(text)
        sys.stdout.write(f"{file}: {text.count('==')} packages\n")
