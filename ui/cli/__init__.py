"""The command line. A command is a click command in a file of its own and a line in ``COMMANDS``."""

from __future__ import annotations

import importlib
import sys

import click

from engine.kernel.errors import CmsError

#: Where each command lives. Modules are imported when their command is called, so that ``./cms`` answers at once.
COMMANDS: dict[str, str] = {
    "run": "ui.cli.run:run",
    "test": "ui.cli.test:test",
    "doctor": "ui.cli.doctor:doctor",
    "user": "ui.cli.user:user",
    "migration": "ui.cli.migration:migration",
    "install": "ui.cli.install:install",
    "dial": "ui.cli.dial:dial",
    "deploy": "ui.cli.definitions:deploy",
    "lint": "ui.cli.definitions:lint",
    "start": "ui.cli.instances:start",
    "show": "ui.cli.instances:show",
    "decide": "ui.cli.definitions:decide",
    "prepare": "ui.cli.prepare:prepare",
    "report": "ui.cli.report:report",
    "process": "ui.cli.process:process",
}

#: How SQLite and PostgreSQL say that the database was never set up.
NO_TABLES = ("no such table", "UndefinedTable")


class Door(click.Group):
    """Finds commands in ``COMMANDS`` and turns expected failures into a sentence and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except CmsError as error:
            click.echo(f"{ctx.info_name} {ctx.invoked_subcommand}: {error.message}", err=True)
            sys.exit(1)
        except Exception as error:
            if not any(sign in str(error) for sign in NO_TABLES):
                raise
            click.echo(
                f"{ctx.info_name} {ctx.invoked_subcommand}: there is no platform here yet, call ./cms run", err=True
            )
            sys.exit(1)


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Communication Management System: communication services designed as BPMN diagrams."""
