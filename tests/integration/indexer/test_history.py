"""History by positions: what versions say of every position equals what a catalog says that was indexed at that revision alone."""

import random

import pytest

from catalog.errors import Invalid, NotFound
from catalog.indexer import estates, run
from catalog.records import IndexRunState

# What the versions of a position say of instances and stacks, without the moments that differ between catalogs.
INSTANCES = """
select i.id, coalesce(v.row, to_jsonb(i)) - '{changed_at,removed_at,state}'::text[],
    case when v.row is null then (select to_jsonb(c) from cost_estimate c where c.id = i.cost_estimate_id) else v.estimate end,
    case when v.row is null
    then coalesce((select jsonb_agg(to_jsonb(d) order by d.target_id, d.via) from dependency d where d.source_id = i.id), '[]')
    else v.edges end, v.content_hash, v.config_hash, c.document
from instance_version v join component_instance i on i.id = v.instance_id join config c on c.hash = v.config_hash
where v.ref = $1 and v.from_number <= $2 and (v.to_number is null or v.to_number > $2) order by 1
"""
STACKS = """
select s.id, coalesce(v.row, to_jsonb(s)) - '{removed_at,state,content_hash}'::text[], v.content_hash
from stack_version v join stack s on s.id = v.stack_id
where v.ref = $1 and v.from_number <= $2 and (v.to_number is null or v.to_number > $2) order by 1
"""
CHANGES = """
select revision, kind, stack_name, component_name, previous_id, "values", author, at from "change" order by 1, 2, 3, 4
"""


async def held(catalog, ref, number):
    """What a catalog says of a position."""
    return await catalog.ask(INSTANCES, ref, number), await catalog.ask(STACKS, ref, number)


@pytest.mark.parametrize("seed", range(2))
async def test_the_past_in_any_order_is_what_it_was(catalog, another, branch, files, edits, seed):
    """Whatever the order in which revisions are read, every position and every change is told as if they had come one by one."""
    for edit in edits(files, seed, 8):
        branch.commit(edit)
    order = list(branch.revisions)
    random.Random(seed).shuffle(order)
    await catalog.index(branch.url, name="shop")
    one_by_one = await another()

    for revision in order:
        report = await catalog.index(branch.url, name="shop", revision=revision)
        assert report.state is IndexRunState.SUCCEEDED, report.error
    for revision in branch.revisions:
        await one_by_one.index(branch.url, name="shop", revision=revision, confirmed=True)

    for number, revision in enumerate(branch.revisions, start=1):
        alone = await another()
        await alone.index(branch.url, name="shop", revision=revision)
        expected = await held(alone, "main", number)
        assert await held(catalog, "main", number) == expected, revision
        assert await held(one_by_one, "main", number) == expected, revision
    assert await catalog.ask(CHANGES) == await one_by_one.ask(CHANGES)


async def test_telling_the_past_leaves_the_present_alone(catalog, branch, files, edits):
    """Reading earlier revisions writes versions, changes and runs; no row of the present moves."""
    for edit in edits(files, 7, 6):
        branch.commit(edit)
    await catalog.index(branch.url, name="shop")
    told = {"instance_version", "stack_version", "change", "index_run", "config"}
    before = {row for row in await catalog.rows() if row[0] not in told}

    reports = [await catalog.index(branch.url, name="shop", revision=revision) for revision in branch.revisions[:-1]]

    assert all(report.backfill for report in reports)
    after = {row for row in await catalog.rows() if row[0] not in told}
    assert before <= after
    gone = await catalog.ask(
        "select state from component_instance where id not in (select instance_id from instance_version where to_number is null)"
    )
    assert {state for (state,) in gone} <= {"REMOVED"}


async def test_a_range_is_read_once(catalog, branch, files, edits):
    """A range reads the revisions after its start up to the tip, each once; asked again it reads nothing."""
    for edit in edits(files, 3, 5):
        branch.commit(edit)
    await catalog.index(branch.url, name="shop")

    first = [report async for report in run.index_range(catalog.database, catalog.config, "shop", branch.revisions[1])]
    again = [report async for report in run.index_range(catalog.database, catalog.config, "shop", branch.revisions[1])]

    assert [(report.number, report.backfill) for report in first] == [(3, True), (4, True), (5, True)]
    assert again == []
    with pytest.raises(NotFound):
        [report async for report in run.index_range(catalog.database, catalog.config, "shop", "f" * 40)]


async def test_a_range_that_the_branch_never_was_at_is_refused(catalog, branch, files):
    """A range must begin on the branch: what lies aside has no way to its tip."""
    await catalog.index(branch.url, name="shop")
    branch.git("checkout", "--quiet", "--orphan", "other")
    stranger = branch.commit({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("small", "aside")})
    with pytest.raises(Invalid, match="not on the way"):
        [report async for report in run.index_range(catalog.database, catalog.config, "shop", stranger)]


