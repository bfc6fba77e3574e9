"""A small estate in a real repository and a real database, with people who may ask and people who may decide."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from catalog import executors, values
from catalog.config import Config
from catalog.gitops import Repository
from catalog.notifications import MemoryChannel
from catalog.provisioning import requests
from catalog.provisioning.advance import advance
from catalog.provisioning.ask import Ask
from catalog.provisioning.context import Context
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
    ProvisioningAction,
    ProvisioningRequest,
    RequestStep,
    Role,
    Scope,
    Stack,
    Team,
    TeamMember,
    Tenant,
)
from catalog.store import requests as rows
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
variable "marks" {
  type    = string
  default = "/tmp"
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
    command = "echo begun >> '${var.marks}/begun'; test -e '${var.marks}/go' || sleep ${var.seconds}"
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
  priced:
    steps:
      - cost_analysis: price book
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
        "marks": {"type": "string"},
    },
}


class Worker:
    """A worker's context with a recorded re-index and a channel in memory; `path` is the PATH on which programs are sought."""

    def __init__(self, world: World, *, path: str | None = None) -> None:
        self.indexed: list[tuple[str, str]] = []
        self.channel = MemoryChannel()

        async def reindex(estate: str, revision: str | None) -> None:
            self.indexed.append((estate, world.repository.head()))

        environment = None if path is None else {"PATH": path}
        self.context = Context(
            database=world.database,
            config=world.config,
            executor_for=lambda name: executors.choose(name, environment),
            reindex=reindex,
            channel=self.channel,
            redaction_key=b"k" * 32,
        )

    async def advance(self, made: ProvisioningRequest) -> None:
        """Take a job "advance request N"."""
        await advance(self.context, made.id)


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

    def worker(self, **more) -> Worker:
        """Another worker."""
        return Worker(self, **more)

    async def request(self, parameters=None, *, key="k", scope=None, **more) -> ProvisioningRequest:
        """Ask for a change of vpc's tags, or for what is given."""
        given = {"tags": {"Team": "payments"}} if parameters is None else parameters
        ask = Ask(**{"action": ProvisioningAction.APPLY_COMPONENT, "stack": "dev", "component": "vpc", "parameters": given, **more})
        return await requests.request(self.database, self.config, scope or self.requester, ask, idempotency_key=key)

    async def look(self, made: ProvisioningRequest) -> tuple[ProvisioningRequest, list[RequestStep]]:
        """The request and its steps as they stand."""
        async with self.database.session() as session:
            return await rows.get(session, made.id), await rows.steps(session, made.id)

    async def log(self, made: ProvisioningRequest) -> list[str]:
        """The lines of its log."""
        async with self.database.connection() as connection:
            found = await connection.fetch("select text from step_log where request_id = $1 order by sequence", made.id)
        return [row["text"] for row in found]

    async def approve(self, made: ProvisioningRequest, *, scope: Scope | None = None) -> ProvisioningRequest:
        """Approve what the request shows now."""
        found, _ = await self.look(made)
        return await requests.approve(self.database, self.config, scope or self.approver, made.id, digest=found.digest)


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
            Stack(id=ids["Stack"], estate_id=ids["Estate"], tenant_id=ids["Tenant"], organization_id=ids["Organization"], manifest_id=ids["Manifest"], name="dev", state=FreshnessState.FRESH, row_hash="x", content_hash="x"),
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
