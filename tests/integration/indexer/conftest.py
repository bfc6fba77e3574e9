"""Small estates on disk, and questions to the catalog about what became of them."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from catalog.indexer import estates, run

ATMOS = """\
base_path: "."
components: {terraform: {base_path: components/terraform}}
stacks: {base_path: stacks, included_paths: ["orgs/**/*"], excluded_paths: ["**/_defaults.yaml"], name_pattern: "{tenant}-{stage}"}
workflows: {base_path: stacks/workflows}
"""
DEFAULTS = """\
vars: {namespace: acme, tenant: plat, region: eu-west-2}
"""
VPC = """\
components:
  terraform:
    vpc:
      metadata: {custom: {category: networking, cost_estimate: "$50/month", provisioning_time: 5 minutes}}
      vars: {enabled: true, cidr: 10.0.0.0/16, tags: {Team: platform}}
"""
DEV = """\
import: [orgs/_defaults, catalog/vpc]
vars: {stage: dev}
components:
  terraform:
    eks:
      vars: {enabled: true, size: small, db_password: hunter2}
      dependencies: {components: [{component: vpc}]}
"""
PROD = """\
import: [orgs/_defaults, catalog/vpc]
vars: {stage: prod}
"""
WORKFLOWS = """\
workflows:
  plan: {description: Plan it, steps: [{command: terraform plan vpc, stack: plat-dev}]}
"""
FILES = {
    "atmos.yaml": ATMOS,
    "stacks/orgs/_defaults.yaml": DEFAULTS,
    "stacks/catalog/vpc.yaml": VPC,
    "stacks/orgs/dev.yaml": DEV,
    "stacks/orgs/prod.yaml": PROD,
    "stacks/workflows/w.yaml": WORKFLOWS,
    "components/terraform/vpc/main.tf": 'variable "cidr" {\n  type = string\n}\n',
    "components/terraform/eks/main.tf": 'variable "size" {\n  type = string\n}\n',
    "seeds/teams.yaml": "organizations: [{name: acme, default_team: platform}]\nteams: [{slug: platform, members: [{name: Ada}]}, {slug: data}]\n",
    "seeds/services.yaml": "services:\n  shop:\n    cost_estimate: $200\n    components: {infrastructure: [vpc (network), eks]}\n",
}


def write(directory, files):
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def files():
    """The files of a small estate, by path."""
    return dict(FILES)


@pytest.fixture
def place(tmp_path, files):
    """A small estate on disk."""
    directory = tmp_path / "shop"
    write(directory, files)
    return SimpleNamespace(
        path=directory, write=lambda changed: write(directory, changed), remove=lambda name: (directory / name).unlink()
    )


@pytest.fixture
def git():
    """Run git in a directory as somebody whom no configuration knows."""

    def call(directory, *arguments):
        who = [
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@acme.example",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ]
        return subprocess.run(
            ["git", *who, "-C", str(directory), *arguments], check=True, capture_output=True, text=True
        ).stdout.strip()

    return call


@pytest.fixture
def catalog(fresh_database):
    """A catalog with a database of its own: index, ask, count."""
    return Catalog(fresh_database)


class Catalog:
    """One catalog of a test."""

    def __init__(self, database):
        self.database, self.config = database, database.config

    async def index(self, target, **options):
        registering = {name: options.pop(name) for name in ("config_path", "name") if name in options}
        name = await estates.register(self.database, self.config, str(target), revision=options.get("revision"), **registering)
        return await run.index(self.database, self.config, name, **options)

    async def ask(self, statement, *arguments):
        async with self.database.connection() as connection:
            return [tuple(row) for row in await connection.fetch(statement, *arguments)]

    async def rows(self):
        """Every row of every table: (table, place on disk, transaction that wrote it). Equal before and after: nothing was written."""
        tables = await self.ask("select quote_ident(tablename) from pg_tables where schemaname = 'public' order by 1")
        found = set()
        for (table,) in tables:
            found |= {(table, *row) for row in await self.ask(f"select ctid::text, xmin::text from {table}")}
        return found
