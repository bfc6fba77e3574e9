"""What somebody asks for: the input of preview and request as one plain value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.records import ProvisioningAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """An action on a target, with parameters (variable → value) and the workflow to run it through.

    `component_type` is the UPPER enum. `estate` may be left out while only one estate has such a stack; `team` is a slug and, left
    out, the team that owns the target; `workflow` and `workflow_file` name another governed workflow than the estate's.
    """

    action: ProvisioningAction
    estate: str | None = None
    stack: str | None = None
    component: str | None = None
    component_type: str = "TERRAFORM"
    team: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    justification: str | None = None
    workflow: str | None = None
    workflow_file: str | None = None

    def body(self) -> dict[str, Any]:
        """Everything that was asked, as plain JSON: what makes two requests under one idempotency key the same."""
        return {name: getattr(self, name) for name in self.__slots__}
