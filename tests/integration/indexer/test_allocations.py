"""Allocations through runs of the indexer: charges follow the estate and the rules of its seeds, and runs without charges do nothing."""

import json

import pytest

from catalog.cost import imports
from catalog.records import CostFormat

HEADER = (
    "BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,BillingCurrency,BilledCost,EffectiveCost,"
    "ServiceName,Tags"
)
SUMS = """select s.name, i.name, t.slug, a.rule, a.amount from allocation a left join stack s on s.id = a.stack_id
    left join component_instance i on i.id = a.instance_id left join team t on t.id = a.team_id order by 1, 2, 3, 5"""
SHARED = """\
allocation:
  shared:
    - {name: support, match: {service: Support}, split: estimate, among: instance}
"""


def charge(cost, service="", **tags):
    said = json.dumps({f"atmos:{key}": value for key, value in tags.items()}).replace('"', '""')
    period = "2026-05-01T00:00:00Z,2026-06-01T00:00:00Z,2026-05-02T00:00:00Z,2026-05-03T00:00:00Z"
    return f'{period},Usage,USD,{cost},{cost},{service},"{said}"'


@pytest.fixture
async def indexed(catalog, place):
    """The small estate, read."""
    await catalog.index(place.path)
    return catalog


@pytest.fixture
def take(indexed, tmp_path):
    """Import charges."""

    async def call(*lines):
        path = tmp_path / "aws.csv"
        path.write_text("\n".join((HEADER, *lines, "")))
        async with indexed.database.session() as session:
            await imports.take(session, imports.Source(path=path, name="aws.csv", format=CostFormat.FOCUS_CSV))
            await session.commit()

    return call


async def test_charges_follow_the_estate(indexed, take, place):
    """A charge of an instance that isn't there yet lands on it when it is, and what stays is left as it is."""
    await take(charge("5", stack="plat-dev", component="vpc"), charge("3", stack="plat-prod", component="cache"))
    landed = await indexed.ask(
        "select i.name, a.rule, a.amount, a.xmin::text from allocation a left join component_instance i on i.id = a.instance_id order by 3"
    )
    assert [row[:3] for row in landed] == [(None, "environment", 3), ("vpc", "tags", 5)]

    place.write(
        {
            "stacks/orgs/prod.yaml": "import: [orgs/_defaults, catalog/vpc]\nvars: {stage: prod}\n"
            "components: {terraform: {cache: {metadata: {component: vpc, custom: {owner: data}}, vars: {enabled: true}}}}\n"
        }
    )
    await indexed.index(place.path)

    assert await indexed.ask(SUMS) == [("plat-dev", "vpc", "platform", "tags", 5), ("plat-prod", "cache", "data", "tags", 3)]
    assert await indexed.ask("select xmin::text from allocation where amount = 5") == [landed[1][3:]]


async def test_what_was_removed_keeps_what_it_cost(indexed, take, place):
    """A charge stays on its instance after the instance is gone."""
    await take(charge("5", stack="plat-dev", component="eks"))
    before = await indexed.ask(SUMS)

    place.write({"stacks/orgs/dev.yaml": "import: [orgs/_defaults, catalog/vpc]\nvars: {stage: dev}\n"})
    await indexed.index(place.path, confirmed=True)

    assert await indexed.ask("select removed_at is null from component_instance where name = 'eks'") == [(False,)]
    assert await indexed.ask(SUMS) == before


async def test_rules_of_the_seeds_hold_from_the_run_that_reads_them(indexed, take, place):
    """Shared costs are split when the rules say so, and are no more when these are gone or broken ones stay."""
    await take(charge("10", "Support"))
    assert [row[3:] for row in await indexed.ask(SUMS)] == [("unallocated", 10)]

    place.write({"seeds/allocation.yaml": SHARED})
    await indexed.index(place.path)
    split = await indexed.ask(SUMS)
    assert [(stack, name, rule, amount) for stack, name, _, rule, amount in split] == [
        ("plat-dev", "vpc", "shared:support", 5),
        ("plat-prod", "vpc", "shared:support", 5),
    ]

    place.write({"seeds/allocation.yaml": SHARED.replace("estimate", "halves")})
    await indexed.index(place.path)
    assert await indexed.ask(SUMS) == split
