"""Estates in directories, as the commands with `--estate` read them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog import errors
from catalog.cli import settings

if TYPE_CHECKING:
    from catalog.stacks.atmos_config import ConfigFile
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
    if not source.directory.is_dir():
        raise errors.WrongUse(f"{source.directory} is not a directory", hint="--estate names the directory of an estate")
    return _strictly(source) if strict else _leniently(source)


def _leniently(source: Source) -> ResolvedEstate:
    from catalog.stacks import estate  # noqa: PLC0415
    from catalog.stacks.tree import DirectoryTree  # noqa: PLC0415

    return estate.resolve(DirectoryTree(source.directory), config_path=source.config_path)


def _strictly(source: Source) -> ResolvedEstate:
    """Hand in the world outside the estate where Atmos would look: parents, the Git root, system and home directories."""
    from catalog.stacks import estate  # noqa: PLC0415
    from catalog.stacks.tree import DirectoryTree  # noqa: PLC0415

    environment = settings.environment()
    directory = source.directory.resolve()
    git_root = None if environment.get("ATMOS_GIT_ROOT_BASEPATH") == "false" else _nearest(directory, (".git",))
    root = _reaching(git_root or _nearest(directory, _CONFIGS) or directory, _configuration(source, environment), environment)
    return estate.resolve(
        DirectoryTree(root),
        directory=directory.relative_to(root).as_posix(),
        config_path=source.config_path,
        strict=True,
        environment=environment,
        inherited=() if source.config_path else _inherited(environment),
        git_root=None if git_root is None else ".",
    )


def _configuration(source: Source, environment: Mapping[str, str]) -> Path:
    """The directory that atmos.yaml is read from."""
    directory = source.directory.resolve()
    named = source.config_path or environment.get("ATMOS_CLI_CONFIG_PATH")
    return (directory / named).resolve() if named else _nearest(directory, _CONFIGS) or directory


def _reaching(root: Path, configuration: Path, environment: Mapping[str, str]) -> Path:
    """The root, widened until it holds what `base_path` names: an estate may lie above its own atmos.yaml."""
    from catalog.stacks import documents  # noqa: PLC0415

    named = [environment.get("ATMOS_BASE_PATH", "")]
    for file in (configuration / "atmos.yaml", configuration / "atmos.yml"):
        with contextlib.suppress(OSError, errors.EstateError):
            value = documents.load(file.read_bytes(), file.name).value
            named.append(str(value.get("base_path") or "") if isinstance(value, dict) else "")
    places = [(configuration / path).resolve() for path in named if path.startswith((".", "/"))]
    return Path(os.path.commonpath([root, *places]))


_CONFIGS = ("atmos.yaml", "atmos.yml", ".atmos.yaml", "atmos.d", ".atmos.d")
_SYSTEM = Path("/usr/local/etc/atmos/atmos.yaml")


def _nearest(directory: Path, names: Iterable[str]) -> Path | None:
    """The directory itself or its nearest parent that has one of the names."""
    wanted = tuple(names)
    return next((place for place in (directory, *directory.parents) if any((place / name).exists() for name in wanted)), None)


def _inherited(environment: Mapping[str, str]) -> tuple[ConfigFile, ...]:
    """The configuration of the system and of the home directory, lowest priority first."""
    from catalog.stacks.atmos_config import ConfigFile  # noqa: PLC0415

    home = environment.get("HOME")
    places = (_SYSTEM, *((Path(home) / ".atmos" / "atmos.yaml",) if home else ()))
    return tuple(ConfigFile(name=str(place), content=place.read_bytes()) for place in places if place.is_file())


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
