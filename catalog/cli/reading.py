"""Estates in directories, as the commands with `--estate` read them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog import errors
from catalog.cli import settings

if TYPE_CHECKING:
    from catalog.cli.world import World
    from catalog.engines.hcl import HclEngine
    from catalog.engines.rego import RegoEngine
    from catalog.engines.template import Engine
    from catalog.stacks.atmos_config import AtmosConfig, ConfigFile
    from catalog.stacks.evaluation import Processing
    from catalog.stacks.files import Files
    from catalog.stacks.integrations import Integrations
    from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance
    from catalog.stacks.sources import ParsedCache
    from catalog.stacks.tree import Tree

ERROR_MODES = ("strict", "warn", "silent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An estate's directory, and the directory of its atmos.yaml when it lies elsewhere inside it."""

    directory: Path
    config_path: str | None


_CHOSEN = "catalog.cli.reading.chosen"


def _chooses(variable: str) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], None]:
    """What an option does that says the same as a variable of Atmos."""

    def choose(context: click.Context, _: click.Parameter, values: tuple[str, ...]) -> None:
        if values:
            context.meta.setdefault(_CHOSEN, {})[variable] = ",".join(values)

    return choose


def _chosen() -> dict[str, str]:
    """The variables of Atmos that the options of this command stand for."""
    context = click.get_current_context(silent=True)
    return dict(context.meta.get(_CHOSEN, {})) if context is not None else {}


def configuration_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose another configuration, or more of it: `place` reads them."""
    for option in (
        click.option(
            "--profile",
            metavar="NAME",
            multiple=True,
            expose_value=False,
            callback=_chooses("ATMOS_PROFILE"),
            help="A profile of the configuration; may be given several times.",
        ),
        click.option(
            "--config",
            metavar="FILE",
            multiple=True,
            expose_value=False,
            callback=_chooses("ATMOS_CONFIG"),
            help="A file to read as the configuration; may be given several times.",
        ),
    ):
        command = option(command)
    return command


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that name one estate and its configuration."""
    command = configuration_options(command)
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


# Flags that may be given alone or with a value, as those of Atmos.
_FLAG: dict[str, Any] = {"type": bool, "default": True, "show_default": True, "is_flag": False, "flag_value": "true"}
SWITCH: dict[str, Any] = {"type": bool, "default": False, "is_flag": False, "flag_value": "true"}


