"""The rules of the house that a program can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ui.composition  # noqa: F401 - registers all operations
from engine.kernel.db import Base, TenantOwned
from engine.operations import all_operations
from ui.cli import COMMANDS
from ui.cli.freeze import pins

ROOT = Path(__file__).parents[2]
ROOMS = ("engine", "media", "modules", "reports", "ui")
LONGEST_FILE = 500
#: What Flask knows of the request; below the pages nobody may ask it.
REQUEST_NAMES = {"request", "session", "g", "current_app"}


def sources(*rooms: str) -> Iterator[tuple[Path, ast.Module]]:
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text())


def test_imports_go_down_only() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_of_ours_is_imported_inside_a_function() -> None:
    found = [
        f"{path}:{inner.lineno}"
        for path, tree in sources(*ROOMS)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(function)
        if (isinstance(inner, ast.ImportFrom) and (inner.module or "").split(".")[0] in ROOMS)
        or (isinstance(inner, ast.Import) and any(name.name.split(".")[0] in ROOMS for name in inner.names))
    ]
    assert found == []


def test_only_pages_know_the_request() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in sources("engine", "media", "modules", "reports")
        if path.name != "screens.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "flask"
        if REQUEST_NAMES & {name.name for name in node.names}
    ]
    assert found == []


def test_modules_know_each_other_by_their_faces_and_as_they_declare() -> None:
    found: list[str] = []
    for path, tree in sources("modules"):
        own = _module_of(path)
        required = _requires(own)
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("modules."):
                continue
            other = _module_of(Path(*(node.module or "").split(".")))
            if other == own or path.name == "demo.py":
                continue
            if node.module != other:
                found.append(f"{path}:{node.lineno} reaches into {node.module}; only {other} itself may be imported")
            elif other not in required:
                found.append(f"{path}:{node.lineno} uses {other}, which {own}.REQUIRES does not list")
    assert found == []


def _module_of(path: Path) -> str:
    depth = 3 if path.parts[1:2] == ("portals",) else 2
    return ".".join(part.removesuffix(".py") for part in path.parts[:depth])


def _requires(module: str) -> set[str]:
    package = ROOT.joinpath(*module.split(".")) / "__init__.py"
    for node in ast.parse(package.read_text()).body if package.exists() else []:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and target.id == "REQUIRES" and value is not None:
            return {name if name.startswith("modules.") else f"modules.{name}" for name in ast.literal_eval(value)}
    return set()


def test_commits_happen_in_one_file() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in sources(*ROOMS)
        if str(path) != "engine/kernel/db.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
        if isinstance(node.func.value, ast.Attribute | ast.Name) and "session" in ast.unparse(node.func.value)
    ]
    assert found == []


def test_no_file_is_too_long() -> None:
    paths = [path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*.py")]
    long = {str(path.relative_to(ROOT)): lines for path in paths if (lines := _lines(path)) > LONGEST_FILE}
    assert long == {}


def _lines(path: Path) -> int:
    return path.read_text().count("\n")


def test_public_things_have_a_description() -> None:
    found: list[str] = []
    for path, tree in sources(*ROOMS):
        if not ast.get_docstring(tree) and path.read_text().strip():
            found.append(str(path))
        if path.name.startswith("builtins_"):  # FEEL's functions are described by its standard
            continue
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                found.append(f"{path}:{node.lineno} {node.name}")
    assert found == []


def test_operations_are_described_and_their_parameters_have_a_schema() -> None:
    assert all_operations()
    for operation in all_operations():
        assert len(operation.title) > 10, operation.name
        assert operation.schema()["type"] == "object"
        assert operation.name.count(".") == 1


def test_every_model_with_a_tenant_is_scoped() -> None:
    for mapper in Base.registry.mappers:
        if "tenant_id" in mapper.columns and mapper.class_.__module__.split(".")[0] != "engine":
            assert issubclass(mapper.class_, TenantOwned), f"{mapper.class_.__name__} must be TenantOwned"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_answers_help(name: str) -> None:
    argv = [sys.executable, "-m", "ui.cli", name, "--help"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if name != "test":  # whose --help is pytest's
        assert f"cms {name}" in done.stdout


def test_requirements_are_what_pyproject_needs() -> None:
    for name, content in pins().items():
        assert (ROOT / name).read_text() == content, f"{name}: call python -m ui.cli.freeze"
