"""Exports hold what the graph shows: every list, for every viewer, the same rows in the same order, without pages."""

from __future__ import annotations

import json

import pytest

from catalog.errors import RateLimited
from catalog.graph import exporting, limits
from catalog.graph.compiler import declaration
from catalog.graph.declarations import Paged
from catalog.graph.execution import Graph
from catalog.graph.faults import Rejected
from catalog.graph.rates import Rates
from catalog.graph.schema import graphql_schema
from catalog.graph.trusted import Documents
from catalog.records import ANONYMOUS

# Those that are read from the database; what is worked out otherwise can't be exported.
LISTS = sorted(name for name, field in graphql_schema().query_type.fields.items() if isinstance(declaration(field), Paged))
ARGUMENTS = {"search": {"query": "vpc"}}


async def exported(graph, document, scope, variables=None, name=None):
    """The rows of an export."""
    export = await exporting.export(graph, document, variables, name, scope)
    return [json.loads(row) async for batch in export.batches for row in batch]


async def paged(graph, document, variables, scope, place, part):
    """The rows of a list, page by page."""
    rows, after = [], None
    while True:
        response = await graph.execute(document, {**variables, "after": after}, None, scope)
        page = json.loads(response.body)["data"]
        for step in place:
            page = page[step]
        rows += page[part]
        if not page["pageInfo"]["hasNextPage"]:
            return rows
        after = page["pageInfo"]["endCursor"]


@pytest.mark.parametrize("name", LISTS)
async def test_export_is_the_list(graph, world, name):
    """Each root list exports, for each viewer, exactly the rows that its pages have, in their order."""
    document, variables = exporting.document(graph, name, (), ARGUMENTS.get(name, {}))
    pages = document.replace(f"{name} ", f"{name}(first: 7, after: $after) ").replace(
        f"{name}(query: $query)", f"{name}(first: 7, after: $after, query: $query)"
    )
    pages = pages.replace(" } }", " } pageInfo { hasNextPage endCursor } }")
    pages = pages.replace("query Export(", "query Export($after: String, ").replace(
        "query Export {", "query Export($after: String) {"
    )
    seen = 0
    for scope in world.viewers().values():
        rows = await exported(graph, document, scope, variables)
        assert rows == await paged(graph, pages, variables, scope, (name,), "nodes")
        seen += len(rows)
    assert seen or name not in {"stacks", "componentInstances", "services", "teams"}


async def test_a_list_of_a_thing_is_exported(graph, world):
    """A list below a look-up is exported, too, with what the viewer may see of it; what isn't there says so."""
    for scope in (viewer for viewer in world.viewers().values() if viewer != ANONYMOUS):
        response = await graph.execute("{ stacks(first: 3) { nodes { name estate { name } } } }", None, None, scope)
        for stack in json.loads(response.body)["data"]["stacks"]["nodes"]:
            place = f'stack(name: "{stack["name"]}", estate: "{stack["estate"]["name"]}")'
            fields = "cursor node { name dependsOn { totalCount } stack { name } }"
            pages = f"query ($after: String) {{ {place} {{ instances(first: 2, after: $after) {{ edges {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"
            rows = await exported(graph, f"{{ {place} {{ instances {{ edges {{ {fields} }} }} }} }}", scope)
            assert rows == await paged(graph, pages, {}, scope, ("stack", "instances"), "edges")
        with pytest.raises(Rejected) as refused:
            await exported(graph, '{ stack(name: "nowhere") { instances { nodes { name } } } }', scope)
        assert refused.value.errors[0]["extensions"]["code"] == "NOT_FOUND"


async def test_filters_orders_and_variables_hold(graph, world):
    """An export is filtered and ordered as a page is, by literals and by variables."""
    document = """query A($where: ComponentInstanceWhere, $order: [ComponentInstanceOrder!]) {
        componentInstances(where: $where, orderBy: $order) { nodes { ...F } } } fragment F on ComponentInstance { id name locked }"""
    admin = world.viewers()["admin"]
    every = await exported(graph, document, admin)
    order = [{"field": "NAME", "direction": "DESC"}]
    some = await exported(graph, document, admin, {"where": {"name": {"eq": "vpc"}}, "order": order}, "A")
    assert some
    assert {row["name"] for row in some} == {"vpc"}
    assert len(some) < len(every)
    downwards = [row["name"] for row in await exported(graph, document, admin, {"order": order})]
    assert downwards == sorted((row["name"] for row in every), reverse=True)


