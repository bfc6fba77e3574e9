"""A small estate in a real repository and a real database, with people who may ask and people who may decide."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from catalog import values
from catalog.config import Config
from catalog.gitops import Repository
from catalog.records import (
    Component,
    ComponentInstance,
    Configuration,
    Estate,
    FreshnessState,
    Grant,
    GrantScope,
    Manifest,
    Organization,
    Principal,
    PrincipalKind,
    Role,
    Scope,
    Stack,
    Team,
    TeamMember,
    Tenant,
)
from catalog.store.database import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)

ATMOS = """\
base_path: "."
components:
  terraform:
    base_path: components/terraform
stacks:
  base_path: stacks
  included_paths: ["orgs/**/*"]
  name_pattern: "{stage}"
workflows:
  base_path: stacks/workflows
"""

DEV = """\
# The stack that everybody may break.
vars:
  stage: dev

components:
  terraform:
    vpc:
      metadata:
        component: vpc
        custom: {cost_estimate: "$50/month"}
      vars:
        cidr: 10.0.0.0/16   # agreed with the network people
        tags:
          Team: platform    # who answers for it
          CostCenter: CC-1
    eks:
      metadata:
        component: vpc
        custom: {cost_estimate: "$70/month"}
      settings:
        depends_on:
          1: {component: vpc}
      vars:
        cidr: 10.1.0.0/16
"""

VPC = """\
variable "cidr" {
  type = string
}
variable "tags" {
  type    = map(string)
  default = {}
}
variable "password" {
  type      = string
  default   = ""
  sensitive = true
}
variable "seconds" {
  type    = number
  default = 0
}

resource "terraform_data" "vpc" {
  input = { cidr = var.cidr, tags = var.tags }
}

resource "terraform_data" "slow" {
  count            = var.seconds > 0 ? 1 : 0
  triggers_replace = var.seconds
  provisioner "local-exec" {
    command = "touch '${path.root}/../../../../begun'; sleep ${var.seconds}"
  }
}

output "cidr" {
  value = terraform_data.vpc.output.cidr
}
"""

WORKFLOWS = """\
workflows:
  governed:
    steps:
      - {name: governed, type: shell, command: "exit 1"}
      - cost_analysis: metadata
      - policy_check: {rules: [{name: tagged, path: vars.tags.Team, is: present}]}
      - approval_gate: {approvers: ["team:platform"], quorum: 1, expires: 24h}
      - provision: terraform
      - deploy: argocd
      - notify: {to: ["json://localhost/hook"]}
  opa:
    steps:
      - policy_check: opa eval
      - provision: terraform
"""

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "cidr": {"type": "string"},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        "password": {"type": "string", "x-sensitive": True},
        "seconds": {"type": "number"},
    },
}


@dataclass(frozen=True)
class World:
    """One estate `name` with its repository, and the viewers who act on it."""

    database: Database
    config: Config
    estate: str
    repository: Repository
    requester: Scope
    approver: Scope
    other: Scope  # an approver outside team platform
    viewer: Scope
    stranger: Scope  # of another tenant


FILES = {
    "atmos.yaml": ATMOS,
    "stacks/orgs/dev.yaml": DEV,
    "stacks/workflows/governed.yaml": WORKFLOWS,
    "components/terraform/vpc/main.tf": VPC,
    "README.md": "An estate.\n",
}


@pytest.fixture
def files() -> dict[str, str]:
    """The estate's files, for a test to change before it asks for its world."""
    return dict(FILES)


@pytest_asyncio.fixture(loop_scope="session")
async def new_world(new_database: Callable[..., Awaitable[str]], tmp_path: Path, files: dict[str, str]):
    """Make a world: `await new_world(workflows={…}, writable=True)`."""
    opened: list[Database] = []

    async def make(
        *, workflows: dict | None = None, writable: bool = True, kind: str = "git", executor: str = "terraform"
    ) -> World:
        config = Config(home=tmp_path / "home", database_url=await new_database())
        world = await _make(config, tmp_path / "source", files, workflows or {}, writable=writable, kind=kind, executor=executor)
        opened.append(world.database)
        return world

    yield make
    for database in opened:
        await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def world(new_world) -> World:
    """A world whose estate names no workflow: the built-in one serves."""
    return await new_world()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_world(new_database: Callable[..., Awaitable[str]], tmp_path_factory: pytest.TempPathFactory):
    """A world for tests that leave it as they find it."""
    place = tmp_path_factory.mktemp("world")
    config = Config(home=place / "home", database_url=await new_database())
    world = await _make(config, place / "source", FILES, {}, writable=True, kind="git", executor="terraform")
    yield world
    await world.database.close()


