"""`provenance(path:)`: every file and line that set a value, as of what was indexed, without secrets and without files of others."""

from __future__ import annotations

import json
import shutil

import pytest

from catalog.graph.execution import Graph
from catalog.indexer import run
from catalog.records import SYSTEM, GrantScope, PrincipalKind, Role, Scope

ASK = """query($stack: String!, $component: String!, $path: String!, $asOf: AsOfInput) {
  componentInstance(stack: $stack, component: $component, asOf: $asOf) {
  vars provenance(path: $path) { value layer component importChain location { file line url } } } }"""


@pytest.fixture
def origin(place, git):
    """The estate as a Git repository with one commit."""
    git(place.path, "init", "--quiet")
    git(place.path, "add", ".")
    git(place.path, "commit", "--quiet", "-m", "first")
    return place


@pytest.fixture
def asked(catalog):
    """Ask where a value comes from."""
    graph = Graph(catalog.database, catalog.config)

    async def ask(path, stack="plat-dev", component="vpc", scope=SYSTEM, **position):
        response = await graph.execute(
            ASK, {"stack": stack, "component": component, "path": path, "asOf": position or None}, None, scope
        )
        return json.loads(response.body)

    return ask


def told(answer):
    """What an answer says: (value, file:line, layer) a word."""
    assert "errors" not in answer, answer
    return [
        (word["value"], word["location"] and f"{word['location']['file']}:{word['location']['line']}", word["layer"])
        for word in answer["data"]["componentInstance"]["provenance"]
    ]


async def test_every_file_that_set_a_value_is_told_last_first(catalog, origin, files, git, asked):
    """With layer, line and the way of imports; at the revision that was indexed, whatever the repository holds by now."""
    await catalog.index(f"file://{origin.path}", name="shop")
    origin.write({"stacks/catalog/vpc.yaml": "\n\n" + files["stacks/catalog/vpc.yaml"]})
    git(origin.path, "commit", "--quiet", "-am", "not indexed")

    answer = await asked("vars.cidr")

    assert told(answer) == [("10.0.0.0/16", "stacks/catalog/vpc.yaml:5", "component")]
    assert answer["data"]["componentInstance"]["provenance"][0]["importChain"] == [
        "stacks/orgs/dev.yaml",
        "stacks/catalog/vpc.yaml",
    ]
    assert answer["data"]["componentInstance"]["provenance"][0]["component"] == "vpc"
    assert told(await asked("vars.tenant")) == [("plat", "stacks/orgs/_defaults.yaml:1", "global")]
    assert told(await asked("vars.nothing")) == []


