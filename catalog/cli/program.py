"""The top of the command: which module holds which command, and how failures become messages and exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from catalog import errors

_ESTATE = "On an estate in a directory, as Atmos does"
_RUN = "Running the catalog"
_GRAPH = "Through the graph, as the owner of a token"
_DATABASE = "On the database"

# name -> (heading, module:attribute, short help; a test sees that it is the command's own)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "describe": (_ESTATE, "describe:describe", "Print stacks, components and what depends on them, as `atmos describe` does."),
    "list": (_ESTATE, "listing:list_", "List stacks, components, instances or workflows."),
    "validate": (_ESTATE, "validate:validate", "Report every diagnostic of an estate; exit 1 on errors."),
    "explain": (_ESTATE, "explain:explain", "Say which file and line set a value, and what it overrode."),
    "terraform": (_ESTATE, "terraform:terraform", "Write the files that Terraform commands of Atmos work with."),
    "policy": (_ESTATE, "policy:policy", "Test and list the policies of an estate."),
    "up": (_RUN, "up:up", "Start database, web and worker on the example estate."),
    "serve": (_RUN, "serve:serve", "Serve the graph and the pages."),
    "worker": (_RUN, "serve:worker", "Take jobs from the queue: index runs and requests."),
    "migrate": (_DATABASE, "migrate:migrate", "Bring the database to this version's migrations."),
    "index": (_DATABASE, "index:index", "Read estates into the database."),
    "principal": (_DATABASE, "access:principal", "Add people and programs."),
    "token": (_DATABASE, "access:token", "Create, list and revoke access tokens."),
    "report-role": (_DATABASE, "report_roles:report_role", "Add roles of the database that read reports as a principal does."),
    "get": (_GRAPH, "get:get", "Print what the graph holds."),
    "search": (_GRAPH, "search:search", "Find things by words, the best answer first."),
    "costs": (_GRAPH, "costs:costs", "Import costs, and report them: what is expected beside what was charged."),
    "export": (_GRAPH, "export:export", "Export a whole list of the graph as CSV, JSON lines or Parquet, or all charges as FOCUS."),
    "kpis": (_GRAPH, "kpis:kpis", "Show, measure and import what the platform is measured by."),
    "preview": (_GRAPH, "requests:preview", "Show what a change would do; nothing is written."),
    "request": (_GRAPH, "requests:request", "Ask for a change."),
    "approve": (_GRAPH, "requests:approve", "Approve a request, by the digest of what it shows."),
    "reject": (_GRAPH, "requests:reject", "Reject a request."),
    "cancel": (_GRAPH, "requests:cancel", "Cancel a request of your own."),
    "resolve": (_GRAPH, "requests:resolve", "Say what became of a request whose worker died while applying."),
    "confirm": (_GRAPH, "confirm:confirm", "Let a held run remove what it was held for."),
    "schema": (_GRAPH, "schema:schema", "Export the graph's schema, or check the exported one."),
}

# The exit code of each error; the nearest ancestor's row counts, and a test sees that the table is complete.
EXIT: dict[type[errors.CatalogError], int] = {
    errors.WrongUse: 2,
    errors.CatalogError: 1,
}


class Program(click.Group):
    """A group whose commands are imported when they are called, and listed under headings."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][1].partition(":")
        command: click.Command = getattr(importlib.import_module(f"catalog.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings, from the table alone."""
        del ctx
        for heading in dict.fromkeys(row[0] for row in COMMANDS.values()):
            with formatter.section(heading):
                formatter.write_dl([(name, row[2]) for name, row in COMMANDS.items() if row[0] == heading], col_max=14)


def _version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        from catalog import __version__  # noqa: PLC0415

        click.echo(f"catalog {__version__}")
        ctx.exit()


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version and exit.")
def program() -> None:
    """Index an Atmos estate into Postgres, serve it as one GraphQL graph, and provision through governance.

    Results go to stdout, talk to stderr. Exit codes: 0 done, 1 failed, 2 wrong use.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit; the only place that turns errors into messages and exit codes."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        program.main(args=arguments, prog_name="catalog", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as wrong:
        wrong.show()
        return wrong.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        # The reader has enough (`| head`); Python must not complain about it again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except errors.CatalogError as error:
        click.echo(message(error), err=True)
        return exit_code(error)
    return 0


def exit_code(error: errors.CatalogError) -> int:
    """The exit code of an error: the row of its own class, else of its nearest ancestor."""
    return next(EXIT[kind] for kind in type(error).__mro__ if kind in EXIT)


def message(error: errors.CatalogError) -> str:
    """What a person reads on stderr: where, what, and the next step on a line of its own."""
    place = f"{error.location}: " if error.location else ""
    hint = f"\nhint: {error.hint}" if error.hint else ""
    return f"catalog: {place}{error.message}{hint}"
