"""Look-ups into a long past find what they show by indexes: their plans over 20,000 versions, and what they read of them."""

from __future__ import annotations

import json
import re

import pytest
import pytest_asyncio

from catalog.graph.execution import Graph
from catalog.records import GrantScope, PrincipalKind, Role, Scope

STACKS, INSTANCES, POSITIONS = 250, 40, 500
# One estate whose every thing changed once, half way; the present begins there.
PAST = f"""
insert into organization (id, name, title, currency) values ('org_1', 'acme', 'Acme', 'USD');
insert into tenant (id, organization_id, name, hidden)
    select 'ten_' || t, 'org_1', 't' || t, false from generate_series(0, 7) t;
insert into team (id, organization_id, slug, title, platform, aliases) values ('tea_1', 'org_1', 'web', 'Web', false, '{{}}');
insert into estate (id, name, organization_id, kind, path, ref, directory, writable, executor, workflows, removal_limit, web_url)
    values ('est_1', 'acme-infra', 'org_1', 'git', '/x', 'main', '.', true, 'terraform', '{{}}', 50, 'https://git.test/{{revision}}/{{path}}');
insert into index_run (id, estate_id, ref, number, revision, committed_at, started_at, state, manifests, stacks, component_instances,
    added, changed, removed, unchanged, backfill)
    select 'run_' || n, 'est_1', 'main', n, md5(n::text), '2026-01-01Z'::timestamptz + n * interval '1 hour',
        '2026-06-01Z'::timestamptz + n * interval '1 second', 'SUCCEEDED', 0, 0, 0, 0, 0, 0, 0, false
    from generate_series(0, {POSITIONS}) n;
insert into manifest (id, estate_id, path, content_hash, top_level)
    select 'man_' || s, 'est_1', 'stacks/' || s || '.yaml', 'h', true from generate_series(1, {STACKS}) s;
insert into stack (id, estate_id, tenant_id, organization_id, manifest_id, name, labels, tags, vars, state, team_id, owner_source,
    owner_file, row_hash, content_hash)
    select 'stk_' || s, 'est_1', 'ten_' || s % 8, 'org_1', 'man_' || s, 'stack-' || s, '{{}}', '{{}}', '{{}}', 'FRESH', 'tea_1', 'TAG',
        'x.yaml', 'h', 'h' from generate_series(1, {STACKS}) s;
insert into config (hash, document) select 'h' || c, jsonb_build_object('vars', jsonb_build_object('n', c)) from generate_series(1, {INSTANCES}) c;
insert into component_instance (id, estate_id, tenant_id, stack_id, type, name, abstract, enabled, locked, state, inherits, labels,
    unresolved_dependencies, config_hash, cost_status, drift, changed_at, content_hash)
    select 'ins_' || s || '_' || c, 'est_1', 'ten_' || s % 8, 'stk_' || s, 'TERRAFORM', 'c' || c, false, true, false, 'FRESH', '{{}}', '{{}}',
        '{{}}', 'h' || c, 'UNKNOWN', 'UNKNOWN', now(), 'h' from generate_series(1, {STACKS}) s, generate_series(1, {INSTANCES}) c;
insert into dependency (source_id, target_id, via, kind)
    select 'ins_' || s || '_' || c, 'ins_' || s || '_' || c - 1, 'settings.depends_on', 'DECLARED'
    from generate_series(1, {STACKS}) s, generate_series(2, {INSTANCES}) c;
insert into stack_version (stack_id, ref, from_number, to_number, content_hash, row)
    select id, 'main', 0, {POSITIONS // 2}, 'h', to_jsonb(s) from stack s union all select id, 'main', {POSITIONS // 2}, null, 'h', null from stack;
insert into instance_version (instance_id, ref, from_number, to_number, content_hash, config_hash, row, edges)
    select id, 'main', 0, {POSITIONS // 2}, 'h', config_hash, to_jsonb(i),
        (select coalesce(jsonb_agg(to_jsonb(d)), '[]') from dependency d where d.source_id = i.id) from component_instance i
    union all select id, 'main', {POSITIONS // 2}, null, 'h', config_hash, null, null from component_instance;

"""
GROWING = {"component_instance", "instance_version", "stack_version", "dependency", "index_run", "change"}
MOMENTS = {
    "time": '{time: "2026-01-05T00:00:00Z"}',
    "run": '{run: "run_400"}',
    "revision": '{revision: "a5771bce9"}',  # the hundredth
}
DOCUMENTS = {
    "a stack with its instances": """{ stack(name: "stack-7", asOf: %s) {
        name ownership { team { slug } location { url } } cost { unknownInstances }
        instances(first: 100, orderBy: [{field: NAME}]) { totalCount nodes { name vars hiddenDependencies stack { name } } } } }""",
    "an instance with its neighbours": """{ componentInstance(stack: "stack-7", component: "c20", asOf: %s) {
        name stack { name } costEstimate { status }
        dependsOn { nodes { name } } dependents { totalCount edges { kind node { name dependents { nodes { name } } } } } } }""",
    "all that an instance needs": """{ componentInstance(stack: "stack-7", component: "c5", asOf: %s, estate: "acme-infra") {
        dependsOn(transitive: true) { totalCount nodes { name } } } }""",
    "all that needs an instance": """{ componentInstance(stack: "stack-7", component: "c35", asOf: %s, estate: "acme-infra") {
        dependents(transitive: true) { totalCount nodes { name } } } }""",
}


def _viewer(tenants: frozenset[str] | None) -> Scope:
    grant = GrantScope(role=Role.VIEWER, teams=None, tenants=tenants)
    return Scope(principal_id="pri_1", name="x", email=None, kind=PrincipalKind.PERSON, grants=(grant,), member_of=frozenset())


VIEWERS = {"everything": _viewer(None), "a tenant": _viewer(frozenset({"ten_7"})), "nothing": _viewer(frozenset({"ten_none"}))}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def long(database, config) -> Graph:
    """The graph of a catalog with a long past."""
    async with database.connection() as connection:
        await connection.execute(PAST)
        await connection.execute("vacuum analyze")
    return Graph(database, config)


@pytest.mark.parametrize("viewer", VIEWERS)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("document", DOCUMENTS)
async def test_the_past_is_found_by_indexes(document, moment, viewer, long, database) -> None:
    """No table that grows with estates or with time is read as a whole, whoever looks."""
    statement, bound = await long.statement(DOCUMENTS[document] % MOMENTS[moment], None, None, VIEWERS[viewer])
    async with database.reader.connection(generic=statement.generic) as connection, connection.transaction():
        if "transitive" in DOCUMENTS[document]:
            # Walks are taken for a thousand rows: only a larger table than this one makes a look-up of each the cheaper way.
            await connection.execute("set local enable_seqscan = off")
        rows = await connection.fetch(f"explain {statement.sql}", *bound)
    plan = "\n".join(row[0].decode() for row in rows)
    assert set(re.findall(r"Seq Scan on (\w+)", plan)) & GROWING == set(), plan


@pytest.mark.parametrize("moment", MOMENTS)
async def test_both_sides_of_the_change_are_told(moment, long) -> None:
    """Versions that ended and versions that still hold answer alike."""
    document = DOCUMENTS["an instance with its neighbours"] % MOMENTS[moment]
    answer = json.loads((await long.execute(document, None, None, VIEWERS["everything"])).body)
    assert "errors" not in answer
    assert answer["data"]["componentInstance"]["dependsOn"] == {"nodes": [{"name": "c19"}]}
    assert answer["data"]["componentInstance"]["dependents"]["edges"][0]["node"]["name"] == "c21"
