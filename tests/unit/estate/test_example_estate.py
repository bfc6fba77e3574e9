"""The example estate keeps what its documentation and the demonstrations rely upon."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.cost import duration, money
from catalog.engines.template import Engine
from catalog.stacks import estate, governance
from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance
from catalog.stacks.tree import DirectoryTree, MemoryTree

ROOT = Path(__file__).resolve().parents[3]
PARTS = ("atmos.yaml", "stacks/", "components/")
COMPONENTS = {
    "acm", "apigateway", "backend", "dns", "ec2", "ecs", "eks", "eks-addons", "external-secrets", "iam", "idp-platform",
    "lambda", "monitoring", "rds", "secretsmanager", "securitygroup", "vpc",
}  # fmt: skip
WORKFLOWS = {
    "onboard-environment", "apply-environment", "plan-environment", "destroy-environment", "apply-backend", "destroy-backend",
    "bootstrap", "validate", "lint", "drift-detection", "import", "rotate-certificate", "compliance-check", "disaster-recovery",
    "deploy-application", "deploy-full-stack",
}  # fmt: skip
GOVERNED = {"apply-with-governance", "provision-with-governance"}


@pytest.fixture(scope="module")
def tree() -> MemoryTree:
    """The files of the estate, and nothing else of the repository."""
    everything = DirectoryTree(ROOT)
    return MemoryTree({path: everything.read(path) for path in everything.paths() if path.startswith(PARTS)})


@pytest.fixture(scope="module")
def resolved(tree: MemoryTree) -> ResolvedEstate:
    """The estate as the indexer reads it."""
    return estate.resolve(tree)


@pytest.fixture(scope="module")
def instances(resolved: ResolvedEstate) -> list[ResolvedInstance]:
    """Every instance that stands for something, abstract ones left out."""
    return [instance for stack in resolved.stacks for instance in stack.instances if not instance.abstract]


def seed(name: str) -> Any:
    return yaml.safe_load((ROOT / "seeds" / f"{name}.yaml").read_text())


def test_lenient_reading_finds_nothing_to_say(resolved: ResolvedEstate):
    """The example has no diagnostic and loses nothing."""
    assert resolved.diagnostics == ()
    assert resolved.broken == frozenset()


def test_strict_reading_accepts_it(tree: MemoryTree, resolved: ResolvedEstate):
    """Where Atmos would fail, the example doesn't: strict reading gives the same stacks."""
    assert estate.resolve(tree, strict=True).stacks == resolved.stacks


def test_the_first_index_needs_no_engine(tree: MemoryTree, resolved: ResolvedEstate, template_engine: Engine):
    """Every template of the example is a plain reference: without the engine the estate reads as it does with it."""
    assert estate.resolve(tree, engine=template_engine).stacks == resolved.stacks


def test_templates_and_locals_are_shown(tree: MemoryTree, resolved: ResolvedEstate, instances: list[ResolvedInstance]):
    """Names come from a template, and values from locals, from an import's context and from the instance itself."""
    by_name = {(one.stack, one.name): one for one in instances}

    assert b"name_template:" in tree.read("atmos.yaml")
    assert {stack.name for stack in resolved.stacks} >= {"plat-testenv-01-dev", "core-foundation-prod"}
    assert "alerts@fnx.example" in by_name["plat-data-prod", "monitoring"].sections["vars"]["alert_emails"]
    assert by_name["plat-data-prod", "transform"].sections["vars"]["services"]["transform"]["cpu"] == 4096
    assert by_name["plat-recovery-prod", "secretsmanager"].sections["vars"]["path_prefix"] == "fnx/plat/recovery-prod"
    assert "{{" not in str([one.sections for one in instances])


