"""Makes a stored decision again: the same bundle, input and moment must give the same verdict."""

from __future__ import annotations

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from catalog.config import Config
from catalog.errors import NotFound
from catalog.policy import Verdict
from catalog.policy.engine import summed
from catalog.provisioning import judging, requests
from catalog.records import DecisionPoint, PolicyEvaluation, Role, Scope
from catalog.store import policies
from catalog.store import requests as rows
from catalog.store.database import Database


async def replay(database: Database, config: Config, scope: Scope, evaluation_id: str) -> Verdict:
    """Return what the policy of an evaluation says to the same input now; every message of it is in one text.

    Where a server was asked, the bundle of the estate at that time answers in its place. Raises NotFound for what the viewer may not
    see.
    """
    async with database.session() as session:
        found = await policies.find(session, evaluation_id)
        if found is None or not await _sees(session, scope, found[0]):
            raise NotFound(f"there is no policy evaluation {evaluation_id}", path=("id",))
    evaluation, policy, document, content = found
    verdicts = await asyncio.to_thread(
        judging.again, config, content, DecisionPoint(evaluation.point), document, evaluation.evaluated_at
    )
    named = {policy.package, policy.name}
    return summed([verdict for verdict in verdicts if verdict.policy in named], policy.package)


async def _sees(session: AsyncSession, scope: Scope, evaluation: PolicyEvaluation) -> bool:
    if evaluation.request_id is not None:
        request = await rows.get(session, evaluation.request_id)
        if request is not None and await requests.sees(session, scope, request):
            return True
    if evaluation.instance_id is None:
        return False
    row = (await rows.instances(session, [evaluation.instance_id])).get(evaluation.instance_id)
    return row is not None and scope.admits(Role.VIEWER, tenant_id=row.tenant_id, team_id=row.team_id)
