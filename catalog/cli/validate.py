"""`catalog validate`: every diagnostic of the lenient reading, for people, editors and code hosts; `validate stacks` as Atmos has it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from catalog import __version__, errors
from catalog.cli import output, reading
from catalog.values import Diagnostic, Severity

_ORDER = list(Severity)


@click.command()
@click.argument("what", type=click.Choice(["stacks"]), required=False)
@reading.options
@click.option(
    "--schemas-atmos-manifest",
    metavar="FILE",
    help="With `stacks`: the manifest schema to check by. [default: schemas.atmos.manifest of atmos.yaml]",
)
@output.format_option("text", ("text", "json", "sarif", "github"))
def validate(*, what: str | None, estate: Path, config_path: str | None, schemas_atmos_manifest: str | None, format_: str) -> None:
    """Report every diagnostic of an estate; exit 1 on errors.

    One broken file hides nothing: everything that can be read is read, and every problem is named with file and line.

    `catalog validate stacks` checks what `atmos validate stacks` checks, and says what it says: it refuses the estate where Atmos does.
    """
    source = reading.Source(directory=estate, config_path=config_path)
    if what == "stacks":
        if format_ != "text":
            raise errors.WrongUse(f"`validate stacks` has no format {format_}", hint=f"catalog validate --format {format_}")
        _as_atmos(source, schemas_atmos_manifest)
    elif schemas_atmos_manifest is not None:
        raise errors.WrongUse("--schemas-atmos-manifest belongs to `validate stacks`")
    else:
        _report(source, format_)


def _as_atmos(source: reading.Source, schema: str | None) -> None:
    """Read strictly, up to where values would be evaluated; raises EstateError for what Atmos refuses."""
    place = reading.place(source)
    if schema is not None:
        place = replace(place, environment={**place.environment, "ATMOS_SCHEMAS_ATMOS_MANIFEST": schema})
    place.resolve(lazy=True)
    click.echo("All stacks validated successfully", err=True)


def _report(source: reading.Source, format_: str) -> None:
    resolved = reading.resolve(source, strict=False)
    found = sorted(resolved.diagnostics, key=_place)
    click.echo(_FORMATS[format_]([_from_here(each, source.directory) for each in found]), nl=False)
    failed = sum(diagnostic.severity is Severity.ERROR for diagnostic in found)
    click.echo(
        f"{len(resolved.manifests)} manifests, {len(resolved.stacks)} stacks: {failed} errors, {len(found) - failed} others",
        err=True,
    )
    if failed:
        raise errors.EstateError(f"{failed} {'error' if failed == 1 else 'errors'} in {source.directory}")


def _from_here(diagnostic: Diagnostic, estate: Path) -> Diagnostic:
    """Name the file as the working directory sees it, so that editors and code hosts find it."""
    if diagnostic.location is None:
        return diagnostic
    return replace(diagnostic, location=replace(diagnostic.location, file=(estate / diagnostic.location.file).as_posix()))


def _place(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    location = diagnostic.location
    return (
        location.file if location else "",
        (location.line or 0) if location else 0,
        _ORDER.index(diagnostic.severity),
        diagnostic.message,
    )


def _text(found: Sequence[Diagnostic]) -> str:
    lines = []
    for diagnostic in found:
        place = f"{diagnostic.location}: " if diagnostic.location else ""
        lines.append(f"{place}{diagnostic.severity.lower()}: {diagnostic.message} [{diagnostic.code}]")
        if diagnostic.hint:
            lines.append(f"    hint: {diagnostic.hint}")
    return "".join(line + "\n" for line in lines)


def _json(found: Sequence[Diagnostic]) -> str:
    return output.json_text([_plain(diagnostic) for diagnostic in found])


def _plain(diagnostic: Diagnostic) -> dict[str, Any]:
    location = diagnostic.location
    return {
        "severity": diagnostic.severity.value,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "file": location.file if location else None,
        "line": location.line if location else None,
        "column": location.column if location else None,
        "stack": diagnostic.stack,
        "component": diagnostic.component,
    }


_SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def _sarif(found: Sequence[Diagnostic]) -> str:
    """SARIF 2.1.0, what code hosts and editors show beside the lines."""
    driver = {
        "name": "catalog",
        "version": __version__,
        "rules": [{"id": code} for code in sorted({diagnostic.code for diagnostic in found})],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": [_sarif_result(each) for each in found]}
    return (
        json.dumps({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}, indent=2) + "\n"
    )


def _sarif_result(diagnostic: Diagnostic) -> dict[str, Any]:
    hint = f" ({diagnostic.hint})" if diagnostic.hint else ""
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "level": _SARIF_LEVELS[diagnostic.severity],
        "message": {"text": f"{diagnostic.message}{hint}"},
    }
    location = diagnostic.location
    if location:
        place: dict[str, Any] = {"artifactLocation": {"uri": location.file}}
        if location.line:
            place["region"] = {"startLine": location.line} | ({"startColumn": location.column} if location.column else {})
        result["locations"] = [{"physicalLocation": place}]
    return result


_GITHUB_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def _github(found: Sequence[Diagnostic]) -> str:
    """Workflow commands, which GitHub Actions turns into annotations."""
    return "".join(_annotation(diagnostic) for diagnostic in found)


def _annotation(diagnostic: Diagnostic) -> str:
    location = diagnostic.location
    parts = {"file": location.file, "line": location.line, "col": location.column} if location else {}
    places = ",".join(f"{name}={_escaped(str(value), property_=True)}" for name, value in parts.items() if value is not None)
    hint = f"\n{diagnostic.hint}" if diagnostic.hint else ""
    text = _escaped(diagnostic.message + hint)
    return f"::{_GITHUB_LEVELS[diagnostic.severity]} {places + ',' if places else ''}title={diagnostic.code}::{text}\n"


def _escaped(text: str, *, property_: bool = False) -> str:
    """What GitHub's toolkit escapes: line breaks and percent signs, and in a property its separators."""
    for sign, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(sign, code)
    return text.replace(":", "%3A").replace(",", "%2C") if property_ else text


_FORMATS: dict[str, Callable[[Sequence[Diagnostic]], str]] = {"text": _text, "json": _json, "sarif": _sarif, "github": _github}