def test_two_tenants_three_accounts_two_regions(resolved: ResolvedEstate):
    """The example shows several of everything."""
    assert len(resolved.stacks) == 12
    assert {stack.vars["namespace"] for stack in resolved.stacks} == {"fnx"}
    assert {stack.vars["tenant"] for stack in resolved.stacks} == {"core", "plat"}
    assert {stack.vars["account"] for stack in resolved.stacks} == {"dev", "staging", "prod"}
    assert {stack.vars["region"] for stack in resolved.stacks} == {"eu-west-1", "eu-west-2"}


def test_testenv_01_is_where_the_documents_say(resolved: ResolvedEstate):
    """The manifest that the tenant mapping's first entry names is a stack with one of every component."""
    (stack,) = [one for one in resolved.stacks if one.manifest == "stacks/orgs/fnx/dev/eu-west-2/testenv-01.yaml"]

    assert stack.name == "plat-testenv-01-dev"
    assert {instance.component for instance in stack.instances if not instance.abstract} == COMPONENTS


def test_vpc_tags_are_written_in_the_leaf(tree: MemoryTree, instances: list[ResolvedInstance]):
    """A request for other tags changes lines that stand, with their comments, in the leaf manifest."""
    (vpc,) = [one for one in instances if (one.stack, one.name) == ("plat-testenv-01-dev", "vpc")]
    text = tree.read(vpc.manifest).decode()

    assert {"Team", "CostCenter", "Purpose"} < set(vpc.sections["vars"]["tags"])
    assert re.search(r"tags:\n +Team: platform +# ", text)


def test_every_component_is_used_and_there(tree: MemoryTree, instances: list[ResolvedInstance]):
    """Seventeen components have code, documentation and metadata, and each has an instance."""
    assert {instance.component for instance in instances} == COMPONENTS
    for component in COMPONENTS:
        files = {Path(path).name for path in tree.paths() if path.startswith(f"components/terraform/{component}/")}
        assert files >= {"main.tf", "variables.tf", "context.tf", "outputs.tf", "versions.tf", "README.md", "component.yaml"}


def test_every_component_takes_enabled_and_tags(tree: MemoryTree):
    """Each component declares `enabled` and `tags`, in one and the same file, and asks for no provider."""
    contexts = {tree.read(f"components/terraform/{component}/context.tf") for component in COMPONENTS}
    code = b"".join(tree.read(path) for path in tree.paths() if path.endswith(".tf"))

    assert len(contexts) == 1
    assert b'variable "enabled"' in (context := contexts.pop())
    assert b'variable "tags"' in context
    assert b"map(string)" in context
    assert set(re.findall(rb'^resource "(\w+)"', code, re.MULTILINE)) == {b"terraform_data"}
    assert not re.search(rb"required_providers|^provider |^data |^module |backend ", code, re.MULTILINE)


def test_every_instance_has_category_cost_and_time(instances: list[ResolvedInstance]):
    """Category, cost and time are known of every instance, and cost and time can be read."""
    for instance in instances:
        custom = instance.sections["metadata"]["custom"]
        assert custom["category"]
        assert money.parse_money(custom["cost_estimate"]).amount is not None
        assert duration.parse_duration(custom["provisioning_time"])


def test_every_component_has_category_cost_and_time(tree: MemoryTree):
    """What a component usually is, costs and takes stands beside its code, since its instances may differ."""
    for component in COMPONENTS:
        about = yaml.safe_load(tree.read(f"components/terraform/{component}/component.yaml"))["component"]
        assert about["title"]
        assert about["category"]
        assert money.parse_money(about["cost_estimate"]).amount is not None
        assert duration.parse_duration(about["provisioning_time"])


def test_every_dependency_leads_somewhere(resolved: ResolvedEstate, instances: list[ResolvedInstance]):
    """Each declared dependency has its target, some of them in other stacks."""
    known = {(one.stack, one.type, one.name) for one in instances}
    edges = [edge for edge in resolved.dependencies if edge.source in known]

    assert len(edges) > 50
    assert {edge.target for edge in edges} <= known
    assert any(edge.source[0] != edge.target[0] for edge in edges)
    assert not resolved.unresolved_dependencies


