"""Finds components by name and stack, as `describe component` does and all that asks like it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.errors import EstateError
from catalog.stacks.components import Built
from catalog.stacks.naming import Named
from catalog.stacks.stack_files import StackFile

# The order in which Atmos looks for a component that may have several types.
_TYPES = ("terraform", "helmfile", "packer", "ansible", "container", "emulator", "kubernetes", "helm")
_ENDINGS = ("", ".yaml", ".yml", ".yaml.tmpl", ".yml.tmpl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A component of a stack file, by its number there."""

    file: StackFile
    number: int

    @property
    def built(self) -> Built:
        """The component as built."""
        return self.file.built[self.number]

    @property
    def named(self) -> Named:
        """The names of its stack."""
        return self.file.named[self.number]


class Sites:
    """The components of a reading. With `strict` a component that several manifests define differently is refused."""

    def __init__(self, stacks: Mapping[str, StackFile], *, strict: bool) -> None:
        self._stacks = stacks
        self._strict = strict
        self._by_name: dict[str, list[Site]] | None = None

    def find(self, component: str, stack: str, kind: str | None = None) -> list[Site]:
        """Return where a component is defined for a stack, the first in the order of manifests; empty when nowhere.

        `stack` is a stack's name, or the path of its manifest where that has a slash.
        """
        path = self.path(stack)
        sites = [site for site in self._named(component) if kind in (None, site.built.type)]
        if path is not None:
            sites = [site for site in sites if site.file.path == path and self._is_meant_by_path(site, stack, kind)]
        else:
            sites = [site for site in sites if site.named.stack == stack and (site.named.is_told or not self._strict)]
        first = min((_TYPES.index(site.built.type) for site in sites), default=0)
        return [site for site in sites if site.built.type == _TYPES[first]]

    def one(self, component: str, stack: str, kind: str | None = None) -> Site:
        """Return the first of them; raises EstateError in Atmos' words where there is none, or no one."""
        found = self.find(component, stack, kind)
        if not found:
            raise self._unknown(component, stack, kind)
        if self._strict and any(site.built.entry != found[0].built.entry for site in found[1:]):
            manifests = ", ".join(site.file.name for site in found)
            raise EstateError(
                f"duplicate component configuration: Found duplicate config for the component `{component}` in the stack `{stack}` in the "
                f"manifests: {manifests}\n"
                "Check that all the context variables are correctly defined in the manifests and not duplicated\n"
                "Check that all imports are valid",
                code="DUPLICATE",
            )
        return found[0]

    def path(self, stack: str) -> str | None:
        """Return the top-level manifest that a stack's argument means by its path; None where it is a name."""
        if stack.find("/") < 1:
            return None
        endings = tuple(stack + ending for ending in _ENDINGS[1:]) if "." not in stack.rpartition("/")[2] else (stack,)
        return next((path for path in self._stacks if path.endswith(endings)), None)

    def _named(self, component: str) -> list[Site]:
        if self._by_name is None:
            self._by_name = {}
            for file in sorted(self._stacks.values(), key=lambda file: file.name):
                for number, built in enumerate(file.built):
                    self._by_name.setdefault(built.name, []).append(Site(file=file, number=number))
        return self._by_name.get(component, [])

    def _is_meant_by_path(self, site: Site, stack: str, kind: str | None) -> bool:
        """Tell whether Atmos finds a component by its manifest's path: by the whole path, and no type but Terraform unless named."""
        return not self._strict or (site.file.name == stack and site.built.type == (kind or "terraform"))

    def _unknown(self, component: str, stack: str, kind: str | None) -> EstateError:
        path = self.path(stack) if self._strict else None
        if path is not None and self._stacks[path].name != stack:
            return EstateError(f"could not find the stack '{stack}'", code="UNKNOWN_STACK")
        if path is not None:
            words = f"no config found for the component '{component}' in the stack manifest '{stack}'"
            hint = None if kind else "By the path of its manifest only a Terraform component is found; name the stack."
            return EstateError(words, code="UNKNOWN_COMPONENT", hint=hint)
        meant = next((site.named.stack for site in self._named(component) if site.file.name == stack != site.named.stack), None)
        if meant is not None:
            return EstateError(f"invalid stack: Stack `{stack}` not found.", code="UNKNOWN_STACK", hint=f"Did you mean `{meant}`?")
        return EstateError(
            f"invalid component: Could not find the component `{component}` in the stack `{stack}`.\n"
            "Check that all the context variables are correctly defined in the stack manifests.\n"
            "Are the component and stack names correct? Did you forget an import?",
            code="UNKNOWN_COMPONENT",
        )
