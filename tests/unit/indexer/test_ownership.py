import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.indexer import codeowners, ownership, snapshot
from catalog.indexer.component_facts import ComponentFacts
from catalog.indexer.seed_values import MemberSeed, OrganizationSeed, Seeds, TeamSeed, TenantMapping
from catalog.records import OwnershipSource
from catalog.values import SourceLocation, global_id

SUBJECT = snapshot.Subject(estate="shop", organization="acme", redaction_key=b"k" * 32, secret_keys="(password|token)$")
CONTEXT = {"namespace": "acme", "tenant": "plat", "environment": "ue2", "stage": "dev"}
PLACE = SourceLocation(file="seeds/x.yaml", line=3)
COMPONENTS = {("TERRAFORM", "components/terraform/vpc"): ComponentFacts(type="TERRAFORM", path="components/terraform/vpc")}


def team(slug, **values):
    return TeamSeed(
        slug=slug, organization="acme", title=values.get("title", slug), email=values.get("email"), chat=None, cost_center=None, platform=False,
        budget=None, aliases=values.get("aliases", ()), members=values.get("members", ()), location=PLACE,
    )  # fmt: skip


WEB = team(
    "web", title="Web Shop", email="web@acme.example", aliases=("web-oncall@acme.example",),
    members=(MemberSeed(name="Ada", email="ada@acme.example", role=None),),
)  # fmt: skip


def said(sections):
    return [(piece.value, piece.path) for piece in ownership.in_tags({"vars": sections})]


OWNER_KEYS = [
    "owner", "Owner", "OWNER", "team", "Team", "acme:team", "acme.io/team", "owners", "maintained-by", "MaintainedBy", "maintained_by", "maintained by",
    "ownedby", "owned.by", "OwnedBy", "team_name", "TeamName", "Team Name", "acme.io/team-name", "squad", "Squad", "maintainer", "x/y:Maintainer",
    "technical_owner", "technicalOwner", "Technical Owner", "business-owner", "BusinessOwner", "businessowner",
]  # fmt: skip
OTHER_KEYS = [
    "contact", "owner_email", "OwnerEmail", "team-email", "email", "slack", "slack_channel", "on-call", "cost_center", "CostCentre", "cost-code",
    "billingcode", "charge_code", "budget-code", "business_unit", "organization", "Organisation", "org", "bu", "Department", "division", "service",
    "service_name", "application", "app", "appname", "workload", "system", "product", "project", "criticality", "tier", "compliance",
    "data_classification", "sla", "managed_by", "ManagedBy", "terraform", "component", "Name", "atmos_stack", "atmos_component",
    "terraform_workspace", "repository", "deploy_by", "namespace", "stage",
]  # fmt: skip


@pytest.mark.parametrize("key", OWNER_KEYS)
def test_every_spelling_of_an_owner_tag_counts(key):
    """A tag names an owner in any case, behind any prefix and with any of the usual separators."""
    assert said({"tags": {key: "web"}}) == [("web", f"vars.tags.{key}")]


@pytest.mark.parametrize("key", OTHER_KEYS)
def test_contacts_costs_units_services_and_criticality_are_no_owners(key):
    """Tags about something else than ownership never name an owner, nor do those that tools write."""
    assert said({"tags": {key: "web"}}) == []


CONTAINERS = [
    ("tags", True), ("labels", True), ("extra_tags", True), ("default_labels", True), ("resource_tags", True), ("Tags", False),
    ("public_subnet_tags", False), ("private_subnets_tags", True), ("subnet_tags", False), ("node_group_tags", False),
    ("eks_node_group_extra_tags", False), ("tagset", False), ("account_tags", False), ("account_labels", False),
]  # fmt: skip


@pytest.mark.parametrize(("container", "counts"), CONTAINERS)
def test_containers_of_tags_are_told_from_others(container, counts):
    """Maps named `tags`, `labels`, `*_tags`, `*_labels` hold tags; subnets' and node groups' are other programs'; an account's come later."""
    assert said({container: {"team": "web"}}) == ([("web", f"vars.{container}.team")] if counts else [])


def test_lists_of_pairs_are_tags_too():
    """Key and value pairs in a list count in either of the usual spellings, each with its own place."""
    pairs = [
        {"key": "x", "value": "y"},
        {"key": "Team", "value": "web"},
        {"Key": "squad", "Value": "data"},
        {"name": "owner", "value": "ops"},
        "odd",
    ]

    assert said({"labels": pairs}) == [
        ("ops", "vars.labels[3].value"),
        ("web", "vars.labels[1].value"),
        ("data", "vars.labels[2].Value"),
    ]


def test_the_more_telling_key_and_container_come_first():
    """Within a container `owner` beats `team` beats the others; `tags` itself beats other containers."""
    found = said({"extra_tags": {"owner": "z"}, "tags": {"squad": "c", "team": "b", "owner": "a", "business_owner": "d"}})

    assert [value for value, _ in found] == ["a", "b", "c", "d", "z"]


