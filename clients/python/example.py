"""What a tenant costs, stack by stack; then two wrong questions. CATALOG_URL and CATALOG_TOKEN say where and as whom."""

import asyncio
import os
from datetime import date

from catalog_client import Catalog, PeriodInput, RequestProvisioningInput
from catalog_client.enums import ProvisioningAction
from catalog_client.exceptions import GraphQLClientGraphQLMultiError


async def main() -> None:
    """Ask what a tenant costs, ask for a change that nobody can make, and ask for a period that is none."""
    url, token = os.environ["CATALOG_URL"], os.environ["CATALOG_TOKEN"]
    async with Catalog(f"{url}/graphql", headers={"Authorization": f"Bearer {token}"}) as catalog:
        period = PeriodInput(from_=date(2026, 1, 1), to=date(2026, 2, 1))
        cost = await catalog.cost_of_a_tenant(name="plat", period=period)
        if cost.tenant and cost.tenant.cost and cost.tenant.cost.estimated:
            print(cost.tenant.title, cost.tenant.cost.estimated.amount, cost.tenant.cost.currency)
        for stack in cost.stacks.nodes:
            print(stack.name, stack.environment and stack.environment.kind.value, stack.cost and stack.cost.unknown_instances)

        made = await catalog.request(
            RequestProvisioningInput(
                idempotency_key="python-1",
                action=ProvisioningAction.APPLY_COMPONENT,
                stack="nowhere",
                component="vpc",
                team="platform",
                parameters={},
            )
        )
        print([error.code for error in made.errors])

        try:
            await catalog.cost_of_a_tenant(name="plat", period=PeriodInput(from_=date(2026, 2, 1), to=date(2026, 1, 1)))
        except GraphQLClientGraphQLMultiError as refused:
            print([error.extensions and error.extensions["code"] for error in refused.errors])


asyncio.run(main())
