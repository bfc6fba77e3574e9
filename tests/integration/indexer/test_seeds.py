"""Seeds through the real index: what they say comes in, breaks without harm, and is not another estate's to overwrite."""

import logging
from dataclasses import replace

import pytest

from catalog import errors
from catalog.access import principals
from catalog.indexer import estates, run
from catalog.records import Role

TEAMS = "select slug, title, email, file, line from team order by slug"
DIAGNOSTICS = "select severity, code, file, line from diagnostic where code like 'SEED%' order by 2, 3"
ESTATE = {
    "atmos.yaml": 'base_path: "."\ncomponents: {terraform: {base_path: components/terraform}}\nstacks: {base_path: stacks, included_paths: ["*"], name_pattern: "{tenant}-{stage}"}\n',
    "stacks/one.yaml": "vars: {namespace: acme, tenant: other, stage: dev}\ncomponents: {terraform: {vpc: {vars: {tags: {Team: Data Wranglers}}}}}\n",
}
SAID = """\
organizations: [{name: acme, currency: EUR, default_team: platform}]
teams:
  - {slug: platform, title: Platform, email: platform@acme.example, budget: "100/month"}
  - {slug: data, title: Data Wranglers}
"""
GRANTS = """select p.email, p.name, p.kind, g.role, g.teams, g.tenants, g.seeded from principal p join principal_grant g on g.principal_id = p.id
order by p.email, g.id"""


def write(directory, files):
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


# ── last good versions ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_seed_file_that_breaks_leaves_what_it_said(catalog, place):
    """A broken file is an error with file and line; what it said stays, now and when the catalog's own memory of it is lost."""
    await catalog.index(place.path, name="shop")
    before = await catalog.ask(TEAMS)
    people = await catalog.ask("select * from person")
    place.write(
        {
            "seeds/teams.yaml": "organizations: [{name: acme}]\nteams:\n  - {title: No slug}\n",
            "stacks/orgs/more.yaml": "vars: {tenant: plat, stage: qa}\n",
        }
    )

    report = await catalog.index(place.path, name="shop")

    assert (report.error, await catalog.ask(TEAMS), await catalog.ask("select * from person")) == (None, before, people)
    assert await catalog.ask(DIAGNOSTICS) == [("ERROR", "SEED_BROKEN", "seeds/teams.yaml", 3)]

    (catalog.config.home / "seeds" / "shop" / "teams.yaml").unlink()
    report = await catalog.index(place.path, name="shop")
    assert (report.error, await catalog.ask(TEAMS), await catalog.ask("select * from person")) == (None, before, people)

    place.write({"seeds/teams.yaml": "organizations: [{name: acme}]\nteams: [{slug: data}]\n"})
    await catalog.index(place.path, name="shop")
    assert [row[0] for row in await catalog.ask(TEAMS)] == ["data", "platform"]
    assert await catalog.ask(DIAGNOSTICS) == await catalog.ask("select * from person") == []


async def test_seeds_of_the_past_are_not_what_the_present_falls_back_on(catalog, place, git):
    """Reading an older revision leaves the present's last good seeds alone: a file that breaks later says what it said last."""
    git(place.path, "init", "-q")
    for text in ("old", "new"):
        place.write({"seeds/teams.yaml": f"organizations: [{{name: acme}}]\nteams: [{{slug: platform, title: {text}}}]\n"})
        git(place.path, "add", ".")
        git(place.path, "commit", "-qm", text)
    first = git(place.path, "rev-parse", "HEAD~1")
    name = await estates.register(catalog.database, catalog.config, str(place.path), revision="main")
    await run.index(catalog.database, catalog.config, name)
    await run.index(catalog.database, catalog.config, name, revision=first)
    place.write({"seeds/teams.yaml": "teams: [\n", "stacks/orgs/more.yaml": "vars: {tenant: plat, stage: qa}\n"})
    git(place.path, "commit", "-qam", "broken")

    report = await run.index(catalog.database, catalog.config, name)

    assert (report.error, await catalog.ask("select title from team")) == (None, [("new",)])


async def test_budgets_of_teams_and_tenants_come_in(catalog, place):
    """A budget is an amount a month in the organisation's currency; a range is none, with its line."""
    place.write(
        {
            "seeds/teams.yaml": 'organizations: [{name: acme, currency: EUR}]\nteams:\n  - {slug: platform, budget: "1,200/year"}\n  - slug: data\n    budget: "$50-$100"\n',
            "seeds/tenants.yaml": 'tenants: [{name: plat, title: Products, budget: "$9,000/month"}]\n',
        }
    )

    await catalog.index(place.path, name="shop")

    assert await catalog.ask("select slug, budget, budget_currency from team order by 1") == [
        ("data", None, None),
        ("platform", 100, "EUR"),
    ]
    assert await catalog.ask("select name, title, budget, budget_currency from tenant where not hidden") == [
        ("plat", "Products", 9000, "USD")
    ]
    assert await catalog.ask(DIAGNOSTICS) == [("ERROR", "SEED_VALUE", "seeds/teams.yaml", 5)]


