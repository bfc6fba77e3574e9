"""The top of the command: names, help, exit codes."""

import subprocess
import sys

import pytest

from catalog import errors
from catalog.cli import program
from catalog.values import SourceLocation


def every_error(kind=errors.CatalogError):
    return [kind, *(below for child in kind.__subclasses__() for below in every_error(child))]


@pytest.mark.parametrize("name", program.COMMANDS)
def test_short_help_is_the_commands_own(name):
    """The table that `--help` is written from says of each command what the command says of itself."""
    command = program.program.get_command(None, name)
    assert command.name == name
    assert command.get_short_help_str(limit=200) == program.COMMANDS[name][2]


def test_help_imports_no_room():
    """`catalog --help` answers without importing what any command needs."""
    code = (
        "import sys; from catalog.cli import program; program.run(['--help']);"
        "print([m for m in ('sqlalchemy', 'strawberry', 'asyncpg', 'starlette', 'httpx', 'yaml', 'rich') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "describe" in done.stdout


@pytest.mark.parametrize("kind", every_error())
def test_every_error_has_an_exit_code(kind):
    """Whatever the catalog raises on purpose ends the command with 1, or with 2 when it was used wrongly."""
    error = kind.__new__(kind)
    assert program.exit_code(error) == (2 if issubclass(kind, errors.WrongUse) else 1)


def test_message_names_place_and_next_step():
    """A person reads where it happened, what happened, and what to do."""
    error = errors.EstateError("no such import", hint="create it", location=SourceLocation(file="stacks/a.yaml", line=3))
    assert program.message(error) == "catalog: stacks/a.yaml:3: no such import\nhint: create it"


def test_unknown_command_is_wrong_use(capsys):
    """A command that doesn't exist ends with 2 and says so on stderr alone."""
    assert program.run(["nonsense"]) == 2
    captured = capsys.readouterr()
    assert "nonsense" in captured.err
    assert captured.out == ""


def test_bad_configuration_is_wrong_use(capsys, monkeypatch):
    """A variable that doesn't hold is named, and ends the command with 2."""
    monkeypatch.setenv("CATALOG_PORT", "eighty")
    assert program.run(["serve"]) == 2
    assert "CATALOG_PORT is 'eighty'" in capsys.readouterr().err
