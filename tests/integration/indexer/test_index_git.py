import json

import pytest

from catalog.config import Config
from catalog.errors import NotFound
from catalog.indexer import estates, run
from catalog.store.database import Database

TABLES = ("stack", "component", "component_instance", "config", "dependency", "environment", "tenant", "team", "service", "service_instance",
          "cost_estimate", "manifest", "manifest_import", "workflow")  # fmt: skip


@pytest.fixture
def origin(place, git):
    """The estate as a Git repository with one commit."""
    git(place.path, "init", "--quiet")
    git(place.path, "add", ".")
    git(place.path, "commit", "--quiet", "-m", "first")
    return place


async def test_a_repository_is_read_at_a_revision(catalog, origin, files, git):
    """A Git estate is read at what its branch is at, or at a revision; number, author and time are the commit's."""
    first = git(origin.path, "rev-parse", "HEAD")
    origin.write({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("size: small", "size: large")})
    git(origin.path, "commit", "--quiet", "-am", "second")

    old = await catalog.index(f"file://{origin.path}", revision=first, name="shop")
    new = await run.index(catalog.database, catalog.config, "shop")

    assert (old.number, old.revision, new.number, new.changed) == (1, first, 2, 1)
    ((author, revision, ref),) = await catalog.ask("select author, revision, ref from index_run where id = $1", new.run_id)
    assert (author, revision, ref) == ("Ada <ada@acme.example>", git(origin.path, "rev-parse", "HEAD"), "main")
    assert await catalog.ask("select ref, from_number, to_number from instance_version where to_number is not null") == [
        ("main", 1, 2)
    ]
    assert await catalog.ask("select kind, writable, url from estate") == [("git", True, f"file://{origin.path}")]


async def test_an_unknown_revision_is_not_found(catalog, origin):
    """Asking for a revision that the repository doesn't have raises NotFound and writes no run."""
    with pytest.raises(NotFound):
        await catalog.index(f"file://{origin.path}", revision="f" * 40, name="shop")

    assert await catalog.ask("select count(*) from index_run") == [(0,)]


async def test_memory_makes_no_difference(catalog, origin, files, git, new_database, tmp_path):
    """A process that remembers its last reading writes the same rows as one that reads everything anew, edit after edit."""
    other = await Database.open(Config(home=tmp_path / "other", database_url=await new_database()))
    memory = run.Memory()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "redaction.key").write_bytes(b"k" * 32)
    catalog.config.redaction_key_file.write_bytes(b"k" * 32)
    edits = [
        {}, {"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("small", "large")}, {"stacks/catalog/vpc.yaml": files["stacks/catalog/vpc.yaml"].replace("$50", "$60")},
        {"components/terraform/eks/main.tf": 'variable "size" {\n  type = number\n}\n'}, {"seeds/teams.yaml": "organizations: [{name: acme}]\n"},
        {"stacks/orgs/qa.yaml": files["stacks/orgs/prod.yaml"].replace("prod", "qa")},
    ]  # fmt: skip
    try:
        for number, edit in enumerate(edits):
            origin.write(edit)
            git(origin.path, "add", ".")
            git(origin.path, "commit", "--quiet", "--allow-empty", "-m", f"edit {number}")
            await catalog.index(f"file://{origin.path}", name="shop", memory=memory, confirmed=True)
        await estates.register(other, other.config, f"file://{origin.path}", name="shop")
        await run.index(other, other.config, "shop")
        for table in TABLES:
            kept = "where removed_at is null" if table in {"stack", "component", "component_instance"} else ""
            live = (
                "where hash in (select config_hash from component_instance where removed_at is null)" if table == "config" else kept
            )
            statement = f"select (to_jsonb(t) - '{{changed_at,version}}'::text[])::text from {table} t {live} order by 1"
            mine = await catalog.ask(statement)
            async with other.connection() as connection:
                theirs = [tuple(row) for row in await connection.fetch(statement)]
            assert mine == theirs, table
    finally:
        await other.close()


async def test_what_was_read_last_is_not_read_again_even_by_another_process(catalog, origin):
    """A revision that the catalog holds is told without reading it, with the same counts; what counts beside the revision is noticed."""
    looks: list[str] = []

    async def again():
        looks.clear()
        return await run.index(
            catalog.database, catalog.config, "shop", memory=run.Memory(), progress=lambda _done, _total, what: looks.append(what)
        )

    first = await catalog.index(f"file://{origin.path}", name="shop")
    same = await again()
    unread = list(looks)
    catalog.config.redaction_key_file.write_bytes(b"another key that hashes otherwise")
    await again()

    assert (same.unchanged, same.stacks, same.manifests, same.wrote) == (first.added, first.stacks, first.manifests, False)
    assert (same.diagnostics, same.revision, same.unread) == (first.diagnostics, first.revision, first.unread)
    assert unread == []
    assert looks != []


async def test_seeds_register_estates_and_managed_repositories(catalog, place):
    """estates.yaml registers each estate; a managed one is copied into a repository of the catalog's own and the directory stays as it is."""
    place.write(
        {
            "seeds/estates.yaml": "estates: [{name: main, organization: acme, path: '..', managed: true, include: [atmos.yaml, stacks, components, seeds]}]\n"
        }
    )

    names = await estates.register_seeds(catalog.database, catalog.config, place.path / "seeds")
    report = await run.index(catalog.database, catalog.config)
    again = await estates.register_seeds(catalog.database, catalog.config, place.path / "seeds")

    assert (names, again, report.estate, report.number) == (("main",), ("main",), "main", 1)
    ((kind, path, url, writable),) = await catalog.ask("select kind, path, url, writable from estate")
    assert (kind, path, url, writable) == ("git", str(catalog.config.repositories / "main.git"), None, True)
    assert not (place.path / ".git").exists()
    values = json.loads((await catalog.ask("select workflows::text from estate"))[0][0])
    assert values == {}


async def test_several_configurations_of_one_directory_are_several_estates(catalog, place, files):
    """Each --config-path gives an estate of its own, named after it."""
    place.remove("atmos.yaml")
    here = files["atmos.yaml"].replace('base_path: "."', 'base_path: "../../"')
    place.write({"config/one/atmos.yaml": here, "config/two/atmos.yaml": here.replace("orgs/**/*", "orgs/dev*")})

    one = await catalog.index(place.path, config_path="config/one")
    two = await catalog.index(place.path, config_path="config/two")

    assert (one.estate, one.stacks, two.estate, two.stacks) == ("shop-one", 2, "shop-two", 1)
    assert await catalog.ask("select name, kind, writable, config_path from estate order by 1") == [
        ("shop-one", "directory", False, "config/one"), ("shop-two", "directory", False, "config/two"),
    ]  # fmt: skip
