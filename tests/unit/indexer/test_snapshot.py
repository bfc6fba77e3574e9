import json
from decimal import Decimal

import pytest

from catalog.cost.money import Estimate
from catalog.indexer import seeds, snapshot
from catalog.indexer.component_facts import ComponentFacts
from catalog.indexer.documents import text_of
from catalog.indexer.seed_values import MemberSeed, OrganizationSeed, Seeds, ServicePart, ServiceSeed, TeamSeed, TenantMapping
from catalog.stacks.resolved import ResolvedManifest, WorkflowManifest
from catalog.values import Diagnostic, Severity, SourceLocation, global_id

SUBJECT = snapshot.Subject(estate="shop", organization="acme", redaction_key=b"k" * 32, secret_keys="(password|token)$")
CONTEXT = {"namespace": "acme", "tenant": "plat", "environment": "ue2", "stage": "dev"}
PLACE = SourceLocation(file="seeds/x.yaml", line=3)


def team(slug, **values):
    defaults = {"organization": "acme", "title": slug.title(), "email": None, "chat": None, "cost_center": None, "platform": False, "budget": None,
                "aliases": (), "members": (), "location": PLACE}  # fmt: skip
    return TeamSeed(slug=slug, **{**defaults, **values})


def service(slug, *parts, **values):
    defaults = {"organization": "acme", "title": slug, "description": None, "category": None, "owner": None, "lifecycle": "PRODUCTION",
                "lifecycle_stated": False, "budget": None, "tier": None, "cost": None, "cost_problem": None, "cost_location": None, "provisioning_time": None, "public": True, "tags": (), "links": (),
                "location": PLACE}  # fmt: skip
    return ServiceSeed(
        slug=slug,
        parts=tuple(ServicePart(name=name, layer="INFRASTRUCTURE", role=None) for name in parts),
        **{**defaults, **values},
    )


SEEDS = Seeds(
    organizations=(OrganizationSeed(name="acme", title="Acme", currency="USD", default_team="platform", location=PLACE),),
    teams=(
        team("platform"),
        team(
            "data",
            email="data@acme.example",
            aliases=("@acme/data-eng",),
            members=(MemberSeed(name="Ada", email="ada@acme.example", role=None),),
        ),
        team("web"),
    ),
)
COMPONENTS = {("TERRAFORM", "components/terraform/vpc"): ComponentFacts(type="TERRAFORM", path="components/terraform/vpc")}


def take(resolved, said=SEEDS, components=COMPONENTS, **more):
    return snapshot.take(resolved, said, components, SUBJECT, **more)


def only(rows):
    (row,) = rows
    return row


def test_an_instance_becomes_a_row_and_a_document(written):
    """An instance has its natural id, hangs on stack, component and a document that holds all its sections, secrets redacted."""
    found = take(written.estate(written.stack("dev", written.instance("dev", "vpc", vars={**CONTEXT, "db_password": "x", "n": 1}))))

    part = only(found.parts.values())
    row = only(part.instances.values())
    assert row.id == global_id("ComponentInstance", "shop", "dev", "TERRAFORM", "vpc")
    assert (row.stack_id, row.tenant_id) == (part.stack.id, global_id("Tenant", "acme", "plat"))
    assert row.component_id == global_id("Component", "shop", "TERRAFORM", "components/terraform/vpc")
    document = json.loads(text_of(part.documents[row.config_hash]))
    assert (document["vars"]["n"], set(document["vars"]["db_password"])) == (1, {"$redacted"})
    assert document["atmos_stack"] == "dev"


def test_places_become_organisation_tenant_and_environment(written):
    """The stack's place becomes rows of the organisation side; without a tenant the estate's hidden one holds the stack."""
    found = take(
        written.estate(
            written.stack("a", written.instance("a", "vpc", vars=CONTEXT)),
            written.stack("b", written.instance("b", "vpc", vars={"stage": "qa"})),
        )
    )

    tenants = {row.name: row.hidden for row in found.organization.tenants.values()}
    assert tenants == {"plat": False, "shop": True}
    assert {(row.name, row.kind, row.account) for row in found.organization.environments.values()} == {
        ("dev", "DEVELOPMENT", "plat-dev"),
        ("qa", "TEST", "qa"),
    }


