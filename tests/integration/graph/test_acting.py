"""What isn't plain reading: mutations, previews, introspection, refusals and errors."""

from __future__ import annotations

import json
import logging

import pytest
from graphql import execute_sync, get_introspection_query, parse

from catalog import errors
from catalog.graph.execution import Graph
from catalog.graph.schema import graphql_schema
from catalog.store.compile import SOURCES

PREVIEW = """query($input: PreviewProvisioningInput!) {
  __typename
  previewProvisioning(input: $input) { preview { digest files { path } } errors { __typename code message path } }
  stack(name: "core-00-prod") { id }
}"""


async def ask(graph, scope, document, **variables):
    """The whole answer of an operation."""
    return json.loads((await graph.execute(document, variables, None, scope)).body)


async def test_introspection_answers_as_graphql_core_does(graph, world) -> None:
    """Tools see the schema, and reading mixes with it in one operation."""
    answer = await ask(graph, world.viewers()["admin"], get_introspection_query(descriptions=True))
    assert answer["data"] == execute_sync(graphql_schema(), parse(get_introspection_query(descriptions=True))).data
    mixed = await ask(graph, world.viewers()["admin"], '{ a: viewer { name } __type(name: "Stack") { name } b: __typename }')
    assert list(mixed["data"].items()) == [("a", {"name": "admin"}), ("__type", {"name": "Stack"}), ("b", "Query")]


async def test_an_expected_failure_is_a_value(graph, world) -> None:
    """A preview of something unknown says so in `errors`, beside what else was asked."""
    given = {"action": "APPLY_COMPONENT", "stack": "nowhere", "component": "vpc", "team": "web"}
    answer = await ask(graph, world.viewers()["admin"], PREVIEW, input=given)
    problem = answer["data"]["previewProvisioning"]["errors"][0]
    assert "errors" not in answer
    assert answer["data"]["previewProvisioning"]["preview"] is None
    assert (problem["__typename"], problem["code"]) == ("NotFound", "NOT_FOUND")


async def test_a_mutation_is_refused_before_it_runs_when_its_answer_would_be(graph, world) -> None:
    """A page that is too large in the payload is a refusal, not a request that was made and can't be shown."""
    document = (
        """mutation { cancelRequest(input: {id: "req_x"}) { provisioningRequest { steps { log(first: 500) { totalCount } } } } }"""
    )
    response = await graph.execute(document, None, None, world.viewers()["admin"])
    assert response.is_request_error
    assert response.code == "BAD_USER_INPUT"


async def test_only_an_unknown_outcome_is_resolved(graph, world) -> None:
    """Saying what became of a request that isn't APPLY_UNKNOWN is a conflict that tells its state."""
    admin = world.viewers()["admin"]
    found = await ask(graph, admin, "{ provisioningRequests(where: {state: [SUCCEEDED]}, first: 1) { nodes { id } } }")
    document = """mutation($input: ResolveUnknownInput!) {
      resolveUnknown(input: $input) { provisioningRequest { id } errors { __typename code message } } }"""
    said = {"id": found["data"]["provisioningRequests"]["nodes"][0]["id"], "outcome": "APPLIED", "comment": "seen in the console"}
    payload = (await ask(graph, admin, document, input=said))["data"]["resolveUnknown"]
    assert payload["provisioningRequest"] is None
    assert [(error["__typename"], error["code"]) for error in payload["errors"]] == [("Conflict", "NOT_IN_THIS_STATE")]
    assert "SUCCEEDED" in payload["errors"][0]["message"]


async def test_tokens_are_made_shown_once_and_revoked(graph, world) -> None:
    """The secret is in the payload, the token's other fields are read like any row's, and revoking shows the time."""
    admin = world.viewers()["admin"]
    document = """mutation($input: CreateAccessTokenInput!) {
      createAccessToken(input: $input) { secret accessToken { id name prefix principal { email } revokedAt } errors { message } } }"""
    made = (await ask(graph, admin, document, input={"principal": "admin@acme.test", "name": "ci"}))["data"]["createAccessToken"]
    assert made["secret"].startswith(made["accessToken"]["prefix"])
    assert made["accessToken"]["principal"]["email"] == "admin@acme.test"
    revoke = "mutation($id: ID!) { revokeAccessToken(input: {id: $id}) { accessToken { revokedAt } errors { __typename } } }"
    other = await ask(graph, world.viewers()["plat"], revoke, id=made["accessToken"]["id"])
    assert other["data"]["revokeAccessToken"] == {"accessToken": None, "errors": [{"__typename": "NotFound"}]}
    revoked = await ask(graph, admin, revoke, id=made["accessToken"]["id"])
    assert revoked["data"]["revokeAccessToken"]["accessToken"]["revokedAt"] is not None


