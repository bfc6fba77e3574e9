"""`catalog policy`: the Rego policies of an estate in a directory, tested and listed without a database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog import errors
from catalog.cli import output, reading
from catalog.values import SourceLocation

if TYPE_CHECKING:
    from catalog.engines.rego import BrokenBundle, TestResult
    from catalog.policy import Bundle

_BUNDLE = click.option("--bundle", "base", metavar="PATH", help="Another directory of the estate than schemas.opa.base_path.")


@click.group()
def policy() -> None:
    """Test and list the policies of an estate.

    Policies are Rego files where `schemas.opa.base_path` of atmos.yaml says; without that, in stacks/schemas/opa.
    """


@policy.command()
@reading.options
@_BUNDLE
@click.option("--run", "-r", "only", metavar="REGEX", default="", help="Run only tests whose full name matches.")
@click.option("--verbose", "-v", is_flag=True, help="Name the tests that passed, too.")
@output.format_option("text", ("text", "json"))
def test(*, estate: Path, config_path: str | None, base: str | None, only: str, verbose: bool, format_: str) -> None:
    """Run the tests of the policies, as `opa test` does; exit 1 when one fails.

    Tests are rules named test_…; those named todo_test_… are skipped.
    """
    from catalog.engines.rego import BrokenBundle  # noqa: PLC0415

    bundle = _bundle(estate, config_path, base)
    try:
        found = reading.rego().test(bundle.digest, bundle.files, bundle.data, only=only)
    except BrokenBundle as broken:
        raise _refused(broken) from broken
    if not found:
        raise errors.NotFound("there is no such test" if only else "there are no tests", hint="write rules named test_…")
    if format_ == "json":
        output.document([_document(one) for one in found], "json")
    else:
        _print(found, verbose=verbose)
    failed = sum(one.outcome in {"FAILED", "ERROR"} for one in found)
    if failed:
        raise errors.CatalogError(f"{failed} of {len(found)} tests failed")


@policy.command("list")
@reading.options
@_BUNDLE
@output.format_option()
def list_(*, estate: Path, config_path: str | None, base: str | None, format_: str) -> None:
    """List the policies: their packages, when they are asked, and how heavy their word is."""
    from catalog.engines.rego import BrokenBundle  # noqa: PLC0415
    from catalog.policy import policies  # noqa: PLC0415

    bundle = _bundle(estate, config_path, base)
    try:
        found = policies(reading.rego(), bundle)
    except BrokenBundle as broken:
        raise _refused(broken) from broken
    rows = [
        {
            "package": one.package,
            "points": sorted(map(str, one.points)),
            "severity": str(one.severity),
            "title": one.title,
            "description": one.description,
        }
        for one in found
    ]
    if format_ in output.DOCUMENT_FORMATS:
        output.document(rows, format_)
    else:
        shown = [{**row, "points": " ".join(sorted(map(str, one.points)))} for row, one in zip(rows, found, strict=True)]
        output.rows(shown, ("package", "points", "severity", "title"), format_)


def _bundle(estate: Path, config_path: str | None, base: str | None) -> Bundle:
    from catalog.policy import bundle  # noqa: PLC0415

    files, config = reading.configuration(reading.Source(directory=estate, config_path=config_path))
    found = bundle.of(files.tree, config, base=base)
    if not found.files:
        raise errors.NotFound("the estate has no policies", hint="write them as stacks/schemas/opa/NAME.rego, or name --bundle")
    return found


def _refused(broken: BrokenBundle) -> errors.Invalid:
    """The first problem with its place; the others are counted."""
    first, *others = broken.problems
    more = f"; {len(others)} more" if others else ""
    location = SourceLocation(file=first.file, line=first.line) if first.line else None
    return errors.Invalid(f"{first.message}{more}", code=first.code.upper(), location=location)


def _document(one: TestResult) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


def _print(found: Sequence[TestResult], *, verbose: bool) -> None:
    for one in found:
        if one.outcome != "PASSED" or verbose:
            told = f": {one.message}" if one.message else ""
            click.echo(f"{one.outcome} {one.package}.{one.name} ({one.file}:{one.line}){told}")
            if one.printed:
                click.echo(one.printed.rstrip())
    passed = sum(one.outcome == "PASSED" for one in found)
    click.echo(f"{passed} of {len(found)} tests passed", err=True)