async def test_what_was_overridden_is_told_too(catalog, origin, files, git, asked):
    """After a change was indexed, both words stand, the last first."""
    await catalog.index(f"file://{origin.path}", name="shop")
    origin.write({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"] + "    vpc:\n      vars: {cidr: 10.9.0.0/16}\n"})
    git(origin.path, "commit", "--quiet", "-am", "second")
    await run.index(catalog.database, catalog.config, "shop")

    assert told(await asked("vars.cidr")) == [
        ("10.9.0.0/16", "stacks/orgs/dev.yaml:9", "component"),
        ("10.0.0.0/16", "stacks/catalog/vpc.yaml:5", "component"),
    ]
    assert told(await asked("vars.tags.Team")) == [("platform", "stacks/catalog/vpc.yaml:5", "component")]


async def test_the_past_is_told_as_of_then(catalog, origin, files, git, asked):
    """Below `asOf` the lines are those of the revision that the instance is shown as of."""
    await catalog.index(f"file://{origin.path}", name="shop")
    first = git(origin.path, "rev-parse", "HEAD")
    origin.write({"stacks/catalog/vpc.yaml": "\n\n" + files["stacks/catalog/vpc.yaml"].replace("10.0.0.0", "10.9.0.0")})
    git(origin.path, "commit", "--quiet", "-am", "second")
    await run.index(catalog.database, catalog.config, "shop")

    assert told(await asked("vars.cidr")) == [("10.9.0.0/16", "stacks/catalog/vpc.yaml:7", "component")]
    assert told(await asked("vars.cidr", revision=first)) == [("10.0.0.0/16", "stacks/catalog/vpc.yaml:5", "component")]


async def test_links_lead_to_the_revision(catalog, origin, git, asked):
    """Where the estate knows its Git host."""
    await catalog.index(f"file://{origin.path}", name="shop")
    await catalog.ask("update estate set web_url = 'https://git.test/{revision}/{path}#L{line}'")

    word = (await asked("vars.cidr"))["data"]["componentInstance"]["provenance"][0]

    assert word["location"]["url"] == f"https://git.test/{git(origin.path, 'rev-parse', 'HEAD')}/stacks/catalog/vpc.yaml#L5"


async def test_no_secret_is_told(catalog, origin, files, git, asked):
    """A key that says so, a variable that Terraform marks, a function that fetches one: overridden words too; the mark is the document's."""
    origin.write(
        {
            "stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"]
            + "    vpc:\n      vars: {cidr: null, plain: x, nested: {api_token: {a: hunter4}}}\n",
            "stacks/catalog/vpc.yaml": files["stacks/catalog/vpc.yaml"].replace("enabled: true, cidr: 10.0.0.0/16", "enabled: true, cidr: hunter3, plain: !store s vpc hunter5"),
            "components/terraform/vpc/main.tf": 'variable "cidr" {\n  type = string\n  sensitive = true\n}\n',
        }
    )  # fmt: skip
    git(origin.path, "commit", "--quiet", "-am", "secrets")
    await catalog.index(f"file://{origin.path}", name="shop")

    password = await asked("vars.db_password", component="eks")
    answers = [
        password,
        *[await asked(path) for path in ("vars.cidr", "vars.plain", "vars", "vars.nested", "vars.nested.api_token.a")],
    ]

    assert "hunter" not in json.dumps(answers)
    word = password["data"]["componentInstance"]["provenance"][0]
    assert word["value"] == password["data"]["componentInstance"]["vars"]["db_password"]
    assert told(answers[2])[0][0] == "x"
    assert all("$redacted" in value for value in (told(answers[1])[1][0], told(answers[2])[1][0], told(answers[5])[0][0]))


async def test_a_stack_that_broke_is_told_of_as_it_was(catalog, origin, files, git, asked):
    """What is shown is the last good version; so is where it came from."""
    await catalog.index(f"file://{origin.path}", name="shop")
    origin.write({"stacks/orgs/dev.yaml": "import: [\n"})
    git(origin.path, "commit", "--quiet", "-am", "broken")
    await run.index(catalog.database, catalog.config, "shop")
    assert await catalog.ask("select distinct state from stack where name = 'plat-dev'") == [("STALE",)]

    assert told(await asked("vars.size", component="eks")) == [("small", "stacks/orgs/dev.yaml:6", "component")]


async def test_files_that_the_viewer_may_not_see_are_left_out(catalog, origin, files, git, asked):
    """Who sees an instance by its team, and not its stack, sees no manifest; the words of these are not told."""
    origin.write({"stacks/catalog/vpc.yaml": files["stacks/catalog/vpc.yaml"].replace("Team: platform", "Team: data")})
    git(origin.path, "commit", "--quiet", "-am", "owned by others")
    await catalog.index(f"file://{origin.path}", name="shop")
    ((team,),) = await catalog.ask("select id from team where slug = 'data'")
    data = Scope(
        principal_id=None,
        name="data",
        email=None,
        kind=PrincipalKind.PERSON,
        grants=(GrantScope(role=Role.VIEWER, teams=frozenset({team}), tenants=None),),
        member_of=frozenset({team}),
    )

    assert told(await asked("vars.cidr")) != []
    assert told(await asked("vars.cidr", scope=data)) == []


async def test_a_directory_is_told_of_as_it_lies_there(catalog, place, files, asked):
    """There is no revision to go back to."""
    await catalog.index(place.path, name="shop")
    place.write({"stacks/catalog/vpc.yaml": "\n\n" + files["stacks/catalog/vpc.yaml"]})

    assert told(await asked("vars.cidr")) == [("10.0.0.0/16", "stacks/catalog/vpc.yaml:7", "component")]


async def test_files_that_are_gone_are_an_error_at_the_field(catalog, place, asked):
    """It names no place of the machine."""
    await catalog.index(place.path, name="shop")
    shutil.rmtree(place.path / "stacks")

    answer = await asked("vars.cidr")

    assert answer["data"] == {"componentInstance": None}
    assert [(error["extensions"]["code"], error["path"]) for error in answer["errors"]] == [
        ("NOT_RESOLVED", ["componentInstance", "provenance"])
    ]
    assert str(place.path) not in json.dumps(answer)


async def test_a_path_that_is_none_is_refused(catalog, place, asked):
    """With the code of bad input."""
    await catalog.index(place.path, name="shop")

    for path in ("", "x" * 1001):
        assert (await asked(path))["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_odd_paths_lead_nowhere(catalog, place, asked):
    """They are answered with nothing."""
    await catalog.index(place.path, name="shop")

    for path in ("[0]", ".", "..a", "vars[", "vars[x]", "vars.tags[0].x", "components.terraform", "é\u0000", f"vars[{10**20}]"):
        assert told(await asked(path)) == []


async def test_the_past_of_a_directory_is_not_told_by_the_present(catalog, place, files, asked):
    """Its files are as they are now: of an earlier reading nothing is said rather than something else."""
    first = await catalog.index(place.path, name="shop")
    place.write({"stacks/catalog/vpc.yaml": files["stacks/catalog/vpc.yaml"].replace("10.0.0.0", "10.9.0.0")})
    await catalog.index(place.path, name="shop")

    assert told(await asked("vars.cidr")) == [("10.9.0.0/16", "stacks/catalog/vpc.yaml:5", "component")]
    answer = await asked("vars.cidr", run=first.run_id)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["NOT_RESOLVED"]
