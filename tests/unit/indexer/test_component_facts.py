from decimal import Decimal

import pytest

from catalog.indexer import component_facts, component_rows
from catalog.indexer.code import ComponentCode
from catalog.stacks import estate
from catalog.stacks.tree import DirectoryTree, MemoryTree

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

    assert (found.title, found.description, found.maturity, found.version) == ("VPC", "A network", "BETA", "2.1.0")
    assert [(named.value, named.location.file) for named in found.maintainers] == [("platform", f"{VPC}/component.yaml")]
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

    assert (found.summary, found.source, found.version, found.cost) == ("Vendored", "github.com/x/vpc", "1.2.3", None)
    assert read("# VPC\n\nA network.", **{f"{VPC}/component.yaml": text})[0].summary == "A network."


def test_a_vendored_component_may_say_more():
    """A vendoring manifest takes the file's name, so our keys may stand below `component` in it."""
    text = b"kind: ComponentVendorConfig\nspec: {source: {uri: github.com/x/vpc, version: 1.2.3}}\ncomponent: {title: VPC, version: 2.0.0}\n"

    found, _ = read(**{f"{VPC}/component.yaml": text})

    assert (found.title, found.source, found.version) == ("VPC", "github.com/x/vpc", "2.0.0")


def test_custom_keys_come_first_in_component_yaml():
    """As in manifests, `custom` may hold our keys, and comes before the plainer form."""
    found, _ = read(**{f"{VPC}/component.yaml": b"metadata: {cost_estimate: $70, category: b, custom: {cost_estimate: $50}}\n"})

    assert (found.cost.estimate.amount, found.category, str(found.cost.location)) == (50, "b", f"{VPC}/component.yaml:1:54")


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("cost_estimte: $50", "COMPONENT_KEY", "did you mean cost_estimate?"),
        ("component:\n  maintaner: platform", "COMPONENT_KEY", "did you mean maintainer?"),
        ("title: [VPC]", "COMPONENT_VALUE", 'title: "…"'),
        ("category: {a: 1}", "COMPONENT_VALUE", 'category: "…"'),
    ],
)
def test_slips_in_component_yaml_are_told(text, code, hint):
    """A misspelt key is a warning that names the right one; a value of the wrong kind is an error; both with their place."""
    found, _ = read(**{f"{VPC}/component.yaml": text.encode()})

    assert [(item.code, item.hint, item.location.line) for item in found.diagnostics] == [(code, hint, text.count("\n") + 1)]


@pytest.mark.parametrize("text", ["name: vpc\ntags: [a]\nlabels: {a: b}\nx-own: 1\nrunbook: y\n", "[]", "text", ""])
def test_what_is_not_ours_in_component_yaml_is_left_alone(text):
    """Other tools' keys, and files of another shape, are none of our business."""
    assert read(**{f"{VPC}/component.yaml": text.encode()})[0].diagnostics == ()


@pytest.mark.parametrize(
    ("entry", "title"),
    [
        ("display_name: Network, name: VPC", "Network"),
        ("name: Basic VPC", "Basic VPC"),
        ("name: standard", None),
        ("title: T", "T"),
    ],
)
def test_a_registry_may_name_a_component_for_people(entry, title):
    """A display name is the title, or a name that is no id."""
    assert read(**registry(f"path: vpc, {entry}"))[0].title == title


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
    found, _ = read(
        **{
            "module-registry.yaml": REGISTRY.replace(b"estimated_monthly_usd: 20, ", b"").replace(
                b", cost_breakdown: {nat: 16}", b""
            )
        }
    )

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


def test_the_readme_sums_a_component_up():
    """The first paragraph of the README is kept beside what files say on purpose."""
    found, _ = read("# VPC\n\nA network.\n\nMore.", **{f"{VPC}/component.yaml": b"title: VPC\n"})

    assert (found.description, found.summary) == (None, "A network.")


def registry(entry, where="components/terraform/_catalog"):
    return {f"{where}/module-registry.yaml": f"modules:\n  - {{id: standard, {entry}}}\n".encode()}


