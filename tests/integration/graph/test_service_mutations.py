"""Services that people register, change and retire: who may, what is refused and why, and that doing it twice does it once."""

from __future__ import annotations

import asyncio
import json

import pytest

from catalog.errors import Unauthenticated

REGISTER = """mutation($input: RegisterServiceInput!) { registerService(input: $input) {
  service { id slug title description category lifecycle tier version tags links { title url } owner { slug } organization { name }
    components { name layer role component { name } } instances { totalCount } computedCostEstimate { status } }
  errors { __typename code message path } } }"""
UPDATE = """mutation($input: UpdateServiceInput!) { updateService(input: $input) {
  service { title description lifecycle tier version tags owner { slug } components { name } links { url } } errors { __typename code message path } } }"""
RETIRE = """mutation($input: RetireServiceInput!) { retireService(input: $input) {
  service { lifecycle version } errors { __typename code message path } } }"""
GIVEN = {
    "idempotencyKey": "k1",
    "slug": "till",
    "title": "The till",
    "owner": "payments",
    "description": "Takes money\nand gives change",
    "category": "shops",
    "tier": 2,
    "tags": ["a", "b"],
    "links": [{"title": "Docs", "url": "https://docs.test/till"}],
    "components": [{"name": "vpc", "layer": "INFRASTRUCTURE", "role": "network"}, {"name": "nowhere", "layer": "APPLICATION"}],
}


@pytest.fixture
def act(graph, world):
    """Run a mutation as a viewer and return its payload."""

    async def call(viewer, document, **given):
        scope = world.viewers()[viewer] if isinstance(viewer, str) else viewer
        answer = json.loads((await graph.execute(document, {"input": given}, None, scope)).body)
        assert "errors" not in answer, answer
        return next(iter(answer["data"].values()))

    return call


@pytest.fixture
def register(act):
    """Register a service of a slug of its own, for the payments team unless told otherwise."""

    async def call(viewer, slug, **given):
        return await act(viewer, REGISTER, **{**GIVEN, "slug": slug, "idempotencyKey": f"key of {slug}", **given})

    return call


def fault(payload):
    """The type and code of a payload's only error."""
    assert payload["service"] is None
    (error,) = payload["errors"]
    return error["__typename"], error["code"]


async def test_a_service_is_registered_with_everything_that_was_said(register, graph, world) -> None:
    """It is there at once, owned, made of its parts in order, and matched to where it runs; everybody with a grant sees it."""
    payload = await register("pay", "whole")
    assert payload["errors"] == []
    service = payload["service"]
    assert (service.pop("instances")["totalCount"] > 0, service.pop("computedCostEstimate") is not None) == (True, True)
    assert service == {
        "id": service["id"],
        "slug": "whole",
        "title": "The till",
        "description": "Takes money\nand gives change",
        "category": "shops",
        "lifecycle": "PRODUCTION",
        "tier": 2,
        "version": 1,
        "tags": ["a", "b"],
        "links": [{"title": "Docs", "url": "https://docs.test/till"}],
        "owner": {"slug": "payments"},
        "organization": {"name": "acme"},
        "components": [
            {"name": "vpc", "layer": "INFRASTRUCTURE", "role": "network", "component": {"name": "vpc"}},
            {"name": "nowhere", "layer": "APPLICATION", "role": None, "component": None},
        ],
    }
    seen = json.loads((await graph.execute('{ service(slug: "whole") { id } }', None, None, world.viewers()["plat"])).body)
    assert seen["data"]["service"]["id"] == service["id"]


async def test_a_key_registers_once(register, database) -> None:
    """The same key with the same body answers the same service, also at the same moment; with another body it is a Conflict."""
    first, second = await asyncio.gather(register("pay", "twice"), register("pay", "twice"))
    assert first == second
    assert first["errors"] == []
    assert fault(await register("pay", "twice", title="Another")) == ("Conflict", "IDEMPOTENCY_KEY_REUSED")
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from service where slug = 'twice'") == 1


