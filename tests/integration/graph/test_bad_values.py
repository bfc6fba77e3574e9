"""Values that can't be answered are refused by name, never dropped and never an incident."""

from __future__ import annotations

import json

import pytest

REFUSED = (
    ("query($d: OrderDirection = ASC) { stacks(orderBy: [{field: NAME, direction: $d}]) { totalCount } }", {"d": None}),
    ("query($b: Boolean = true) { stacks { totalCount @skip(if: $b) } }", {"b": None}),
    ("query($b: Boolean = true) { ... @include(if: $b) { stacks { totalCount } } }", {"b": None}),
    ('query($n: String = "a") { stacks(where: {name: {in: [$n]}}) { totalCount } }', {"n": None}),
    ("query($w: StackWhere = {}) { stacks(where: {or: [$w]}) { totalCount } }", {"w": None}),
    ('query($i: ID = "a") { node(id: $i) { id } }', {"i": None}),
    ('{ componentInstances(where: {monthlyCost: {gt: "NaN"}}) { totalCount } }', {}),
    ('{ componentInstances(where: {monthlyCost: {gt: "1e400000"}}) { totalCount } }', {}),
    ('{ componentInstances(where: {monthlyCost: {gt: "1e-400000"}}) { totalCount } }', {}),
    ('{ componentInstances(where: {changedAt: {gt: "0001-01-01T00:00:00+23:59"}}) { totalCount } }', {}),
    ('{ componentInstances(where: {changedAt: {gt: "9999-12-31T23:59:59-23:59"}}) { totalCount } }', {}),
    ('{ componentInstances(where: {var: {path: "a[", eq: 1}}) { totalCount } }', {}),
    ('{ componentInstances(where: {labels: "(("}) { totalCount } }', {}),
    ('{ team(slug: "web") { cost(currency: "\\u0000") { currency } } }', {}),
    ("{ stacks(first: 101) { totalCount } }", {}),
    ("{ stacks(first: -1) { totalCount } }", {}),
    ("{ stacks(first: 1, last: 1) { totalCount } }", {}),
    ('{ stacks(after: "") { totalCount } }', {}),
)


@pytest.mark.parametrize(("document", "variables"), REFUSED)
async def test_a_value_that_does_not_hold_is_refused(document, variables, graph, world) -> None:
    """The whole operation is refused, with a code, before anything is read."""
    response = await graph.execute(document, variables, None, world.viewers()["admin"])
    answer = json.loads(response.body)
    assert response.is_request_error, answer
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_cursor_of_another_list_filter_or_order_is_refused_even_unread(graph, world) -> None:
    """A cursor belongs to its list, order and filter; elsewhere it is refused though only the count is asked for."""
    viewer = world.viewers()["admin"]
    response = await graph.execute("{ stacks(first: 2) { pageInfo { endCursor } } }", None, None, viewer)
    cursor = json.loads(response.body)["data"]["stacks"]["pageInfo"]["endCursor"]
    for field in (
        "services(after: $c)",
        "stacks(after: $c, orderBy: [{field: NAME, direction: DESC}])",
        'stacks(after: $c, where: {name: {eq: "twin"}})',
    ):
        refused = await graph.execute(f"query($c: String) {{ {field} {{ totalCount }} }}", {"c": cursor}, None, viewer)
        assert refused.is_request_error
    taken = await graph.execute("query($c: String) { stacks(after: $c) { totalCount } }", {"c": cursor}, None, viewer)
    assert taken.ok


async def test_a_default_stands_in_for_a_variable_that_was_left_out(graph, world) -> None:
    """Left out is not null: the default of the variable or of the argument is taken."""
    document = "query($d: OrderDirection = DESC) { stacks(first: 1, orderBy: [{field: NAME, direction: $d}]) { nodes { name } } }"
    answers = [
        json.loads((await graph.execute(document, given, None, world.viewers()["admin"])).body)["data"]["stacks"]["nodes"][0][
            "name"
        ]
        for given in ({}, {"d": "ASC"})
    ]
    assert answers[0] > answers[1]