async def test_only_an_admin_asks_for_an_index_and_a_key_asks_once(graph, world, database) -> None:
    """Others are Forbidden; the same key with the same body puts one job into the queue."""
    document = """mutation($key: String!) {
      indexEstate(input: {estate: "acme-infra", idempotencyKey: $key}) { run { id } errors { __typename } } }"""
    refused = await ask(graph, world.viewers()["pay"], document, key="a")
    assert refused["data"]["indexEstate"]["errors"] == [{"__typename": "Forbidden"}]
    for _ in range(2):
        assert (await ask(graph, world.viewers()["admin"], document, key="a"))["data"]["indexEstate"]["errors"] == []
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from pgqueuer where entrypoint = 'index_estate'") == 1


async def test_a_name_of_several_is_an_error_with_candidates(graph, world) -> None:
    """A stack that two estates have is AMBIGUOUS, unless the estate is said or only one is visible."""
    answer = await ask(graph, world.viewers()["admin"], '{ stack(name: "twin") { id } viewer { name } }')
    assert answer["data"] == {"stack": None, "viewer": {"name": "admin"}}
    assert answer["errors"][0]["path"] == ["stack"]
    assert answer["errors"][0]["extensions"] == {"code": "AMBIGUOUS", "candidates": ["acme-infra", "globex-infra"]}
    one = await ask(graph, world.viewers()["main"], '{ stack(name: "twin") { estate { name } } }')
    assert one["data"]["stack"]["estate"]["name"] == "globex-infra"


REFUSED = {
    "a foreign cursor": ('{ stacks(after: "abc") { totalCount } }', "BAD_USER_INPUT"),
    "a page too large": ("{ stacks(first: 101) { nodes { id } } }", "BAD_USER_INPUT"),
    "both ends": ("{ stacks(first: 1, last: 1) { nodes { id } } }", "BAD_USER_INPUT"),
    "a broken selector": ('{ stacks(where: {labels: "a=(b"}) { nodes { id } } }', "BAD_USER_INPUT"),
    "a broken path": ('{ componentInstances(where: {var: {path: "a[", eq: 1}}) { nodes { id } } }', "BAD_USER_INPUT"),
    "a NUL": ('{ stack(name: "a\\u0000b") { id } }', "BAD_USER_INPUT"),
    "no amount": ('{ componentInstances(where: {monthlyCost: {gt: "NaN"}}) { nodes { id } } }', "BAD_USER_INPUT"),
    "too many nodes": (
        "{ stacks(first: 100) { nodes { instances(first: 100) { nodes { dependsOn(first: 100) { nodes { id } } } } } } }",
        "TOO_MANY_NODES",
    ),
    "neither id nor number": ("{ provisioningRequest { id } }", "BAD_USER_INPUT"),
    "an unknown operation": ("query A { viewer { id } } query B { viewer { name } }", "BAD_REQUEST"),
    "too many ids": ("{ nodes(ids: [" + ", ".join('"a"' for _ in range(101)) + "]) { id } }", "BAD_USER_INPUT"),
}


@pytest.mark.parametrize(("document", "code"), REFUSED.values(), ids=REFUSED)
async def test_what_does_not_hold_is_refused_before_it_runs(document, code, graph, world) -> None:
    """A request error has no data and a code of its own."""
    response = await graph.execute(document, None, None, world.viewers()["admin"])
    assert response.is_request_error
    assert response.code == code
    assert "data" not in json.loads(response.body)


