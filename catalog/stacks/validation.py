"""What Atmos checks before it describes anything: names, duplicates, and every YAML file below the stacks directory.

The manifest schema belongs here too; it comes with templates and functions, whose results it judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from catalog.errors import EstateError
from catalog.stacks import discovery, globs
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.components import Built
from catalog.stacks.files import Files
from catalog.stacks.findings import Findings
from catalog.stacks.manifests import Manifests
from catalog.stacks.naming import Naming
from catalog.stacks.stack_files import StackFile
from catalog.values import Severity


def check_names(stacks: Iterable[StackFile], naming: Naming) -> None:
    """Insist that every real component's stack can be named and is defined once; raises EstateError in Atmos' words."""
    for kind in ("terraform", "helmfile"):
        defined: dict[tuple[str, str], list[tuple[str, Built]]] = {}
        for stack in stacks:
            for built in stack.built:
                if built.type == kind and not built.is_abstract:
                    name = naming.validated(built.entry, stack.name)
                    defined.setdefault((name, built.name), []).append((stack.name, built))
        for (name, component), found in defined.items():
            if any(built.entry != found[0][1].entry for _, built in found[1:]):
                raise duplicate(component, name, [manifest for manifest, _ in found])


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


def read_the_rest(
    files: Files, config: AtmosConfig, manifests: Manifests, stacks: Mapping[str, StackFile], findings: Findings
) -> None:
    """Read the YAML files that are no stacks themselves. One that can't be resolved and that nothing imports harms nobody."""
    told = {id(stack.error) for stack in stacks.values() if stack.error}
    for path in discovery.others(files, config):
        # Atmos matches these patterns against absolute paths and without joining them, so only `**/…` excludes here.
        if path in stacks or any(globs.matches(pattern, "/" + path) for pattern in config.excluded_paths if findings.strict):
            continue
        try:
            manifests.merged(path)
        except EstateError as error:
            if findings.strict:
                raise
            if id(error) not in told:
                told.add(id(error))
                findings.note(
                    Severity.WARNING,
                    error.code,
                    error.message,
                    hint=error.hint or "No stack imports this file.",
                    location=error.location,
                )