async def test_a_revision_aside_is_a_line_of_its_own(catalog, another, branch, files):
    """A revision that the branch never was at is told on a line of its own; neither the present nor the changes move."""
    await catalog.index(branch.url, name="shop")
    branch.git("checkout", "--quiet", "-b", "feature")
    branch.commit({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("small", "aside")})
    revision = branch.commit({"stacks/orgs/qa.yaml": files["stacks/orgs/prod.yaml"].replace("prod", "qa")})
    changes = await catalog.ask(CHANGES)

    report = await catalog.index(branch.url, name="shop", revision=revision)
    again = await catalog.index(branch.url, name="shop", revision=revision)

    assert (report.backfill, report.number, again.wrote) == (True, 3, False)
    assert await catalog.ask("select count(*) from stack where state <> 'REMOVED'") == [(2,)]
    assert await catalog.ask(CHANGES) == changes
    instances, stacks = await held(catalog, revision, 3)
    assert (len(instances), len(stacks)) == (4, 3)
    branch.git("branch", "--force", "main", revision)
    there = await another()
    await there.index(branch.url, name="shop")
    assert await held(there, "main", 3) == (instances, stacks)


async def test_a_rewritten_branch_keeps_what_it_was(catalog, another, branch, files):
    """After a force push the branch says what it says now; what it was goes on being told on a line of its own."""
    shared = branch.commit({"stacks/orgs/qa.yaml": files["stacks/orgs/prod.yaml"].replace("prod", "qa")})
    await catalog.index(branch.url, name="shop", revision=branch.revisions[0])
    await catalog.index(branch.url, name="shop", revision=shared)
    old = [
        branch.commit({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("small", word)}) for word in ("old", "older")
    ]
    old.append(branch.commit({"stacks/orgs/qa.yaml": None}))
    told = {}
    for number, revision in enumerate(old, start=3):
        await catalog.index(branch.url, name="shop", revision=revision, confirmed=True)
        told[number] = await held(catalog, "main", number)
    known = {number: await held(catalog, "main", number) for number in (1, 2)}
    branch.git("reset", "--quiet", "--hard", shared)
    new = [
        branch.commit({"stacks/catalog/vpc.yaml": files["stacks/catalog/vpc.yaml"].replace("$50", f"${price}")})
        for price in (70, 80)
    ]

    report = await catalog.index(branch.url, name="shop", revision=new[1], confirmed=True)
    await catalog.index(branch.url, name="shop", revision=new[0])

    aside = f"main@{old[-1][:12]}"
    assert (report.state, report.backfill, report.number) == (IndexRunState.SUCCEEDED, False, 4)
    for number, expected in told.items():
        assert await held(catalog, aside, number) == expected
    for number, expected in known.items():
        assert await held(catalog, "main", number) == expected
    for number, revision in enumerate(new, start=3):
        alone = await another()
        await alone.index(branch.url, name="shop", revision=revision)
        assert await held(catalog, "main", number) == await held(alone, "main", number)
    assert await catalog.ask("select distinct ref from index_run where revision = any($1::text[])", old) == [(aside,)]


async def test_a_rewound_branch_is_what_it_was_again(catalog, branch, files):
    """A branch that is set back to an earlier commit says what it said there."""
    await catalog.index(branch.url, name="shop")
    expected = await held(catalog, "main", 1)
    branch.commit({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("small", "large")})
    await run.index(catalog.database, catalog.config, "shop")
    branch.git("reset", "--quiet", "--hard", branch.revisions[0])

    report = await run.index(catalog.database, catalog.config, "shop")

    assert (report.number, report.changed) == (1, 1)
    assert await held(catalog, "main", 1) == expected
    assert len((await held(catalog, f"main@{branch.revisions[1][:12]}", 2))[0]) == 3


async def test_another_branch_goes_on_from_where_it_is(catalog, branch, files):
    """When an estate follows another branch, its versions go on there; the old branch keeps what it was."""
    await catalog.index(branch.url, name="shop")
    before = await held(catalog, "main", 1)
    branch.git("checkout", "--quiet", "-b", "release")
    branch.commit({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("small", "large")})
    await catalog.ask("update estate set ref = 'release'")

    report = await run.index(catalog.database, catalog.config, "shop")
    branch.commit({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("small", "huge")})
    more = await run.index(catalog.database, catalog.config, "shop")

    assert (report.number, report.changed, more.number, more.changed) == (2, 1, 3, 1)
    assert await held(catalog, "main", 1) == before
    for number, size in ((2, "large"), (3, "huge")):
        instances, stacks = await held(catalog, "release", number)
        assert (len(instances), len(stacks)) == (3, 2)
        assert any(f'"size": "{size}"' in row[-1] for row in instances)


async def test_a_plain_directory_has_no_range(catalog, place):
    """A directory has no history to read."""
    await catalog.index(place.path, name="shop")
    with pytest.raises(Invalid, match="no history"):
        [report async for report in run.index_range(catalog.database, catalog.config, "shop", "HEAD~1")]
    assert (await catalog.ask("select kind from estate"))[0][0] == estates.DIRECTORY
