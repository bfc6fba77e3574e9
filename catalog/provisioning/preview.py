"""What a request would change, computed on an overlay: nothing is written, nothing is executed.

Pure: an overlay, the planned steps and what the index knows in; a `Preview` out. Its digest covers content, not moments: the
changed lines of each file, the resolved section and the source of each affected instance, the cost, and the steps that govern it.
The base commit and who exactly may approve are shown, not bound: an unrelated merge, or a new colleague, voids nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog import values
from catalog.gitops import diffs
from catalog.provisioning import affected as differences
from catalog.provisioning import costs, masking, workflow
from catalog.provisioning.affected import Affected, Key
from catalog.provisioning.costs import CostChange
from catalog.provisioning.judging import Decision
from catalog.provisioning.overlay import Overlay
from catalog.provisioning.workflow import PlannedStep
from catalog.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedFile:
    """One file as it would be committed, and its unified diff; literal secrets in both are stars."""

    path: str
    content: str
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A request's effect: files, affected instances (with their global ids), cost, verdicts, and who may approve."""

    digest: str
    files: tuple[RenderedFile, ...]
    affected: tuple[tuple[str, Affected], ...]
    cost: CostChange
    verdicts: tuple[Mapping[str, Any], ...]
    requires_approval: bool
    may_approve: tuple[str, ...]
    decisions: tuple[Decision, ...] = field(default=(), repr=False)  # whose verdicts these are
    team_id: str | None = None  # on whose behalf, and budget

    def document(self) -> dict[str, Any]:
        """The preview as plain JSON with the graph's own names: what is stored with a request.

        `affected` holds, beside the graph's fields, the instance's id; `teamId` tells whose budget is shown.
        """
        return {
            "digest": self.digest,
            "files": [{"path": file.path, "content": file.content, "diff": file.diff} for file in self.files],
            "affected": [_affected(instance_id, one) for instance_id, one in self.affected],
            "costBefore": costs.money(self.cost.before),
            "costAfter": costs.money(self.cost.after),
            "costDelta": costs.money(self.cost.delta),
            "unknownInstances": self.cost.unknown,
            "teamId": self.team_id,
            "verdicts": [dict(verdict) for verdict in self.verdicts],
            "requiresApproval": self.requires_approval,
            "mayApprove": list(self.may_approve),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the index knows and a preview needs: the estate's name, its currency, indexed costs, and the pattern of secret keys."""

    estate: str
    currency: str
    indexed: Mapping[Key, Money]
    secret_keys: str


def touched(overlay: Overlay) -> tuple[Affected, ...]:
    """Return what the overlay affects; the target always, also when nothing about it changes and it is merely applied."""
    target = overlay.target
    return differences.between(overlay.before, overlay.after, always=[(target.stack, target.type, target.name)])


def build(
    overlay: Overlay,
    affected: Sequence[Affected],
    *,
    steps: Sequence[PlannedStep],
    executor: str,
    decisions: Sequence[Decision],
    may_approve: Sequence[str],
    known: Known,
) -> Preview:
    """Put a preview together and compute its digest."""
    cost = cost_of(overlay, affected, known)
    verdicts = [verdict.document() for decision in decisions for verdict in decision.verdicts]
    covered = {
        "files": {path: _changed_lines(*overlay.text(path)) for path in overlay.changes},
        "affected": [[*one.key, one.section_hash, overlay.source_hash(one.type, one.component)] for one in affected],
        "cost": cost.document(),
        "verdicts": verdicts,
        "policies": [decision.digest for decision in decisions],
        "steps": [[step.kind, step.tool, dict(step.options), step.skip] for step in steps],
        "executor": executor,
    }
    return Preview(
        digest=values.digest(covered),
        files=tuple(_rendered(overlay, path, known.secret_keys) for path in overlay.changes),
        affected=tuple((instance_id(known.estate, one.key), one) for one in affected),
        cost=cost,
        verdicts=tuple(verdicts),
        requires_approval=bool(workflow.gates(steps)),
        may_approve=tuple(may_approve),
        decisions=tuple(decisions),
    )


def cost_of(overlay: Overlay, affected: Sequence[Affected], known: Known) -> CostChange:
    """Return what the affected instances cost a month, before and after."""
    before, after = differences.by_key(overlay.before), differences.by_key(overlay.after)
    return costs.change(affected, before, after, indexed=known.indexed, currency=known.currency)


def instance_id(estate: str, key: Key) -> str:
    """Return the global id of an instance named by its natural key within the estate."""
    stack, component_type, name = key
    return values.global_id("ComponentInstance", estate, stack, component_type.upper(), name)


def _affected(instance_id: str, one: Affected) -> dict[str, Any]:
    return {
        "instanceId": instance_id,
        "stackName": one.stack,
        "componentType": one.type.upper(),
        "componentName": one.name,
        "deleted": one.deleted,
        "reasons": list(one.reasons),
        "dependents": one.dependents,
    }


def _rendered(overlay: Overlay, path: str, secret_keys: str) -> RenderedFile:
    old, new = (masking.mask(text, secret_keys) for text in overlay.text(path))
    return RenderedFile(path=path, content=new, diff=diffs.unified(path, old.encode(), new.encode()))


def _changed_lines(old: str, new: str) -> list[str]:
    """The lines that go and come, without their places: what the rest of the file says is not this request's."""
    return [line for line in difflib.unified_diff(old.split("\n"), new.split("\n"), n=0, lineterm="") if not line.startswith("@@")][
        2:
    ]