@pytest.mark.parametrize(
    ("where", "path"),
    [
        (".", "path: components/terraform/vpc"),
        ("components/terraform/_catalog", "path: vpc"),
        ("components/terraform", "path: ./vpc"),
        ("components/terraform/_catalog", "path: ../vpc"),
        ("elsewhere", "source_url: components/terraform/vpc"),
        ("elsewhere", "path: gone, alternate_paths: [components/terraform/vpc]"),
        ("elsewhere", "name: vpc"),
    ],
)
def test_a_registry_names_a_component_by_path_or_name(where, path):
    """A path is seen from the estate, from the registry's folder or from the folder around it; without one the name counts."""
    assert read(**registry(f"{path}, description: Found", where))[0].description == "Found"


def test_a_path_says_more_than_a_name():
    """Within one registry an entry of the component's name is passed over where another gives its path."""
    text = b"modules: {vpc: {description: By name}, other: {path: components/terraform/vpc, description: By path}}"

    assert read(**{"module-registry.yaml": text})[0].description == "By path"


def test_the_nearest_registry_speaks_first():
    """Several registries add to each other; on the same matter the one that lies nearest to the component is heard."""
    found, _ = read(
        **{
            "a/module-registry.yaml": b"modules: {vpc: {description: Far, category: networking}}",
            "components/terraform/_catalog/module-registry.yaml": b"modules: {vpc: {description: Near}}",
        }
    )

    assert (found.description, found.category) == ("Near", "networking")


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("maintainer: platform", ["platform"]),
        ("maintainers: [ann@example.com, '@acme/platform']", ["ann@example.com", "@acme/platform"]),
        (
            "maintainer: {primary: p@example.com, team: Platform Engineering, backup: s@example.com}",
            ["Platform Engineering", "p@example.com", "s@example.com"],
        ),
        ("owner: payments, author: Platform Team", ["payments", "Platform Team"]),
        ("maintainer: null", []),
        ("maintainer: {}", []),
    ],
)
def test_every_form_of_a_maintainer_is_read(entry, names):
    """A maintainer is a text, a list, or a map whose team comes before persons; all names are kept in order, with their place."""
    found, _ = read(**registry(f"path: vpc, {entry}"))

    assert [named.value for named in found.maintainers] == names
    assert {(named.location.file, named.location.line) for named in found.maintainers} <= {
        ("components/terraform/_catalog/module-registry.yaml", 2)
    }


@pytest.mark.parametrize(
    ("entry", "seconds"),
    [
        ("provisioning_time: 5 minutes", 300),
        ('deployment_time: "5-10 minutes"', 600),
        ("setup_time_minutes: 12", 720),
        ("setup_time_minutes: 2.5", 150),
        ("setup_time_minutes: 12, deployment_time: 1h", 3600),
        ("setup_time_minutes: soon", None),
    ],
)
def test_every_form_of_a_time_is_read(entry, seconds):
    """Times stand under several keys, of which the one about provisioning comes first; what can't be read is unknown."""
    assert read(**registry(f"path: vpc, {entry}"))[0].time == seconds


@pytest.mark.parametrize(
    ("cost", "amount", "low", "high", "source"),
    [
        ("cost: {estimated_monthly_usd: 20, cost_breakdown: {nat: 16}, cost_category: high}", 20, None, None, "REGISTRY"),
        ("cost: {cost_breakdown: {nat: 16, data: 4.5}, cost_category: high}", Decimal("20.5"), None, None, "REGISTRY"),
        ("cost: {cost_breakdown: {nat: 16, data: $4-$8}}", None, 20, 24, "REGISTRY"),
        ("cost: {cost_category: medium}", None, 100, 500, "BAND"),
        ("cost: {cost_category: very-high}", None, 500, None, "BAND"),
        ("cost_estimate: {minimum: $35/month, typical: $100/month, maximum: $350/month}", 100, 35, 350, "REGISTRY"),
        ("cost_estimate: {minimum: $35/month, maximum: $350/month}, cost_category: low", None, 35, 350, "REGISTRY"),
        ("cost_category: free", None, 0, 0, "BAND"),
    ],
)
def test_every_form_of_a_registry_cost_is_read(cost, amount, low, high, source):
    """An estimate comes before the sum of its parts, that before a band; a range stays a range."""
    found = read(**registry(f"path: vpc, {cost}"))[0].cost

    assert (found.estimate.amount, found.estimate.low, found.estimate.high, found.source) == (amount, low, high, source)