def evaluation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is evaluated: `process_templates`, `process_functions` and `skip`."""
    for option in (
        click.option("--skip", multiple=True, help="YAML functions to leave alone, without their `!`, separated by commas."),
        click.option("--process-functions", **_FLAG, help="Evaluate YAML functions."),
        click.option("--process-templates", **_FLAG, help="Render Go templates."),
    ):
        command = option(command)
    return command


def processing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same, and `error_mode`."""
    mode = click.option(
        "--error-mode",
        type=click.Choice(ERROR_MODES),
        help="What becomes of a value that a backend can't give yet. [default: describe.error_mode of atmos.yaml, else warn]",
    )
    return evaluation_options(mode(command))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where strict reading reads: the root of a tree of files, the estate's directory in it, and the world outside.

    `git_root` tells whether the root is that of a Git repository.
    """

    source: Source
    root: Path
    directory: str
    environment: Mapping[str, str] = field(repr=False)
    git_root: bool
    engine: Engine = field(repr=False)
    world: World = field(repr=False)

    @property
    def mask(self) -> Callable[[str], str]:
        """What masks secrets in what is printed."""
        return self.world.mask

    def resolve(
        self,
        tree: Tree | None = None,
        *,
        processing: Processing | None = None,
        validate: bool = True,
        cache: ParsedCache | None = None,
        **more: Any,
    ) -> ResolvedEstate:
        """Read strictly, by default the files at hand; raises EstateError for what Atmos refuses.

        `validate` runs the checks that `validate stacks` makes, as `describe stacks` does and other commands don't. `cache` is where
        parsed files are kept, by default on disk.
        """
        from catalog.stacks import estate  # noqa: PLC0415
        from catalog.stacks.evaluation import Processing  # noqa: PLC0415
        from catalog.stacks.tree import DirectoryTree  # noqa: PLC0415

        with parsed(self.root) if cache is None else contextlib.nullcontext(cache) as kept:
            return estate.resolve(
                DirectoryTree(self.root) if tree is None else tree,
                directory=self.directory,
                config_path=self.source.config_path,
                strict=True,
                environment=self.environment,
                inherited=() if self.source.config_path else _inherited(self.environment),
                git_root="." if self.git_root else None,
                engine=self.engine,
                lookup=self.world,
                processing=processing or Processing(),
                validate=validate,
                cache=kept,
                **more,
            )


def resolve(source: Source, *, strict: bool, processing: Processing | None = None, validate: bool = True) -> ResolvedEstate:
    """Read an estate; strictly, as Atmos does with what this process's environment says, or leniently, with diagnostics.

    Raises WrongUse for what is no directory, EstateError for what strict reading refuses.
    """
    return place(source).resolve(processing=processing, validate=validate) if strict else _leniently(source)


def configuration(source: Source) -> tuple[Files, AtmosConfig]:
    """Read an estate's configuration alone, as Atmos does, with the files that it lies in."""
    from catalog.stacks import atmos_config  # noqa: PLC0415
    from catalog.stacks.files import Files  # noqa: PLC0415
    from catalog.stacks.findings import Findings  # noqa: PLC0415
    from catalog.stacks.tree import DirectoryTree  # noqa: PLC0415

    found = place(source)
    files = Files(DirectoryTree(found.root))
    directory = "" if found.directory == "." else found.directory
    named = None if source.config_path is None else os.path.normpath(f"{found.directory}/{source.config_path}")
    config = atmos_config.load(
        files,
        directory,
        config_path=named,
        findings=Findings(strict=True),
        environment=found.environment,
        inherited=() if source.config_path else _inherited(found.environment),
        git_root="." if found.git_root else None,
        lookup=found.world,
    )
    return files, config


def check(source: Source) -> None:
    """Raise WrongUse for what is no directory."""
    if not source.directory.is_dir():
        raise errors.WrongUse(f"{source.directory} is not a directory", hint="--estate names the directory of an estate")


def _leniently(source: Source) -> ResolvedEstate:
    from catalog.stacks import estate  # noqa: PLC0415
    from catalog.stacks.tree import DirectoryTree  # noqa: PLC0415

    check(source)
    with parsed(source.directory) as kept:
        return estate.resolve(
            DirectoryTree(source.directory), config_path=source.config_path, environment=_chosen(), engine=engine(), cache=kept
        )


@contextlib.contextmanager
def parsed(root: Path) -> Iterator[ParsedCache]:
    """Where the parsed files of an estate are kept between commands."""
    from catalog.stacks.parsed_cache import DiskCache  # noqa: PLC0415

    kept = DiskCache(_writable_place(), str(root.resolve()))
    try:
        yield kept
    finally:
        kept.save()


def place(source: Source) -> Place:
    """Find the world outside the estate where Atmos would look: parents, the Git root, system and home directories.

    Raises WrongUse for what is no directory.
    """
    from catalog.cli.world import World  # noqa: PLC0415

    check(source)
    environment = settings.environment() | _chosen()
    directory = source.directory.resolve()
    git_root = None if environment.get("ATMOS_GIT_ROOT_BASEPATH") == "false" else _nearest(directory, (".git",))
    root = _reaching(git_root or _nearest(directory, _CONFIGS) or directory, _configuration(source, environment), environment)
    return Place(
        source=source,
        root=root,
        directory=directory.relative_to(root).as_posix(),
        environment=environment,
        git_root=git_root is not None,
        engine=engine(),
        world=World(root, directory, environment),
    )


def processing(
    *,
    process_templates: bool = True,
    process_functions: bool = True,
    skip: Iterable[str] = (),
    error_mode: str | None = None,
    **_: Any,
) -> Processing:
    """What the options of `processing_options` ask for; other options are passed over."""
    from catalog.stacks.evaluation import Processing  # noqa: PLC0415

    return Processing(
        templates=process_templates,
        functions=process_functions,
        skip=frozenset(listed(skip)),
        error_mode=error_mode or settings.environment().get("ATMOS_DESCRIBE_ERROR_MODE") or "",
    )


