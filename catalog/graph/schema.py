"""The schema, made of the Strawberry types, and its text: what `schema.graphql` holds.

python -m catalog.graph.schema > schema.graphql
"""

import sys

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from catalog.graph import enums, problems
from catalog.graph.mutations import Mutation
from catalog.graph.queries import Query
from catalog.graph.scalars import SCALARS
from catalog.graph.subscriptions import Subscription

_HEAD = "# Exported from the types in catalog/graph by `catalog schema export`; a test fails when it is stale.\n\n"

_PROBLEMS = (
    problems.ValidationError,
    problems.NotFound,
    problems.Ambiguous,
    problems.Forbidden,
    problems.Conflict,
    problems.PolicyDenied,
    problems.PlanChanged,
    problems.BudgetExceeded,
    problems.RateLimited,
)


def make(query: type) -> strawberry.Schema:
    """Return a schema over that root of reading."""
    return strawberry.Schema(
        query=query,
        mutation=Mutation,
        subscription=Subscription,
        types=_PROBLEMS,
        config=StrawberryConfig(scalar_map=SCALARS),
    )


schema = make(Query)


def graphql_schema() -> GraphQLSchema:
    """Return the schema as graphql-core knows it: parsed documents are validated against it."""
    return schema._schema  # noqa: SLF001  # Strawberry has no public name for it


def sdl() -> str:
    """Return the schema in the schema definition language."""
    return _HEAD + schema.as_str() + "\n"


if __name__ == "__main__":
    sys.stdout.write(sdl())

__all__ = ["enums", "graphql_schema", "make", "schema", "sdl"]
