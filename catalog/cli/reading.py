"""Estates in directories, as the commands with `--estate` read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog import errors
from catalog.cli import settings

if TYPE_CHECKING:
    from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An estate's directory, and the directory of its atmos.yaml when it lies elsewhere inside it."""

    directory: Path
    config_path: str | None


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that name one estate."""
    for option in (
        click.option("--config-path", metavar="DIR", help="Where atmos.yaml lies, inside the estate."),
        click.option(
            "--estate",
            type=click.Path(path_type=Path),
            default=".",
            help="The estate's directory. [default: the working directory]",
        ),
    ):
        command = option(command)
    return command


def resolve(source: Source, *, strict: bool) -> ResolvedEstate:
    """Read an estate; strictly, as Atmos does with what this process's environment says, or leniently, with diagnostics.

    Raises WrongUse for what is no directory, EstateError for what strict reading refuses.
    """
    from catalog.stacks import estate  # noqa: PLC0415
    from catalog.stacks.tree import DirectoryTree  # noqa: PLC0415

    if not source.directory.is_dir():
        raise errors.WrongUse(f"{source.directory} is not a directory", hint="--estate names the directory of an estate")
    return estate.resolve(
        DirectoryTree(source.directory),
        config_path=source.config_path,
        strict=strict,
        environment=settings.environment() if strict else {},
    )


def instance(resolved: ResolvedEstate, stack: str, component: str, type_: str | None = None) -> ResolvedInstance:
    """The instance of that name in that stack; raises NotFound with what is there instead, Ambiguous when several types have it."""
    found = next((each for each in resolved.stacks if each.name == stack), None)
    if found is None:
        raise errors.NotFound(f"there is no stack {stack}", hint=_known("stacks", (each.name for each in resolved.stacks)))
    candidates = [each for each in found.instances if each.name == component and type_ in {None, each.type}]
    if not candidates:
        raise errors.NotFound(
            f"there is no component {component} in stack {stack}",
            hint=_known("components", (each.name for each in found.instances)),
        )
    if len(candidates) > 1:
        types = tuple(each.type for each in candidates)
        raise errors.Ambiguous(
            f"{component} is a component of several types: {', '.join(types)}", candidates=types, hint="say which: --type"
        )
    return candidates[0]


def _known(what: str, names: Iterable[str]) -> str:
    listed = sorted(set(names))
    return f"{what} here: {', '.join(listed[:20])}{', …' if len(listed) > 20 else ''}"
