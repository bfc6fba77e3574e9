"""Small estates on disk, and questions to the catalog about what became of them."""

from __future__ import annotations

import random
import subprocess
from types import SimpleNamespace

import pytest

from catalog.config import Config
from catalog.indexer import estates, run
from catalog.store.database import Database

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


@pytest.fixture
def branch(place, git):
    """The estate as a Git repository: `commit(files)` writes, removes (None) and commits; `revisions` are its commits, the first first."""
    git(place.path, "init", "--quiet")

    def commit(files):
        place.write({name: text for name, text in files.items() if text is not None})
        for name in (name for name, text in files.items() if text is None):
            place.remove(name)
        git(place.path, "add", ".")
        git(place.path, "commit", "--quiet", "--allow-empty", "-m", "an edit")
        return git(place.path, "rev-parse", "HEAD")

    revisions = [commit({})]
    return SimpleNamespace(
        path=place.path,
        url=f"file://{place.path}",
        revisions=revisions,
        commit=lambda files: revisions.append(commit(files)) or revisions[-1],
        git=lambda *arguments: git(place.path, *arguments),
    )


@pytest.fixture
async def another(new_database, tmp_path, request):
    """Make catalogs that redact alike: `await another()` is a new, empty one."""
    opened = []
    kind = type(request.getfixturevalue("catalog"))
    request.getfixturevalue("catalog").config.redaction_key_file.write_bytes(b"k" * 32)

    async def make():
        home = tmp_path / f"home-{len(opened)}"
        home.mkdir()
        (home / "redaction.key").write_bytes(b"k" * 32)
        opened.append(await Database.open(Config(home=home, database_url=await new_database())))
        return kind(opened[-1])

    yield make
    for database in opened:
        await database.close()


@pytest.fixture
def edits():
    """Random edits of the small estate: `edits(files, seed, count)`."""
    return _edits


def _edits(files, seed, count):
    """Random edits of the small estate, each a map of files: variables, prices, owners, new, renamed and removed components and stacks."""
    chance = random.Random(seed)
    stacks = {"dev": "small", "prod": "large"}
    vpc, extra = files["stacks/catalog/vpc.yaml"], ["eks"]
    dev = files["stacks/orgs/dev.yaml"]
    for number in range(count):
        what = chance.choice(("variable", "price", "owner", "stack", "unstack", "rename", "code", "nothing", "mixin"))
        changed = {}
        if what == "variable":
            dev = dev.replace(f"size: {stacks['dev']}", f"size: size-{number}")
            stacks["dev"] = f"size-{number}"
            changed["stacks/orgs/dev.yaml"] = dev
        elif what == "price":
            vpc = files["stacks/catalog/vpc.yaml"].replace("$50", f"${chance.randint(1, 3) * 10}")
            changed["stacks/catalog/vpc.yaml"] = vpc
        elif what == "owner":
            changed["stacks/catalog/vpc.yaml"] = vpc = (
                vpc.replace("Team: platform", "Team: data") if "platform" in vpc else vpc.replace("Team: data", "Team: platform")
            )
        elif what == "stack":
            stacks[f"s{number}"] = ""
            changed[f"stacks/orgs/s{number}.yaml"] = files["stacks/orgs/prod.yaml"].replace("prod", f"s{number}")
        elif what == "unstack" and len(stacks) > 2:
            name = chance.choice([name for name in stacks if name.startswith("s")])
            del stacks[name]
            changed[f"stacks/orgs/{name}.yaml"] = None
        elif what == "rename":
            dev = dev.replace(f"    {extra[-1]}:\n", f"    eks-{number}:\n")
            extra.append(f"eks-{number}")
            changed["stacks/orgs/dev.yaml"] = dev
        elif what == "code":
            changed["components/terraform/eks/main.tf"] = f'variable "size" {{\n  type = string\n}}\n# {number}\n'
        elif what == "mixin":
            changed["stacks/orgs/_defaults.yaml"] = files["stacks/orgs/_defaults.yaml"].replace(
                "acme,", f"acme, edition: e{number % 3},"
            )
        yield changed
