from decimal import Decimal

import pytest

from catalog.indexer import component_facts, component_rows
from catalog.indexer.code import ComponentCode
from catalog.stacks.tree import MemoryTree

VPC = "components/terraform/vpc"
REGISTRY = b"""\
modules:
  - id: vpc
    path: components/terraform/vpc
    description: From the registry
    category: foundations/networking
    maturity: production
    deployment_time: "5-10 minutes"
    cost: {estimated_monthly_usd: 20, cost_category: low, cost_breakdown: {nat: 16}}
"""


def read(readme=None, **files):
    tree = MemoryTree({name.replace("__", "/"): content for name, content in files.items()})
    found, problems = component_facts.read_all(
        tree, [("TERRAFORM", VPC)], {VPC: ComponentCode(input_schema={}, readme=readme)}, "USD"
    )
    return found["TERRAFORM", VPC], problems


@pytest.mark.parametrize("wrap", ["component:\n  {}", "metadata:\n  {}", "{}"])
def test_each_form_of_component_yaml_is_read(wrap):
    """Our keys are read below `component`, below `metadata` or plain, with the place of the cost."""
    text = "{title: VPC, description: A network, maintainer: platform, maturity: beta, version: 2.1.0, category: networking, cost_estimate: $50/month, provisioning_time: 5m}"

    found, _ = read(**{f"{VPC}/component.yaml": wrap.format(text).encode()})

    assert (found.title, found.description, found.maintainer, found.maturity, found.version) == (
        "VPC",
        "A network",
        "platform",
        "BETA",
        "2.1.0",
    )
    assert (found.category, found.time, found.cost.estimate.amount, found.cost.source) == (
        "networking",
        300,
        Decimal(50),
        "COMPONENT_METADATA",
    )
    assert found.cost.location.file == f"{VPC}/component.yaml"
    assert found.diagnostics == ()


def test_a_vendoring_manifest_gives_source_and_version():
    """A ComponentVendorConfig says where the code comes from, and nothing of ours is looked for in it."""
    text = b"kind: ComponentVendorConfig\nmetadata: {name: vpc, description: Vendored}\nspec: {source: {uri: github.com/x/vpc, version: 1.2.3}}\n"

    found, _ = read(**{f"{VPC}/component.yaml": text})

    assert (found.description, found.source, found.version, found.cost) == ("Vendored", "github.com/x/vpc", "1.2.3", None)


def test_the_registry_speaks_where_component_yaml_is_silent():
    """A registry's entry gives what component.yaml leaves out; its number beats its band."""
    found, _ = read(**{f"{VPC}/component.yaml": b"description: Its own\n", "lib/module-registry.yaml": REGISTRY})

    assert (found.description, found.category, found.maturity, found.time) == ("Its own", "foundations/networking", "STABLE", 600)
    assert (found.cost.estimate.amount, found.cost.source, str(found.cost.location)) == (
        20,
        "REGISTRY",
        "lib/module-registry.yaml:8:5",
    )


def test_a_band_is_a_range():
    """Where a registry knows only a band, the cost is a range and no number."""
    found, _ = read(**{"module-registry.yaml": REGISTRY.replace(b"estimated_monthly_usd: 20, ", b"")})

    assert (found.cost.status, found.cost.estimate.amount, found.cost.estimate.high, found.cost.source) == (
        "PARTIAL",
        None,
        100,
        "BAND",
    )


def test_what_cannot_be_read_is_reported_with_its_place():
    """Unreadable values and files are errors with file and line, and unknown; other values stay."""
    found, problems = read(
        **{f"{VPC}/component.yaml": b"title: VPC\ncost_estimate: plenty\nmaturity: ripe\n", "module-registry.yaml": b"modules: [\n"}
    )

    assert (found.title, found.maturity, found.cost.estimate) == ("VPC", None, None)
    assert sorted(str(item.location) for item in found.diagnostics) == [f"{VPC}/component.yaml:2:1", f"{VPC}/component.yaml:3:1"]
    assert [(item.code, item.location.file) for item in problems] == [("COMPONENT_FILE", "module-registry.yaml")]


@pytest.mark.parametrize(
    ("readme", "description"),
    [
        ("# VPC\n\nA network.\nWith subnets.\n\nMore.", "A network. With subnets."),
        ("# VPC\n[![badge](x)](y)\n\n<br>\n\n- a list\n\nProse.", "Prose."),
        ("# VPC\nStraight below.", "Straight below."),
        ("# Only a title\n", None),
        (None, None),
    ],
)
def test_the_description_is_the_first_prose_of_the_readme(readme, description):
    """Without any other word the README's first paragraph describes a component; headings, badges, lists and markup don't."""
    assert read(readme)[0].description == description


def test_components_are_those_used_and_those_beside_them(written):
    """Used directories and unused modules are components; what isn't there, and modules inside modules, are none."""
    estate = written.estate(written.stack("s", written.instance("s", "vpc"), written.instance("s", "gone")))
    tree = MemoryTree(
        {
            f"{VPC}/main.tf": b"",
            f"{VPC}/modules/inner/main.tf": b"",
            "components/terraform/aws/rds/main.tf": b"",
            "components/terraform/README.md": b"",
        }
    )

    assert component_rows.find(tree, estate, {}) == (("TERRAFORM", "components/terraform/aws/rds"), ("TERRAFORM", VPC))