# ── whose word counts ────────────────────────────────────────────────────────────────────────────────────────────────────


async def register(catalog, path, name, organization):
    """Register a directory as an estate of an organisation."""
    seeds = write(
        path.parent / f"{name}-registry",
        {"estates.yaml": f"estates: [{{name: {name}, organization: {organization}, path: '{path}'}}]\n"},
    )
    await estates.register_seeds(catalog.database, catalog.config, seeds)
    return name


@pytest.fixture
async def two(catalog, tmp_path):
    """Two estates with seeds of their own that both speak of acme: the first is at home there, so is the second where asked."""

    async def make(organization):
        first = await register(catalog, write(tmp_path / "first", {**ESTATE, "seeds/teams.yaml": SAID}), "first", "acme")
        second = write(
            tmp_path / "second", {**ESTATE, "seeds/teams.yaml": SAID.replace("Platform", "Impostors").replace("data", "other")}
        )
        return first, await register(catalog, second, "second", organization)

    return make


@pytest.mark.parametrize("organization", ["acme", "globex"])
async def test_two_estates_never_overwrite_each_others_teams(catalog, two, organization):
    """The estate at home, of two at home the first, speaks for an organisation; the other's word is a warning with its line, and its
    stacks are owned by the teams that there are.
    """
    first, second = await two(organization)
    await run.index(catalog.database, catalog.config, first)
    before = await catalog.ask(TEAMS)

    report = await run.index(catalog.database, catalog.config, second)

    assert report.error is None
    assert await catalog.ask(TEAMS) == before == [
        ("data", "Data Wranglers", None, "seeds/teams.yaml", 4),
        ("platform", "Platform", "platform@acme.example", "seeds/teams.yaml", 3),
    ]  # fmt: skip
    assert await catalog.ask(DIAGNOSTICS) == [("WARNING", "SEEDS_FOREIGN", "seeds/teams.yaml", 1)]
    assert await catalog.ask(
        "select distinct t.slug, i.owner_source from component_instance i join team t on t.id = i.team_id"
    ) == [("data", "TAG")]
    again = [await run.index(catalog.database, catalog.config, name) for name in (first, second, first)]
    assert [item.wrote for item in again] == [False, False, False]


async def test_the_estate_at_home_takes_over_from_a_stranger(catalog, two):
    """Whoever was indexed first, the organisation is spoken for by the estate at home."""
    first, second = await two("globex")

    await run.index(catalog.database, catalog.config, second)
    await run.index(catalog.database, catalog.config, first)
    await run.index(catalog.database, catalog.config, second)

    assert [row[:2] for row in await catalog.ask(TEAMS)] == [("data", "Data Wranglers"), ("platform", "Platform")]
    assert await catalog.ask(
        "select e.name from organization o join estate e on e.id = o.seeds_estate_id where o.name = 'acme'"
    ) == [("first",)]


async def test_who_no_longer_speaks_leaves_the_word_to_another(catalog, two, tmp_path):
    """When the estate that spoke first says nothing any more, the other one's seeds count."""
    first, second = await two("acme")
    await run.index(catalog.database, catalog.config, first)
    await run.index(catalog.database, catalog.config, second)
    (tmp_path / "first" / "seeds" / "teams.yaml").unlink()

    await run.index(catalog.database, catalog.config, first)
    await run.index(catalog.database, catalog.config, second)

    assert ("platform", "Impostors", "platform@acme.example") in [row[:3] for row in await catalog.ask(TEAMS)]
    assert await catalog.ask(DIAGNOSTICS) == []


async def test_an_estate_without_seeds_makes_no_team_over_a_seeded_one(catalog, two, tmp_path):
    """A tag that names a team of another estate's seeds means that team, by any of its names."""
    first, _ = await two("acme")
    await run.index(catalog.database, catalog.config, first)
    before = await catalog.ask(TEAMS)

    await catalog.index(write(tmp_path / "third", ESTATE))

    assert await catalog.ask(TEAMS) == before
    assert await catalog.ask(
        "select t.slug from component_instance i join estate e on e.id = i.estate_id join team t on t.id = i.team_id where e.name = 'third'"
    ) == [("data",)]