@pytest.mark.parametrize(
    "value", ["", "  ", "${team}", "{{ .vars.team }}", "!env TEAM", "a\nb", "x" * 65, 5, None, ["web"], {"a": 1}, True]
)
def test_what_is_no_plain_text_names_nobody(value):
    """Placeholders, templates, functions, other types and texts too long for a name are no evidence."""
    assert said({"tags": {"team": value}}) == []


NAMES = [
    ("web", "web"), ("Web", "web"), ("WEB ", "web"), ("@acme/web", "web"), ("acme/web", "web"), ("@acme/Web-Team", "web"), ("team-web", "web"),
    ("team:web", "web"), ("web-team", "web"), ("Team Web", "web"), ("Web Shop", "web"), ("web@acme.example", "web"), ("Web@Acme.Example", "web"),
    ("web-oncall@acme.example", "web"), ("ada@acme.example", "web"), ("eve@acme.example", None), ("webshop", None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "slug"), NAMES)
def test_a_team_answers_to_all_its_names(value, slug):
    """Slug, title, e-mail addresses of the team and its members, `@org/team`, `team-x` and `X` name the team; others don't."""
    assert ownership.Teams([WEB]).find("acme", value) == (("acme", slug) if slug else None)


STRANGERS = [
    (OwnershipSource.TAG, "ops", ("acme", "ops")), (OwnershipSource.TAG, "eve@acme.example", None), (OwnershipSource.TAG, "12345", None),
    (OwnershipSource.REVIEWERS, "bob", None), (OwnershipSource.REVIEWERS, "@acme/ops", ("acme", "ops")), (OwnershipSource.REVIEWERS, "acme/ops", ("acme", "ops")),
    (OwnershipSource.CODEOWNERS, "@bob", None), (OwnershipSource.CODEOWNERS, "@acme/ops", ("acme", "ops")), (OwnershipSource.CODEOWNERS, "bob@x.example", None),
    (OwnershipSource.CODEOWNERS_WILDCARD, "@group/sub/ops", ("acme", "ops")), (OwnershipSource.LABEL, "ops", ("acme", "ops")),
]  # fmt: skip


@pytest.mark.parametrize(("source", "value", "owner"), STRANGERS)
def test_unknown_names_make_a_team_only_where_a_team_is_meant(source, value, owner):
    """A team's name in a tag or label and a team's handle anywhere make a team; people's handles and addresses make none."""
    strangers = []

    found = ownership.first("acme", [ownership.Evidence(source=source, value=value)], ownership.Teams([WEB]), strangers)

    assert (found.team if found else None) == owner
    assert [piece.value for piece in strangers] == ([] if owner else [value])


# ── the order, against a model that knows nothing but the list ────────────────────────────────────────────────────────────

ORDER = [
    ("instance metadata", "INSTANCE_METADATA"), ("stack metadata", "STACK_METADATA"), ("instance tags", "TAG"), ("stack tags", "TAG"),
    ("instance account tags", "TAG"), ("stack account tags", "TAG"), ("account", "TAG"), ("instance reviewers", "REVIEWERS"),
    ("instance labels", "LABEL"), ("stack reviewers", "REVIEWERS"), ("stack labels", "LABEL"), ("manifest rule", "CODEOWNERS"),
    ("folder rule", "CODEOWNERS"), ("mapping", "TENANT_MAPPING"), ("rule for all", "CODEOWNERS_WILDCARD"), ("default", "ORGANIZATION_DEFAULT"),
]  # fmt: skip
GHOST = "ghost@x.example"
TEAMS = tuple(team(f"t{number}") for number in range(len(ORDER)))


def sections(words, who):
    found = {"vars": {}, "metadata": {}, "settings": {}}
    if f"{who} metadata" in words:
        found["metadata"] = {"custom": {"owner": words[f"{who} metadata"]}}
    if f"{who} tags" in words:
        found["vars"]["tags"] = {"Team": words[f"{who} tags"]}
    if f"{who} account tags" in words:
        found["vars"]["account_tags"] = {"Team": words[f"{who} account tags"]}
    if f"{who} reviewers" in words:
        found["settings"]["github"] = {"reviewers": [words[f"{who} reviewers"]]}
    if f"{who} labels" in words:
        found["settings"]["spacelift"] = {"labels": [f"team:{words[f'{who} labels']}"]}
    return found


