"""Where charges land: the order of ways, what is told of each."""

from decimal import Decimal

import pytest

from catalog.cost import allocation
from catalog.cost.allocation import Directory, Environment, Instance, Subject, Team, Tenant, decide

TENANT = Tenant(id="ten", name="plat")
VPC = Instance(
    id="vpc", name="vpc", component="network/vpc", stack="plat-dev", stack_id="s-dev", tenant_id="ten", environment_id="dev",
    team_id="platform", account="plat-dev", region="eu-west-2", monthly=Decimal(30), service_id="web",
)  # fmt: skip
DB = Instance(
    id="db", name="orders-db", component="rds", stack="plat-dev", stack_id="s-dev", tenant_id="ten", environment_id="dev",
    account="plat-dev", region="eu-west-2", monthly=Decimal(10),
)  # fmt: skip
ADDONS = Instance(id="addons", name="eks-addons", component="eks-addons", stack="plat-prod", stack_id="s-prod", tenant_id="ten")
INGRESS = Instance(id="ingress", name="ingress", component="eks-addons", stack="plat-prod", stack_id="s-prod", tenant_id="ten")
DEV = Environment(id="dev", name="dev", tenant_id="ten", account="plat-dev", region="eu-west-2", team_id="platform")
PROD = Environment(id="prod", name="prod", tenant_id="ten", account="plat-prod", region="eu-west-2")
PROD_WEST = Environment(id="west", name="prod", tenant_id="ten", account="plat-prod", region="us-west-2")
PLATFORM = Team(id="platform", slug="platform", cost_center="CC-1", names=("@acme/platform", "Platform"), tenant_id="ten")
PAYMENTS = Team(id="payments", slug="payments", cost_center="CC-2", tenant_id="ten")
IDLE = Team(id="idle", slug="idle", cost_center="CC-3")
WORLD = Directory(
    instances=[VPC, DB, ADDONS, INGRESS], environments=[DEV, PROD, PROD_WEST], teams=[PLATFORM, PAYMENTS, IDLE], tenants=[TENANT]
)
RULES = {
    "accounts": {"111": "plat-dev", "222": "plat-prod"},
    "services": {"AmazonRDS": "rds"},
    "resources": [{"id": "arn:*:vpc/*", "stack": "plat-dev", "component": "vpc"}],
    "shared": [
        {"name": "support", "match": {"service": "*Support*"}, "tags": {}, "split": "fixed", "among": "team",
         "weights": [("platform", "60"), ("payments", "40")]},
        {"name": "tax", "match": {"category": "Tax"}, "tags": {}, "split": "estimate", "among": "instance", "weights": []},
        {"name": "logs", "match": {"account": "333"}, "tags": {"Kind": "log*"}, "split": "even", "among": "environment", "weights": []},
    ],
}  # fmt: skip

WAYS = {
    "tags name an instance": (
        {"tags": {"atmos:stack": "plat-dev", "atmos:component": "orders-db"}}, [("tags", "db", "dev", None, 1)]
    ),
    "tags in another spelling": (
        {"tags": {"user:Atmos-Stack": "plat-dev", "COMPONENT": "rds"}}, [("tags", "db", "dev", None, 1)]
    ),
    "an instance that nobody owns is of the team that pays": (
        {"tags": {"stack": "plat-dev", "component": "rds", "CostCenter": "CC-2"}}, [("tags", "db", "dev", "payments", 1)]
    ),
    "an instance that somebody owns stays theirs": (
        {"tags": {"stack": "plat-dev", "component": "vpc", "team": "payments"}}, [("tags", "vpc", "dev", "platform", 1)]
    ),
    "an instance's name goes before its component": (
        {"tags": {"stack": "plat-prod", "component": "eks-addons"}},
        [("tags", "addons", None, None, 1)],
    ),
    "a team by its slug, which is its title too": ({"tags": {"team": "Platform"}}, [("team", None, None, "platform", 1)]),
    "a declared resource": ({"resource": "arn:aws:vpc/7"}, [("resource", "vpc", "dev", "platform", 1)]),
    "account, region and service": (
        {"account": "111", "region": "eu-west-2", "service": "AmazonRDS"}, [("place", "db", "dev", None, 1)]
    ),
    "account and region": ({"account": "222", "region": "us-west-2"}, [("environment", None, "west", None, 1)]),
    "an account of one environment, elsewhere": (
        {"account": "111", "region": "global"}, [("environment", None, "dev", "platform", 1)]
    ),
    "the environment of a tag, paid by a team": (
        {"tags": {"env": "dev", "team": "payments"}}, [("environment", None, "dev", "payments", 1)]
    ),
    "the environment of a tagged stack": (
        {"tags": {"stack": "plat-dev", "component": "gone"}}, [("environment", None, "dev", "platform", 1)]
    ),
    "a cost centre": ({"account": "222", "tags": {"cost_center": "cc-2"}}, [("team", None, None, "payments", 1)]),
    "another name of a team": ({"tags": {"owner": "@ACME/platform"}}, [("team", None, None, "platform", 1)]),
    "nothing": ({"account": "999"}, [("unallocated", None, None, None, 1)]),
    "a team of no tenant": ({"tags": {"team": "idle"}}, [("unallocated", None, None, None, 1)]),
    "fixed parts": (
        {"service": "AWS Support (Business)", "tags": {"stack": "plat-dev", "component": "vpc"}},
        [("shared:support", None, None, "platform", 60), ("shared:support", None, None, "payments", 40)],
    ),
    "by estimate": ({"category": "Tax"}, [("shared:tax", "db", "dev", None, 10), ("shared:tax", "vpc", "dev", "platform", 30)]),
    "in equal parts": (
        {"account": "333", "tags": {"kind": "logging"}},
        [("shared:logs", None, "dev", "platform", 1), ("shared:logs", None, "prod", None, 1), ("shared:logs", None, "west", None, 1)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WAYS)
def test_a_charge_lands_by_the_first_way_that_holds(case):
    """Declared rules come first, then tags, resources, places, environments and teams; what is left is unallocated."""
    said, expected = WAYS[case]
    found = decide(Subject(**said), allocation.rules_of(RULES), WORLD)

    parts = [(p.rule, p.instance_id, p.environment_id, p.team_id, p.weight) for p in found.parts]
    assert sorted(parts, key=str) == sorted(expected, key=str)
    assert all(part.reason for part in found.parts)
    assert all((part.tenant_id is None) == (part.rule == "unallocated") for part in found.parts)


def test_what_is_unallocated_tells_everything_that_was_looked_for():
    """The reason names each way that failed, so that somebody can mend it."""
    found = decide(Subject(account="222", service="AmazonRDS", tags={"team": "nobody"}), allocation.rules_of(RULES), WORLD)

    reason = found.parts[0].reason
    assert found.parts[0].rule == "unallocated"
    assert "no tags name a stack and a component" in reason
    assert "rds in the account plat-prod, which is nothing here" in reason
    assert "account, region and tags leave 2 environments" in reason
    assert "no team is known as nobody" in reason
