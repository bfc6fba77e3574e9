"""Owners through the real index: evidence of the whole repository, with file and line, counted in the graph."""

import json

import pytest

from catalog.graph.execution import Graph
from catalog.indexer import estates, run
from catalog.records import SYSTEM

CODEOWNERS = """\
* @acme/platform
/infra/stacks/orgs/prod.yaml @acme/data
/infra/components/terraform/eks/ ghost@acme.example
"""
OWNERS = """select s.name, i.name, t.slug, i.owner_source, i.owner_value, i.owner_file, i.owner_line from component_instance i
join stack s on s.id = i.stack_id left join team t on t.id = i.team_id order by 1, 2"""
COVERAGE = """{ estates { nodes { name
  stackOwnership { total owned unowned sources { source count } reasons { reason source value count } }
  instanceOwnership { total owned unowned sources { source count } reasons { reason source value count } } } } }"""


@pytest.fixture
async def repository(catalog, place, git, tmp_path):
    """The small estate in a subdirectory of a Git repository with CODEOWNERS: write and commit, then index."""
    root = tmp_path / "repository"
    root.mkdir()
    place.write({"stacks/catalog/vpc.yaml": "components: {terraform: {vpc: {vars: {enabled: true}}}}\n"})
    place.path.rename(root / "infra")
    (root / ".github").mkdir()
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "estates.yaml").write_text(
        f"estates: [{{name: shop, organization: acme, path: '{root}', directory: infra}}]\n"
    )
    git(root, "init", "-q")

    async def index(codeowners, teams="organizations: [{name: acme}]\nteams: [{slug: platform}, {slug: data}]\n"):
        (root / ".github" / "CODEOWNERS").write_text(codeowners)
        (root / "seeds").mkdir(exist_ok=True)
        (root / "seeds" / "teams.yaml").write_text(teams)
        git(root, "add", ".")
        git(root, "commit", "-qm", "change")
        await estates.register_seeds(catalog.database, catalog.config, tmp_path / "registry")
        return await run.index(catalog.database, catalog.config, "shop")

    return index


async def test_codeowners_of_the_repository_own_what_no_one_else_does(catalog, repository):
    """The manifest's rule beats the folder's beats the rule for all, each with its line, though the estate is a subdirectory."""
    await repository(CODEOWNERS)

    assert await catalog.ask(OWNERS) == [
        ("plat-dev", "eks", "platform", "CODEOWNERS_WILDCARD", "@acme/platform", "../.github/CODEOWNERS", 1),
        ("plat-dev", "vpc", "platform", "CODEOWNERS_WILDCARD", "@acme/platform", "../.github/CODEOWNERS", 1),
        ("plat-prod", "vpc", "data", "CODEOWNERS", "@acme/data", "../.github/CODEOWNERS", 2),
    ]
    assert await catalog.ask("select code, file, line from diagnostic where code like 'OWNER%'") == [
        ("OWNER_UNKNOWN", "../.github/CODEOWNERS", 3)
    ]


async def test_a_change_of_codeowners_alone_changes_owners(catalog, repository):
    """Owners follow CODEOWNERS and the seeds, also where no manifest changed."""
    await repository(CODEOWNERS)
    report = await repository(CODEOWNERS.replace("@acme/data", "@acme/web"))
    assert report.wrote
    assert [row[2] for row in await catalog.ask(OWNERS)] == ["platform", "platform", "web"]

    await repository(
        CODEOWNERS,
        "organizations: [{name: acme}]\nteams: [{slug: platform}, {slug: data, members: [{name: G, email: ghost@acme.example}]}]\n",
    )
    assert [row[2:4] for row in await catalog.ask(OWNERS)] == [
        ("data", "CODEOWNERS"),
        ("platform", "CODEOWNERS_WILDCARD"),
        ("data", "CODEOWNERS"),
    ]
    assert await catalog.ask("select * from diagnostic where code like 'OWNER%'") == []


async def test_the_graph_counts_who_owns_what_and_why_nobody_does(catalog, repository):
    """Owned and unowned add up; sources are counted in order, and each reason of having no owner with the words that name nobody."""
    await repository(CODEOWNERS.replace("*", "/docs/*"))

    (estate,) = (await ask(catalog, COVERAGE))["estates"]["nodes"]

    assert estate["instanceOwnership"] == {
        "total": 3, "owned": 1, "unowned": 2, "sources": [{"source": "CODEOWNERS", "count": 1}],
        "reasons": [
            {"reason": "NO_EVIDENCE", "source": None, "value": None, "count": 1},
            {"reason": "UNKNOWN_OWNER", "source": "CODEOWNERS", "value": "ghost@acme.example", "count": 1},
        ],
    }  # fmt: skip
    assert estate["stackOwnership"]["unowned"] == 1
    rows = await ask(
        catalog,
        "{ componentInstances(where: {hasOwner: false}) { nodes { name ownership { value } unowned { reason value location { file line } } } } }",
    )
    assert sorted((row["name"], row["ownership"], row["unowned"]["reason"], row["unowned"]["location"]) for row in rows["componentInstances"]["nodes"]) == [
        ("eks", None, "UNKNOWN_OWNER", {"file": "../.github/CODEOWNERS", "line": 3}), ("vpc", None, "NO_EVIDENCE", None),
    ]  # fmt: skip


async def ask(catalog, document):
    """What the graph answers to somebody who sees everything."""
    response = await Graph(catalog.database, catalog.config).execute(document, {}, None, SYSTEM)
    return json.loads(response.body)["data"]
