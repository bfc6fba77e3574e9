"""`catalog terraform generate`: the files that Atmos writes beside Terraform code, written where Atmos writes them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog import errors
from catalog.cli import output, reading

if TYPE_CHECKING:
    from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance


@click.group()
def terraform() -> None:
    """Write the files that Terraform commands of Atmos work with."""


@terraform.group()
def generate() -> None:
    """Write varfiles and backend files."""


def _of_one_component(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that writes one file of one component."""
    for option in (
        reading.evaluation_options,
        reading.options,
        click.option(
            "--file", "-f", "path", type=click.Path(path_type=Path, dir_okay=False), help="The file. [default: as Atmos names it]"
        ),
        click.option("--stack", "-s", required=True, help="The stack, by its name."),
        click.argument("component"),
    ):
        command = option(command)
    return command


@generate.command("varfile")
@_of_one_component
def varfile(*, component: str, stack: str, path: Path | None, estate: Path, config_path: str | None, **flags: Any) -> None:
    """Write the variables of a component as the file that Terraform reads.

    Without --file it is written beside the component's code. Variables whose value is a secret are left out.
    """
    from catalog.stacks import varfile as room  # noqa: PLC0415

    place, folder, instance = _instance(estate, config_path, component, stack, flags)
    name, text = room.varfile(_for_disk(place, instance))
    target = path or folder / name
    output.save([text], target)
    click.echo(f"wrote {_shown(target)}", err=True)


@generate.command("backend")
@_of_one_component
def backend(*, component: str, stack: str, path: Path | None, estate: Path, config_path: str | None, **flags: Any) -> None:
    """Write the backend of a component as the file that Terraform reads.

    Without --file it is written beside the component's code.
    """
    from catalog.stacks import json_text  # noqa: PLC0415
    from catalog.stacks import varfile as room  # noqa: PLC0415

    _, folder, instance = _instance(estate, config_path, component, stack, flags)
    name, value = room.backend(instance)
    target = path or folder / name
    output.save(json_text.in_file(json_text.pieces(value)), target)
    click.echo(f"wrote {_shown(target)}", err=True)


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--components", multiple=True, help="Only these components, separated by commas."),
        click.option("--stacks", multiple=True, help="Only these stacks, by name or manifest, separated by commas."),
    ):
        command = option(command)
    return command


@generate.command("varfiles")
@click.option("--file-template", required=True, help="The files' path, with tokens as {tenant} and {component}.")
@click.option("--format", "format_", type=click.Choice(("hcl", "json")), default="hcl", show_default=True, help="Their format.")
@_filters
@reading.options
def varfiles(
    *, file_template: str, format_: str, stacks: tuple[str, ...], components: tuple[str, ...], estate: Path, config_path: str | None
) -> None:
    """Write the variables of every component of every stack.

    Tokens: {namespace}, {tenant}, {environment}, {region}, {stage}, {component}, {component-path}, {attributes}. Paths are relative to
    the working directory.
    """
    from catalog.stacks import hcl_text  # noqa: PLC0415
    from catalog.stacks import varfile as room  # noqa: PLC0415

    place, resolved, chosen = _chosen(estate, config_path, stacks, components)
    for instance in chosen:
        safe = _for_disk(place, instance)
        text = room.varfile(safe)[1] if format_ == "json" else hcl_text.assignments(safe.sections.get("vars") or {})
        _save_below(text, Path(_named(file_template, resolved, instance)))


@generate.command("backends")
@click.option("--file-template", help="The files' path, with tokens. [default: beside each component's code]")
@click.option(
    "--format",
    "format_",
    type=click.Choice(("hcl", "json", "backend-config")),
    default="hcl",
    show_default=True,
    help="Their format.",
)
@_filters
@reading.options
def backends(
    *,
    file_template: str | None,
    format_: str,
    stacks: tuple[str, ...],
    components: tuple[str, ...],
    estate: Path,
    config_path: str | None,
) -> None:
    """Write the backends of every component of every stack, or once for each component's code.

    Tokens are those of `varfiles`. Components without a backend are passed over, with a word on stderr.
    """
    from catalog.stacks import varfile as room  # noqa: PLC0415

    place, resolved, chosen = _chosen(estate, config_path, stacks, components)
    written: set[str] = set()
    for instance in chosen:
        if not instance.sections.get("backend_type") or not _has_settings(instance):
            click.echo(f"catalog: {instance.name} in {instance.stack} has no backend", err=True)
            continue
        text = _backend_text(room.backend(instance, workspace="")[1], instance, format_)
        if file_template:
            _save_below(text, Path(_named(file_template, resolved, instance)))
        elif instance.component not in written:
            written.add(instance.component)
            folder = place.root / room.code_directory(resolved, instance, instance.component)
            output.save([text], folder / ("backend.tf.json" if format_ == "json" else "backend.tf"))


