"""Reports: every view shows a dashboard's role what the principal that it is bound to sees in the graph, and says what it means."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from catalog.graph import exporting
from catalog.store import report_roles

sys.path.insert(0, str(Path(__file__).parents[3] / "docs"))
import reporting

VIEWERS = ("admin", "plat", "pay", "pair", "asker", "main")
# A view's columns, the graph's list, and the paths of the same values there.
SAME = {
    "stacks": (
        ("stack_id", "stack", "estate", "tenant", "environment", "team"),
        "{ stacks { nodes { id name estate { name } tenant { name } environment { name } ownership { team { slug } } } } }",
        ("id", "name", "estate.name", "tenant.name", "environment.name", "ownership.team.slug"),
    ),
    "component_instances": (
        (
            "instance_id",
            "component",
            "stack",
            "estate",
            "tenant",
            "environment",
            "category",
            "team",
            "trim_scale(monthly_estimate)::text",
        ),
        "{ componentInstances { nodes { id name stack { name estate { name } tenant { name } environment { name } } component { category } ownership { team { slug } } costEstimate { monthly { amount } } abstract } } }",
        (
            "id",
            "name",
            "stack.name",
            "stack.estate.name",
            "stack.tenant.name",
            "stack.environment.name",
            "component.category",
            "ownership.team.slug",
            "costEstimate.monthly.amount",
        ),
    ),
    "teams": (
        ("team_id", "team", "title", "cost_center"),
        "{ teams { nodes { id slug title costCenter } } }",
        ("id", "slug", "title", "costCenter"),
    ),
    "services": (
        ("service_id", "service", "team", "instances"),
        "{ services { nodes { id slug owner { slug } instances { totalCount } } } }",
        ("id", "slug", "owner.slug", "instances.totalCount"),
    ),
    "charges": (("charge_id", "provider"), "{ charges { nodes { id provider } } }", ("id", "provider")),
    "requests": (
        ("request_id", "number", "state", "team"),
        "{ provisioningRequests { nodes { id number state } } }",
        ("id", "number", "state"),
    ),
    "diagnostics": (("diagnostic_id", "code", "estate"), "{ diagnostics { nodes { id code } } }", ("id", "code")),
    "changes": (("change_id", "kind"), "{ changes { nodes { id kind } } }", ("id", "kind")),
}


def value(row, path):
    for step in path.split("."):
        row = row and row[step]
    return row


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def roles(graph, database, world):
    """A role for each viewer, and its password."""
    made = {}
    async with database.transaction() as connection:
        for name in VIEWERS:
            role = f"dashboard_{name}"
            await connection.execute(f"drop role if exists {role}")
            made[name] = (role, await report_roles.add(connection, role, f"{name}@acme.test"))
    yield made
    async with database.transaction() as connection:
        for role, _ in made.values():
            await report_roles.remove(connection, role)


async def signed_in(config, roles, viewer):
    role, password = roles[viewer]
    return await asyncpg.connect(config.database_url, user=role, password=password)


@pytest.mark.parametrize("view", SAME)
async def test_views_show_what_the_graph_shows(graph, world, config, roles, view):
    """For every viewer, a view has the rows of the graph's list, and names in them only what the graph names."""
    columns, document, paths = SAME[view]
    for viewer in VIEWERS:
        export = await exporting.export(graph, document, None, None, world.viewers()[viewer])
        rows = [json.loads(row) async for batch in export.batches for row in batch]
        expected = Counter(tuple(value(row, path) for path in paths) for row in rows if not row.get("abstract"))
        connection = await signed_in(config, roles, viewer)
        found = await connection.fetch(f"select {', '.join(columns)} from report.{view}")
        await connection.close()
        seen = Counter(tuple(row)[: len(paths)] for row in found)
        assert (seen - expected, expected - seen) == (Counter(), Counter()), viewer


