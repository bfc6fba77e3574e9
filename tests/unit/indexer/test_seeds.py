from decimal import Decimal

import pytest

from catalog.indexer import seeds
from catalog.records import ServiceLayer
from catalog.stacks.tree import MemoryTree

TEAMS = b"""\
organizations:
  - {name: fnx, title: Fenix Digital, currency: EUR, default_team: platform}
teams:
  - slug: platform
    title: Platform Engineering
    email: platform@fnx.example
    budget: "12,000/month"
    platform: true
    aliases: ["@fnx/platform"]
    members:
      - {name: Ada Moreno, email: ada@fnx.example, role: lead}
"""
TENANTS = b"""\
tenant_mapping:
  atmos_stack: "orgs/fnx/dev/eu-west-2/testenv-01"
  idp_context:
    organization: "fnx"
    team: "platform"
    environment: "development"
    region: "eu-west-2"
"""
SERVICES = b"""\
services:
  web-application:
    name: "Scalable Web Application"
    description: "Full-stack web app with database and monitoring"
    category: "application-platform"
    cost_estimate: "$200/month"
    components:
      infrastructure: [vpc (networking foundation), eks (container platform), rds]
      application: [ingress-controller (traffic management), {name: api, role: front door}]
"""


def read(**files):
    return seeds.load(MemoryTree({f"{name}.yaml": content for name, content in files.items()}))


def test_the_documented_seeds_read_as_written():
    """Organisation, team, mapping and service of the documentation are read with every value and its place."""
    found = read(teams=TEAMS, tenants=TENANTS, services=SERVICES)

    assert found.diagnostics == ()
    team = found.teams[0]
    assert (team.organization, team.slug, team.platform, team.budget.currency, team.budget.amount) == (
        "fnx",
        "platform",
        True,
        "EUR",
        12000,
    )
    assert team.members[0].email == "ada@fnx.example"
    mapping = found.mappings[0]
    assert (mapping.atmos_stack, mapping.team, mapping.environment) == (
        "orgs/fnx/dev/eu-west-2/testenv-01",
        "platform",
        "development",
    )
    service = found.services[0]
    assert (service.slug, service.organization, service.cost.amount, service.cost.currency) == (
        "web-application",
        "fnx",
        Decimal(200),
        "USD",
    )
    assert str(service.cost_location) == "seeds/services.yaml:6:5"


def test_parts_of_a_service_carry_layer_and_role():
    """`name (role)`, a bare name and a map all name a part, in its layer and order."""
    parts = read(teams=TEAMS, services=SERVICES).services[0].parts

    assert [(part.layer, part.name, part.role) for part in parts] == [
        (ServiceLayer.INFRASTRUCTURE, "vpc", "networking foundation"),
        (ServiceLayer.INFRASTRUCTURE, "eks", "container platform"),
        (ServiceLayer.INFRASTRUCTURE, "rds", None),
        (ServiceLayer.APPLICATION, "ingress-controller", "traffic management"),
        (ServiceLayer.APPLICATION, "api", "front door"),
    ]


def test_mappings_may_be_a_list():
    """A list of tenant mappings is accepted as well as one."""
    found = read(tenants=b"tenant_mapping: [{atmos_stack: a}, {atmos_stack: 'b/**', idp_context: {tenant: plat}}]")

    assert [(item.atmos_stack, item.tenant) for item in found.mappings] == [("a", None), ("b/**", "plat")]


def test_a_broken_file_names_file_and_line_and_harms_no_other():
    """A seed file that is no YAML gives one error with file and line; the other files are read as they are."""
    found = read(teams=TEAMS, services=b"services:\n  web:\n   name: [\n")

    assert [team.slug for team in found.teams] == ["platform"]
    assert (found.services, found.broken, found.unread) == ((), {"services.yaml"}, {"services.yaml"})
    (diagnostic,) = found.diagnostics
    assert (diagnostic.code, diagnostic.location.file) == ("SEED_BROKEN", "seeds/services.yaml")
    assert diagnostic.location.line >= 3


def test_a_structural_fault_names_its_own_line():
    """An entry without what it must have breaks its file, and the diagnostic names the entry's line."""
    (diagnostic,) = read(teams=b"organizations:\n  - {name: fnx}\nteams:\n  - {title: No slug}\n").diagnostics

    assert (diagnostic.code, str(diagnostic.location)) == ("SEED_BROKEN", "seeds/teams.yaml:4:5")


def test_a_broken_file_is_replaced_by_its_last_good_version(tmp_path):
    """With a place to keep good versions, a file that breaks says what it last said well, until it is mended."""
    good = seeds.load(MemoryTree({"teams.yaml": TEAMS, "services.yaml": SERVICES}), kept=tmp_path)
    broken = seeds.load(MemoryTree({"teams.yaml": TEAMS, "services.yaml": b"services: [\n"}), kept=tmp_path)
    mended = seeds.load(MemoryTree({"teams.yaml": TEAMS, "services.yaml": b"services: {}\n"}), kept=tmp_path)

    assert broken.services == good.services
    assert (broken.broken, broken.unread) == ({"services.yaml"}, frozenset())
    assert [diagnostic.code for diagnostic in broken.diagnostics] == ["SEED_BROKEN"]
    assert (mended.services, mended.diagnostics) == ((), ())