def _has_settings(instance: ResolvedInstance) -> bool:
    return bool(instance.sections.get("backend")) or instance.sections.get("backend_type") == "local"


def _backend_text(value: dict[str, Any], instance: ResolvedInstance, format_: str) -> str:
    from catalog.stacks import hcl_text, json_text  # noqa: PLC0415

    if format_ == "json":
        return "".join(json_text.in_file(json_text.pieces(value)))
    settings = instance.sections.get("backend") or {}
    if format_ == "backend-config":
        return hcl_text.assignments(settings)
    return hcl_text.backend(str(instance.sections["backend_type"]), settings)


def _resolved(
    estate: Path,
    config_path: str | None,
    flags: dict[str, Any],
    *,
    lazy: bool = False,
    wanted: Callable[[ResolvedInstance], bool] | None = None,
) -> tuple[reading.Place, ResolvedEstate]:
    place = reading.place(reading.Source(directory=estate, config_path=config_path))
    processing = replace(reading.processing(**flags, error_mode="strict"), wanted=wanted)
    return place, place.resolve(processing=processing, validate=False, lazy=lazy)


def _check_name(resolved: ResolvedEstate, stack: str) -> None:
    """Refuse a manifest's path in the place of a stack's name, as Terraform commands do."""
    by_manifest = {str(each.sections.get("atmos_stack_file")): found.name for found in resolved.stacks for each in found.instances}
    meant = by_manifest.get(stack)
    if meant is not None and not any(found.name == stack for found in resolved.stacks):
        raise errors.EstateError(
            f"invalid stack: Stack `{stack}` not found.", code="UNKNOWN_STACK", hint=f"Did you mean `{meant}`?"
        )


def _instance(
    estate: Path, config_path: str | None, component: str, stack: str, flags: dict[str, Any]
) -> tuple[reading.Place, Path, ResolvedInstance]:
    """The Terraform component of that name in that stack and its code's directory; raises EstateError where that isn't there."""
    from catalog.stacks import describe, varfile  # noqa: PLC0415

    place, resolved = _resolved(estate, config_path, flags, lazy=True)
    _check_name(resolved, stack)
    instance = describe.component(resolved, reading.integrations(resolved), component, stack, kind="terraform")
    source = instance.sections.get("source")
    is_fetched = isinstance(source, dict) and source.get("uri")
    folder = varfile.code_directory(resolved, instance)
    if not is_fetched and not (place.root / folder).is_dir():
        base, _, name = folder.rpartition("/")
        raise errors.EstateError(
            f"invalid Terraform component: '{component}' points to '{name}', but it does not exist in '{place.root / base}'",
            code="COMPONENT",
        )
    return place, place.root / folder, instance


def _for_disk(place: reading.Place, instance: ResolvedInstance) -> ResolvedInstance:
    """The instance without variables that are secret."""
    from catalog.stacks.lookup import MASK  # noqa: PLC0415

    variables = instance.sections.get("vars") or {}
    secret = {path[0] for path, text in _texts(variables, ()) if MASK in text or place.mask(text) != text}
    if not secret:
        return instance
    click.echo(f"catalog: secrets are left out: {', '.join(sorted(secret))}", err=True)
    kept = {key: value for key, value in variables.items() if key not in secret}
    return replace(instance, sections={**instance.sections, "vars": kept})


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, (*path, str(number)))


def _chosen(
    estate: Path, config_path: str | None, stacks: tuple[str, ...], components: tuple[str, ...]
) -> tuple[reading.Place, ResolvedEstate, list[ResolvedInstance]]:
    """The Terraform components that are asked for; no others are evaluated."""
    wanted, names = set(reading.listed(stacks)), set(reading.listed(components))

    def takes(instance: ResolvedInstance) -> bool:
        called = {instance.stack, str(instance.sections.get("atmos_stack_file"))}
        is_wanted = (not wanted or called & wanted) and (not names or instance.name in names)
        return instance.type == "terraform" and not instance.abstract and bool(is_wanted)

    place, resolved = _resolved(estate, config_path, {}, wanted=takes)
    return place, resolved, [instance for stack in resolved.stacks for instance in stack.instances if takes(instance)]


def _named(template: str, resolved: ResolvedEstate, instance: ResolvedInstance) -> str:
    from catalog.stacks import integrations  # noqa: PLC0415
    from catalog.stacks.dependents import code_path  # noqa: PLC0415

    return integrations.with_context(template, instance, component_path=code_path(resolved, instance, "terraform"))


def _save_below(text: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.Unavailable(f"can't make {path.parent}: {error.strerror}") from error
    output.save([text], path)


def _shown(path: Path) -> str:
    return posixpath.relpath(path) if path.is_absolute() and path.is_relative_to(Path.cwd()) else str(path)
