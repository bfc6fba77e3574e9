"""Policies and what they decided: written with the request that they judged, read to make a decision again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from catalog import values
from catalog.records import DecisionPoint, Policy, PolicyBundle, PolicyEvaluation, PolicyInput
from catalog.values import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one policy said: the policy as it is stored, whether it passed, and its messages as one text."""

    package: str
    name: str
    title: str | None
    description: str | None
    severity: Severity
    source: str = field(repr=False)
    passed: bool
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What was decided at one point: the bundle and the input, each with its digest, the moment, and what each policy said."""

    point: DecisionPoint
    content: Mapping[str, Any] = field(repr=False)
    bundle_digest: str
    document: Mapping[str, Any] = field(repr=False)
    at: datetime
    milliseconds: float
    judgements: Sequence[Judgement]


async def keep(session: AsyncSession, decided: Decided, *, estate: tuple[str, str], tenant_id: str, request_id: str) -> None:
    """Write a decision on a request of an estate (its id and name), in the caller's transaction."""
    estate_id, estate_name = estate
    document, content = storable(decided.document), storable(decided.content)
    await session.execute(
        insert(PolicyBundle).values(digest=decided.bundle_digest, content=content).on_conflict_do_nothing(index_elements=["digest"])
    )
    digest = values.digest(document)
    await session.execute(
        insert(PolicyInput).values(digest=digest, document=document).on_conflict_do_nothing(index_elements=["digest"])
    )
    for one in decided.judgements:
        policy_id = values.global_id("Policy", estate_name, one.package, one.name)
        await session.execute(_policy(policy_id, estate_id, one))
        session.add(
            PolicyEvaluation(
                id=values.global_id(
                    "PolicyEvaluation", request_id, policy_id, str(decided.point), decided.bundle_digest, decided.at.isoformat()
                ),
                tenant_id=tenant_id,
                policy_id=policy_id,
                point=decided.point,
                passed=one.passed,
                message=one.message,
                request_id=request_id,
                input_digest=digest,
                bundle_digest=decided.bundle_digest,
                milliseconds=decided.milliseconds,
                evaluated_at=decided.at,
            )
        )
    await session.flush()


async def find(
    session: AsyncSession, evaluation_id: str
) -> tuple[PolicyEvaluation, Policy, Mapping[str, Any], Mapping[str, Any]] | None:
    """Return an evaluation, its policy, what was judged, and the content of the bundle that judged."""
    found = (
        await session.execute(
            select(PolicyEvaluation, Policy, PolicyInput, PolicyBundle)
            .join(Policy, PolicyEvaluation.policy_id == Policy.id)  # type: ignore[arg-type]
            .join(PolicyInput, PolicyEvaluation.input_digest == PolicyInput.digest)  # type: ignore[arg-type]
            .join(PolicyBundle, PolicyEvaluation.bundle_digest == PolicyBundle.digest)  # type: ignore[arg-type]
            .where(PolicyEvaluation.id == evaluation_id)  # type: ignore[arg-type]
        )
    ).first()
    return (found[0], found[1], found[2].document, found[3].content) if found else None


def _policy(policy_id: str, estate_id: str, one: Judgement) -> Any:
    said = {
        "title": one.title,
        "description": one.description,
        "severity": str(one.severity),
        "source": one.source,
    }
    adding = insert(Policy).values(id=policy_id, estate_id=estate_id, package=one.package, name=one.name, **said)
    return adding.on_conflict_do_update(index_elements=["estate_id", "package", "name"], set_=said)


def storable(value: Any) -> Any:
    """The value without what Postgres holds in no text: NUL and lone surrogates."""
    if isinstance(value, str):
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {storable(str(key)): storable(item) for key, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, (list, tuple)) else value
