"""Resolves an estate: a tree of files in, everything the catalog needs out.

`resolve` reads the configuration, finds the top-level manifests, resolves each (`stack_files`) and puts them together: names that
clash, edges between instances, workflows, and the files that no stack imports. Lenient reading never raises for bad content and
never looks outside the estate; strict reading fails where Atmos fails, in its words.
"""

from __future__ import annotations

import gc
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from catalog.engines.rendering import Renderer
from catalog.errors import EstateError
from catalog.stacks import assembly, atmos_config, discovery, hints, incremental, schema, validation, workflows
from catalog.stacks.atmos_config import AtmosConfig, ConfigFile
from catalog.stacks.components import Components
from catalog.stacks.evaluation import EVERYTHING, Evaluation, Processing
from catalog.stacks.evaluation import environment as environment_of
from catalog.stacks.files import Files
from catalog.stacks.findings import Findings, diagnostic
from catalog.stacks.incremental import Reading, Rules
from catalog.stacks.lookup import NOTHING, Lookup
from catalog.stacks.manifests import Manifests, ParsedCache
from catalog.stacks.naming import Naming
from catalog.stacks.resolved import ResolvedEstate
from catalog.stacks.schema import Judge, Schema
from catalog.stacks.stack_files import StackFile, StackFiles
from catalog.stacks.templates import Settings, Templates
from catalog.stacks.tree import Tree
from catalog.stacks.versions import Tracker
from catalog.values import Severity


def resolve(
    tree: Tree,
    *,
    directory: str = ".",
    config_path: str | None = None,
    strict: bool = False,
    environment: Mapping[str, str] | None = None,
    engine: Renderer | None = None,
    lookup: Lookup | None = None,
    processing: Processing = EVERYTHING,
    cache: ParsedCache | None = None,
    inherited: Sequence[ConfigFile] = (),
    git_root: str | None = None,
    previous: ResolvedEstate | None = None,
    changed: Iterable[str] | None = None,
    config: AtmosConfig | None = None,
    validate: bool = True,
    lazy: bool = False,
    only: Collection[str] | None = None,
) -> ResolvedEstate:
    """Resolve the estate in a directory of the tree (where atmos.yaml lies, or where Atmos would be run).

    `config_path` is the directory of atmos.yaml when it lies elsewhere, relative to the directory. `environment`, `inherited`
    and `git_root` are what a strict caller hands in of the world outside for the configuration, `lookup` what it hands in for
    functions. `engine` renders templates; without one only plain references are rendered. `processing` says what is evaluated.

    With `previous`, only the stacks that `changed` (tree paths) can touch are resolved again; without `changed`, everything is
    compared by content. `config` is another tree's configuration that holds for this one too: Atmos reads both sides of a
    comparison by the configuration at hand.

    `validate` runs in strict reading what `validate stacks` checks, as `describe stacks` does and other commands don't; in lenient
    reading it reads the files that no stack imports too, and warns of what the schema says of all. `lazy` leaves
    the instances as they are built: `ResolvedEstate.describe` evaluates the one that is wanted. `only` names the top-level manifests
    (tree paths) that are wanted; the estate then holds their stacks and no others.
    """
    home = _cleaned(directory)
    with _without_collector():
        files = Files(tree)
        findings = Findings(strict=strict)
        try:
            config = config or atmos_config.load(
                files,
                home,
                config_path=None if config_path is None else _cleaned(posixpath.join(home or ".", config_path)),
                findings=findings,
                environment=environment,
                inherited=inherited,
                git_root=git_root,
                lookup=lookup or NOTHING,
            )
            (lookup or NOTHING).configured(config)
            hints.of_config(config, findings)
            atmos_config.check(config, files)
            reading = _read(
                files,
                config,
                findings,
                rules=Rules(engine=engine, lookup=lookup, processing=processing),
                cache=cache,
                old=previous.memory.reading if previous is not None and previous.memory is not None else None,
                changed=changed,
                only=only,
            )
        except EstateError as error:
            if strict:
                raise
            return _unreadable(error, findings)
        if not strict and validate:
            validation.read_the_rest(files, config, reading.manifests, reading.stacks, findings)
        elif strict and validate:
            validation.check(reading.stacks, reading.naming, files, config, reading.manifests, lookup or NOTHING, only=only)
        reading, evaluation = _evaluated(reading, lazy=lazy)
        if reading.judge is not None and validate:
            told = (*findings.diagnostics, *(note for stack in reading.stacks.values() for note in stack.diagnostics))
            validation.warn(files, config, reading.manifests, reading.judge, findings, told)
        found = workflows.read(files, config, findings, config.base_path) if not strict else ()
        estate = assembly.assemble(
            config, reading.manifests, reading.stacks, found, findings, reading=reading, previous=None if lazy else previous
        )
        return replace(estate, describe=evaluation.instance)


