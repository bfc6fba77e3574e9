from itertools import pairwise

import pytest

from catalog.indexer import context
from catalog.indexer.seed_values import TenantMapping
from catalog.records import EnvironmentKind

D, T, S, P, X, OTHER = (EnvironmentKind[name] for name in ("DEVELOPMENT", "TEST", "STAGING", "PRODUCTION", "SHARED", "OTHER"))

TESTENV = {"tenant": "fnx", "account": "dev", "environment": "testenv-01", "region": "eu-west-2"}
MAPPING = TenantMapping(
    atmos_stack="orgs/fnx/dev/eu-west-2/testenv-01", organization="fnx", tenant=None, team="platform", environment="development",
    region="eu-west-2", location=None,
)  # fmt: skip
REGIONAL = {"environment": "us-east-1", "stage": "us-east-1", "account_name": "acme-prod"}

TABLE = [
    (
        {"namespace": "acme", "tenant": "plat", "environment": "ue2", "stage": "prod"},
        None,
        ("acme", "plat", "plat-prod", "prod", P, "us-east-2"),
    ),
    ({"namespace": "acme", "environment": "uw2", "stage": "dev"}, None, ("acme", None, "dev", "dev", D, "us-west-2")),
    (
        {"namespace": "acme", "tenant": "core", "environment": "gbl", "stage": "root"},
        None,
        ("acme", "core", "core-root", "root", X, "global"),
    ),
    (TESTENV, None, ("fnx", "fnx", "dev", "testenv-01", D, "eu-west-2")),
    (TESTENV, MAPPING, ("fnx", "fnx", "dev", "development", D, "eu-west-2")),
    ({"stage": "staging"}, None, ("estate", None, "staging", "staging", S, None)),
    (REGIONAL, None, ("estate", None, "acme-prod", "prod", P, "us-east-1")),
    ({"project_id": "shop-qa-1234", "location": "europe-west3"}, None, ("estate", None, "shop-qa-1234", "qa", T, "europe-west3")),
]


@pytest.mark.parametrize(("variables", "mapping", "expected"), TABLE)
def test_each_row_of_the_documented_table(variables, mapping, expected):
    """Each row of the table of contexts gives the organisation, tenant, account, environment, kind and region it promises."""
    place = context.derive(variables, stack="a-stack", fallback="estate", mapping=mapping)

    assert (place.organization, place.tenant, place.account, place.environment, place.kind, place.region) == expected


ALIASES = {
    D: "dev devel development local lab playground sandbox experiments", T: "test tst qa preview ephemeral",
    S: "stage staging stg uat preprod hml nonprod", P: "prod prd production live",
    X: "root mgmt audit security identity network dns auto artifacts log-archive spacelift shared gbl",
}  # fmt: skip


@pytest.mark.parametrize(("alias", "kind"), [(alias, kind) for kind, aliases in ALIASES.items() for alias in aliases.split()])
@pytest.mark.parametrize("key", ["stage", "environment", "env", "account_class", "account"])
def test_every_alias_tells_the_kind_in_every_whole_value(key, alias, kind):
    """Each known alias tells the kind, in any case, in each of the values that may hold it."""
    assert context.derive({key: alias.upper()}, stack="s", fallback="e").kind is kind


@pytest.mark.parametrize("alias", [alias for aliases in ALIASES.values() for alias in aliases.split() if alias != "gbl"])
@pytest.mark.parametrize("key", ["account_name", "account", "project_id", "project", "account_id", "subscription_id", None])
def test_every_alias_tells_the_kind_as_the_last_word_of_a_name(key, alias):
    """Each known alias tells kind and environment as the suffix of an account, a project or the stack's own name."""
    name = f"acme-shop-{alias}"
    place = context.derive({key: name} if key else {}, stack="s" if key else name, fallback="e")

    assert (place.kind, place.environment) == (context.KINDS[alias], alias)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("stage", "environment"), ("environment", "env"), ("env", "account_class"), ("account_class", "account"),
        ("account", "account_name"), ("account_name", "project_id"), ("project_id", "project"),
    ],
)  # fmt: skip
def test_the_kind_is_looked_for_in_this_order(earlier, later):
    """Where two values tell different kinds, the earlier one counts; one that tells none, or a region, leaves it to the later."""
    assert (
        context.derive(
            {earlier: "prod", later: "x-dev" if later.endswith(("name", "id", "project")) else "dev"}, stack="s", fallback="e"
        ).kind
        is P
    )
    assert context.derive({earlier: "blue", later: "dev"}, stack="s", fallback="e").kind is D
    assert context.derive({earlier: "eu-west-2", later: "dev"}, stack="s", fallback="e").kind is D