def test_inheritance_and_overrides_are_shown(instances: list[ResolvedInstance]):
    """Some instance inherits over two levels, and card data's overrides reach every instance of the stack that handles it."""
    by_name = {(one.stack, one.name): one for one in instances}

    assert by_name["plat-apps-prod", "orders-db"].bases == ("rds/highly-available", "rds/postgres", "rds/defaults")
    assert {one.sections["vars"]["tags"]["Compliance"] for one in instances if one.stack == "plat-apps-prod"} == {"pci-dss"}
    assert not [one for one in instances if one.stack != "plat-apps-prod" and "Compliance" in one.sections["vars"]["tags"]]


def test_sixteen_ordinary_workflows_and_two_governed(resolved: ResolvedEstate):
    """Every workflow has steps, and those that are governed stop the atmos program with their first."""
    parsed = {workflow.name: (governance.parse(workflow.document), workflow.document) for workflow in resolved.workflows}

    assert set(parsed) == WORKFLOWS | GOVERNED
    assert {name for name, (workflow, _) in parsed.items() if workflow.governed} == GOVERNED
    assert all(workflow.steps and not workflow.diagnostics for workflow, _ in parsed.values())
    assert {parsed[name][1]["steps"][0]["name"] for name in GOVERNED} == {"governed"}


def test_workflow_of_each_action_exists(resolved: ResolvedEstate):
    """What seeds/estates.yaml names for an action is a governed workflow of the estate."""
    (entry,) = seed("estates")["estates"]
    known = {(workflow.file, workflow.name) for workflow in resolved.workflows}

    assert entry["name"] == "fnx"
    assert {(one["file"], one["name"]) for one in entry["workflows"].values()} <= known


def _matching_teams(manifest: str, name: str) -> Iterator[str]:
    path = manifest.removeprefix("stacks/").removesuffix(".yaml")
    for mapping in seed("tenants")["tenant_mapping"]:
        pattern = mapping["atmos_stack"]
        if fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(name, pattern):
            yield mapping["idp_context"]["team"]


def test_every_stack_has_an_owner(resolved: ResolvedEstate):
    """The tenant mapping names exactly one known team for every stack."""
    teams = {team["slug"] for team in seed("teams")["teams"]}

    for stack in resolved.stacks:
        (team,) = _matching_teams(stack.manifest, stack.name)
        assert team in teams


def test_mapping_of_testenv_01_is_the_documented_one():
    """The first mapping is, to the letter, the one that the documents print."""
    assert seed("tenants")["tenant_mapping"][0] == {
        "atmos_stack": "orgs/fnx/dev/eu-west-2/testenv-01",
        "idp_context": {"organization": "fnx", "team": "platform", "environment": "development", "region": "eu-west-2"},
    }


def test_every_service_is_owned_priced_and_found(instances: list[ResolvedInstance]):
    """Each service has a team, a cost that is known, and parts that the estate has."""
    teams = {team["slug"] for team in seed("teams")["teams"]}
    names = {one.name for one in instances} | {one.component for one in instances}
    services = seed("services")["services"]

    assert len(services) == 9
    for service in services.values():
        parts = [part for layer in service["components"].values() for part in layer]
        assert service["owner"] in teams
        assert money.parse_money(service["cost_estimate"]).amount is not None
        assert {re.fullmatch(r"(\S+) \((.+)\)", part)[1] for part in parts} <= names


def test_web_application_is_the_documented_one():
    """The service that the documents print is there as printed."""
    service = seed("services")["services"]["web-application"]

    assert {key: service[key] for key in ("name", "description", "category", "cost_estimate", "components")} == {
        "name": "Scalable Web Application",
        "description": "Full-stack web app with database and monitoring",
        "category": "application-platform",
        "cost_estimate": "$200/month",
        "components": {
            "infrastructure": ["vpc (networking foundation)", "eks (container platform)"],
            "application": ["ingress-controller (traffic management)"],
        },
    }
