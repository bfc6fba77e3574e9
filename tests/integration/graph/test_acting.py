"""What isn't plain reading: mutations, previews, introspection, refusals and errors."""

from __future__ import annotations

import json
import logging

import pytest
from graphql import execute_sync, get_introspection_query, parse

from catalog import errors
from catalog.graph.execution import Graph
from catalog.graph.schema import graphql_schema
from catalog.records import ANONYMOUS
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


async def test_a_decision_is_made_again_for_who_may_see_it(graph, world) -> None:
    """The stored bundle judges the stored input anew; what the viewer can't see is as if it weren't there."""
    replay = "query($id: ID!) { replayDecision(id: $id) { policy passed severity message __typename } }"
    found = await ask(
        graph,
        world.viewers()["admin"],
        "{ componentInstances(first: 50) { nodes { policyEvaluations(first: 9) { nodes { id policy { name } } } } } }",
    )
    evaluations = [one for row in found["data"]["componentInstances"]["nodes"] for one in row["policyEvaluations"]["nodes"]]
    tagged = next(one for one in evaluations if one["policy"]["name"] == "tags")

    again = await ask(graph, world.viewers()["admin"], replay, id=tagged["id"])
    assert again["data"]["replayDecision"] == {
        "policy": "acme.rules",
        "passed": False,
        "severity": "ERROR",
        "message": "no tag",
        "__typename": "PolicyVerdict",
    }
    assert "errors" not in again
    for viewer, evaluation in ((ANONYMOUS, tagged["id"]), (world.viewers()["admin"], "pev_nothing")):
        assert await ask(graph, viewer, replay, id=evaluation) == {"data": {"replayDecision": None}}


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


INDEX = """mutation($estate: String = "globex-infra", $key: String!, $revision: String) {
  indexEstate(input: {estate: $estate, idempotencyKey: $key, revision: $revision}) {
    run { id state estate { name } askedRevision number revision } errors { __typename code } } }"""
CONFIRM = """mutation($id: ID!, $accept: Boolean!, $reason: String) {
  confirmIndexRun(input: {id: $id, accept: $accept, reason: $reason}) {
    run { id state heldReason error decidedBy } errors { __typename code path } } }"""


async def test_only_an_admin_asks_for_an_index_and_a_key_asks_once(graph, world, database) -> None:
    """Others are Forbidden; the answer is the queued run, and the same key gives the same one, whatever has become of it."""
    admin = world.viewers()["admin"]
    refused = await ask(graph, world.viewers()["pay"], INDEX, key="a")
    assert refused["data"]["indexEstate"] == {"run": None, "errors": [{"__typename": "Forbidden", "code": "FORBIDDEN"}]}
    first = (await ask(graph, admin, INDEX, key="a"))["data"]["indexEstate"]
    run = first["run"]
    assert (run["state"], run["estate"], run["number"], run["revision"]) == ("QUEUED", {"name": "globex-infra"}, 0, None)
    assert await jobs_of(database, run["id"]) == 1
    async with database.connection() as connection:
        await connection.execute("update index_run set state = 'SUCCEEDED' where id = $1", run["id"])
    again = (await ask(graph, admin, INDEX, key="a"))["data"]["indexEstate"]
    assert (again["run"]["id"], again["run"]["state"]) == (run["id"], "SUCCEEDED")
    other = await ask(graph, admin, INDEX, key="a", revision="b")
    assert other["data"]["indexEstate"]["errors"] == [{"__typename": "Conflict", "code": "IDEMPOTENCY_KEY_REUSED"}]
    assert await jobs_of(database, run["id"]) == 1


async def test_whoever_asks_while_a_run_waits_is_answered_by_it(graph, world, database) -> None:
    """A run waits for an estate and a revision once: another key finds it, another revision does not."""
    admin = world.viewers()["admin"]
    asked = [("b", None), ("c", None), ("d", "0123456"), ("e", "0123456")]
    runs = [(await ask(graph, admin, INDEX, key=key, revision=revision))["data"]["indexEstate"]["run"] for key, revision in asked]
    assert [run["id"] for run in runs] == [runs[0]["id"], runs[0]["id"], runs[2]["id"], runs[2]["id"]]
    assert [run["askedRevision"] for run in runs] == [revision for _, revision in asked]
    assert runs[0]["id"] != runs[2]["id"]
    assert [await jobs_of(database, run["id"]) for run in runs] == [1, 1, 1, 1]


async def test_an_unknown_estate_is_not_found(graph, world) -> None:
    """Asking to index what isn't registered says so."""
    answer = await ask(graph, world.viewers()["admin"], INDEX, key="f", estate="nowhere")
    assert answer["data"]["indexEstate"]["errors"] == [{"__typename": "NotFound", "code": "NOT_FOUND"}]


@pytest.mark.parametrize("accept", [True, False])
async def test_an_admin_decides_on_a_held_run(graph, world, database, accept) -> None:
    """Confirmed, a held run is queued again; refused, it has failed with the reason. Saying it twice is saying it once."""
    run = f"run_held_{accept}"
    await hold(database, run)
    refused = await ask(graph, world.viewers()["pay"], CONFIRM, id=run, accept=accept)
    assert refused["data"]["confirmIndexRun"]["errors"][0]["__typename"] == "Forbidden"
    for _ in range(2):
        answer = await ask(graph, world.viewers()["admin"], CONFIRM, id=run, accept=accept, reason="not yet")
        assert answer["data"]["confirmIndexRun"]["errors"] == []
        shown = answer["data"]["confirmIndexRun"]["run"]
        assert (shown["state"], shown["heldReason"]) == ("QUEUED" if accept else "FAILED", "too much")
        assert shown["error"] == (None if accept else "refused by admin@acme.test: not yet")
        assert shown["decidedBy"] == "admin@acme.test"
    assert await jobs_of(database, run) == (1 if accept else 0)
    other = await ask(graph, world.viewers()["admin"], CONFIRM, id=run, accept=not accept)
    assert other["data"]["confirmIndexRun"]["errors"] == [{"__typename": "Conflict", "code": "CONFLICT", "path": ["id"]}]


@pytest.mark.parametrize(("run", "problem"), [("run_0000", "Conflict"), ("nothing", "NotFound"), ("run_0002", "Conflict")])
@pytest.mark.parametrize("accept", [True, False])
async def test_what_is_not_held_can_not_be_decided_on(graph, world, run, problem, accept) -> None:
    """A run in any other state is a Conflict, and one that isn't there is not found."""
    answer = await ask(graph, world.viewers()["admin"], CONFIRM, id=run, accept=accept)
    assert [found["__typename"] for found in answer["data"]["confirmIndexRun"]["errors"]] == [problem]


async def hold(database, run):
    """Put a held run of an estate beside the others."""
    async with database.connection() as connection:
        await connection.execute(
            """insert into index_run select r.* from jsonb_populate_record(
                (select x from index_run x where id = 'run_0100'),
                jsonb_build_object('id', $1::text, 'state', 'HELD', 'held_reason', 'too much', 'removal_digest', 'd')) r""",
            run,
        )


async def jobs_of(database, run):
    """How many jobs wait for a run."""
    async with database.connection() as connection:
        payloads = await connection.fetch("select payload from pgqueuer where entrypoint = 'index_estate'")
    return sum(json.loads(row["payload"]) == {"run_id": run} for row in payloads)


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
