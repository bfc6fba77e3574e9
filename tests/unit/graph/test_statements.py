"""Statements as text: what decides their shape, and what doesn't."""

from __future__ import annotations

import pytest

from catalog.graph import plans, schema
from catalog.graph.compiler import VIEWER, Compiler
from catalog.records import ANONYMOUS, SYSTEM, GrantScope, PrincipalKind, Role, Scope
from catalog.store import compile as compiling
from catalog.store.selection import Operation

SCHEMA = schema.graphql_schema()
PLAT = Scope(
    principal_id="pri_1",
    name="p",
    email=None,
    kind=PrincipalKind.PERSON,
    grants=(GrantScope(role=Role.VIEWER, teams=None, tenants=frozenset({"ten_1"})),),
)
MANY = Scope(
    principal_id="pri_1",
    name="p",
    email=None,
    kind=PrincipalKind.PERSON,
    grants=(GrantScope(role=Role.VIEWER, teams=None, tenants=frozenset(f"ten_{number}" for number in range(17))),),
)


def compiled(document: str, scope: Scope = SYSTEM, **given) -> compiling.Statement:
    """The statement of a query."""
    prepared = plans.prepare(SCHEMA, document)
    operation = prepared.operation(None)
    variables = plans.coerce(SCHEMA, operation, given) | {VIEWER: scope.principal_id}
    collector = plans.collector(SCHEMA, prepared, variables)
    compiler = Compiler(SCHEMA, collector, variables)
    collected = collector.fields(SCHEMA.query_type, [operation.selection_set])
    fields = tuple(compiler.root(SCHEMA.query_type, key, nodes) for key, nodes in collected.items())
    return compiling.statement(Operation(fields=fields), compiling.sight.of(scope))


def test_documents_that_differ_in_literals_share_their_statement() -> None:
    """Literals are parameters: the server plans once."""
    one = compiled('{ stacks(first: 3, where: {name: {eq: "a"}}) { nodes { id } } }')
    other = compiled('{ stacks(first: 9, where: {name: {eq: "b"}}) { nodes { id } } }')
    assert one.sql == other.sql


def test_viewers_of_one_shape_share_their_statement() -> None:
    """Which tenants a viewer sees is a parameter, that there are such limits is not."""
    document = "{ stacks { nodes { id } } }"
    other = Scope(
        principal_id="pri_2",
        name="q",
        email=None,
        kind=PLAT.kind,
        grants=(GrantScope(role=Role.ADMIN, teams=None, tenants=frozenset({"ten_2"})),),
    )
    assert compiled(document, PLAT).sql == compiled(document, other).sql
    assert compiled(document, PLAT).sql != compiled(document, SYSTEM).sql


CLASSES = {
    "by key": ('{ node(id: "stk_1") { id } }', PLAT, True),
    "by name": ('{ stack(name: "a") { id } }', PLAT, True),
    "an open list": ("{ componentInstances { nodes { id stack { name } } } }", SYSTEM, True),
    "a list tenant by tenant": ("{ componentInstances { nodes { id } } }", PLAT, True),
    "many tenants": ("{ componentInstances { nodes { id } } }", MANY, False),
    "a filter": ('{ componentInstances(where: {name: {eq: "x"}}) { nodes { id } } }', SYSTEM, False),
    "a filter below": ('{ stacks { nodes { instances(where: {name: {eq: "x"}}) { nodes { id } } } } }', SYSTEM, False),
    "another order": ("{ componentInstances(orderBy: [{field: CHANGED_AT}]) { nodes { id } } }", SYSTEM, False),
    "a count behind a rule": ("{ componentInstances { totalCount nodes { id } } }", PLAT, False),
    "a list behind a rule of its own": ("{ teams { nodes { id } } }", PLAT, False),
}


@pytest.mark.parametrize(("document", "scope", "generic"), CLASSES.values(), ids=CLASSES)
def test_only_what_is_provably_bounded_is_planned_once(document, scope, generic) -> None:
    """Everything else is planned for its values: a rare tenant must not pay for a common one."""
    assert compiled(document, scope).generic is generic


def test_lists_of_few_tenants_are_read_tenant_by_tenant() -> None:
    """A viewer of few tenants reads the head of an index for each."""
    assert "cross join lateral" in compiled("{ componentInstances { nodes { id } } }", PLAT).sql
    assert "cross join lateral" not in compiled("{ componentInstances { nodes { id } } }", MANY).sql


def test_nothing_is_counted_unless_asked_for() -> None:
    """A list without totalCount counts no list."""
    assert "count(*)" not in compiled("{ componentInstances { nodes { id } } }").sql
    assert "count(*)" in compiled("{ componentInstances { totalCount } }").sql


def test_whoever_has_no_grant_reads_no_rows() -> None:
    """Without a grant every list's rule is false."""
    assert "false" in compiled("{ componentInstances { nodes { id } } }", ANONYMOUS).sql


def test_a_statement_names_only_the_parameters_it_uses() -> None:
    """Postgres can't tell the type of a parameter that is declared and left out."""
    made = compiled("query($a: String) { stacks(first: 2, after: $a) { totalCount } viewer { id } }", a=None)
    assert all(f"${number}::" in made.sql for number in range(1, len(made.parameters) + 1))