def taken(written, words):
    of_stack, of_instance = sections(words, "stack"), sections(words, "instance")
    rules = [
        (place, pattern)
        for place, pattern in (
            ("rule for all", "*"),
            ("manifest rule", "/stacks/dev.yaml"),
            ("folder rule", "components/terraform/vpc/"),
        )
        if place in words
    ]
    accounts = [{"name": "plat-dev", "tags": {"Team": words["account"]}}] if "account" in words else []
    mapping = TenantMapping(
        atmos_stack="dev", organization=None, tenant=None, team=words.get("mapping"), environment=None, region=None, location=PLACE
    )
    seeds = Seeds(
        organizations=(
            OrganizationSeed(name="acme", title=None, currency="USD", default_team=words.get("default"), location=PLACE),
        ),
        teams=TEAMS,
        mappings=(mapping,),
    )
    resolved = written.estate(
        written.stack(
            "dev", written.instance("dev", "vpc", **{**of_instance, "vars": {**CONTEXT, **of_instance["vars"]}}), **of_stack
        ),
        written.stack(
            "root",
            written.instance("root", "account", vars={"organization_config": {"organizational_units": [{"accounts": accounts}]}}),
        ),
    )
    text = "".join(f"{pattern} {handle(words[place])}\n" for place, pattern in rules)
    found = snapshot.take(resolved, seeds, COMPONENTS, SUBJECT, codeowners=codeowners.parse(text, "CODEOWNERS"))
    part = found.parts[global_id("Stack", "shop", "dev")]
    (row,) = part.instances.values()
    return part.stack, row, found


def handle(word):
    return word if "@" in word else f"@acme/{word}"


def expected(words, places):
    """The first place that names a team, else the first that names somebody, else nothing."""
    both = {"manifest rule", "folder rule"}
    heard = [
        (number, words[place], source)
        for number, (place, source) in enumerate(ORDER)
        if place in words
        and place in places
        # The rule for all counts where no later rule matches both the manifest and the folder.
        and (place != "rule for all" or not (both & places) <= words.keys())
    ]
    named = [(number, source) for number, word, source in heard if not word.endswith(GHOST)]
    if named:
        number, source = named[0]
        return global_id("Team", "acme", f"t{number}"), source
    return None, heard[0][2] if heard else None


WORDS = st.fixed_dictionaries(
    {}, optional={place: st.sampled_from([f"t{number}", f"{number}.{GHOST}"]) for number, (place, _) in enumerate(ORDER)}
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS)
def test_the_order_of_sources_is_the_documented_one(written, words):
    """Whatever is said where, the owner is what the documented order says: of an instance, and of a stack by what is not an instance's."""
    stack, row, _ = taken(written, words)

    of_stack = {place for place, _ in ORDER if not place.startswith("instance") and place != "folder rule"}
    assert (row.team_id, row.owner_source) == expected(words, {place for place, _ in ORDER})
    assert (stack.team_id, stack.owner_source) == expected(words, of_stack)


def test_an_unowned_row_says_whom_it_names(written):
    """What names nobody is kept as evidence with its place, and told once as OWNER_UNKNOWN; without any word there is none."""
    stack, row, found = taken(written, {"manifest rule": GHOST})

    assert (row.team_id, row.owner_source, row.owner_value, row.owner_file, row.owner_line) == (
        None,
        "CODEOWNERS",
        GHOST,
        "CODEOWNERS",
        1,
    )
    assert (stack.team_id, stack.owner_value) == (None, GHOST)
    (told,) = (item for item in found.diagnostics.values() if item.code == "OWNER_UNKNOWN")
    assert (told.severity, told.file, told.line, told.stack_id) == ("INFO", "CODEOWNERS", 1, None)
    assert GHOST in told.message

    _, silent, nothing = taken(written, {})
    assert (silent.team_id, silent.owner_source, silent.owner_value) == (None, None, None)
    assert [item for item in nothing.diagnostics.values() if item.code == "OWNER_UNKNOWN"] == []


def test_an_owner_found_later_leaves_the_stranger_told(written):
    """A tag that names nobody doesn't hide the next source, and is still told."""
    _, row, found = taken(written, {"instance tags": GHOST, "default": "t15"})

    assert (row.team_id, row.owner_source) == (global_id("Team", "acme", "t15"), "ORGANIZATION_DEFAULT")
    assert [item.code for item in found.diagnostics.values() if item.code == "OWNER_UNKNOWN"] == ["OWNER_UNKNOWN"]


def test_metadata_that_an_instance_inherits_are_the_stacks_word(written):
    """Metadata of the stack that its instances repeat count as the stack's; an instance's own are its own."""

    def source(of_instance):
        metadata = {"custom": {"owner": "t1"}}
        instance = written.instance("dev", "vpc", vars=CONTEXT, metadata={"custom": {"owner": of_instance}})
        resolved = written.estate(written.stack("dev", instance, metadata=metadata))
        (part,) = snapshot.take(resolved, Seeds(teams=TEAMS), COMPONENTS, SUBJECT).parts.values()
        return [(row.team_id, row.owner_source) for row in part.instances.values()]

    assert source("t1") == [(global_id("Team", "acme", "t1"), "STACK_METADATA")]
    assert source("t2") == [(global_id("Team", "acme", "t2"), "INSTANCE_METADATA")]


def test_other_rules_are_another_snapshot(written):
    """Stacks are made again when CODEOWNERS or the tags of accounts change, and only then."""
    _, _, before = taken(written, {"manifest rule": "t11"})
    _, _, after = taken(written, {"manifest rule": "t12"})

    assert before.hash != after.hash