async def test_a_taken_slug_is_a_conflict_whoever_has_it(register) -> None:
    """One of the seeds is told with its place by whoever may see it; one out of sight only as taken."""
    assert (await register("admin", "taken"))["errors"] == []
    assert fault(await register("pay", "taken", idempotencyKey="other")) == ("Conflict", "SLUG_TAKEN")
    assert fault(await register("pay", "shop")) == ("Conflict", "DEFINED_IN_SEEDS")
    assert fault(await register("pay", "ghost")) == ("Conflict", "SLUG_TAKEN")
    assert fault(await register("admin", "ghost")) == ("Conflict", "DEFINED_IN_SEEDS")


MAY = {
    "an approver of the team": ("pay", "payments", None),
    "an admin": ("admin", "platform", None),
    "a viewer": ("plat", "payments", "FORBIDDEN"),
    "an approver of another team": ("pay", "platform", "FORBIDDEN"),
    "an approver of another team that isn't there": ("pay", "nobody", "FORBIDDEN"),
    "an admin for a team that isn't there": ("admin", "nobody", "NOT_FOUND"),
    "a requester whose grant names tenants": ("asker", "web", "FORBIDDEN"),
    "an admin for a team that two organisations have": ("admin", "web", "AMBIGUOUS"),
}


@pytest.mark.parametrize(("viewer", "owner", "code"), MAY.values(), ids=MAY)
async def test_who_may_register_for_whom(viewer, owner, code, register) -> None:
    """A grant of requester or more that admits the owning team and names no tenants; whether a team is there is nobody's else."""
    payload = await register(viewer, f"of-{viewer}-{owner}", owner=owner)
    assert [error["code"] for error in payload["errors"]] == ([code] if code else [])


async def test_nobody_known_registers_nothing(graph, world) -> None:
    """Without a principal it is not the payload that fails, but the operation: sign in."""
    response = await graph.execute(REGISTER, {"input": GIVEN}, None, world.viewers()["admin"])
    assert response.ok
    with pytest.raises(Unauthenticated):
        await graph.execute(REGISTER, {"input": GIVEN}, None, world.viewers()["anonymous"])


REFUSED = {
    "an upper-case slug": {"slug": "Till"},
    "a slug that ends in a hyphen": {"slug": "till-"},
    "a slug too long": {"slug": "a" * 64},
    "no title": {"title": ""},
    "a title of two lines": {"title": "a\nb"},
    "a NUL": {"description": "a\x00b"},
    "a lone surrogate": {"title": "a\ud800b"},
    "a tier of zero": {"tier": 0},
    "a link that a browser runs": {"links": [{"title": "x", "url": "javascript:alert(1)"}]},
    "a link without a host": {"links": [{"title": "x", "url": "https://"}]},
    "too many tags": {"tags": [str(number) for number in range(51)]},
    "an empty tag": {"tags": [""]},
    "a nameless component": {"components": [{"name": "", "layer": "APPLICATION"}]},
    "too many components": {"components": [{"name": "a", "layer": "APPLICATION"}] * 101},
    "a NUL in the organisation": {"organization": "a\x00"},
    "no key": {"idempotencyKey": ""},
    "a NUL in the key": {"idempotencyKey": "\x00"},
}


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
async def test_what_does_not_hold_is_refused_with_its_path(given, act) -> None:
    """Nothing is written, and the path names the input's field."""
    payload = await act("admin", REGISTER, **{**GIVEN, **given})
    assert [(error["__typename"], error["path"]) for error in payload["errors"]] == [("ValidationError", list(given))]