# ── principals ───────────────────────────────────────────────────────────────────────────────────────────────────────────

PEOPLE = """\
organizations: [{name: acme}]
teams: [{slug: platform}, {slug: data}]
principals:
  - {email: Ada@acme.example, name: Ada, role: approver, teams: [platform], tenants: [core], members: [platform]}
  - {email: ci@acme.example, kind: service, role: requester}
"""


@pytest.fixture
async def registry(catalog, tmp_path):
    """Seeds that the whole catalog reads: write teams.yaml and register."""
    catalog.config = replace(catalog.config, seeds=tmp_path / "seeds")

    async def register_as(text):
        write(tmp_path / "seeds", {"teams.yaml": text})
        await estates.register_seeds(catalog.database, catalog.config)

    return register_as


async def test_principals_of_the_seeds_get_what_is_written_there(catalog, registry):
    """Principals are made with their grants and memberships before anything is indexed, without tokens; again changes nothing."""
    await registry(PEOPLE)

    grants = await catalog.ask(GRANTS)
    assert [(row[0], row[1], row[2], row[3], len(row[4] or ()), len(row[5] or ()), row[6]) for row in grants] == [
        ("ada@acme.example", "Ada", "PERSON", "APPROVER", 1, 1, True), ("ci@acme.example", "ci@acme.example", "SERVICE", "REQUESTER", 0, 0, True),
    ]  # fmt: skip
    assert await catalog.ask(
        "select p.email, t.slug from team_member m join principal p on p.id = m.principal_id join team t on t.id = m.team_id"
    ) == [("ada@acme.example", "platform")]
    assert await catalog.ask("select count(*) from access_token") == [(0,)]
    ids = await catalog.ask("select id from principal_grant order by 1")
    await registry(PEOPLE)
    assert (await catalog.ask(GRANTS), await catalog.ask("select id from principal_grant order by 1")) == (grants, ids)


async def test_what_the_seeds_say_of_a_principal_changes_there_and_nowhere_else(catalog, registry):
    """A changed role is the new one; a command can't change it; one that is disabled stays so."""
    await registry(PEOPLE)
    async with catalog.database.session() as session:
        with pytest.raises(errors.Conflict, match="seeds"):
            await principals.add(session, "ada@acme.example", Role.ADMIN)
        await principals.disable(session, "ada@acme.example")
        await session.commit()

    await registry(PEOPLE.replace("approver", "viewer"))

    assert await catalog.ask(
        "select role from principal_grant g join principal p on p.id = g.principal_id where email like 'ada%'"
    ) == [("VIEWER",)]
    assert await catalog.ask("select email from principal where disabled_at is not null") == [("ada@acme.example",)]


async def test_nobody_is_shut_out_silently(catalog, registry, caplog):
    """Whom the seeds no longer name, or whose file is broken, keeps what they may; the first is told and then a command's to change."""
    await registry(PEOPLE)
    before = await catalog.ask(GRANTS)
    await registry("principals: [\n")
    assert await catalog.ask(GRANTS) == before

    with caplog.at_level(logging.WARNING):
        await registry("\n".join(PEOPLE.splitlines()[:-1]))

    assert [row[:-1] for row in await catalog.ask(GRANTS)] == [row[:-1] for row in before]
    assert "ci@acme.example is no longer among the principals" in caplog.text
    async with catalog.database.session() as session:
        await principals.add(session, "ci@acme.example", Role.VIEWER)
        await session.commit()
    assert ("ci@acme.example", "VIEWER") in [(row[0], row[3]) for row in await catalog.ask(GRANTS)]


async def test_a_principal_that_cannot_be_understood_is_left_out_alone(catalog, registry, caplog):
    """An unknown team or what is no address is told with its line; the other principals are written."""
    with caplog.at_level(logging.WARNING):
        await registry(PEOPLE + "  - {email: eve@acme.example, teams: [plattform]}\n  - {email: nobody}\n")

    assert [row[0] for row in await catalog.ask(GRANTS)] == ["ada@acme.example", "ci@acme.example"]
    assert "seeds/teams.yaml:6" in caplog.text
    assert "seeds/teams.yaml:7" in caplog.text


async def test_an_estates_own_seeds_make_no_principals(catalog, place):
    """Who may use the catalog is not for an estate's repository to say: its principals are a warning with their line."""
    place.write({"seeds/teams.yaml": PEOPLE})

    await catalog.index(place.path)

    assert await catalog.ask("select count(*) from principal") == [(0,)]
    assert await catalog.ask(DIAGNOSTICS) == [("WARNING", "SEEDS_PRINCIPALS", "seeds/teams.yaml", 4)]
