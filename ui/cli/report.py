"""``./cms report``."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

import ui.composition  # noqa: F401 - tables of everything that reports read
from engine.kernel.actor import Actor, acting_as
from engine.kernel.db import process_app, unit_of_work
from engine.kernel.errors import InvalidInput
from engine.kernel.settings import load_settings
from modules.identity import operator_tenant, subtree_of
from modules.reporting import OFFERS, make_report
from reports import FORMATS
from ui.cli.tenants import tenant_named


@click.command(epilog="Reports: " + "; ".join(f"{name} ({', '.join(offer.fields)})" for name, offer in OFFERS.items()))
@click.argument("name")
@click.option("--format", "output", type=click.Choice(list(FORMATS)), required=True, help="Kind of file.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@click.option("--param", "pairs", multiple=True, metavar="NAME=VALUE", help="Parameter; may be given several times.")
@click.option("--tenant", help="Name or id of the tenant that is reported on; without it the operator and all below.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def report(name: str, output: str, out: Path, pairs: tuple[str, ...], tenant: str | None, as_json: bool) -> None:
    """Make the report NAME and write it to a file."""
    settings = load_settings()
    process_app(settings)
    given = dict(_pair(pair) for pair in pairs)
    with unit_of_work(write=False):
        owner = tenant_named(tenant) if tenant else operator_tenant()
        with acting_as(Actor("system", owner.id, subtree_of(owner.id))):
            made = make_report(name, output, given, settings=settings)
    out.write_bytes(made.content)
    if as_json:
        about = {"report": name, "format": output, "tenant": owner.name, "rows": made.rows, "file": str(out)}
        click.echo(orjson.dumps({**about, "size": len(made.content)}).decode())
    else:
        click.echo(f"{out}: {name} of {owner.name}, {made.rows} rows, {len(made.content):,} bytes")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"--param {text} has no value; write {text}=…")
    return name.strip(), value.strip()
