"""Estimates with their items, as Infracost's output and price books give them, and which instance they are of.

Unknown is a status, never zero: what has no price is named in `unsupported` and makes an estimate PARTIAL.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.records import CostStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of an estimate; `monthly` of None: its price or its quantity isn't known."""

    name: str
    resource_type: str | None = None
    unit: str | None = None
    monthly_quantity: Decimal | None = None
    monthly: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """What the resources of one root module cost a month, in one currency; `monthly` of None: nothing is known."""

    currency: str
    monthly: Decimal | None
    items: tuple[Item, ...] = ()
    unsupported: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def status(self) -> CostStatus:
        """KNOWN where everything is, PARTIAL where something isn't, UNKNOWN where nothing is."""
        if self.monthly is None:
            return CostStatus.UNKNOWN
        return CostStatus.PARTIAL if self.unsupported or self.reason else CostStatus.KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A root module that was estimated: how the file names it, where its code lies, and its workspace, as far as it says."""

    name: str
    paths: tuple[str, ...] = ()
    workspace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An instance that an estimate may be of."""

    id: str
    stack: str
    name: str
    path: str | None
    workspace: str | None


def match(project: Project, candidates: Collection[Candidate]) -> Candidate | str:
    """Find the instance that a project is: by its name `<stack>-<component>`, else by path and workspace. Else say why there is none."""
    named = [one for one in candidates if project.name in {f"{one.stack}-{one.name}", f"{one.stack}/{one.name}"}]
    if len(named) == 1:
        return named[0]
    if named:
        return _several(project, named)
    here = [one for one in candidates if one.path and any(_ends(path, one.path) for path in project.paths)]
    if project.workspace and project.workspace != "default":
        here = [one for one in here if one.workspace == project.workspace]
    if len(here) == 1:
        return here[0]
    if here:
        return _several(project, here)
    return f"no instance is {project.name!r}: name the project <stack>-<component>, or run it in the component's directory and workspace"


def _ends(path: str, component: str) -> bool:
    parts, wanted = _parts(path), _parts(component)
    return bool(wanted) and (parts[-len(wanted) :] == wanted or parts[-len(wanted) - 1 : -1] == wanted)


def _parts(path: str) -> Sequence[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in {"", ".", ".."}]


def _several(project: Project, found: Sequence[Candidate]) -> str:
    shown = ", ".join(sorted(f"{one.stack}-{one.name}" for one in found)[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"{project.name!r} may be {shown}{more}: name the project <stack>-<component>"
