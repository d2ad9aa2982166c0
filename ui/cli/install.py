"""``cms install`` (called by ``./cms run`` and ``./cms test``): the files that pages need from npm.

Runs as whoever may write the checkout, before any right is dropped; does nothing when all is in place.
"""

from __future__ import annotations

import compileall
import shutil
import subprocess
import sys
import time
from pathlib import Path

import click

from engine.kernel.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "node_modules"
VENDOR = ROOT / "ui" / "static" / "vendor"

#: Folder below ``vendor`` → what is copied into it, below ``node_modules``; a folder is copied with its name.
FILES = {
    "tabler": ("@tabler/core/dist/css/tabler.min.css", "@tabler/core/dist/js/tabler.min.js"),
    "tabler-icons": ("@tabler/icons-webfont/dist/tabler-icons.min.css",),
    "tabler-icons/fonts": ("@tabler/icons-webfont/dist/fonts/tabler-icons.woff2",),
    "bpmn-js": ("bpmn-js/dist/bpmn-navigated-viewer.production.min.js", "bpmn-js/dist/assets"),
    "echarts": ("echarts/dist/echarts.min.js",),
    "htmx": ("htmx.org/dist/htmx.min.js",),
    "fonts": (
        "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
        "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
        "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
    ),
}

#: JsSIP is published as modules only: file below ``vendor`` → (entry module, name of the global).
BUNDLES = {"jssip/jssip.min.js": ("jssip/lib/JsSIP.js", "JsSIP")}

OURS = ("engine", "media", "modules", "reports", "ui", "migrations")


@click.command(hidden=True)
def install() -> None:
    """Fetch and copy what pages need; compile our modules for users who cannot write beside them."""
    install_vendor()
    for room in OURS:
        if (ROOT / room).is_dir():
            compileall.compile_dir(ROOT / room, quiet=2)


def install_vendor() -> None:
    """Bring ``ui/static/vendor`` in line with the lock file; a copy of that in each folder says that it is."""
    lock = (ROOT / "package-lock.json").read_bytes()
    recipe = lock + Path(__file__).read_bytes()
    stamp = VENDOR / ".stamp"
    if stamp.exists() and stamp.read_bytes() == recipe:
        return
    if not _same(PACKAGES / ".stamp", lock):
        _npm_ci()
        (PACKAGES / ".stamp").write_bytes(lock)
    shutil.rmtree(VENDOR, ignore_errors=True)
    for folder, sources in FILES.items():
        target = VENDOR / folder
        target.mkdir(parents=True, exist_ok=True)
        for source in (PACKAGES / name for name in sources):
            if source.is_dir():
                shutil.copytree(source, target / source.name)
            else:
                shutil.copyfile(source, target / source.name)
    for name, (entry, variable) in BUNDLES.items():
        _bundle(PACKAGES / entry, VENDOR / name, variable)
    stamp.write_bytes(recipe)


def _same(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content


def _npm_ci() -> None:
    started = time.monotonic()
    click.echo("  Front-end packages: npm ci …", err=True, nl=False)
    argv = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigurationError(f"npm ci failed in {ROOT}:\n{(done.stderr or done.stdout)[-3000:]}")
    click.echo(f" done ({time.monotonic() - started:.0f} s)", err=True)


def _bundle(entry: Path, target: Path, variable: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    esbuild = str(PACKAGES / ".bin" / "esbuild")
    options = ["--bundle", "--minify", "--format=iife", f"--global-name={variable}", "--log-level=warning"]
    done = subprocess.run([esbuild, str(entry), *options, f"--outfile={target}"], stderr=sys.stderr, check=False)
    if done.returncode:
        raise ConfigurationError(f"esbuild could not bundle {entry}")
