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
        (["orgs/*"], None), (["other"], None), (["orgs/**/dev"], 0),
    ],
)  # fmt: skip
def test_the_most_specific_mapping_wins(patterns, chosen):
    """An exact manifest beats an exact stack name, that beats globs, and of globs the one with most literal characters, the later of equals."""
    mappings = context.Mappings(tuple(map(mapping, patterns)))

    found = mappings.of(manifest="orgs/acme/dev", stack="acme-dev")

    assert found == (None if chosen is None else mappings.entries[chosen])