OWNERS = [
    ({"metadata": {"custom": {"owner": "data@acme.example"}}}, {}, "data", "INSTANCE_METADATA"),
    ({"metadata": {"owner": "Ada@acme.example"}}, {"metadata": {"owner": "web"}}, "data", "INSTANCE_METADATA"),
    ({"metadata": {"labels": {"acme.io/team": "team-web"}}}, {}, "web", "INSTANCE_METADATA"),
    ({"vars": {"tags": {"Team": "web"}}}, {"metadata": {"custom": {"owner": "@acme/data-eng"}}}, "data", "STACK_METADATA"),
    ({"vars": {"tags": {"Owner": "web", "ManagedBy": "Terraform"}}}, {"vars": {"tags": {"team": "data"}}}, "web", "TAG"),
    ({"vars": {"extra_tags": [{"key": "technical-owner", "value": "web"}]}}, {}, "web", "TAG"),
    ({}, {"vars": {"tags": {"team": "data"}}}, "data", "TAG"),
    ({"vars": {"owner": "web"}}, {}, "web", "TAG"),
    ({"vars": {"owner": "some-github-org"}}, {}, "platform", "ORGANIZATION_DEFAULT"),
    ({"settings": {"github": {"reviewers": ["bob", "@acme/web"]}}}, {}, "web", "REVIEWERS"),
    ({"settings": {"spacelift": {"labels": ["x", "team:web"]}}}, {}, "web", "LABEL"),
    ({"vars": {"tags": {"team": "${team}"}, "public_subnet_tags": {"team": "web"}}}, {}, "platform", "ORGANIZATION_DEFAULT"),
    ({}, {}, "platform", "ORGANIZATION_DEFAULT"),
]


@pytest.mark.parametrize(("of_instance", "of_stack", "owner", "source"), OWNERS)
def test_the_owner_is_the_first_source_that_names_a_team(written, of_instance, of_stack, owner, source):
    """Each source of an owner counts in its documented order, and the evidence says which it was."""
    of_instance = {**of_instance, "vars": {**CONTEXT, **of_instance.get("vars", {})}}
    found = take(written.estate(written.stack("dev", written.instance("dev", "vpc", **of_instance), **of_stack)))

    row = only(only(found.parts.values()).instances.values())
    assert (row.team_id, row.owner_source) == (global_id("Team", "acme", owner), source)


def test_the_tenant_mapping_names_the_owner_with_its_place(written):
    """Without any word of the estate the tenant mapping's team owns the stack, and the evidence is the mapping's line."""
    mapping = TenantMapping(
        atmos_stack="dev", organization=None, tenant=None, team="data", environment=None, region=None, location=PLACE
    )
    said = Seeds(organizations=SEEDS.organizations, teams=SEEDS.teams, mappings=(mapping,))

    row = only(take(written.estate(written.stack("dev", written.instance("dev", "vpc", vars=CONTEXT))), said).parts.values()).stack

    assert (row.team_id, row.owner_source, row.owner_file, row.owner_line) == (
        global_id("Team", "acme", "data"),
        "TENANT_MAPPING",
        "seeds/x.yaml",
        3,
    )


def test_an_owner_that_no_seed_knows_becomes_a_team(written):
    """A team that only the estate names is made from that name; a stranger's e-mail makes none."""
    tagged = [
        written.instance("dev", name, vars={**CONTEXT, "tags": {"team": value}})
        for name, value in (("vpc", "DevOps Team"), ("dns", "x@y.example"))
    ]

    found = take(written.estate(written.stack("dev", *tagged)))

    assert {row.slug: row.title for row in found.organization.teams.values()}["devops"] == "DevOps Team"
    assert len(found.organization.teams) == 4