ORDERS = {
    "account": ["account_name", "account", "account_id", "project_id", "subscription_id"],
    "region": ["region", "aws_region", "location"],
}


@pytest.mark.parametrize(
    ("field", "earlier", "later"), [(field, one, two) for field, keys in ORDERS.items() for one, two in pairwise(keys)]
)
def test_account_and_region_are_looked_for_in_this_order(field, earlier, later):
    """The account and the region are the first of their values that there is."""
    assert getattr(context.derive({later: "two", earlier: "one"}, stack="s", fallback="e"), field) == "one"
    assert getattr(context.derive({later: "two"}, stack="s", fallback="e"), field) == "two"


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"region": "eu-west-2", "environment": "ue2"}, "eu-west-2"), ({"location": "westeurope", "availability_zone": "us-east-1a"}, "westeurope"),
        ({"availability_zone": "us-east-1a", "environment": "ue2"}, "us-east-1"), ({"environment": "ue2", "stage": "uw1"}, "us-east-2"),
        ({"stage": "uw1"}, "us-west-1"), ({"env": "gbl"}, "global"), ({"stage": "dev"}, None), ({}, None),
    ],
)  # fmt: skip
def test_the_region_is_said_or_read_from_a_code(variables, region):
    """A region that is said counts, then a zone's, then the code that environment or stage is."""
    assert context.derive(variables, stack="s", fallback="e").region == region


@pytest.mark.parametrize(
    ("variables", "account"),
    [
        ({"tenant": "plat", "stage": "dev"}, "plat-dev"), ({"stage": "dev"}, "dev"), ({"tenant": "plat"}, None),
        ({"tenant": "plat", "stage": "dev", "subscription_id": "s-1"}, "s-1"), ({}, None),
    ],
)  # fmt: skip
def test_without_an_account_it_is_tenant_and_stage(variables, account):
    """Cloud Posse's convention names an account after tenant and stage; a tenant alone names none."""
    assert context.derive(variables, stack="s", fallback="e").account == account


@pytest.mark.parametrize(
    ("variables", "environment"),
    [
        ({"stage": "dev", "environment": "blue"}, "dev"), ({"environment": "testenv-01"}, "testenv-01"), ({"env": "Blue"}, "Blue"),
        ({"stage": "ue1", "environment": "blue"}, "blue"), ({"stage": "ue1"}, "ue1"), ({"account_name": "acme-prod"}, "prod"), ({}, None),
    ],
)  # fmt: skip
def test_the_environment_is_named_after_its_stage(variables, environment):
    """The environment's name is its stage, else its environment, but for a region's code; else the alias that tells its kind."""
    assert context.derive(variables, stack="s", fallback="e").environment == environment


@pytest.mark.parametrize(
    ("variables", "organization"),
    [
        ({"namespace": "acme", "tenant": "plat"}, "acme"), ({"tenant": "plat"}, "plat"), ({}, "e"), ({"namespace": "acme", "environment": "dev"}, "acme"),
        ({"namespace": "dev", "environment": "dev"}, "e"),
    ],
)  # fmt: skip
def test_the_organisation_is_the_namespace_else_the_tenant_else_the_estates(variables, organization):
    """A namespace that differs from the environment names the organisation, else the tenant, else the estate's own."""
    assert context.derive(variables, stack="s", fallback="e").organization == organization


def test_each_key_of_the_mapping_beats_the_context():
    """What the mapping says counts, key by key; what it leaves out is derived."""
    said = TenantMapping(
        atmos_stack="s", organization="o", tenant="t", team="x", environment="live", region="r", location=None,
    )  # fmt: skip
    full = {"namespace": "acme", "tenant": "plat", "environment": "ue2", "stage": "dev"}

    place = context.derive(full, stack="s", fallback="e", mapping=said)

    assert (place.organization, place.tenant, place.environment, place.kind, place.region) == ("o", "t", "live", P, "r")
    assert (place.account, place.stage, place.namespace, place.team) == ("plat-dev", "dev", "acme", "x")
    assert context.derive(full, stack="s", fallback="e", mapping=mapping("s")).environment == "dev"