@pytest.mark.parametrize(
    ("entry", "maturity"),
    [
        ("maturity: production", "STABLE"),
        ("maturity: mature", "STABLE"),
        ("maturity: Production Ready", "STABLE"),
        ("maturity: alpha", "EXPERIMENTAL"),
        ("maturity: preview", "BETA"),
        ("maturity: eol", "DEPRECATED"),
        ("maturity: stable, lifecycle: {deprecated: null}", "STABLE"),
        ("maturity: stable, lifecycle: {deprecated: 2025-01-01}", "DEPRECATED"),
    ],
)
def test_maturity_is_one_of_four_words(entry, maturity):
    """The words of several registries mean one of four; an entry that says when it was deprecated is deprecated."""
    assert read(**registry(f"path: vpc, {entry}"))[0].maturity == maturity


def test_components_are_those_used_and_those_beside_them(written):
    """Used directories and unused modules are components; what isn't there, and modules inside modules, are none."""
    made = written.estate(written.stack("s", written.instance("s", "vpc"), written.instance("s", "gone")))
    tree = MemoryTree(
        {
            f"{VPC}/main.tf": b"",
            f"{VPC}/modules/inner/main.tf": b"",
            "components/terraform/aws/rds/main.tf": b"",
            "components/terraform/README.md": b"",
        }
    )

    assert component_rows.find(tree, made, {}) == (("TERRAFORM", "components/terraform/aws/rds"), ("TERRAFORM", VPC))


def test_used_code_that_is_not_there_is_told_once(written):
    """A component that instances use and no directory holds is told where it is used first, with a directory of that name elsewhere."""
    made = written.estate(
        written.stack(
            "s",
            written.instance("s", "base", component="rds", abstract=True),
            written.instance("s", "main", component="rds", line=7),
        ),
        written.stack("t", written.instance("t", "main", component="rds"), written.instance("t", "chart", type="helmfile")),
    )
    tree = MemoryTree({"components/terraform/aws/rds/main.tf": b""})
    uses = {}
    component_rows.find(tree, made, uses)

    (told,) = component_rows.without_code(tree, made, uses)

    assert (told.code, str(told.location), told.hint) == (
        "COMPONENT_CODE",
        "stacks/s.yaml:7",
        "there is components/terraform/aws/rds",
    )


def test_fetched_code_is_not_expected(written):
    """What Atmos fetches from a source, and what is there, is no matter for a diagnostic."""
    fetched = written.instance("s", "gone")
    fetched.sections["source"] = {"uri": "github.com/x/y"}
    made = written.estate(written.stack("s", fetched, written.instance("s", "vpc")))
    tree = MemoryTree({f"{VPC}/main.tf": b""})
    uses = {}
    component_rows.find(tree, made, uses)

    assert component_rows.without_code(tree, made, uses) == ()


@pytest.mark.shared
def test_the_registries_of_a_real_estate_are_read_whole(shared):
    """Of the components of tf-atmos that a registry names every one has cost, time, maturity, category and maintainer; nothing is misread."""
    tree = DirectoryTree(shared / "parity" / "real" / "tf-atmos")
    resolved = estate.resolve(tree)
    found = component_rows.find(tree, resolved, {})

    facts, problems = component_facts.read_all(tree, found, {}, "USD")

    named = [item for item in facts.values() if item.cost is not None]
    assert (len(facts), len(named), problems) == (59, 54, ())
    assert [item.diagnostics for item in facts.values() if item.diagnostics] == []
    assert all(
        item.time and item.maturity and item.category and item.maintainers and item.title and item.description for item in named
    )
    assert {item.cost.status for item in named} == {"KNOWN"}