async def test_sums_are_of_what_is_in_sight(graph, world, config, database, roles):
    """What costs come to is the sum of the parts in sight, in every view that tells it, to the last decimal."""
    document = "{ charges { nodes { allocations { amount { amount currency } } } } }"
    sums = {}
    for viewer in VIEWERS:
        export = await exporting.export(graph, document, None, None, world.viewers()[viewer])
        expected = Counter()
        async for batch in export.batches:
            for part in (part for row in batch for part in json.loads(row)["allocations"]):
                expected[part["amount"]["currency"]] += Decimal(part["amount"]["amount"])
        connection = await signed_in(config, roles, viewer)
        for view in ("allocations", "costs"):
            found = await connection.fetch(f"select currency, sum(effective_cost) from report.{view} group by currency")
            assert {row[0]: row[1] for row in found} == expected, (viewer, view)
        original = "select original_currency, sum(original_cost) from report.costs_in where currency = original_currency group by 1"
        known = dict(tuple(row) for row in await connection.fetch(original))
        assert all(expected[currency] == amount for currency, amount in known.items())
        await connection.close()
        sums[viewer] = expected
    assert sums["admin"]["USD"] > sums["plat"]["USD"] > 0


@pytest.mark.parametrize(
    "statement",
    [
        "select * from public.component_instance",
        "select * from public.principal",
        "select * from public.access_token",
        "set role catalog_viewer",
        "select public.catalog_owner_of_instance('ins_x')",
        "select * from public.component_instance_place",
        "insert into report.teams (team_id) values ('x')",
        "create table report.x (a int)",
        "create view report.x as select 1",
        "update report.teams set title = 'x'",
    ],
)
async def test_a_role_reads_reports_and_nothing_else(config, roles, statement):
    """No table is open to a dashboard, whatever its principal may see, and nothing can be written."""
    connection = await signed_in(config, roles, "admin")
    await connection.execute("set default_transaction_read_only = off")
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError)):
        await connection.execute(statement)
    await connection.close()


async def test_a_role_cannot_say_whom_it_reads_for(config, roles):
    """What a session sets doesn't change whose sight it has."""
    connection = await signed_in(config, roles, "main")
    before = await connection.fetchval("select count(*) from report.component_instances")
    everything = json.dumps({"me": "x", "grants": [{"role": "ADMIN", "teams": None, "tenants": None}], "member_of": []})
    await connection.execute("select set_config('catalog.viewer', $1, false)", everything)
    assert await connection.fetchval("select count(*) from report.component_instances") == before
    await connection.close()


async def test_grants_count_at_once(config, database, roles):
    """What a principal loses, its dashboard loses with the next statement; a disabled one sees nothing."""
    connection = await signed_in(config, roles, "plat")
    assert await connection.fetchval("select count(*) from report.stacks") > 0
    async with database.connection() as owner:
        await owner.execute("update principal set disabled_at = now() where email = 'plat@acme.test'")
        assert await connection.fetchval("select count(*) from report.stacks") == 0
        assert await connection.fetchval("select count(*) from report.kpis") == 0
        await owner.execute("update principal set disabled_at = null where email = 'plat@acme.test'")
    assert await connection.fetchval("select count(*) from report.stacks") > 0
    await connection.close()


async def test_a_role_of_nobody_sees_nothing(config, database, roles):
    """A role that was not bound to a principal here reads empty views, even where it may read them."""
    async with database.connection() as owner:
        await owner.execute("drop role if exists dashboard_unbound")
        await owner.execute("create role dashboard_unbound login")
        await owner.execute("grant catalog_report to dashboard_unbound")
        connection = await asyncpg.connect(config.database_url, user="dashboard_unbound")
        for view in {name.partition(".")[0] for name, _ in reporting.comments()}:
            assert await connection.fetchval(f"select count(*) from report.{view}") == 0, view
        await connection.close()
        await owner.execute("drop role dashboard_unbound")


async def test_every_column_is_described(database):
    """Each view and each column has a comment, and docs/reporting.md says the same words."""
    async with database.connection() as connection:
        found = await connection.fetch(
            """select c.relname || coalesce('.' || a.attname, '') as name, d.description
               from pg_class c join (select attrelid, attnum, attname from pg_attribute where attnum > 0 and not attisdropped
                                     union all select oid, 0, null from pg_class) a on a.attrelid = c.oid
               left join pg_description d on d.objoid = c.oid and d.objsubid = a.attnum and d.classoid = 'pg_class'::regclass
               where c.relnamespace = 'report'::regnamespace and c.relkind = 'v'"""
        )
    assert {row["name"]: row["description"] for row in found} == dict(reporting.comments())
    assert reporting.PAGE.read_text().endswith(reporting.views()), "python docs/reporting.py"


