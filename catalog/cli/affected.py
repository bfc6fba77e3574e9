"""`catalog describe affected`: what differs from another directory, or from another revision of the repository at hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog import errors
from catalog.cli import output, printing, reading

if TYPE_CHECKING:
    from catalog.stacks.sources import ParsedCache
    from catalog.stacks.tree import Tree

_REFUSED = {
    "upload": "the catalog uploads nothing",
    "clone_target_ref": "the catalog clones nothing here; fetch the reference and name it with --base",
    "ssh_key": "the catalog clones nothing here; fetch the reference and name it with --base",
}


@click.command()
@click.option("--base", metavar="DIR|REVISION", help="The directory, or the revision, to compare with. [default: origin/HEAD]")
@click.option("--repo-path", type=click.Path(path_type=Path), help="The directory of another clone to compare with.")
@click.option("--ref", help="The reference to compare with; the same as --base.")
@click.option("--sha", help="The commit to compare with; the same as --base.")
@click.option("--stack", "-s", help="Only this stack, by its name.")
@click.option("--include-dependents", **reading.SWITCH, help="Print what depends on each entry too.")
@click.option("--include-settings", **reading.SWITCH, help="Print the settings of each component.")
@click.option("--include-spacelift-admin-stacks", **reading.SWITCH, help="Print the Spacelift admin stacks of what is affected.")
@click.option("--exclude-locked", **reading.SWITCH, help="Leave locked components out.")
@click.option("--verbose", **reading.SWITCH, help="Say on stderr what is compared.")
@click.option("--upload", **reading.SWITCH, hidden=True)
@click.option("--clone-target-ref", **reading.SWITCH, hidden=True)
@click.option("--ssh-key", hidden=True)
@click.option("--ssh-key-password", hidden=True)
@click.option("--output-file", type=click.Path(path_type=Path, dir_okay=False), help="Append the matrix as a workflow's output.")
@reading.options
@reading.processing_options
@printing.result_options("json", ("json", "yaml", "matrix"))
def affected(
    *,
    estate: Path,
    config_path: str | None,
    query: str | None,
    path: Path | None,
    output_file: Path | None,
    format_: str,
    **flags: Any,
) -> None:
    """List the components that differ from another directory or revision, with every reason.

    Revisions are read without a checkout. The files at hand are compared as they are, with edits that aren't committed; which code and
    other files changed is told by the commits.
    """
    _check(flags, output_file, format_)
    place = reading.place(reading.Source(directory=estate, config_path=config_path))
    with ExitStack() as opened:
        base = _base(place, flags, opened)
        if flags["verbose"]:
            click.echo(f"comparing {place.root / place.directory} with {base.name}", err=True)
        found = _affected(place, base, flags)
    if format_ == "matrix":
        _write_matrix(found, output_file)
        return
    printing.write(found, format_, path, query, mask=place.mask)


def _check(flags: dict[str, Any], output_file: Path | None, format_: str) -> None:
    for name, reason in _REFUSED.items():
        if flags[name]:
            raise errors.WrongUse(f"--{name.replace('_', '-')}: {reason}")
    if flags["repo_path"] and (flags["base"] or flags["ref"] or flags["sha"]):
        raise errors.WrongUse("--repo-path can't be used with --base, --ref or --sha")
    if output_file is not None and format_ != "matrix":
        raise errors.WrongUse("--output-file is only supported with --format=matrix")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """What is compared with: its files, in the layout of the tree at hand, and which files changed and differ."""

    name: str
    tree: Tree = field(repr=False)
    changed_files: Callable[[], list[str]] = field(repr=False)
    differing: Callable[[], Iterable[str]] = field(repr=False)


def _base(place: reading.Place, flags: dict[str, Any], opened: ExitStack) -> _Base:
    named = flags["sha"] or flags["ref"] or flags["base"]
    directory = flags["repo_path"] or (Path(named) if named and Path(named).is_dir() else None)
    return _directory(place, directory) if directory is not None else _revision(place, named, opened)


def _directory(place: reading.Place, directory: Path) -> _Base:
    from catalog.stacks import changes  # noqa: PLC0415
    from catalog.stacks.tree import DirectoryTree  # noqa: PLC0415

    if not directory.is_dir():
        raise errors.WrongUse(f"{directory} is not a directory", hint="--repo-path names the directory of another clone")
    tree, at_hand = _laid_out(place, directory.resolve()), DirectoryTree(place.root)
    return _Base(
        name=str(directory),
        tree=tree,
        changed_files=lambda: changes.changed_files(at_hand, tree),
        differing=lambda: changes.differing(at_hand, tree),
    )


def _laid_out(place: reading.Place, directory: Path) -> Tree:
    """Another directory's files as the tree at hand lays its own out: it may stand for the root or for the estate's directory."""
    from catalog.stacks.tree import DirectoryTree, MovedTree  # noqa: PLC0415

    if place.directory == "." or (directory / place.directory).is_dir():
        return DirectoryTree(directory)
    return MovedTree(DirectoryTree(directory), place.directory)


def _revision(place: reading.Place, named: str | None, opened: ExitStack) -> _Base:
    from catalog.gitops.worktree import WorkTree  # noqa: PLC0415
    from catalog.stacks.tree import DirectoryTree, SubTree  # noqa: PLC0415

    found = WorkTree.around(place.root)
    if found is None:
        raise errors.NotFound(
            f"{place.root} lies in no Git repository" + (f", and {named} is no directory" if named else ""),
            hint="--base DIR compares with another directory",
        )
    revision = found.revision(named)
    whole = opened.enter_context(found.tree(revision))
    inside = place.root.relative_to(found.root).as_posix()
    prefix = "" if inside == "." else f"{inside}/"
    tree: Tree = SubTree(whole, inside) if prefix else whole

    def below(files: Iterable[str]) -> list[str]:
        return [file.removeprefix(prefix) for file in files if file.startswith(prefix)]

    def differing() -> Iterable[str]:
        return {*below(found.differing(revision)), *(set(tree.paths()) ^ set(DirectoryTree(place.root).paths()))}

    return _Base(name=named or revision, tree=tree, changed_files=lambda: below(found.changed_files(revision)), differing=differing)


def _affected(place: reading.Place, base: _Base, flags: dict[str, Any]) -> list[dict[str, Any]]:
    """Compare what the change can reach; where that can't be told beforehand, or isn't enough, compare everything."""
    from catalog.stacks.sources import MemoryCache  # noqa: PLC0415

    files, cache = base.changed_files(), MemoryCache()
    needs_all = flags["include_dependents"] or flags["include_spacelift_admin_stacks"]
    only = None if needs_all else _reached(place, base, files, cache)
    if only is not None:
        found = _compared(place, base, files, flags, only=only, cache=cache)
        # Whether a whole stack is gone, or another manifest still has the component, only all of them tell.
        if not any(record.get("deleted") for record in found):
            return found
    return _compared(place, base, files, flags, only=None, cache=cache)


def _reached(place: reading.Place, base: _Base, files: list[str], cache: ParsedCache) -> frozenset[str] | None:
    from catalog.stacks import touched  # noqa: PLC0415
    from catalog.stacks.files import Files  # noqa: PLC0415
    from catalog.stacks.templates import Templates  # noqa: PLC0415

    head, config = reading.configuration(place.source)
    if not touched.only_manifests(files, head, config):
        return None
    return touched.touched(head, Files(base.tree), config, base.differing(), templates=Templates(place.engine), cache=cache)


def _compared(
    place: reading.Place,
    base: _Base,
    files: list[str],
    flags: dict[str, Any],
    *,
    only: frozenset[str] | None,
    cache: ParsedCache,
) -> list[dict[str, Any]]:
    from catalog.stacks import affected as room  # noqa: PLC0415

    processing = reading.processing(**flags)
    head = place.resolve(processing=processing, only=only, cache=cache)
    there = place.resolve(
        base.tree, processing=processing, validate=False, previous=head, config=head.config, only=only, cache=cache
    )
    return room.affected(
        head,
        there,
        room.Changes(
            files=files,
            directory="" if place.directory == "." else place.directory,
            modules=lambda folder: list(_modules(place, folder)),
        ),
        reading.integrations(head),
        room.Options(
            stack=flags["stack"],
            include_settings=flags["include_settings"],
            include_dependents=flags["include_dependents"],
            include_spacelift_admin_stacks=flags["include_spacelift_admin_stacks"],
            exclude_locked=flags["exclude_locked"],
        ),
    )


def _modules(place: reading.Place, folder: str) -> Iterator[str]:
    """The directories of the local modules that the code in a folder calls."""
    from catalog.stacks.files import join  # noqa: PLC0415

    directory = place.root / folder
    files = {
        file.name: file.read_bytes()
        for file in (directory.iterdir() if directory.is_dir() else ())
        if file.is_file() and file.name.endswith((".tf", ".tf.json"))
    }
    if not any(b"module" in content for content in files.values()):
        return
    for call in reading.hcl().parse_module(files).modules:
        if call.source and not call.version:
            yield join(folder, call.source)


def _write_matrix(found: list[dict[str, Any]], output_file: Path | None) -> None:
    from catalog.stacks import affected as room  # noqa: PLC0415

    text = json.dumps(room.matrix(found), separators=(",", ":"), ensure_ascii=False)
    if output_file is None:
        click.echo(text)
        return
    before = output_file.read_text(encoding="utf-8") if output_file.exists() else ""
    output.save([f"{before}matrix={text}\ncount={len(found)}\n"], output_file)
