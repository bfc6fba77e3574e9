"""What Atmos checks before it describes anything: names, duplicates, and every YAML file below the stacks directory.

Strict reading refuses an estate as Atmos does, with everything that is wrong at once. Lenient reading loses nothing to what only this
check refuses: it warns, at the line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from catalog.errors import EstateError
from catalog.stacks import discovery, encoding, globs, schema
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.components import Built
from catalog.stacks.files import Files, extension
from catalog.stacks.findings import Findings, did_you_mean
from catalog.stacks.json_schema import quoted
from catalog.stacks.lookup import Lookup
from catalog.stacks.manifests import Manifest, Manifests, Merged, TrailKey
from catalog.stacks.naming import Naming
from catalog.stacks.schema import Judge, Violation
from catalog.stacks.stack_files import StackFile
from catalog.values import Diagnostic, Severity, SourceLocation


def check(
    stacks: Mapping[str, StackFile],
    naming: Naming,
    files: Files,
    config: AtmosConfig,
    manifests: Manifests,
    lookup: Lookup,
    *,
    only: Collection[str] | None = None,
) -> None:
    """Insist on everything that Atmos insists on; raises one EstateError that tells all that is wrong, in Atmos' words.

    `only` names the manifests (tree paths) that are looked at, with what they import.
    """
    told = list(_duplicates(stacks.values(), naming))
    judge = Judge(schema.of(config, files, strict=True, lookup=lookup))
    told += _refusals(files, config, manifests, judge, only)
    messages = list(dict.fromkeys(error.message for error in told))
    if len(messages) == 1:
        raise told[0].with_traceback(None)
    if messages:
        raise EstateError("\n\n".join(messages), code=told[0].code, location=told[0].location)


def _duplicates(stacks: Iterable[StackFile], naming: Naming) -> Iterator[EstateError]:
    """Every component that several manifests of one stack define differently; raises where a real component's stack has no name."""
    for kind in ("terraform", "helmfile"):
        defined: dict[tuple[str, str], list[tuple[str, Built]]] = {}
        for stack in stacks:
            for built in stack.built:
                if built.type == kind and not built.is_abstract:
                    name = naming.validated(built.entry, stack.name)
                    defined.setdefault((name, built.name), []).append((stack.name, built))
        for (name, component), found in defined.items():
            if any(built.entry != found[0][1].entry for _, built in found[1:]):
                yield duplicate(component, name, [manifest for manifest, _ in found])


def duplicate(component: str, stack: str, manifests: list[str]) -> EstateError:
    """Return Atmos' error for a component that several manifests of one stack define differently."""
    commands = "".join(f"\n- atmos describe component {component} -s {manifest}" for manifest in manifests)
    return EstateError(
        f"The Atmos component '{component}' in the stack '{stack}' is defined in more than one top-level stack manifest file: "
        f"{', '.join(manifests)}.\n\nThe component configurations in the stack manifests are different.\n\n"
        f"To check and compare the component configurations in the stack manifests, run the following commands: {commands}",
        code="DUPLICATE",
        hint="Define the component once per stack, or give each instance a name of its own.",
    )


def _refusals(
    files: Files, config: AtmosConfig, manifests: Manifests, judge: Judge, only: Collection[str] | None
) -> Iterator[EstateError]:
    """What is wrong with the manifests themselves: those that nothing imports are read, the others through their importers."""
    paths = _validated(files, config)
    if not paths:
        words = f"no stack manifests found in the paths `[{config.get('stacks', 'base_path')}/**/*]`"
        yield EstateError(words, code="CONFIG", location=config.location("stacks", "base_path"))
    if only is not None:
        paths = [path for path in paths if path in only]
    known: dict[TrailKey, EstateError | None] = {}
    refused = {path: manifests.refusal(path, lambda manifest: _refused(manifest, files, judge), known) for path in paths}
    imported = _imported(manifests.merged(path) for path, error in refused.items() if error is None)
    for path, error in refused.items():
        if error is not None and _without_extension(manifests.relative_to_stacks(path)) not in imported:
            yield error


def _imported(merged: Iterable[Merged]) -> set[str]:
    """The names of everything that good manifests import, directly or not."""
    names: set[str] = set()
    seen: set[int] = set()
    waiting = list(merged)
    while waiting:
        for part in waiting.pop().parts:
            if id(part) not in seen:
                seen.add(id(part))
                names.add(part.manifest.relative)
                waiting.append(part)
    return {_without_extension(name) for name in names}


def _without_extension(path: str) -> str:
    return path.removesuffix(extension(path))