def test_a_namespace_that_repeats_the_environment_names_no_organisation():
    """As in tf-atmos: the tenant is the organisation then, or without one the estate's."""
    assert (
        context.derive({"namespace": "e1", "environment": "e1", "tenant": "fnx"}, stack="s", fallback="estate").organization
        == "fnx"
    )
    assert context.derive({"namespace": "e1", "environment": "e1"}, stack="s", fallback="estate").organization == "estate"


def test_the_mapping_names_the_owning_team():
    """The team of the mapping comes with the place, and so does the entry itself, as evidence."""
    place = context.derive(TESTENV, stack="s", fallback="estate", mapping=MAPPING)

    assert (place.team, place.mapping) == ("platform", MAPPING)


@pytest.mark.parametrize(
    ("variables", "stack", "kind"),
    [
        ({"stage": "UAT"}, "s", S), ({"environment": "live"}, "s", P), ({"env": "playground"}, "s", D), ({"account_class": "nonprod"}, "s", S),
        ({"stage": "blue"}, "s", OTHER), ({"stage": "blue"}, "shop-blue-prd", P), ({}, "shop-log-archive", X), ({"environment": "gbl"}, "s", X),
        ({"stage": "ue1"}, "s", OTHER), ({"subscription_id": "x-tst"}, "s", T), ({"account_name": "acme-dev-001"}, "s", D),
    ],
)  # fmt: skip
def test_the_kind_is_the_first_known_alias(variables, stack, kind):
    """The kind is the first known alias among stage, environment, account class and account, then in the names' last words."""
    assert context.derive(variables, stack=stack, fallback="estate").kind is kind


@pytest.mark.parametrize(
    ("code", "region"),
    [
        ("ue2", "us-east-2"), ("use2", "us-east-2"), ("uw1", "us-west-1"), ("ec1", "eu-central-1"), ("apse1", "ap-southeast-1"), ("weu", "westeurope"),
        ("eus", "eastus"), ("fra", "fra"), ("gbl", "global"), ("eu-west-2", "eu-west-2"), ("us-gov-west-1", "us-gov-west-1"),
        ("europe-west3", "europe-west3"), ("westus2", "westus2"), ("dev", None), ("qa", None), ("dns", None), ("prod", None), ("tst", None), ("e1", None),
    ],
)  # fmt: skip
def test_region_codes_and_names_are_told_from_stages(code, region):
    """Codes and full names of the large clouds are regions; stages of two or three letters are not."""
    assert context.region_of(code) == region


def test_a_zone_is_a_region_with_a_letter():
    """An availability zone gives its region."""
    assert context.derive({"availability_zone": "us-east-1a"}, stack="s", fallback="e").region == "us-east-1"
    assert context.derive({"availability_zone": "europe-west3-a"}, stack="s", fallback="e").region == "europe-west3"


def test_the_context_is_what_most_instances_agree_on():
    """One component's own idea of a context value does not move the stack; placeholders and non-strings count as absent."""
    instances = [{"stage": "dev", "account_id": 5}, {"stage": "dev"}, {"stage": "${stage}"}, {"stage": "prod", "tenant": "x"}]

    assert context.agreed({}, instances) == {"stage": "dev"}
    assert context.agreed({"stage": "qa"}, []) == {"stage": "qa"}


def mapping(pattern):
    return TenantMapping(
        atmos_stack=pattern, organization=None, tenant=None, team=None, environment=None, region=None, location=None
    )


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        (["orgs/**", "orgs/acme/dev", "acme-dev"], 1), (["acme-dev", "orgs/**"], 0), (["**", "orgs/*/dev", "orgs/**"], 1), (["*-dev", "acme-*"], 1),
        (["orgs/*"], None), (["other"], None), (["orgs/**/dev"], 0), (["orgs/acme/d?v"], 0), (["orgs/acme/[cd]ev"], 0), (["orgs/acme/[!d]ev"], None),
        (["orgs[/]acme/dev", "orgs/acme[!x]dev"], None), (["orgs/acme/de[v"], None), (["orgs/acme/dev/*"], None), (["acme-*", "orgs/acme/*"], 1),
        (["*-[a-d]ev", "acme-???"], 1), (["Acme-dev"], None),
    ],
)  # fmt: skip
def test_the_most_specific_mapping_wins(patterns, chosen):
    """An exact manifest beats an exact stack name, that beats globs, and of globs the one with most literal characters, the later of equals."""
    mappings = context.Mappings(tuple(map(mapping, patterns)))

    found = mappings.of(manifest="orgs/acme/dev", stack="acme-dev")

    assert found == (None if chosen is None else mappings.entries[chosen])