@pytest.mark.parametrize(
    ("metadata", "status", "monthly"),
    [
        ({"custom": {"cost_estimate": "$50/month"}}, "KNOWN", Decimal(50)),
        ({"custom": {"cost_estimate": "$50/month"}, "cost_estimate": "$70"}, "KNOWN", Decimal(50)),
        ({"cost_estimate": "$70"}, "KNOWN", Decimal(70)),
        ({"custom": {"cost_estimate": "$50-$90"}}, "PARTIAL", None),
        ({"custom": {"cost_category": "low"}}, "PARTIAL", None),
        ({"custom": {"cost_estimate": "plenty"}}, "UNKNOWN", None),
        ({}, "UNKNOWN", None),
    ],
)
def test_costs_come_from_metadata_and_unknown_is_never_zero(written, metadata, status, monthly):
    """`custom` beats plain metadata; a range has no number; what can't be read or isn't said is unknown, never zero."""
    part = only(
        take(written.estate(written.stack("dev", written.instance("dev", "vpc", vars=CONTEXT, metadata=metadata)))).parts.values()
    )

    row = only(part.instances.values())
    assert (row.cost_status, row.monthly) == (status, monthly)


def test_complaints_about_metadata_are_diagnostics(written):
    """Foreign keys directly below metadata warn, unreadable text is an error; both name stack and component."""
    metadata = {"category": "networking", "cost_estimate": "plenty"}
    found = take(written.estate(written.stack("dev", written.instance("dev", "vpc", vars=CONTEXT, metadata=metadata))))

    assert {(row.severity, row.code, row.component_name) for row in found.diagnostics.values()} == {
        ("WARNING", "METADATA_FOREIGN_KEY", "vpc"), ("ERROR", "METADATA_VALUE", "vpc"),
    }  # fmt: skip


def test_a_component_says_what_its_instances_agree_on(written):
    """Category, time and cost that all instances state are the component's; where costs differ it has their range, as PARTIAL."""

    def made(*costs):
        instances = [written.instance("dev", f"vpc-{n}", component="vpc", vars=CONTEXT, metadata={"custom": {"category": "net", "provisioning_time": "5m", "cost_estimate": cost}}) for n, cost in enumerate(costs)]  # fmt: skip
        found = take(written.estate(written.stack("dev", *instances)))
        return only(found.components.values()), only(found.component_estimates.values())

    row, estimate = made("$50", "$50/month")
    assert (row.category, row.category_derived, row.provisioning_time, estimate.status, estimate.monthly) == (
        "net",
        False,
        300,
        "KNOWN",
        50,
    )
    row, estimate = made("$50", "$90")
    assert (estimate.status, estimate.monthly, estimate.low, estimate.high) == ("PARTIAL", None, 50, 90)


def test_a_silent_component_gets_a_category_from_its_name(written):
    """Without any word the category is derived from the name, and marked so."""
    row = only(take(written.estate(written.stack("dev", written.instance("dev", "vpc", vars=CONTEXT)))).components.values())

    assert (row.name, row.category, row.category_derived) == ("vpc", "networking", True)


def test_a_service_is_what_its_seed_says(written):
    """Owner, budget, parts in order and the stated cost become rows; where it runs and what its parts cost is told by other rows."""
    said = Seeds(
        organizations=SEEDS.organizations,
        teams=SEEDS.teams,
        services=(
            service("shop", "vpc", "eks", owner="web", budget=Estimate(currency="EUR", amount=Decimal(70))),
            service("till", cost_problem="'much' can't be read as money"),
        ),
    )

    rows = take(written.estate(), said).services

    shop, till = rows.services[global_id("Service", "acme", "shop")], rows.services[global_id("Service", "acme", "till")]
    assert (shop.owner_id, shop.budget, shop.budget_currency) == (global_id("Team", "acme", "web"), 70, "EUR")
    assert [(part.ordinal, part.name) for part in rows.components[shop.id]] == [(0, "vpc"), (1, "eks")]
    assert (till.owner_id, till.budget, shop.cost_estimate_id) == (global_id("Team", "acme", "platform"), None, None)
    assert [(row.id, row.status) for row in rows.estimates.values()] == [(till.cost_estimate_id, "UNKNOWN")]