def _refused(manifest: Manifest, files: Files, judge: Judge) -> EstateError | None:
    violations = judge.violations(manifest)
    if not violations:
        return None
    # With data at hand Atmos writes a manifest anew before it renders it; these are the lines that it tells.
    content = encoding.encode(manifest.value).encode() if manifest.context else files.tree.read(manifest.path)
    return EstateError(schema.bullets(manifest.relative, violations, content), code="SCHEMA")


def _validated(files: Files, config: AtmosConfig) -> list[str]:
    """The files that Atmos validates: all but templates, and those that `excluded_paths` drop."""
    return [path for path in discovery.others(files, config) if not _is_excluded(path, files, config)]


def _is_excluded(path: str, files: Files, config: AtmosConfig) -> bool:
    """Atmos matches these patterns against absolute paths and without joining them, so only those that begin anywhere exclude."""
    absolute = f"{getattr(files.tree, 'root', '')}/{path}"
    return any(globs.matches(pattern, absolute[1:] if pattern.startswith("**/") else absolute) for pattern in config.excluded_paths)


def read_the_rest(
    files: Files, config: AtmosConfig, manifests: Manifests, stacks: Mapping[str, StackFile], findings: Findings
) -> None:
    """Read the YAML files that are no stacks themselves, leniently: one that can't be resolved and that nothing imports harms nobody."""
    told = {id(stack.error) for stack in stacks.values() if stack.error}
    for path in discovery.others(files, config):
        if path in stacks:
            continue
        try:
            manifests.merged(path)
        except EstateError as error:
            # A file whose templates wait for the context of an import is not broken for being read without one.
            if id(error) not in told and error.code not in ("TEMPLATE", "DEFERRED"):
                told.add(id(error))
                findings.note(
                    Severity.WARNING,
                    error.code,
                    error.message,
                    hint=error.hint or "No stack imports this file.",
                    location=error.location,
                )


def warn(
    files: Files, config: AtmosConfig, manifests: Manifests, judge: Judge, findings: Findings, told: Iterable[Diagnostic]
) -> None:
    """Tell what the manifest schema refuses. A line of which something worse is told already is left alone."""
    if judge.schema.unchecked:
        findings.note(Severity.INFO, "SCHEMA", judge.schema.unchecked, location=config.location("schemas", "atmos", "manifest"))
        return
    known = {(item.location.file, item.location.line) for item in told if item.location and item.severity is not Severity.INFO}
    read = manifests.read_paths()
    checked = dict.fromkeys(_validated(files, config))
    if not read.keys() <= checked.keys():
        checked = _reached(checked, manifests.imports_of())
    for path, found in read.items():
        for manifest in found if path in checked and isinstance(found, tuple) else ():
            for violation in judge.violations(manifest):
                if not violation.message:
                    continue  # it only holds several others together
                for keys in _one_by_one(violation):
                    location = _place(manifest, (*violation.path, *keys))
                    if (location.file, location.line) not in known:
                        findings.note(
                            Severity.WARNING,
                            "SCHEMA",
                            f"Atmos refuses this: {schema.shown(violation.path)}: {_words(violation, keys)}",
                            hint=_hint(violation, keys),
                            location=location,
                        )
    judge.done()


def _reached(paths: Iterable[str], imports: Mapping[str, tuple[str, ...]]) -> dict[str, None]:
    """The paths with all that they import, directly or not."""
    found = dict.fromkeys(paths)
    waiting = list(found)
    while waiting:
        below = [path for path in imports.get(waiting.pop(), ()) if path not in found]
        found.update(dict.fromkeys(below))
        waiting.extend(below)
    return found


def _one_by_one(violation: Violation) -> list[tuple[str, ...]]:
    """The keys of a violation, each of which is told where it is written; nothing for one that isn't about keys."""
    return [(key,) for key in violation.keys] or [()]


def _words(violation: Violation, keys: tuple[str, ...]) -> str:
    return f"additionalProperties {', '.join(map(quoted, keys))} not allowed" if keys else violation.message


def _hint(violation: Violation, keys: tuple[str, ...]) -> str | None:
    """Return what may help: the key that is probably meant, or what an empty section should be."""
    if violation.message.endswith("but got null"):
        return "Write {} or take the key out." if "object" in violation.message else "Give a value, or take the key out."
    meant = did_you_mean(keys[0], violation.known) if keys else None
    if meant:
        return f"Is `{meant}` meant?"
    return f"Known here: {', '.join(sorted(violation.known))}." if keys and violation.known else None


def _place(manifest: Manifest, path: schema.Path) -> SourceLocation:
    """Where a path is written, or the nearest thing above it."""
    while path:
        found = manifest.location(path)
        if found is not None:
            return found
        path = path[:-1]
    return SourceLocation(file=manifest.file, line=1)
