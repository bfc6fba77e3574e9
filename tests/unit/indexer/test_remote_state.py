"""Which components Terraform code reads through `remote-state`: each row is a module call, and the edges or texts that it gives."""

from __future__ import annotations

import pytest

from catalog.indexer import code, remote_state
from catalog.indexer.component_facts import ComponentFacts
from catalog.stacks.tree import MemoryTree

DEV = {"namespace": "n", "tenant": "t", "environment": "ue2", "stage": "dev"}
NET = {**DEV, "stage": "net"}
VARIABLES = """
variable "vpc_name" {
  type    = string
  default = "vpc"
}
variable "hub_stage" {
  type    = string
  default = null
}
variable "unset" { type = string }
"""
SOURCE = 'source = "cloudposse/stack-config/yaml//modules/remote-state"'

# What stands in the call → (stack, name) of each target, or the text that stays unresolved.
CALLS = {
    'component = "vpc"': [("dev", "vpc")],
    "component = var.vpc_name": [("dev", "vpc")],
    "component = var.vpc_name\n  context = module.this.context": [("dev", "vpc")],
    'component = "v${var.middle}c"': [("dev", "vpc")],
    "component = var.override": [("dev", "dns")],
    'component = "hub"\n  stage = "net"': [("net", "hub")],
    'component = "vpc"\n  stage = var.hub_stage': [("dev", "vpc")],
    'component = "vpc"\n  stage = var.net': [("net", "vpc")],
    'component = "vpc"\n  stage = var.net\n  tenant = module.this.tenant\n  environment = module.this.context["environment"]': [("net", "vpc")],
    'component = "vpc"\n  stack = "net"': [("net", "vpc")],
    'component = "hub"\n  stage = module.roles.stage': [("net", "hub")],  # only one of that name in the estate
    'component = "vpc"\n  stage = module.roles.stage': "vpc",  # two: only Terraform can tell
    'component = "vpc"\n  bypass = true': [],
    'component = "vpc"\n  bypass = !local.enabled': [("dev", "vpc")],
    'component = "app"': [],  # itself
    'component = "nothing"': "nothing",
    'component = "vpc"\n  stage = "none"': "vpc in stage=none",
    'component = "vpc"\n  stack = "none"': "vpc in none",
    "component = each.value.component": "each.value.component",
    "component = local.name": "local.name",
    "component = var.unset": "var.unset",
    "component = var.hub_stage": [],
    "component = null": [],
    'component = coalesce(var.hub_stage, "vpc")': [("dev", "vpc")],
    'component = coalesce(var.override, "vpc")': [("dev", "dns")],
    'component = coalesce(local.name, "vpc")': 'coalesce(local.name, "vpc")',
    "component = var.computed": "var.computed",
    'component = "base"': [("dev", "base")],
}  # fmt: skip
SOURCES = {
    'source = "cloudposse/stack-config/yaml//modules/remote-state"': True,
    'source = "registry.terraform.io/cloudposse/stack-config/yaml//modules/remote-state"': True,
    'source = "git::https://github.com/cloudposse/terraform-yaml-stack-config.git//modules/remote-state?ref=tags/1.5.0"': True,
    'source = "github.com/cloudposse/terraform-yaml-stack-config//modules/remote-state?ref=1.5.0"': True,
    'source = "cloudposse/stack-config/yaml//modules/remote-state-privileged"': False,
    'source = "cloudposse/stack-config/yaml//modules/vars"': False,
    'source = "./modules/remote-state"': False,
}


def linked(written, call, engine):
    """The estate of the test with an app whose code makes one call."""
    tree = MemoryTree({"components/terraform/app/main.tf": f'{VARIABLES}module "it" {{\n  {call}\n}}\n'.encode()})
    app = written.instance(
        "dev",
        "app",
        vars={**DEV, "middle": "p", "override": "dns", "net": "net", "computed": "!terraform.state x y"},
    )
    resolved = written.estate(
        written.stack(
            "dev",
            app,
            written.instance("dev", "vpc", vars=DEV),
            written.instance("dev", "dns", vars=DEV),
            written.instance("dev", "base", vars=DEV),
            written.instance("dev", "template", component="app", vars=DEV, abstract=True),
            written.instance("dev", "chart", type="helmfile", vars=DEV),
        ),
        written.stack("net", written.instance("net", "vpc", vars=NET), written.instance("net", "hub", vars=NET)),
    )
    path = "components/terraform/app"
    facts = ComponentFacts(type="TERRAFORM", path=path, code=code.read(tree, path, engine))
    return resolved, remote_state.linked(resolved, {("TERRAFORM", path): facts}).estate


