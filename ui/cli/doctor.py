"""``cms doctor``: which part does not do its work, how to mend it, and which settings are in force."""

from __future__ import annotations

import re
import sys
from typing import Any

import click
import orjson

from engine.kernel.bus import connect_bus
from engine.kernel.db import process_app
from engine.kernel.settings import Settings, load_settings
from engine.kernel.types import MASK
from ui.probes import examine

#: The password inside a URL.
PASSWORD = re.compile(r"(?<=://)([^:@/]*):[^@/]+@")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> None:
    """Try what each part of the running platform does; exit 1 when one does not do it."""
    settings = load_settings()
    process_app(settings)
    connect_bus(settings)
    findings = list(examine(settings))
    healthy = all(found.ok for found in findings)
    if as_json:
        probes = [
            {"name": f.name, "ok": f.ok, "detail": f.detail, "remedy": "" if f.ok else f.remedy} for f in findings
        ]
        click.echo(orjson.dumps({"ok": healthy, "probes": probes, "settings": shown(settings)}).decode())
    else:
        for found in findings:
            mark = click.style("ok    ", fg="green") if found.ok else click.style("WRONG ", fg="red", bold=True)
            click.echo(f"{mark} {found.name:<16} {found.detail}")
            if not found.ok:
                click.echo(f"       {'':<16} {found.remedy}")
        click.echo("\nSettings in force (CMS_… over cms.toml over defaults; * is not the default):")
        for name, value in shown(settings).items():
            mark = "*" if value != _plain(Settings.model_fields[name].default) else " "
            click.echo(f"  {mark} {name:<18} {value}")
        click.echo("\nEverything works." if healthy else "\nNot everything works: see WRONG above.")
    sys.exit(0 if healthy else 1)


def shown(settings: Settings) -> dict[str, Any]:
    """Return the settings as they may be shown: without passwords."""
    return {name: _plain(getattr(settings, name)) for name in Settings.model_fields}


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    return PASSWORD.sub(rf"\1:{MASK}@", str(value))
