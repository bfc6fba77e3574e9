import asyncio
import json

from catalog.indexer import run
from catalog.records import IndexRunState
from catalog.values import global_id


async def test_an_estate_becomes_rows(catalog, place):
    """Indexing a directory writes its stacks, instances, components, services and their evidence, and reports the counts."""
    report = await catalog.index(place.path)

    assert (report.state, report.manifests, report.stacks, report.component_instances, report.added) == (
        IndexRunState.SUCCEEDED,
        5,
        2,
        3,
        3,
    )
    assert (report.diagnostics, report.error) == ({"WARNING": 1}, None)  # a password stands in the open
    rows = await catalog.ask(
        """select s.name, i.name, t.slug, i.owner_source, i.monthly, c.path from component_instance i join stack s on s.id = i.stack_id
        join team t on t.id = i.team_id join component c on c.id = i.component_id order by 1, 2"""
    )
    assert rows == [
        ("plat-dev", "eks", "platform", "ORGANIZATION_DEFAULT", None, "components/terraform/eks"),
        ("plat-dev", "vpc", "platform", "TAG", 50, "components/terraform/vpc"),
        ("plat-prod", "vpc", "platform", "TAG", 50, "components/terraform/vpc"),
    ]
    assert await catalog.ask("select name, state, missing from service_instance order by 1") == [
        ("shop-dev", "COMPLETE", []),
        ("shop-prod", "PARTIAL", ["eks"]),
    ]
    assert await catalog.ask("select kind, via from dependency") == [("DECLARED", "dependencies.components[0]")]
    assert await catalog.ask("select name, governed from workflow") == [("plan", False)]


async def test_reindexing_an_unchanged_estate_writes_one_row(catalog, place):
    """Indexing again what has not changed writes one index_run row and the two events that tell of it, and touches nothing else."""
    await catalog.index(place.path)
    before = await catalog.rows()

    report = await catalog.index(place.path)

    assert sorted(row[0] for row in await catalog.rows() - before) == ["index_run", "index_run_event", "index_run_event"]
    assert before <= await catalog.rows()
    assert (report.wrote, report.unchanged, report.added) == (False, 3, 0)


async def test_templates_await_their_engine(catalog, place, files, hcl_engine, template_engine):
    """Where the engine isn't compiled yet a text stays as written and the run says that it must be repeated; then it is rendered."""
    place.write({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("size: small", "size: '{{ .vars.stage | upper }}'")})
    place.write({"atmos.yaml": files["atmos.yaml"] + "templates: {settings: {enabled: true, sprig: {enabled: true}}}\n"})

    before = await catalog.index(place.path, engine=hcl_engine)
    assert (before.unread, before.diagnostics) == (True, {"WARNING": 2})
    again = await catalog.index(place.path, engine=hcl_engine, templates=template_engine)

    assert (again.unread, again.changed, again.diagnostics) == (False, 1, {"WARNING": 1})
    ((values,),) = await catalog.ask("select values from change where run_id = $1", again.run_id)
    assert '"DEV"' in str(values)