@pytest.mark.parametrize(("call", "expected"), CALLS.items(), ids=lambda value: str(value).replace("\n", ";"))
def test_a_call_leads_where_the_module_would_look(call, expected, written, hcl_engine):
    """By name, by context, by what the instance gives and by defaults; what only Terraform knows stays as it is written."""
    _, found = linked(written, f"{SOURCE}\n  {call}", hcl_engine)

    key = ("dev", "terraform", "app")
    targets = [(edge.target[0], edge.target[2]) for edge in found.dependencies]
    assert targets == (expected if isinstance(expected, list) else [])
    assert found.unresolved_dependencies == ({key: (expected,)} if isinstance(expected, str) else {})
    for edge in found.dependencies:
        assert (edge.source, edge.kind, edge.via) == (key, "INFERRED", "module.it")
        assert str(edge.location).startswith("components/terraform/app/main.tf:11")


def test_a_ring_that_code_closes_is_told(written, hcl_engine):
    """What is declared leads back to whoever's code reads it."""
    path = "components/terraform/app"
    tree = MemoryTree({f"{path}/main.tf": f'module "it" {{\n  {SOURCE}\n  component = "vpc"\n}}\n'.encode()})
    facts = ComponentFacts(type="TERRAFORM", path=path, code=code.read(tree, path, hcl_engine))
    app, vpc = ("dev", "terraform", "app"), ("dev", "terraform", "vpc")
    stack = written.stack("dev", written.instance("dev", "app", vars=DEV), written.instance("dev", "vpc", vars=DEV))
    resolved = written.estate(stack, dependencies=(written.depends(vpc, app),))

    found = remote_state.linked(resolved, {("TERRAFORM", path): facts}).estate

    (ring,) = found.diagnostics
    assert (ring.code, str(ring.location)) == ("DEPENDENCY_CYCLE", f"{path}/main.tf:1")
    assert ring.message.endswith("app → vpc → app")


@pytest.mark.parametrize(("source", "reads"), SOURCES.items())
def test_the_module_is_known_by_its_source(source, reads, written, hcl_engine):
    """From the registry, from Git, with a version or without; others that look alike read nothing."""
    resolved, found = linked(written, f'{source}\n  component = "vpc"', hcl_engine)

    assert bool(found.dependencies) is reads
    assert (found is resolved) is not reads


@pytest.mark.parametrize("call", ['component = "vpc"', 'component = "vpc"\n  stage = "net"'])
def test_what_is_kept_is_what_would_be_told_anew(call, written, hcl_engine):
    """After another stack changed, its component gone or its context another, the next reading equals one from nothing."""
    path = "components/terraform/app"
    tree = MemoryTree({f"{path}/main.tf": f'module "it" {{\n  {SOURCE}\n  {call}\n}}\n'.encode()})
    facts = {("TERRAFORM", path): ComponentFacts(type="TERRAFORM", path=path, code=code.read(tree, path, hcl_engine))}
    dev = written.stack("dev", written.instance("dev", "app", vars=DEV), written.instance("dev", "vpc", vars=DEV))
    others = [
        written.stack("net", written.instance("net", "vpc", vars=NET)),
        written.stack("net", written.instance("net", "vpc", vars={**NET, "tenant": "other"})),
        written.stack("net", written.instance("net", "dns", vars=NET)),
    ]
    kept = None
    for other in (*others, others[0]):
        kept = remote_state.linked(written.estate(dev, other), facts, kept)
        assert kept.estate == remote_state.linked(written.estate(dev, other), facts).estate
