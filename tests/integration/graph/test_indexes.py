"""The orders that lists have by default run along an index, whoever looks."""

from __future__ import annotations

import pytest

ORDERS = {
    "every instance": ("admin", "{ componentInstances { nodes { id } } }", "component_instance_by_name"),
    "instances of a viewer's tenants": ("plat", "{ componentInstances { nodes { id } } }", "component_instance_by_tenant_name"),
    "instances by change": (
        "admin",
        "{ componentInstances(orderBy: [{field: CHANGED_AT, direction: DESC}]) { nodes { id } } }",
        "component_instance_by_changed_at",
    ),
    "instances of a stack": (
        "admin",
        '{ node(id: "stk_1") { ... on Stack { instances { nodes { id } } } } }',
        "component_instance_by_stack_name",
    ),
    "stacks": ("admin", "{ stacks { nodes { id } } }", "stack_by_name"),
    "stacks of a viewer's tenants": ("plat", "{ stacks { nodes { id } } }", "stack_by_tenant_name"),
    "teams": ("admin", "{ teams { nodes { id } } }", "team_by_slug"),
    "services": ("admin", "{ services { nodes { id } } }", "service_by_slug"),
    "changes": ("admin", "{ changes { nodes { id } } }", "change_latest"),
    "requests": ("admin", "{ provisioningRequests { nodes { id } } }", "provisioning_request_latest"),
}
FILTERS = {
    "a variable's value": (
        '{ componentInstances(where: {var: {path: "cidr", eq: "10.1.0.0/16"}}) { nodes { id } } }',
        "config_vars",
    ),
    "a setting": (
        '{ componentInstances(where: {setting: {path: "spacelift.enabled", eq: true}}) { nodes { id } } }',
        "config_settings",
    ),
    "labels of instances": ('{ componentInstances(where: {labels: "c=vpc"}) { nodes { id } } }', "component_instance_labels"),
    "labels of stacks": ('{ stacks(where: {labels: "tier=web"}) { nodes { id } } }', "stack_labels"),
    "what has drifted": ("{ componentInstances(where: {drift: [DRIFTED]}) { totalCount } }", "component_instance_drifted"),
    "what is locked": ("{ componentInstances(where: {locked: true}) { totalCount } }", "component_instance_locked"),
    "a team's": ('{ componentInstances(where: {team: {slug: {eq: "web"}}}) { nodes { id } } }', "team_id"),
}


async def plan_of(database, statement, bound, *dear: str) -> str:
    """The plan of a statement when some ways are made dear, as a large table makes them."""
    async with database.reader.connection(generic=statement.generic) as connection, connection.transaction():
        for setting in dear:
            await connection.execute(f"set local {setting} = off")
        rows = await connection.fetch(f"explain {statement.sql}", *bound)
    return "\n".join(row[0].decode() for row in rows)


@pytest.mark.parametrize(("viewer", "document", "index"), ORDERS.values(), ids=ORDERS)
async def test_a_list_reads_along_its_index(viewer, document, index, graph, world, database) -> None:
    """With sequential scans and sorts made dear, the plan names the index of the order."""
    statement, bound = await graph.statement(document, None, None, world.viewers()[viewer])
    plan = await plan_of(database, statement, bound, "enable_seqscan", "enable_sort", "enable_incremental_sort")
    assert index in plan, plan


@pytest.mark.parametrize(("document", "index"), FILTERS.values(), ids=FILTERS)
async def test_a_filter_finds_its_rows_by_an_index(document, index, graph, world, database) -> None:
    """With sequential and ordered scans made dear, the plan names the index of the filter."""
    statement, bound = await graph.statement(document, None, None, world.viewers()["admin"])
    plan = await plan_of(database, statement, bound, "enable_seqscan", "enable_indexscan", "enable_indexonlyscan")
    assert index in plan, plan
