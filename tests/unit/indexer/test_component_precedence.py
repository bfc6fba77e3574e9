"""Who is heard about a component and its instances, through a real resolution: the order of words, and what silence gives."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalog.indexer import component_facts, component_rows, snapshot
from catalog.indexer.code import ComponentCode
from catalog.indexer.seed_values import OrganizationSeed, Seeds, TeamSeed
from catalog.stacks import estate
from catalog.stacks.tree import MemoryTree

ATMOS = b"""
base_path: ""
components: {terraform: {base_path: components/terraform}}
stacks: {base_path: stacks, included_paths: ["**/*"], name_pattern: "{stage}"}
"""
STACK = """
vars: {{stage: dev}}
components:
  terraform:
    vpc/defaults:
      metadata: {{type: abstract, component: vpc, {base}}}
    vpc:
      metadata: {{component: vpc, inherits: [vpc/defaults], {own}}}
      settings: {{{settings}}}
"""
CODE = "components/terraform/vpc"
SUBJECT = snapshot.Subject(estate="shop", organization="acme", redaction_key=b"k" * 32, secret_keys="(password|token)$")
SEEDS = Seeds(
    organizations=(OrganizationSeed(name="acme", title="Acme", currency="USD", default_team=None, location=None),),
    teams=(
        TeamSeed(
            slug="platform", organization="acme", title="Platform Engineering", email="platform@acme.example", chat=None, cost_center=None, platform=True,
            budget=None, aliases=("@acme/platform",), members=(), location=None,
        ),
    ),
)  # fmt: skip


def taken(
    base: str = "", own: str = "", settings: str = "", component: str = "", registry: str = "", readme: str | None = None
) -> snapshot.Snapshot:
    files = {
        "atmos.yaml": ATMOS,
        "stacks/dev.yaml": STACK.format(base=base, own=own, settings=settings).encode(),
        f"{CODE}/main.tf": b"",
    }
    if component:
        files[f"{CODE}/component.yaml"] = component.encode()
    if registry:
        files["module-registry.yaml"] = f"modules: {{vpc: {{{registry}}}}}".encode()
    tree = MemoryTree(files)
    resolved = estate.resolve(tree)
    found = component_rows.find(tree, resolved, {})
    components, problems = component_facts.read_all(tree, found, {CODE: ComponentCode(input_schema={}, readme=readme)}, "USD")
    assert problems == ()
    return snapshot.take(resolved, SEEDS, components, SUBJECT)


def only(rows: Any) -> Any:
    (row,) = rows
    return row


WORDS = {
    "own": "custom: {cost_estimate: $10}, cost_estimate: $20",
    "base": "custom: {cost_estimate: $30}, cost_estimate: $40",
    "component": "cost_estimate: $50",
    "registry": "cost_estimate: $60",
}
ORDER = [
    ({"own", "base", "component", "registry"}, 10, "INSTANCE_METADATA"),
    ({"base", "component", "registry"}, 30, "INSTANCE_METADATA"),
    ({"component", "registry"}, 50, "COMPONENT_METADATA"),
    ({"registry"}, 60, "REGISTRY"),
]


@pytest.mark.parametrize(("said", "monthly", "source"), ORDER)
def test_an_instance_costs_what_the_nearest_word_says(said: set[str], monthly: int, source: str) -> None:
    """Its own metadata come first, then inherited ones, then component.yaml, then the registry."""
    found = taken(**{place: WORDS[place] for place in said})

    row = only(row for part in found.parts.values() for row in part.instances.values() if not row.abstract)
    estimate = only(part for part in found.parts.values()).estimates[row.id]
    assert (row.monthly, estimate.source) == (monthly, source)


def test_what_an_instance_says_plainly_goes_before_an_inherited_custom_word() -> None:
    """The nearer word counts, whichever of the two forms it has."""
    found = taken(base="custom: {cost_estimate: $30}", own="cost_estimate: $20")

    row = only(row for part in found.parts.values() for row in part.instances.values() if not row.abstract)
    assert row.monthly == 20


def component(found: snapshot.Snapshot) -> tuple[Any, Any]:
    row = only(found.components.values())
    return row, found.component_estimates.get(row.cost_estimate_id)


@pytest.mark.parametrize(
    ("said", "monthly"),
    [
        ({"own", "base", "component", "registry"}, 50),
        ({"own", "base", "registry"}, 60),
        ({"own", "base"}, 10),
        ({"base"}, 30),
        (set(), None),
    ],
)
def test_a_component_costs_what_its_own_files_say_before_its_instances(said: set[str], monthly: int | None) -> None:
    """component.yaml, else the registry, else what all instances agree on, else nothing."""
    _, estimate = component(taken(**{place: WORDS[place] for place in said}))

    assert (None if estimate is None else estimate.monthly) == (None if monthly is None else Decimal(monthly))


@pytest.mark.parametrize(
    ("words", "description"),
    [
        ({"component": "description: A", "registry": "description: B", "settings": "description: C", "readme": "D"}, "A"),
        ({"registry": "description: B", "settings": "description: C", "readme": "D"}, "B"),
        ({"own": "description: M", "settings": "description: C", "readme": "D"}, "M"),
        ({"settings": "description: C", "readme": "D"}, "C"),
        ({"settings": "description: '{{ .vars.stage }} network'", "readme": "D"}, "D"),
        ({"readme": "# VPC\n\nD"}, "D"),
        ({}, None),
    ],
)
def test_a_component_is_described_by_the_first_that_has_words(words: dict[str, str], description: str | None) -> None:
    """component.yaml, registry, what its instances agree on, the README; text that a template is still to make describes nothing."""
    assert component(taken(**words))[0].description == description


@pytest.mark.parametrize(
    ("said", "team"),
    [
        ("maintainer: platform", "platform"),
        ("maintainer: {team: Platform Engineering, primary: x@elsewhere.example}", "platform"),
        ("maintainer: {name: Ann, primary: platform@acme.example}", "platform"),
        ("maintainers: [nobody, '@acme/platform']", "platform"),
        ("maintainer: Somebody Else", None),
    ],
)
def test_a_maintainer_is_a_known_team_or_a_diagnostic(said: str, team: str | None) -> None:
    """The first name that a team goes by is the maintainer; when none is, a diagnostic says where the names stand."""
    found = taken(component=said)

    names = {row.id: row.slug for row in found.organization.teams.values()}
    told = [(row.severity, row.file, row.line) for row in found.diagnostics.values() if row.code == "MAINTAINER_UNKNOWN"]
    assert names.get(component(found)[0].maintainer_id) == team
    assert told == ([] if team else [("INFO", f"{CODE}/component.yaml", 1)])