def test_unknown_keys_are_warnings_with_the_nearest_known_one():
    """A misspelt key is reported with its line and what was probably meant, and nothing else is lost."""
    found = read(teams=TEAMS, services=b"services:\n  web:\n    descripton: x\n    cost_estimate: lots\n")

    warning, error = sorted(found.diagnostics, key=lambda item: item.code, reverse=True)[:2]
    assert (warning.code, warning.hint, str(warning.location)) == (
        "SEED_VALUE",
        'write "$50/month", "EUR 1200/year", "$50-$100" or a number',
        "seeds/services.yaml:4:5",
    )
    assert (error.code, error.hint, error.location.line) == ("SEED_UNKNOWN_KEY", "did you mean description?", 3)
    assert (found.services[0].slug, found.services[0].cost) == ("web", None)


REFERENCES = [
    ("teams", TEAMS.replace(b"default_team: platform", b"default_team: plattform"), "seeds/teams.yaml:2:54"),
    ("tenants", TENANTS.replace(b'team: "platform"', b'team: "plattform"'), "seeds/tenants.yaml:5:5"),
    ("services", b"services:\n  web: {owner: plattform}\n", "seeds/services.yaml:2:3"),
]


@pytest.mark.parametrize(("file", "content", "place"), REFERENCES)
def test_a_team_that_no_seed_defines_is_told_with_its_line(file, content, place):
    """Where a seed names a team that there is none of, its line and the nearest name are told; nothing is lost."""
    (diagnostic,) = read(**{"teams": TEAMS, file: content}).diagnostics

    assert (diagnostic.code, diagnostic.severity, diagnostic.hint) == ("SEED_TEAM_UNKNOWN", "WARNING", "did you mean platform?")
    assert str(diagnostic.location) == place


def test_a_budget_is_one_amount(tmp_path):
    """A range or unreadable budget is an error on its line and unknown; the team and the tenant stay."""
    found = read(
        teams=TEAMS.replace(b"12,000/month", b"$50-$100"),
        tenants=b"tenants:\n  - {name: plat, budget: lots}\n  - {name: core, budget: $5}\n",
    )

    assert [(item.code, str(item.location)) for item in found.diagnostics] == [
        ("SEED_VALUE", "seeds/teams.yaml:7:5"),
        ("SEED_VALUE", "seeds/tenants.yaml:2:18"),
    ]
    assert (found.teams[0].slug, found.teams[0].budget) == ("platform", None)
    assert [(tenant.organization, tenant.name, tenant.budget and tenant.budget.amount) for tenant in found.tenants] == [
        ("fnx", "plat", None),
        ("fnx", "core", 5),
    ]


def test_a_file_that_was_good_beside_another_is_set_aside_with_it(tmp_path):
    """A last good version that makes no sense without what another file said is no reason to fail: both say nothing, both are told."""
    seeds.load(MemoryTree({"teams.yaml": TEAMS, "services.yaml": SERVICES}), kept=tmp_path)
    (tmp_path / "teams.yaml").unlink()

    found = seeds.load(MemoryTree({"teams.yaml": b"teams: [\n", "services.yaml": SERVICES}), kept=tmp_path)

    assert (found.services, found.teams, found.unread) == ((), (), {"teams.yaml", "services.yaml"})
    assert [item.code for item in found.diagnostics] == ["SEED_BROKEN", "SEED_BROKEN"]


def test_no_seeds_say_nothing():
    """A directory without seed files is no error."""
    assert read() == seeds.NONE


@pytest.mark.parametrize(
    ("written", "poll"),
    [("", 60), ("poll: 5m", 300), ("poll: 90", 90), ("poll: off", None), ('poll: "off"', None), ("poll: 0", None)],
)
def test_how_often_a_remote_is_asked(written, poll):
    """Once a minute unless told, any duration, and never for `off`."""
    said = read(estates=f"estates:\n  - name: shop\n    url: https://git.example/shop.git\n    {written}\n".encode())
    assert [(estate.poll, said.diagnostics) for estate in said.estates] == [(poll, ())]


@pytest.mark.parametrize("key", ["webhook_secret", "credentials"])
def test_a_secret_is_referred_to(key):
    """A reference to a secret is kept; a literal breaks the file and is repeated nowhere."""

    def written(value):
        return read(estates=f"estates:\n  - name: shop\n    url: https://git.example/shop.git\n    {key}: {value}\n".encode())

    for reference in ("env:HOOK", "file:/run/secrets/hook"):
        assert getattr(written(f'{{$ref: "{reference}"}}').estates[0], key) == reference
    for literal in ("hunter2", '{$ref: "hunter2"}', '{$ref: "env:"}', '{$ref: "file:hunter2"}'):
        said = written(literal)
        assert said.broken == {"estates.yaml"}
        assert "hunter2" not in str(said.diagnostics)
