"""What the served graph does for its own protection: prices, rates, trusted documents, and what scanners look for."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from catalog.access import principals, tokens
from catalog.errors import WrongUse
from catalog.graph import trusted
from catalog.graph.schema import graphql_schema
from catalog.records import Role
from catalog.web import app

ORIGIN = "http://catalog.test"
QUERY = "{ viewer { email } }"


@pytest.fixture(scope="module")
async def secrets(database):
    """Tokens: of a viewer, and of an admin."""
    made = {}
    async with database.session() as session:
        for name, role in (("viewer", Role.VIEWER), ("admin", Role.ADMIN)):
            await principals.add(session, f"{name}@example.org", role, name=name)
            made[name] = await tokens.create(session, f"{name}@example.org", name="test")
        await session.commit()
    return made


@pytest.fixture
def client(database, config, secrets):
    """Make a client of a served graph with a configuration."""

    def make(who: str = "viewer", **settings: object) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app.create(database, replace(config, **settings)))
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Authorization": f"Bearer {secrets[who]}"})

    return make


async def test_every_answer_tells_its_price(client) -> None:
    """In `extensions.cost`, in headers, and where the operation asks for it."""
    response = await client().post(
        "/graphql", json={"query": "{ rateLimit { limit cost remaining } services(first: 10) { totalCount } }"}
    )
    told, shown = response.json()["extensions"]["cost"], response.json()["data"]["rateLimit"]
    assert (shown["cost"], shown["limit"], shown["remaining"]) == (told["requested"], told["limit"], told["remaining"])
    assert response.headers["x-ratelimit-remaining"] == str(told["remaining"])
    assert told["requested"] == 1 + 3 + 1  # the operation, a list that is counted, ten rows


async def test_a_dry_run_reads_and_costs_nothing(client) -> None:
    """It tells the price of all that was asked for, and answers nothing else."""
    served = client()
    document = "{ rateLimit(dryRun: true) { cost } services(first: 10) { totalCount } }"
    await served.post("/graphql", json={"query": document})
    first, second = [(await served.post("/graphql", json={"query": document})).json() for _ in range(2)]
    assert first["data"] == {"rateLimit": {"cost": 5}}
    assert first["extensions"]["cost"]["remaining"] <= second["extensions"]["cost"]["remaining"]


async def test_who_asks_for_more_than_a_minute_brings_waits(client) -> None:
    """429 and Retry-After for a query; a mutation isn't done, and says so in its payload."""
    served = client(rate_factor=0.0002)  # twenty points
    for _ in range(40):
        response = await served.post("/graphql", json={"query": QUERY})
        if response.status_code == 429:
            break
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1
    assert response.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    mutation = 'mutation { retireService(input: {slug: "x", reason: "y"}) { errors { code ... on RateLimited { retryAfter } } } }'
    payload = (await client(rate_factor=0.0001).post("/graphql", json={"query": mutation})).json()
    assert payload["data"]["retireService"]["errors"][0]["code"] == "RATE_LIMITED"


async def test_trusted_documents_are_asked_for_by_id(client, tmp_path) -> None:
    """By the hash of their text, as a parameter or as Apollo's clients do; an id that nobody knows says so."""
    (tmp_path / "who.graphql").write_text(QUERY)
    served, name = client(trusted_documents=tmp_path), trusted.identity(QUERY)
    by_apollo = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": name}}}
    for body in ({"documentId": f"sha256:{name}"}, {"documentId": name}, by_apollo):
        assert (await served.post("/graphql", json=body)).json()["data"] == {"viewer": {"email": "viewer@example.org"}}
    assert (await served.get("/graphql", params={"documentId": name})).json()["data"] == {"viewer": {"email": "viewer@example.org"}}
    unknown = await served.post("/graphql", json={"documentId": "0" * 64})
    assert (unknown.status_code, unknown.json()["errors"][0]["extensions"]["code"]) == (404, "PERSISTED_QUERY_NOT_FOUND")


async def test_where_only_trusted_documents_are_answered_others_are_not(client, tmp_path) -> None:
    """Introspection neither; admins still explore."""
    (tmp_path / "who.graphql").write_text(QUERY)
    settings = {"trusted_documents": tmp_path, "trusted_only": True}
    assert "data" in (await client(**settings).post("/graphql", json={"query": QUERY})).json()
    for document in ("{ viewer { name } }", "{ __schema { types { name } } }"):
        refused = (await client(**settings).post("/graphql", json={"query": document})).json()
        assert refused["errors"][0]["extensions"]["code"] == "NOT_TRUSTED"
        assert "data" in (await client("admin", **settings).post("/graphql", json={"query": document})).json()


@pytest.mark.parametrize(
    ("name", "text"), [("a.graphql", "{ nothing }"), ("a.json", "[]"), ("a.json", "{"), ("a.json", '{"x": "{"}')]
)
def test_a_document_that_would_be_refused_is_not_trusted(name, text, tmp_path) -> None:
    """Reading it names the file."""
    (tmp_path / name).write_text(text)
    with pytest.raises(WrongUse, match=r"a\."):
        list(trusted.read(tmp_path, graphql_schema()))


# What graphql-cop looks for: what is sent, and what it would take for a weakness.
BOMBS = {
    "alias overloading": ("{" + " ".join(f"a{n}: __typename" for n in range(101)) + "}", "TOO_MANY_ALIASES"),
    "directive overloading": ("{ __typename " + "@aa" * 25 + " }", "TOO_MANY_DIRECTIVES"),
    "field duplication": ("{ viewer { " + "id " * 500 + "} }", "TOO_MANY_REPEATED_FIELDS"),
    "circular introspection": (
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
}


@pytest.mark.parametrize(("document", "code"), BOMBS.values(), ids=BOMBS)
async def test_a_bomb_is_refused(client, document, code) -> None:
    """Before anything runs."""
    answer = (await client().post("/graphql", json={"query": document})).json()
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == code


async def test_what_else_scanners_look_for(client, secrets) -> None:
    """Batches, forms, mutations by GET, traces, hints for strangers: none is there."""
    served = client()
    assert (await served.post("/graphql", json=[{"query": QUERY}] * 10)).status_code == 400
    assert (await served.post("/graphql", data={"query": QUERY})).status_code == 415
    mutation = 'mutation { cancelRequest(input: {id: "x"}) { errors { code } } }'
    assert (await served.get("/graphql", params={"query": mutation})).status_code == 405
    traced = (await served.post("/graphql", json={"query": QUERY}, headers={"X-Apollo-Tracing": "1"})).json()
    assert set(traced["extensions"]) == {"cost"}
    broken = await served.post("/graphql", json={"query": "qwerty { abc }"})
    assert "Traceback" not in broken.text
    served.headers.pop("Authorization")
    for body in ("{ __schema { types { name } } }", "{ viewr { id } }", QUERY):
        strange = await served.post("/graphql", json={"query": body})
        assert (strange.status_code, "Did you mean" in strange.text) == (401, False)
    page = await served.get("/graphql", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in")
