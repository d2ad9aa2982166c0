"""``./cms deploy``, ``lint`` and ``decide``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import orjson
from sqlalchemy.exc import OperationalError, ProgrammingError

import ui.composition  # noqa: F401 - registers the operations and screens that lint asks for
from engine.api import Problem, Refused
from engine.api import deploy as deploy_files
from engine.definitions.documents import Unreadable, read_document
from engine.definitions.lint import examine
from engine.definitions.store import shelf
from engine.dmn import DmnError, parse_decisions
from engine.dmn import decide as decide_by_name
from engine.feel import text_of
from engine.kernel.db import process_app, unit_of_work
from engine.kernel.errors import InvalidInput, NotFound
from engine.kernel.settings import load_settings
from modules.identity.tenants import operator_tenant
from ui.cli.tenants import tenant_named
from ui.shipped import read_folder

PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

#: deployments by command are somebody's, so that the next start does not replace them with the shipped ones
BY_COMMAND = "command"

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}


def read_paths(paths: Iterable[Path]) -> dict[str, bytes]:
    """Return the files of paths; a folder stands for its diagrams, decisions and forms."""
    files: dict[str, bytes] = {}
    for path in paths:
        found = read_folder(path) if path.is_dir() else {path.name: path.read_bytes()}
        if not found:
            raise InvalidInput(f"{path} holds no diagram (.bpmn), decision (.dmn) or form (forms/*.json).")
        for name, content in found.items():
            key = name if name not in files else f"{path.name}/{name}"
            files[key] = content
    return files


def beside(paths: Iterable[Path]) -> dict[str, bytes]:
    """Return the decisions and forms in the folders of single files, which lint takes as present."""
    found: dict[str, bytes] = {}
    for path in paths:
        if path.is_file():
            for name, content in read_folder(path.resolve().parent).items():
                if not name.endswith(".bpmn") and name != path.name:
                    found[name] = content
    return found


@click.command()
@PATHS
@click.option("--tenant", help="Name or id of the tenant that owns them; without it the operator, for everybody.")
@AS_JSON
def deploy(paths: tuple[Path, ...], tenant: str | None, as_json: bool) -> None:
    """Store new versions of the processes in the files or folders PATHS."""
    settings = load_settings()
    process_app(settings)
    files = read_paths(paths)
    try:
        with unit_of_work():
            owner = tenant_named(tenant) if tenant else operator_tenant()
            definitions = deploy_files(files, tenant_id=owner.id, actor_id=BY_COMMAND, published=tenant is None)
            shown = [
                {"id": item.id, "process": item.process_id, "version": item.version, "name": item.name}
                for item in definitions
            ]
    except Refused as refusal:
        print_problems(refusal.problems, as_json)
        click.echo("Refused; nothing was stored.", err=True)
        sys.exit(1)
    if as_json:
        click.echo(orjson.dumps({"tenant": owner.name, "definitions": shown}).decode())
        return
    for item in shown:
        click.echo(f"{item['process']} version {item['version']} ({item['name']}) is in force, id {item['id']}")


@click.command()
@PATHS
@AS_JSON
def lint(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check the diagrams, decisions and forms in PATHS without storing anything; exit 1 when there are errors."""
    files = read_paths(paths)
    present = beside(paths)
    held = examine(present).origins
    looked = _looked_up()

    def lookup(name: str) -> tuple[str, bytes] | None:
        file = held.get(name)
        return (file, present[file]) if file is not None else looked(name)

    problems = examine(files, lookup).problems
    print_problems(problems, as_json, files)
    sys.exit(1 if any(problem.severity == "error" for problem in problems) else 0)


def _looked_up() -> Any:
    """Return a lookup of what the operator has deployed; of nothing where no database was made yet."""
    process_app(load_settings())
    try:
        with unit_of_work(write=False):
            found = shelf(operator_tenant().id)
            found("")
    except (OperationalError, ProgrammingError, NotFound):
        return lambda _: None
    return found


def print_problems(problems: list[Problem], as_json: bool, files: Iterable[str] = ()) -> None:
    """Print findings, grouped by file."""
    names = list(dict.fromkeys([*files, *(problem.file for problem in problems)]))
    if as_json:
        grouped = [
            {"file": name, "problems": [_shape(problem) for problem in problems if problem.file == name]}
            for name in names
        ]
        result = grouped[0] if len(grouped) == 1 else {"files": grouped}
        click.echo(orjson.dumps(result).decode())
        return
    for problem in problems:
        where = f"{problem.file}:{problem.line or 1}"
        element = f" {problem.name or problem.element}" if problem.element else ""
        mark = click.style(problem.severity, fg=_COLOURS[problem.severity], bold=problem.severity == "error")
        click.echo(f"{where}: {mark}{element}: {problem.message} {problem.remedy} [{problem.rule}]")
    if not problems:
        click.echo(f"{len(names)} files, nothing to say.")


def _shape(problem: Problem) -> dict[str, Any]:
    shape = problem.as_json()
    del shape["file"]
    return shape


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--decision", required=True, help="Id or name of the decision.")
@click.option("--data", default="{}", help="Variables as a JSON object.")
def decide(file: Path, decision: str, data: str) -> None:
    """Make a decision of the DMN file FILE and print its result and the rules that fired, as JSON."""
    try:
        variables = json.loads(data, parse_float=Decimal)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--data") from error
    if not isinstance(variables, dict):
        raise click.BadParameter("not a JSON object", param_hint="--data")
    try:
        document = read_document(file.name, file.read_bytes())
        if document.kind != "dmn":
            raise InvalidInput(f"{file} is no DMN file.")
        decided = decide_by_name(parse_decisions(document.root), decision, variables)
    except Unreadable as refusal:
        raise InvalidInput(f"{file}: {refusal.message} {refusal.remedy}") from refusal
    except DmnError as error:
        where = f" line {error.details['line']}" if error.details.get("line") else ""
        raise InvalidInput(f"{file}{where}: {error.message}") from error
    click.echo(exact_json(decided.as_json()))


def exact_json(value: Any) -> str:
    """Return JSON in which decimals are numbers with all their digits, and dates and durations are texts."""

    def plain(item: Any) -> Any:
        return orjson.Fragment(format(item, "f")) if isinstance(item, Decimal) else text_of(item)

    return orjson.dumps(value, default=plain, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_INDENT_2).decode()