@pytest.mark.parametrize("name", ["", "Grafana", "a b", "pg_x", "catalog_viewer", 'x"; drop table team; --'])
async def test_names_that_are_none(database, graph, name):
    """A name that would have to be quoted, or is somebody else's, makes no role."""
    async with database.connection() as connection:
        with pytest.raises(report_roles.errors.Invalid):
            await report_roles.add(connection, name, "admin@acme.test")


async def test_unknown_and_taken(database, roles):
    """A role needs a principal that is there, and a name that isn't taken."""
    async with database.connection() as connection:
        with pytest.raises(report_roles.errors.NotFound):
            await report_roles.add(connection, "dashboard_new", "nobody@acme.test")
        with pytest.raises(report_roles.errors.Conflict):
            await report_roles.add(connection, "dashboard_main", "admin@acme.test")
        with pytest.raises(report_roles.errors.NotFound):
            await report_roles.remove(connection, "dashboard_new")
        assert [(one.name, one.email) for one in await report_roles.listed(connection)] == [
            (f"dashboard_{name}", f"{name}@acme.test") for name in sorted(VIEWERS)
        ]


def test_the_server_never_sees_a_password():
    """What is sent is the verifier of RFC 7677's example, from which no password follows."""
    assert report_roles.verifier("pencil", bytes.fromhex("5b6d99689d12358ef0bb6b8d49a9c73e")[:16]).startswith("SCRAM-SHA-256$4096:")


# ── dashboards ───────────────────────────────────────────────────────────────────────────────────────────────────────

DASHBOARDS = sorted((reporting.ROOT / "docs" / "dashboards").glob("*.json"))
_MACROS = {
    r"\$__timeFrom\(\)": "'2000-01-01T00:00:00Z'",
    r"\$__timeTo\(\)": "'2100-01-01T00:00:00Z'",
    r"\$__timeFilter\((\w+)\)": r"\1 between '2000-01-01T00:00:00Z' and '2100-01-01T00:00:00Z'",
    r"\$currency": "USD",
}


def panels():
    """Each query of each panel: its dashboard, title, format and SQL, as Grafana sends it for all time."""
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                sql = target["rawSql"]
                for macro, meaning in _MACROS.items():
                    sql = re.sub(macro, meaning, sql)
                yield pytest.param(target["format"], sql, id=f"{path.stem}: {panel['title']}")


@pytest.mark.parametrize(("form", "sql"), list(panels()))
async def test_queries_of_dashboards_work(graph, config, roles, form, sql):
    """Every query runs as a dashboard's role against the views, for whoever sees much, little or parts, and has the shape it is drawn in."""
    assert "$" not in sql
    for viewer in ("admin", "pay", "main"):
        connection = await signed_in(config, roles, viewer)
        statement = await connection.prepare(sql)
        names = [attribute.name for attribute in statement.get_attributes()]
        rows = await statement.fetch()
        await connection.close()
        assert form == "table" or (names[:2] == ["time", "metric"] and all(row["time"].tzinfo for row in rows))
        assert len(set(names)) == len(names)
    assert re.search(r"from report\.", sql)


def test_dashboards_are_provisioned():
    """Panels have ids of their own, lie on the grid without overlap, and ask the data source that is provisioned."""
    source = (reporting.ROOT / "docs" / "dashboards" / "provisioning" / "datasources" / "catalog.yaml").read_text()
    assert "uid: catalog\n" in source
    assert len(DASHBOARDS) == 2
    for path in DASHBOARDS:
        board = json.loads(path.read_text())
        shown = board["panels"]
        assert len({panel["id"] for panel in shown}) == len(shown)
        cells = Counter(
            (x, y)
            for panel in shown
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        )
        assert max(cells.values()) == 1
        assert max(x for x, _ in cells) < 24
        asked = [*shown, *(target for panel in shown for target in panel["targets"]), *board["templating"]["list"]]
        assert {one["datasource"]["uid"] for one in asked} == {"catalog"}
