"""Dependencies that only Terraform code tells, through a whole run."""

from __future__ import annotations

CODE = """\
variable "vpc_component_name" {
  type    = string
  default = "vpc"
}

module "vpc" {
  source    = "cloudposse/stack-config/yaml//modules/remote-state"
  component = var.vpc_component_name
}

module "peer" {
  source    = "cloudposse/stack-config/yaml//modules/remote-state"
  component = each.value
}
"""
EDGES = """select s.name, i.name, t.name, d.kind, d.via, d.file, d.line from dependency d join component_instance i on i.id = d.source_id
join stack s on s.id = i.stack_id join component_instance t on t.id = d.target_id where d.kind = 'INFERRED'"""
UNRESOLVED = "select unresolved_dependencies from component_instance where name = 'eks'"


async def test_code_tells_dependencies_from_run_to_run(catalog, place, files, hcl_engine):
    """With the line of the module call; what the instance says of a variable moves the edge, and what only Terraform knows is kept."""
    place.write({"components/terraform/eks/main.tf": CODE})
    await catalog.index(place.path, engine=hcl_engine)

    file = "components/terraform/eks/main.tf"
    assert await catalog.ask(EDGES) == [("plat-dev", "eks", "vpc", "INFERRED", "module.vpc", file, 6)]
    assert await catalog.ask(UNRESOLVED) == [(["each.value"],)]

    dev = files["stacks/orgs/dev.yaml"]
    place.write({"stacks/orgs/dev.yaml": dev.replace("size: small", "size: small, vpc_component_name: dns") + "    dns: {}\n"})
    await catalog.index(place.path, engine=hcl_engine)
    assert await catalog.ask(EDGES) == [("plat-dev", "eks", "dns", "INFERRED", "module.vpc", file, 6)]

    place.write({"components/terraform/eks/main.tf": 'variable "size" { type = string }\n'})
    await catalog.index(place.path, engine=hcl_engine)
    assert await catalog.ask(EDGES) == []
    assert await catalog.ask(UNRESOLVED) == [([],)]