def integrations(resolved: ResolvedEstate) -> Integrations:
    """Who tells the names that Spacelift and Atlantis give an estate's components."""
    from catalog.stacks.integrations import Integrations  # noqa: PLC0415
    from catalog.stacks.templates import Templates  # noqa: PLC0415

    if resolved.config is None:
        raise errors.EstateError("the estate has no configuration")
    return Integrations(config=resolved.config, templates=Templates(engine()))


def listed(texts: str | Iterable[str] | None) -> list[str]:
    """The words of an option that takes several, separated by commas or given one by one."""
    given = [texts] if isinstance(texts, str) else texts or ()
    return [word.strip() for text in given for word in text.split(",") if word.strip()]


def engine() -> Engine:
    """The template engine, compiled when it is first needed, in the first place that holds it already or can keep it."""
    ready = (found for found in map(_engine_at, _places()) if found.ready())
    return next(ready, None) or _engine_at(_writable_place())


@cache
def _engine_at(place: Path) -> Engine:
    """The engine of one place, one for the whole process: opening it again would cost milliseconds."""
    from catalog.engines.template import Engine  # noqa: PLC0415

    return Engine(place)


def hcl() -> HclEngine:
    """The reader of Terraform code, compiled when it is first needed."""
    from catalog.engines import hcl  # noqa: PLC0415

    opened = (found for found in map(hcl.open_if_ready, _places()) if found is not None)
    return next(opened, None) or hcl.open_prepared(_writable_place())


def rego() -> RegoEngine:
    """The engine of policies, compiled when it is first needed."""
    from catalog.engines import cache, rego  # noqa: PLC0415

    ready = (found for found in _places() if cache.ready(rego.NAME, found))
    return rego.RegoEngine(next(ready, None) or _writable_place(), deadline=60.0)


def _writable_place() -> Path:
    """The first place that can keep what was computed."""
    places = tuple(_places())
    return next(filter(_is_writable, places), places[0])


def _places() -> Iterable[Path]:
    """Where to keep what can be computed again.

    That is the catalog's own cache where there is a catalog, else beside the code as Python keeps its own, else the user's cache.
    """
    from catalog import engines  # noqa: PLC0415

    home = settings.read()
    if home.home.is_dir() or "CATALOG_HOME" in settings.environment():
        yield home.cache
    yield Path(engines.__file__).parent / "__pycache__"
    yield Path(settings.environment().get("XDG_CACHE_HOME") or Path.home() / ".cache") / "atmos-catalog"
    yield home.cache


def _is_writable(place: Path) -> bool:
    """Tell whether a directory can be written to, or made."""
    nearest = next(each for each in (place, *place.parents) if each.exists())
    return os.access(nearest, os.W_OK | os.X_OK)


def _configuration(source: Source, environment: Mapping[str, str]) -> Path:
    """The directory that atmos.yaml is read from."""
    directory = source.directory.resolve()
    named = source.config_path or environment.get("ATMOS_CLI_CONFIG_PATH")
    return (directory / named).resolve() if named else _nearest(directory, _CONFIGS) or directory


def _reaching(root: Path, configuration: Path, environment: Mapping[str, str]) -> Path:
    """The root, widened until it holds what `base_path` and `stacks.base_path` name: an estate may lie above its own atmos.yaml."""
    from catalog.stacks import documents  # noqa: PLC0415

    named, below = [environment.get("ATMOS_BASE_PATH", "")], [environment.get("ATMOS_STACKS_BASE_PATH", "")]
    for file in (configuration / "atmos.yaml", configuration / "atmos.yml"):
        with contextlib.suppress(OSError, errors.EstateError):
            value = documents.load(file.read_bytes(), file.name).value
            if isinstance(value, dict):
                named.append(str(value.get("base_path") or ""))
                stacks = value.get("stacks")
                below.append(str(stacks.get("base_path") or "") if isinstance(stacks, dict) else "")
    places = [(configuration / path).resolve() for path in named if path.startswith((".", "/"))]
    places += [(place / path).resolve() for place in (places or [configuration]) for path in below if path.startswith("../")]
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
