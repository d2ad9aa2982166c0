"""``./cms start`` and ``show``."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from engine import api
from engine.kernel.bus import connect_bus
from engine.kernel.db import process_app, unit_of_work
from engine.kernel.errors import InvalidInput
from engine.kernel.settings import load_settings
from modules.identity.tenants import operator_tenant
from ui.cli.tenants import tenant_named

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

#: an instance in one of these goes no further by itself
RESTING = frozenset({"completed", "cancelled", "incident"})
PAUSE_S = 0.05

_COLOURS = {"completed": "green", "incident": "red", "cancelled": "yellow"}


@click.command()
@click.argument("process_id")
@click.option("--data", default="{}", metavar="JSON", help="Variables that it starts with.")
@click.option("--tenant", help="Name or id of the tenant that it belongs to; without it the operator.")
@click.option("--wait", "wait_s", type=float, default=0, metavar="SECONDS", help="Wait at most so long for its end.")
@AS_JSON
def start(process_id: str, data: str, tenant: str | None, wait_s: float, as_json: bool) -> None:
    """Start the newest version of PROCESS_ID and print the instance."""
    variables = _object(data)
    settings = load_settings()
    process_app(settings)
    connect_bus(settings)
    with unit_of_work():
        owner = tenant_named(tenant) if tenant else operator_tenant()
        instance_id = api.start(process_id, tenant_id=owner.id, data=variables)
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline and _status(instance_id) not in RESTING:
        time.sleep(PAUSE_S)
    _print(_read(instance_id), as_json=as_json)


@click.command()
@click.argument("instance")
@AS_JSON
def show(instance: str, as_json: bool) -> None:
    """Print everything about an INSTANCE: status, variables, tokens, history, incidents."""
    process_app(load_settings())
    _print(_read(instance), as_json=as_json)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"--data is not JSON: {error}", {"data": "Not JSON."}) from error
    if not isinstance(value, dict):
        raise InvalidInput('--data must be an object, such as {"name": "value"}.', {"data": "Not an object."})
    return value


def _status(instance_id: str) -> str:
    with unit_of_work(write=False):
        return api.statuses([instance_id])[instance_id]


def _read(instance_id: str) -> dict[str, Any]:
    with unit_of_work(write=False):
        return api.show(instance_id)


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    status = click.style(found["status"], fg=_COLOURS.get(found["status"], "blue"), bold=True)
    click.echo(f"{found['process']} version {found['version']}  {found['id']}  {status}")
    for row in found["history"]:
        click.echo(f"  {row['left_at'][11:23]}  {row['type']:<24} {row['name'] or row['element']}  {_changes(row)}")
    for token in found["tokens"]:
        waiting = f" for {token['waiting_for']}" if "waiting_for" in token else ""
        click.echo(f"  {token['state']}{waiting}: {token['name'] or token['element']}")
    for incident in found["incidents"]:
        if incident["resolved_at"] is None:
            click.secho(f"  incident at {incident['name'] or incident['element']}: {incident['message']}", fg="red")
    click.echo(json.dumps(found["data"], ensure_ascii=False, indent=2))


def _changes(row: dict[str, Any]) -> str:
    outcome = "" if row["outcome"] == "completed" else f"({row['outcome']}) "
    return outcome + ", ".join(row["changes"])