async def test_one_edit_writes_what_it_changed(catalog, place, files):
    """After an edit only the instance it touches is written, with a change that names each path before and after, and a new version."""
    await catalog.index(place.path)
    before = {
        row[:2] for row in await catalog.rows() if row[0] in ("component_instance", "stack", "manifest", "component", "service")
    }
    place.write(
        {"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("size: small", "size: large").replace("hunter2", "hunter3")}
    )

    report = await catalog.index(place.path)

    assert (report.changed, report.added, report.removed, report.unchanged) == (1, 0, 0, 2)
    after = {
        row[:2] for row in await catalog.rows() if row[0] in ("component_instance", "stack", "manifest", "component", "service")
    }
    assert sorted(table for table, _ in after - before) == ["component_instance", "manifest", "stack"]
    ((kind, component, values),) = await catalog.ask(
        "select kind, component_name, values from change where run_id = $1", report.run_id
    )
    assert (kind, component) == ("CHANGED", "eks")
    found = {item["path"]: (item["before"], item["after"]) for item in json.loads(values)}
    assert found.pop("vars.size") == ("small", "large")
    ((path, (old, new)),) = found.items()
    assert (path, set(old), set(new), old == new) == ("vars.db_password", {"$redacted"}, {"$redacted"}, False)
    versions = await catalog.ask("select from_number, to_number from instance_version where instance_id = $1 order by 1", eks())
    assert versions == [(1, 2), (2, None)]


def eks(estate="shop", stack="plat-dev"):
    return global_id("ComponentInstance", estate, stack, "TERRAFORM", "eks")


async def test_no_secret_reaches_the_database(catalog, place, files):
    """A password in a manifest is in no table, before or after it changes."""
    await catalog.index(place.path)
    place.write({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("hunter2", "hunter3")})
    await catalog.index(place.path)

    tables = [name for (name,) in await catalog.ask("select quote_ident(tablename) from pg_tables where schemaname = 'public'")]
    for table in tables:
        assert await catalog.ask(f"select 1 from {table} t where t::text like '%hunter%'") == []


async def test_what_is_gone_is_removed_and_revives(catalog, place, files):
    """A stack that disappears is REMOVED with its instances, its services with it; when it reappears it is FRESH again."""
    await catalog.index(place.path)
    place.remove("stacks/orgs/dev.yaml")

    gone = await catalog.index(place.path, confirmed=True)

    assert (gone.state, gone.removed) == (IndexRunState.SUCCEEDED, 2)
    assert await catalog.ask("select name, state, removed_at is null from stack order by 1") == [
        ("plat-dev", "REMOVED", False),
        ("plat-prod", "FRESH", True),
    ]
    assert await catalog.ask("select state from component_instance where id = $1", eks()) == [("REMOVED",)]
    assert await catalog.ask("select name from service_instance") == [("shop-prod",)]
    assert await catalog.ask("select name from environment") == [("prod",)]
    assert await catalog.ask("select count(*) from dependency") == [(0,)]

    place.write({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"]})
    back = await catalog.index(place.path)

    assert back.added == 2
    assert await catalog.ask("select state, removed_at from component_instance where id = $1", eks()) == [("FRESH", None)]
    kinds = await catalog.ask("select kind from change where instance_id = $1 order by at", eks())
    assert kinds == [("ADDED",), ("REMOVED",), ("ADDED",)]
    versions = await catalog.ask("select from_number, to_number from instance_version where instance_id = $1 order by 1", eks())
    assert versions == [(1, 2), (3, None)]


async def test_a_run_that_would_remove_too_much_is_held(catalog, place):
    """More removals than the estate's limit hold the run: nothing is removed or written, and the reason says how many."""
    await catalog.index(place.path)
    place.remove("stacks/orgs/dev.yaml")
    before = await catalog.rows()

    report = await catalog.index(place.path)

    assert report.state is IndexRunState.HELD
    assert report.held_reason == "2 of 3 component instances would be removed, more than the limit of 20 %"
    assert {row[0] for row in await catalog.rows() - before} == {"index_run", "index_run_event"}
    assert await catalog.ask("select count(*) from stack where state = 'FRESH'") == [(2,)]


async def test_a_broken_manifest_keeps_its_last_good_version(catalog, place, files):
    """What a broken manifest held stays, marked STALE, with the diagnostic's file and line at its stack; mended, it is FRESH again."""
    await catalog.index(place.path)
    place.write({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"] + "  broken: [\n"})

    report = await catalog.index(place.path)

    assert (report.state, report.removed) == (IndexRunState.SUCCEEDED, 0)
    assert await catalog.ask("select name, state from stack order by 1") == [("plat-dev", "STALE"), ("plat-prod", "FRESH")]
    assert await catalog.ask("select state from component_instance where id = $1", eks()) == [("STALE",)]
    ((severity, file, line, stack),) = await catalog.ask(
        "select severity, file, d.line, s.name from diagnostic d left join stack s on s.id = d.stack_id"
    )
    assert (severity, file, stack) == ("ERROR", "stacks/orgs/dev.yaml", "plat-dev")
    assert line >= 8

    place.write({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"]})
    mended = await catalog.index(place.path)

    assert (mended.added, mended.changed) == (0, 0)
    assert await catalog.ask("select distinct state from component_instance") == [("FRESH",)]
    assert await catalog.ask("select count(*) from diagnostic where code <> 'SECRET'") == [(0,)]


async def test_a_diagnostic_keeps_since_when_it_was_seen(catalog, place, files):
    """A diagnostic that moves to another line stays the same one, first seen when it was, by the run that saw it."""
    place.write({"stacks/orgs/prod.yaml": files["stacks/orgs/prod.yaml"] + "mdetadata: {}\n"})
    first = await catalog.index(place.path)
    before = await catalog.ask("select id, since, run_id from diagnostic")
    place.write({"stacks/orgs/prod.yaml": "# a line more\n" + files["stacks/orgs/prod.yaml"] + "mdetadata: {}\n"})

    await catalog.index(place.path)

    assert await catalog.ask("select id, since, run_id from diagnostic") == before
    assert before[0][2] == first.run_id
    assert await catalog.ask("select line from diagnostic where code <> 'SECRET'") == [(4,)]


async def test_an_unreadable_configuration_fails_the_run_and_keeps_everything(catalog, place):
    """When atmos.yaml itself can't be read the run has FAILED, says where, and every row stays as it was."""
    await catalog.index(place.path)
    before = await catalog.rows()
    place.write({"atmos.yaml": "stacks: [\n"})

    report = await catalog.index(place.path)

    assert report.state is IndexRunState.FAILED
    assert report.error.location.file == "atmos.yaml"
    assert {row[0] for row in await catalog.rows() - before} == {"index_run", "index_run_event"}
    ((state, error),) = await catalog.ask("select state, error from index_run where id = $1", report.run_id)
    assert state == "FAILED"
    assert "atmos.yaml" in error


async def test_a_rename_names_the_old_instance(catalog, place):
    """An instance that reappears under another name with the same content is one RENAMED change that points at the old one."""
    old = "vars: {tenant: plat, stage: x}\ncomponents: {terraform: {NAME: {metadata: {component: eks}, vars: {a: 1}}}}\n"
    place.write({"stacks/orgs/x.yaml": old.replace("NAME", "one")})
    await catalog.index(place.path)
    place.write({"stacks/orgs/x.yaml": old.replace("NAME", "two")})

    report = await catalog.index(place.path, confirmed=True)

    changes = await catalog.ask("select kind, component_name, previous_id from change where run_id = $1", report.run_id)
    assert changes == [("RENAMED", "two", global_id("ComponentInstance", "shop", "plat-x", "TERRAFORM", "one"))]


async def test_a_moved_mapping_changes_the_tenant_of_a_stack_and_its_instances(catalog, place):
    """When the tenant mapping gives a stack another tenant, stack and instances follow together, and empty rows disappear."""
    await catalog.index(place.path)
    place.write({"seeds/tenants.yaml": "tenant_mapping: {atmos_stack: 'orgs/*', idp_context: {tenant: core, team: data}}\n"})

    report = await catalog.index(place.path)

    assert report.state is IndexRunState.SUCCEEDED
    assert await catalog.ask("select distinct t.name from component_instance i join tenant t on t.id = i.tenant_id") == [("core",)]
    assert await catalog.ask("select name from tenant where not hidden order by 1") == [
        ("core",),
        ("plat",),
    ]  # the changes of before are plat's
    owners = await catalog.ask("select t.slug from stack s join team t on t.id = s.team_id order by s.name")
    assert owners == [("data",), ("data",)]


async def test_broken_seeds_keep_what_they_said(catalog, place):
    """A seed file that breaks is an error with file and line; services and teams stay as they were."""
    await catalog.index(place.path)
    place.write({"seeds/services.yaml": "services:\n  shop: [\n", "seeds/teams.yaml": "teams: {\n"})

    await catalog.index(place.path)

    assert await catalog.ask("select slug from service") == [("shop",)]
    assert await catalog.ask("select slug from team order by 1") == [("data",), ("platform",)]
    assert await catalog.ask("select code, file from diagnostic where code <> 'SECRET' order by 2") == [
        ("SEED_BROKEN", "seeds/services.yaml"),
        ("SEED_BROKEN", "seeds/teams.yaml"),
    ]


async def test_services_that_the_seeds_no_longer_name_go(catalog, place):
    """A service that leaves the seeds leaves the catalog, with its parts, instances and estimates."""
    await catalog.index(place.path)
    place.write({"seeds/services.yaml": "services: {}\n"})

    await catalog.index(place.path)

    for table in ("service", "service_component", "service_instance", "service_instance_component"):
        assert await catalog.ask(f"select count(*) from {table}") == [(0,)]
    assert await catalog.ask("select count(*) from cost_estimate where subject_kind = 'Service'") == [(0,)]


async def test_two_indexers_of_one_estate_do_not_overlap(catalog, place, files):
    """Two runs at once both succeed, one after the other, and leave each instance once with one open version."""
    await catalog.index(place.path)
    place.write({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("size: small", "size: large")})

    reports = await asyncio.gather(*(run.index(catalog.database, catalog.config, "shop") for _ in range(3)))

    assert sorted(report.changed for report in reports) == [0, 0, 1]
    assert len({report.number for report in reports}) == 3
    assert await catalog.ask("select count(*) from instance_version where to_number is null") == [(3,)]
    assert await catalog.ask("select count(*) from change where kind = 'CHANGED'") == [(1,)]


async def test_a_run_whose_process_died_counts_as_failed(catalog, place):
    """A run that stayed RUNNING, since its process died, is FAILED when the next run begins."""
    report = await catalog.index(place.path)
    await catalog.ask("update index_run set state = 'RUNNING', finished_at = null where id = $1 returning id", report.run_id)

    await catalog.index(place.path)

    assert await catalog.ask("select state, error from index_run where id = $1", report.run_id) == [
        ("FAILED", "the indexer was interrupted")
    ]
