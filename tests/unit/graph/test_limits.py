"""Limits: refused before Postgres is touched, each naming what was exceeded."""

from __future__ import annotations

import pytest

from catalog.graph import plans, schema
from catalog.graph.faults import Rejected

DEEP = "{ teams { nodes { services { nodes { instances { nodes { componentInstances { nodes { dependsOn { nodes { dependsOn { nodes { dependsOn { nodes { dependsOn { nodes { dependsOn { nodes { dependsOn { nodes { id } } } } } } } } } } } } } } } } } } } } }"
REFUSED = {
    "TOO_DEEP": DEEP,
    "TOO_MANY_ALIASES": "{" + " ".join(f"a{number}: __typename" for number in range(16)) + "}",
    "TOO_MANY_ROOT_FIELDS": "{" + " ".join("viewer { id }" for _ in range(11)) + "}",
    "TOO_MANY_DIRECTIVES": "{ viewer { " + " ".join("id @skip(if: false)" for _ in range(21)) + " } }",
    "TOO_MANY_TOKENS": "{ viewer { " + "id " * 2_100 + "} }",
    "DOCUMENT_TOO_LARGE": "{ viewer { id } } #" + "x" * 70_000,
    "TOO_MANY_MUTATIONS": 'mutation { a: cancelRequest(input: {id: "x"}) { __typename } b: cancelRequest(input: {id: "y"}) { __typename } }',
    "GRAPHQL_PARSE_FAILED": "{ viewer { id }",
    "GRAPHQL_VALIDATION_FAILED": "{ nobody }",
}


@pytest.mark.parametrize(("code", "document"), REFUSED.items(), ids=REFUSED)
def test_a_document_that_says_too_much_is_refused(code, document) -> None:
    """The refusal has its own code, and names found and allowed where it is a limit."""
    with pytest.raises(Rejected) as refusal:
        plans.prepare(schema.graphql_schema(), document)
    error = refusal.value.errors[0]
    assert error["extensions"]["code"] == code
    assert error["message"]


def test_fragments_count_where_they_are_spread() -> None:
    """A fragment doesn't hide depth, and a cycle of fragments is refused as invalid."""
    document = "{ ...A } fragment A on Query { viewer { ...B } } fragment B on Principal { id }"
    assert plans.prepare(schema.graphql_schema(), document).fragments
    with pytest.raises(Rejected):
        plans.prepare(schema.graphql_schema(), "{ ...A } fragment A on Query { ...A }")


def test_introspection_is_exempt_from_depth() -> None:
    """The introspection query of every tool passes."""
    from graphql import get_introspection_query  # noqa: PLC0415

    assert plans.prepare(schema.graphql_schema(), get_introspection_query())