async def _make(
    config: Config, source: Path, files: dict[str, str], workflows: dict, *, writable: bool, kind: str, executor: str
) -> World:
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    repository = Repository(config.repositories / "estate.git")
    repository.init_from(source, "The beginning")
    database = await Database.open(config)
    path = repository.path if kind == "git" else source
    return await _seed(database, config, repository, str(path), workflows, writable=writable, kind=kind, executor=executor)


async def _seed(
    database: Database,
    config: Config,
    repository: Repository,
    path: str,
    workflows: dict,
    *,
    writable: bool,
    kind: str,
    executor: str,
) -> World:
    ids = {
        kind: values.global_id(kind, *key)
        for kind, key in {
            "Organization": ("acme",),
            "Tenant": ("acme", "core"),
            "Team": ("acme", "platform"),
            "Estate": ("acme",),
            "Manifest": ("acme", "stacks/orgs/dev.yaml"),
            "Stack": ("acme", "dev"),
            "Component": ("acme", "TERRAFORM", "components/terraform/vpc"),
        }.items()
    }
    elsewhere = values.global_id("Tenant", "acme", "elsewhere")
    async with database.session() as session:

        async def add(*records):
            session.add_all(records)
            await session.flush()

        await add(Organization(id=ids["Organization"], name="acme", currency="USD"))
        await add(
            Tenant(id=ids["Tenant"], organization_id=ids["Organization"], name="core", hidden=False),
            Tenant(id=elsewhere, organization_id=ids["Organization"], name="elsewhere", hidden=False),
            Team(id=ids["Team"], organization_id=ids["Organization"], slug="platform", title="Platform", platform=True),
        )
        await add(
            Estate(
                id=ids["Estate"],
                name="acme",
                organization_id=ids["Organization"],
                kind=kind,
                path=path,
                ref="main",
                directory=".",
                writable=writable,
                executor=executor,
                workflows=workflows,
                removal_limit=20,
            )
        )
        await add(
            Manifest(id=ids["Manifest"], estate_id=ids["Estate"], path="stacks/orgs/dev.yaml", content_hash="x", top_level=True)
        )
        await add(
            Stack(id=ids["Stack"], estate_id=ids["Estate"], tenant_id=ids["Tenant"], organization_id=ids["Organization"], manifest_id=ids["Manifest"], name="dev", state=FreshnessState.FRESH, content_hash="x"),
            Component(
                id=ids["Component"], estate_id=ids["Estate"], type="TERRAFORM", name="vpc", path="components/terraform/vpc", content_hash="x", input_schema=SCHEMA,
                inputs=[{"name": name, "sensitive": bool(schema.get("x-sensitive"))} for name, schema in SCHEMA["properties"].items()],
            ),
            Configuration(hash="h", document={}),
        )  # fmt: skip
        await add(*(_instance(ids, name) for name in ("vpc", "eks")))
        scopes = {}
        for name, role, tenants, member in (
            ("requester", Role.REQUESTER, None, False),
            ("approver", Role.APPROVER, None, True),
            ("other", Role.APPROVER, None, False),
            ("viewer", Role.VIEWER, None, False),
            ("stranger", Role.APPROVER, [elsewhere], False),
        ):
            scopes[name] = await _person(add, ids, name, role, tenants, member=member)
        await session.commit()
    return World(database=database, config=config, estate="acme", repository=repository, **scopes)


def _instance(ids: dict[str, str], name: str) -> ComponentInstance:
    return ComponentInstance(
        id=values.global_id("ComponentInstance", "acme", "dev", "TERRAFORM", name), estate_id=ids["Estate"], tenant_id=ids["Tenant"], stack_id=ids["Stack"], component_id=ids["Component"],
        type="TERRAFORM", name=name, abstract=False, enabled=True, locked=False, state=FreshnessState.FRESH, config_hash="h", team_id=ids["Team"], cost_status="UNKNOWN", changed_at=NOW, content_hash="x",
    )  # fmt: skip


async def _person(add, ids: dict[str, str], name: str, role: Role, tenants: list[str] | None, *, member: bool) -> Scope:
    principal_id = values.global_id("Principal", f"{name}@acme.test")
    await add(Principal(id=principal_id, name=name.title(), email=f"{name}@acme.test", kind=PrincipalKind.PERSON, created_at=NOW))
    await add(Grant(principal_id=principal_id, role=role, tenants=tenants))
    if member:
        await add(TeamMember(principal_id=principal_id, team_id=ids["Team"]))
    grant = GrantScope(role=role, teams=None, tenants=None if tenants is None else frozenset(tenants))
    return Scope(
        principal_id=principal_id, name=name.title(), email=f"{name}@acme.test", kind=PrincipalKind.PERSON, grants=(grant,)
    )