def _read(
    files: Files,
    config: AtmosConfig,
    findings: Findings,
    *,
    rules: Rules,
    cache: ParsedCache | None,
    old: Reading | None,
    changed: Iterable[str] | None,
    only: Collection[str] | None,
) -> Reading:
    strict = findings.strict
    templates = Templates(rules.engine)
    versions = _locked_versions(config, files)
    manifests = Manifests(files, config, strict=strict, templates=templates, lookup=rules.lookup or NOTHING, cache=cache)
    known: Mapping[str, StackFile] = {}
    if old is not None and old.versions == versions and incremental.is_comparable(old, config, rules, strict=strict):
        reach = incremental.reach(old, manifests, changed)
        if reach is not None:
            known = {path: stack for path, stack in old.stacks.items() if path not in reach.touched}
            manifests.adopt(old.manifests, reach.changed, reach.touched, known)
    components = Components(
        files,
        config,
        manifests.memo,
        left=Settings.of(config).left,
        lookup=rules.lookup or NOTHING,
        older=old.components if old else None,
    )
    naming = Naming(config, templates, environment=environment_of(rules.lookup or NOTHING), pure=not strict)
    resolver = StackFiles(manifests, components, naming)
    wanted = [path for path in discovery.top_level(files, config, findings) if only is None or path in only]
    stacks = {path: known.get(path) or resolver.resolve(path) for path in wanted}
    return Reading(
        strict=strict,
        config=config,
        rules=rules,
        files=files,
        manifests=manifests,
        components=components,
        naming=naming,
        versions=versions,
        judge=None if strict else Judge(_schema(files, config, findings), old.judge if old is not None else None),
        stacks=stacks,
    )


def _schema(files: Files, config: AtmosConfig, findings: Findings) -> Schema:
    """The manifest schema to warn by: our own, where the configured one can't be had."""
    try:
        return schema.of(config, files, strict=False)
    except EstateError as error:
        findings.note(Severity.WARNING, error.code, error.message.partition("\n")[0], hint=error.hint, location=error.location)
        return schema.built_in()


def _evaluated(reading: Reading, *, lazy: bool) -> tuple[Reading, Evaluation]:
    evaluation = Evaluation(
        reading.stacks,
        reading.config,
        reading.naming,
        reading.naming.templates,
        reading.components.texts,
        strict=reading.strict,
        lookup=reading.rules.lookup or NOTHING,
        processing=reading.rules.processing,
        tracker=Tracker(reading.config, reading.files),
    )
    if lazy:
        stacks = {path: evaluation.unfinished(stack) for path, stack in reading.stacks.items()}
    else:
        stacks = {
            path: stack if evaluation.is_current(stack) else evaluation.finished(stack) for path, stack in reading.stacks.items()
        }
    return replace(reading, stacks=stacks), evaluation


def _locked_versions(config: AtmosConfig, files: Files) -> bytes | None:
    """The content of the version tracker's file: a change of it may touch every stack."""
    path = Tracker(config, files).path
    return files.tree.read(path) if files.has(path) else None


def _unreadable(error: EstateError, findings: Findings) -> ResolvedEstate:
    """Nothing can be known: the configuration is broken or missing."""
    return ResolvedEstate(
        stacks=(),
        manifests=(),
        dependencies=(),
        unresolved_dependencies={},
        workflows=(),
        diagnostics=(*findings.diagnostics, diagnostic(error)),
        broken=frozenset(),
        broken_instances=frozenset(),
        component_base_paths={},
        provenance=lambda *_: (),
        unreadable=True,
    )


def _cleaned(directory: str) -> str:
    path = posixpath.normpath(directory or ".")
    return "" if path == "." else path.lstrip("/")


_MANY = 500_000  # objects made by one reading, from which on the collector's walks are felt


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the garbage collector from walking hundreds of thousands of live values again and again while they are made."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] > _MANY:
            # What was made lives long: it goes to the oldest generation unseen, where the next collections would have brought it.
            # Whoever reads large estates again and again collects by himself: nothing counts these objects any more.
            gc.freeze()
            gc.unfreeze()
        if was_enabled:
            gc.enable()