def test_a_registered_service_that_the_seeds_define_too_is_a_clash_with_file_and_line(written):
    """The seeds win, and say so where they are written; services of another estate's organisation are that one's to complain about."""
    said = Seeds(organizations=SEEDS.organizations, services=(service("shop"), service("till", organization="globex")))

    rows = take(written.estate(), said, registered={("acme", "shop"), ("acme", "other")}).diagnostics.values()

    assert [(row.code, row.severity, row.file, row.line) for row in rows] == [("SERVICE_CLASH", "WARNING", "seeds/x.yaml", 3)]


def test_dependencies_manifests_workflows_and_diagnostics_become_rows(written):
    """Edges between instances, imports between manifests, workflows with steps, and diagnostics with place and stack are rows."""
    catalog = ResolvedManifest(path="stacks/catalog/vpc.yaml", name="catalog/vpc", content_hash="h", top_level=False, imports=())
    leaf = ResolvedManifest(
        path="stacks/dev.yaml", name="dev", content_hash="h", top_level=True, imports=("stacks/catalog/vpc.yaml",)
    )
    document = {"steps": [{"command": "terraform plan vpc", "stack": "dev"}, {"provision": "terraform"}]}
    found = take(
        written.estate(
            written.stack("dev", written.instance("dev", "vpc", vars=CONTEXT), written.instance("dev", "eks", vars=CONTEXT)),
            dependencies=[written.depends(("dev", "terraform", "eks"), ("dev", "terraform", "vpc"))],
            extra_manifests=[catalog, leaf],
            workflows=[
                WorkflowManifest(name="w", file="stacks/workflows/w.yaml", description=None, document=document, location=None)
            ],
            diagnostics=[
                Diagnostic(
                    severity=Severity.ERROR,
                    code="x",
                    message="broken",
                    location=SourceLocation(file="stacks/dev.yaml", line=7),
                    stack="dev",
                )
            ],
        )
    )

    edge = only(only(found.parts.values()).dependencies)
    assert (edge.kind, edge.via, edge.line) == ("DECLARED", "dependencies.components[0]", 9)
    assert found.imports[global_id("Manifest", "shop", "stacks/dev.yaml")] == (
        global_id("Manifest", "shop", "stacks/catalog/vpc.yaml"),
    )
    workflow = only(found.workflows.values())
    assert (workflow.governed, [step["kind"] for step in json.loads(workflow.steps)]) == (True, ["ATMOS", "PROVISION"])
    diagnostic = only(found.diagnostics.values())
    assert (diagnostic.line, diagnostic.stack_id) == (7, global_id("Stack", "shop", "dev"))


def test_equal_inputs_give_equal_snapshots_and_any_difference_another_hash(written):
    """The hash is that of everything: equal inputs give equal hashes, and a changed value, owner, line or seed another one."""

    def hash_of(said=SEEDS, **changed):
        return take(written.estate(written.stack("dev", written.instance("dev", "vpc", **{"vars": CONTEXT, **changed}))), said).hash

    hashes = [
        hash_of(),
        hash_of(vars={**CONTEXT, "a": 1}),
        hash_of(line=2),
        hash_of(said=seeds.NONE),
        hash_of(metadata={"custom": {"owner": "web"}}),
    ]
    assert hash_of() == hashes[0]
    assert len(set(hashes)) == len(hashes)


def test_a_snapshot_on_top_of_another_equals_one_from_nothing(written):
    """With the previous snapshot only changed stacks are made again, and the result is the same as without it."""
    one, two = (written.stack(name, written.instance(name, "vpc", vars=CONTEXT)) for name in "ab")
    changed = written.stack("b", written.instance("b", "vpc", vars={**CONTEXT, "x": 1}))
    before = take(written.estate(one, two))

    after = take(written.estate(one, changed), previous=before)

    fresh = take(written.estate(one, changed))
    assert after == fresh
    assert after.parts[global_id("Stack", "shop", "a")] is before.parts[global_id("Stack", "shop", "a")]
