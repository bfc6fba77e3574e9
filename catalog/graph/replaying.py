"""A stored decision of a policy, made again."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from catalog.errors import NotFound
from catalog.graph import enums
from catalog.graph.names import PolicyVerdictType
from catalog.graph.provisioning import PolicyVerdict
from catalog.provisioning import decisions


async def replay_decision(
    info: Info[Any, Any],
    id: Annotated[strawberry.ID, strawberry.argument(description="The global id of an evaluation.")],  # noqa: A002
) -> PolicyVerdictType | None:
    """Make a decision again; null where there is none in sight."""
    acting = info.context
    try:
        verdict = await decisions.replay(acting.database, acting.config, acting.scope, id)
    except NotFound:
        return None
    return PolicyVerdict(
        policy=verdict.policy, passed=verdict.passed, severity=enums.Severity(str(verdict.severity)), message=verdict.message
    )