async def test_an_update_changes_what_it_names(register, act) -> None:
    """What is absent stays, null clears, lists are replaced as wholes; the version counts; changing nothing is no version."""
    await register("pay", "changing")
    first = (await act("pay", UPDATE, slug="changing", expectedVersion=1, title="New", description=None, tier=None, tags=["c"]))[
        "service"
    ]
    assert first == {
        "title": "New", "description": None, "lifecycle": "PRODUCTION", "tier": None, "version": 2, "tags": ["c"],
        "owner": {"slug": "payments"}, "components": [{"name": "vpc"}, {"name": "nowhere"}], "links": [{"url": "https://docs.test/till"}],
    }  # fmt: skip
    again = await act("pay", UPDATE, slug="changing", expectedVersion=1, title="New")
    assert (again["service"]["version"], again["errors"]) == (2, [])
    parts = [{"name": "eks", "layer": "APPLICATION"}]
    second = (await act("pay", UPDATE, slug="changing", components=parts, links=[], lifecycle="DEPRECATED", category=None))[
        "service"
    ]
    assert (second["version"], second["components"], second["links"], second["lifecycle"]) == (
        3,
        [{"name": "eks"}],
        [],
        "DEPRECATED",
    )
    assert fault(await act("pay", UPDATE, slug="changing", expectedVersion=2, title="Old")) == ("Conflict", "VERSION_CHANGED")
    for given in ({"title": None}, {"owner": None}, {"lifecycle": None}):
        assert fault(await act("pay", UPDATE, slug="changing", **given))[0] == "ValidationError"


async def test_a_service_changes_hands_by_somebody_who_may_act_for_both(register, act) -> None:
    """Giving away and taking over both need a grant; an admin has it, a team's own people only for their team."""
    await register("pay", "passed")
    assert fault(await act("pay", UPDATE, slug="passed", owner="platform")) == ("Forbidden", "FORBIDDEN")
    assert (await act("admin", UPDATE, slug="passed", owner="platform"))["service"]["owner"] == {"slug": "platform"}
    assert fault(await act("pay", UPDATE, slug="passed", title="Ours")) == ("Forbidden", "FORBIDDEN")


async def test_two_who_change_one_version_are_told_apart(register, act) -> None:
    """Of two that expect the same version, one changes it and the other learns so."""
    await register("admin", "raced")
    titles = ("One", "Two")
    payloads = await asyncio.gather(*(act("admin", UPDATE, slug="raced", expectedVersion=1, title=title) for title in titles))
    assert sorted(error["code"] for payload in payloads for error in payload["errors"]) == ["VERSION_CHANGED"]


async def test_retiring_keeps_the_service_and_says_so(register, act, database) -> None:
    """Its lifecycle is RETIRED, doing it again changes nothing, and who, when and why are kept; an update brings it back."""
    await register("pay", "old")
    for _ in range(2):
        assert await act("pay", RETIRE, slug="old", reason="replaced") == {
            "service": {"lifecycle": "RETIRED", "version": 2}, "errors": [],
        }  # fmt: skip
    async with database.connection() as connection:
        kept = await connection.fetchrow("select change_reason, changed_by_id, changed_at from service where slug = 'old'")
    assert kept["change_reason"] == "replaced"
    assert kept["changed_by_id"] is not None
    assert kept["changed_at"] is not None
    assert fault(await act("plat", RETIRE, slug="old")) == ("Forbidden", "FORBIDDEN")
    assert (await act("pay", UPDATE, slug="old", lifecycle="PRODUCTION"))["service"]["version"] == 3


async def test_what_the_seeds_define_is_changed_there(act) -> None:
    """Both mutations are refused; out of sight it is not found, in two organisations it is ambiguous, elsewhere nobody's."""
    for document in (UPDATE, RETIRE):
        assert fault(await act("admin", document, slug="vault")) == ("Conflict", "DEFINED_IN_SEEDS")
        assert fault(await act("admin", document, slug="shop")) == ("Ambiguous", "AMBIGUOUS")
        assert fault(await act("admin", document, slug="shop", organization="globex")) == ("Conflict", "DEFINED_IN_SEEDS")
        assert fault(await act("pay", document, slug="ghost")) == ("NotFound", "NOT_FOUND")
        assert fault(await act("admin", document, slug="unheard-of")) == ("NotFound", "NOT_FOUND")