async def test_walks_are_exported_whole(graph, world):
    """What an instance depends on by any number of steps is one list, exported as it is counted."""
    admin = world.viewers()["admin"]
    lengths = []
    for instance in await exported(graph, "{ componentInstances { nodes { name type stack { name estate { name } } } } }", admin):
        place = (
            f'componentInstance(component: "{instance["name"]}", type: {instance["type"]}, stack: "{instance["stack"]["name"]}",'
            f' estate: "{instance["stack"]["estate"]["name"]}")'
        )
        counted = await graph.execute(f"{{ {place} {{ dependsOn(transitive: true) {{ totalCount }} }} }}", None, None, admin)
        rows = await exported(
            graph, f"{{ {place} {{ dependsOn(transitive: true) {{ edges {{ depth node {{ id }} }} }} }} }}", admin
        )
        assert len(rows) == json.loads(counted.body)["data"]["componentInstance"]["dependsOn"]["totalCount"]
        lengths.append(max((row["depth"] for row in rows), default=0))
    assert max(lengths) > 1


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ stacks { nodes { name } } teams { nodes { slug } } }", "NOT_EXPORTABLE"),
        ("{ stacks { nodes { name } totalCount } }", "NOT_EXPORTABLE"),
        ("{ stacks { totalCount } }", "NOT_EXPORTABLE"),
        ("{ stacks(first: 5) { nodes { name } } }", "NOT_EXPORTABLE"),
        ('{ stacks(after: "x") { nodes { name } } }', "NOT_EXPORTABLE"),
        ("{ viewer { name } }", "NOT_EXPORTABLE"),
        ("{ __schema { types { name } } }", "NOT_EXPORTABLE"),
        ('{ stack(name: "x") { name } }', "NOT_EXPORTABLE"),
        ('{ node(id: "x") { id } }', "NOT_EXPORTABLE"),
        ("{ stacks { nodes { name applyOrder { components { name } } } } }", None),
        ("{ stacks { nodes { instances(first: 100) { nodes { dependsOn(first: 100) { nodes { name } } } } } } }", "TOO_MANY_NODES"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ('mutation { cancelRequest(input: {id: "x"}) { errors { code } } }', "QUERY_ONLY"),
        ("query ($a: Int!) { stacks { nodes { name } } }", None),
    ],
)
async def test_what_is_no_list_is_refused(graph, world, document, code):
    """Anything but one whole list, and what no statement reads, is refused with a code before a row is read."""
    with pytest.raises(Rejected) as refused:
        await exporting.export(graph, document, None, None, world.viewers()["admin"])
    if code is not None:
        assert refused.value.errors[0]["extensions"]["code"] == code


@pytest.mark.parametrize(
    ("name", "fields", "arguments"),
    [
        ("nothing", (), {}),
        ("viewer", (), {}),
        ("stacks", (), {"nothing": "1"}),
        ("stacks", (), {"where": "{"}),
        ("stacks", ("name { id }",), {}),
        ("stacks", ("name, }",), {}),
        ("stacks", ("tenant..name",), {}),
    ],
)
def test_bad_lists_make_no_document(graph, name, fields, arguments):
    """A list, an argument or a field that isn't one is refused; none of them is written into a document."""
    with pytest.raises(Rejected):
        exporting.document(graph, name, fields, arguments)


async def test_columns_are_the_paths_of_a_row(graph, world):
    """Objects are taken apart into columns, lists are one."""
    document = "{ componentInstances { nodes { a: name stack { name tenant { name } } inherits vars dependsOn { totalCount } } } }"
    export = await exporting.export(graph, document, None, None, world.viewers()["admin"])
    await export.batches.aclose()
    assert tuple(column.path for column in export.columns) == (
        ("a",),
        ("stack", "name"),
        ("stack", "tenant", "name"),
        ("inherits",),
        ("vars",),
        ("dependsOn", "totalCount"),
    )


async def test_rows_are_paid_while_they_are_read(world, database, config):
    """Rows cost what they do in pages; an export that began is not broken off, the next operation waits."""
    admin = world.viewers()["admin"]
    graph = Graph(database, config, rates=Rates(1.0, clock=lambda: 0.0))
    full = graph._rates.tell(admin.principal_id, limits.of(admin)).remaining
    rows = await exported(graph, "{ componentInstances { nodes { name } } }", admin)
    paid = full - graph._rates.tell(admin.principal_id, limits.of(admin)).remaining
    assert paid >= 2 + len(rows) / 10
    graph.take(admin, full)
    with pytest.raises(RateLimited):
        await exporting.export(graph, "{ stacks { nodes { name } } }", None, None, admin)


async def test_only_trusted_documents_are_exported_where_only_they_are_answered(world, database, config):
    """What a viewer may not ask of the graph is not exported either; admins may ask anything."""
    document = "{ stacks { nodes { name } } }"
    graph = Graph(database, config, trusted=Documents([document], only=True))
    viewers = world.viewers()
    other = next(viewer for viewer in viewers.values() if viewer != ANONYMOUS and not viewer.is_admin)
    await exported(graph, document, other)
    with pytest.raises(Rejected) as refused:
        await exporting.export(graph, "{ stacks { nodes { id } } }", None, None, other)
    assert refused.value.errors[0]["extensions"]["code"] == "NOT_TRUSTED"
    await exported(graph, "{ stacks { nodes { id } } }", viewers["admin"])