async def test_a_cursor_belongs_to_its_list_order_and_filter(graph, world) -> None:
    """It goes on where it was made, and nowhere else."""
    admin = world.viewers()["admin"]
    first = await ask(graph, admin, "{ stacks(first: 2) { pageInfo { endCursor } nodes { name } } }")
    cursor = first["data"]["stacks"]["pageInfo"]["endCursor"]
    more = await ask(graph, admin, "query($c: String) { stacks(first: 2, after: $c) { nodes { name } } }", c=cursor)
    assert more["data"]["stacks"]["nodes"][0] not in first["data"]["stacks"]["nodes"]
    for elsewhere in (
        "teams(after: $c)",
        "stacks(after: $c, where: {hasOwner: true})",
        "stacks(after: $c, orderBy: [{field: INSTANCES}])",
    ):
        answer = await ask(graph, admin, f"query($c: String) {{ {elsewhere} {{ totalCount }} }}", c=cursor)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_what_nobody_expected_is_masked_and_logged_once(database, config, world, graph, caplog) -> None:
    """The response shows an id and nothing of the cause; the log has both."""
    broken = Graph(database, config, sources={})
    with caplog.at_level(logging.ERROR, logger="catalog.graph"):
        response = await broken.execute("{ stacks { nodes { id } } }", None, None, world.viewers()["admin"], request_id="r-1")
    answer = json.loads(response.body)
    assert answer == {
        "errors": [
            {"message": "something went wrong here; it is logged under r-1", "extensions": {"code": "INTERNAL", "id": "r-1"}}
        ],
        "data": None,
    }
    assert len(caplog.records) == 1


async def test_a_mutation_is_told_from_a_query(graph, world) -> None:
    """GET and pages may ask queries only."""
    mutation = 'mutation { cancelRequest(input: {id: "x"}) { errors { code } } }'
    assert graph.changes_something(mutation, None)
    assert not graph.changes_something("{ viewer { id } }", None)
    refused = await graph.execute(mutation, None, None, world.viewers()["admin"], only_query=True)
    assert refused.code == "QUERY_ONLY"


async def test_the_flagship_query_fits_into_a_persons_limits(graph, world) -> None:
    """Team, services, instances, component instances, dependencies, with costs, in pages of five."""
    document = """{ teams(first: 5) { nodes { slug cost { estimated { amount } } services(first: 5) { nodes { slug costEstimate { monthly { amount } }
      instances(first: 5) { nodes { name componentInstances(first: 5) { nodes { name costEstimate { monthly { amount } }
        dependsOn(first: 5) { nodes { name costEstimate { monthly { amount } } } } } } } } } } } } }"""
    answer = await ask(graph, world.viewers()["admin"], document)
    assert "errors" not in answer


async def test_a_page_reads_with_one_statement_however_deep(graph, world, database) -> None:
    """Nesting multiplies rows, never statements."""
    counted = []
    reader = database.reader
    original = reader.fetch_rows

    async def counting(*arguments, **options):
        counted.append(arguments[0])
        return await original(*arguments, **options)

    reader.fetch_rows = counting
    try:
        await ask(
            graph,
            world.viewers()["plat"],
            "{ stacks { nodes { instances { nodes { dependsOn { nodes { stack { name } } } } } } } viewer { id } }",
        )
    finally:
        del reader.fetch_rows
    assert len(counted) == 1


async def test_bounded_statements_run_on_generic_plans(graph, world, database) -> None:
    """What is planned once stays planned: the server counts generic plans for the statements marked so."""
    for number in range(3):
        await ask(
            graph, world.viewers()["admin"], "query($id: ID!) { node(id: $id) { id ... on Stack { name } } }", id=f"stk_{number}"
        )
    async with database.reader.connection(generic=True) as connection:
        rows = await connection.fetch(
            "select generic_plans, custom_plans from pg_prepared_statements where statement like '%''stk''%'"
        )
    assert any(row["generic_plans"] >= 1 for row in rows)
    assert all(row["custom_plans"] == 0 for row in rows)


async def test_a_database_that_does_not_answer_is_unavailable(world, config) -> None:
    """Not a mask: the caller learns which thing outside is missing."""

    class Silent:
        async def fetch_text(self, *_arguments, **_options):
            raise errors.Unavailable("the database does not answer")

    class NoDatabase:
        reader = Silent()

    with pytest.raises(errors.Unavailable):
        await Graph(NoDatabase(), config).execute("{ viewer { id } }", None, None, world.viewers()["admin"])


def test_every_source_has_a_table_or_computed_rows() -> None:
    """A source without rows of its own is only ever reached through its parent."""
    assert {name for name, source in SOURCES.items() if not source.rows} >= {"value_change", "cost_summary"}
