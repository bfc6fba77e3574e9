"""The `overrides` in force while files are merged: written in a file and its ancestors, and leaked from earlier imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog.errors import EstateError
from catalog.stacks.documents import Document
from catalog.stacks.merging import EMPTY, Map, Memo


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scope:
    """The `overrides` in force while a file is read: its ancestors' own, and what earlier imports leaked, for both types."""

    terraform: tuple[Map, Map] = (EMPTY, EMPTY)  # written in this file and its ancestors, come from imports
    helmfile: tuple[Map, Map] = (EMPTY, EMPTY)

    def key(self) -> tuple[int, ...]:
        """An identity for memos: equal keys are the same maps."""
        return (*map(id, self.terraform), *map(id, self.helmfile))


NO_OVERRIDES = Scope()


class Scopes:
    """Follows scopes through files and imports."""

    def __init__(self, memo: Memo, strategy: str) -> None:
        self._memo = memo
        self._strategy = strategy
        self.kept: list[Scope] = []  # identities in keys are good only while the scopes live

    def entered(self, own: Map, document: Document, relative: str, scope: Scope) -> Scope:
        """The scope inside a file: its own overrides, with its ancestors' over them."""
        everywhere, terraform, helmfile = (
            # Files that override alike are one scope, so that what they import is merged once for all of them.
            self._memo.first_equal(_section(own, document, relative, "overrides", below))
            for below in ((), ("terraform",), ("helmfile",))
        )
        if not (everywhere or terraform or helmfile):
            return scope
        return self._keep(
            Scope(
                terraform=(self._joined(everywhere, terraform, scope.terraform[0]), scope.terraform[1]),
                helmfile=(self._joined(everywhere, helmfile, scope.helmfile[0]), scope.helmfile[1]),
            )
        )

    def leaked(self, scope: Scope, part: Scope) -> Scope:
        """The scope after an import: what was in force inside it stays in force for what follows."""
        terraform = self._joined(scope.terraform[1], part.terraform[1], part.terraform[0])
        helmfile = self._joined(scope.helmfile[1], part.helmfile[1], part.helmfile[0])
        if terraform is scope.terraform[1] and helmfile is scope.helmfile[1]:
            return scope
        return self._keep(Scope(terraform=(scope.terraform[0], terraform), helmfile=(scope.helmfile[0], helmfile)))

    def overridden(self, own: Map, scope: Scope) -> Map:
        """A file's own content, each of its components carrying the overrides in force."""
        components = own.get("components")
        if not isinstance(components, dict):
            return own
        changed = dict(components)
        for kind, layers in (("terraform", scope.terraform), ("helmfile", scope.helmfile)):
            overrides = self._joined(layers[1], layers[0])
            written = components.get(kind)
            if overrides and isinstance(written, dict):
                changed[kind] = {
                    name: {**entry, "overrides": overrides} if isinstance(entry, dict) else entry for name, entry in written.items()
                }
        return {**own, "components": changed} if changed != components else own

    def _joined(self, *layers: Map) -> Map:
        result = EMPTY
        for layer in layers:
            result = self._memo.merge(result, layer, self._strategy)
        return result

    def _keep(self, scope: Scope) -> Scope:
        self.kept.append(scope)
        return scope


def _section(own: Map, document: Document, relative: str, key: str, below: tuple[str, ...]) -> Map:
    value: Any = own
    for step in below:
        value = value.get(step, EMPTY)
        if not isinstance(value, dict):
            words = f"invalid {step} section in the stack manifest '{relative}'"
            raise EstateError(words, code="SECTION", location=document.location((step,)))
    section = value.get(key, EMPTY)
    if not isinstance(section, dict):
        words = f"invalid {' '.join((*below, key))} section in the stack manifest '{relative}'"
        raise EstateError(words, code="SECTION", location=document.location((*below, key)))
    return section
