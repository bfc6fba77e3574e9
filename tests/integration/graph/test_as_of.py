"""Stacks and instances as they were: any operation below a position, against the reference reader, and what a position may be."""

from __future__ import annotations

import json
import os

import pytest
import pytest_asyncio
from graph_history import LOST_TEAM, MOVED, TURNED
from graph_operations import POSITIONS, SCHEMA, Generator
from graph_past import Store
from test_differential import Differences

COUNT = int(os.environ.get("CATALOG_DIFFERENTIAL", "300"))
BRANCH = ("run_0000", "run_0001", "run_late", "run_side"), ("run_0100", "run_0101", "run_0103")


class Past(Generator):
    """Makes operations that only look into the past, mostly for what was there."""

    left_out = Generator.left_out | {"Stack.applyOrder"}  # refused there

    def __init__(self, seed: int, ids: list[str], subjects: list[tuple[int, str, str, str]]) -> None:
        super().__init__(seed, ids)
        self._subjects = subjects
        self._meant = subjects[0]

    def _roots(self) -> str:
        names = self.random.choices(("stack", "componentInstance"), k=self.random.choice((1, 1, 2)))
        return " ".join(self._field(SCHEMA.query_type, name, self.random.randint(2, 5), "r") for name in names)

    def _arguments(self, made, place: str) -> str:
        self._meant = self.random.choice(self._subjects)
        written = super()._arguments(made, place)
        if "asOf" in made.args and "asOf:" not in written:
            position = self._written(made.args["asOf"].type, self._human("asOf", place))
            written = f"{written[:-1]}, asOf: {position})"
        return written

    def _human(self, name: str, place: str):
        estate, stack, kind, component = self._meant
        if place not in {"Query.stack", "Query.componentInstance"}:
            return super()._human(name, place)
        if name == "asOf":
            return {"run": self.random.choice(BRANCH[estate])} if self.random.random() < 0.6 else self.random.choice(POSITIONS)
        known = {"estate": ("acme-infra", "globex-infra")[estate], "stack": stack, "type": kind, "component": component}
        return known.get(name, stack)


class PastDifferences(Differences):
    """Differences of operations that look into the past."""

    def __init__(self, graph, store, world) -> None:
        super().__init__(graph, store, world.viewers())
        estates = sorted({stack.estate_id for stack in world.stacks}, key=lambda one: store.one(one)["name"])
        stacks = {stack.id: stack for stack in world.stacks}
        self._subjects = [
            (estates.index(one.estate_id), stacks[one.stack_id].name, str(one.type), one.name) for one in world.instances
        ]

    def generator(self, seed: int) -> Generator:
        """The generator of a seed."""
        return Past(seed, sorted(self.store.by_id), self._subjects)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(graph, database) -> Store:
    """Every row and every version, in memory."""
    return await Store.load(database)


async def test_the_past_reads_as_its_versions_say(graph, world, store) -> None:
    """Whatever is asked of a position and whoever asks, the compiled statement answers as the versions that held there."""
    differences = PastDifferences(graph, store, world)
    found = [told for seed in range(COUNT) if (told := await differences.differ(seed))]
    print(f"\n{differences.ran} compared, {dict(differences.refused)} refused, {differences.failed} with errors")
    assert not found, f"{len(found)}\n" + "\n\n".join(found[:6])
    assert differences.ran > COUNT


# ── which position is meant ──────────────────────────────────────────────────────────────────────────────────────────


async def ask(graph, scope, document: str, **variables):
    """An answer, as JSON."""
    return json.loads((await graph.execute(document, variables, None, scope)).body)


TAGS = 'query Tags($asOf: AsOfInput) { stack(name: "core-00-staging", estate: "acme-infra", asOf: $asOf) { id tags } }'
NOW = {"tags": ["t0", "all"]}
THEN = {"tags": ["then"]}
ASIDE = {"tags": ["aside"]}
MEANT = {
    "nothing: the present": (None, NOW),
    "a run": ({"run": "run_0000"}, THEN),
    "the same run, other moments left open": ({"run": "run_0000", "time": None, "revision": None}, THEN),
    "a run of a line aside": ({"run": "run_side"}, ASIDE),
    "a whole revision": ({"revision": "0" * 40}, THEN),
    "the beginning of a revision": ({"revision": "0101010"}, NOW),
    "a revision in other letters": ({"revision": "0" * 7 + "AAAA"}, ASIDE),
    "the time of a commit": ({"time": "2026-01-01T12:00:00Z"}, THEN),
    "just before the next one": ({"time": "2026-01-01T13:00:59.999+01:00"}, THEN),
    "the time of the next one": ({"time": "2026-01-01T12:01:00Z"}, NOW),
    "any time after the last one": ({"time": "2030-01-01T00:00:00Z"}, NOW),
}
UNKNOWN = {
    "a run that failed": ({"run": "run_0002"}, "NOT_INDEXED"),
    "a run that waits": ({"run": "run_asked"}, "NOT_INDEXED"),
    "a run of another estate": ({"run": "run_0100"}, "NOT_INDEXED"),
    "no run": ({"run": "nonsense"}, "NOT_INDEXED"),
    "a revision that only a failed run read": ({"revision": "02" * 20}, "NOT_INDEXED"),
    "a revision that nobody read": ({"revision": "beefbeef"}, "NOT_INDEXED"),
    "what no revision is": ({"revision": "main branch"}, "NOT_INDEXED"),
    "a time before the first commit": ({"time": "2026-01-01T11:59:59Z"}, "NOT_INDEXED"),
    "what several revisions begin with": ({"revision": "0000000"}, "AMBIGUOUS"),
}
REFUSED = {
    "nothing": {},
    "nothing but nulls": {"run": None},
    "two at once": {"run": "run_0000", "time": "2026-01-01T12:00:00Z"},
    "too little of a revision": {"revision": "000000"},
    "what Postgres can't hold": {"revision": "0000000\x00"},
}


@pytest.fixture
def turned(world):
    """The stack of the questions, which became what it is with the second commit."""
    return next(stack for stack in world.stacks if stack.name == TURNED)


@pytest.mark.parametrize(("position", "expected"), MEANT.values(), ids=MEANT)
async def test_a_position_is_named_by_a_run_a_revision_or_a_time(position, expected, graph, world, turned) -> None:
    """Each way of naming a position leads to what the stack was there."""
    answer = await ask(graph, world.viewers()["admin"], TAGS, asOf=position)
    assert answer == {"data": {"stack": {"id": turned.id} | expected}}


@pytest.mark.parametrize(("position", "code"), UNKNOWN.values(), ids=UNKNOWN)
async def test_what_was_never_indexed_is_an_error(position, code, graph, world) -> None:
    """A position that no successful run read is an error of the field, never a guess."""
    answer = await ask(graph, world.viewers()["admin"], TAGS, asOf=position)
    assert answer["data"] == {"stack": None}
    assert [(one["path"], one["extensions"]["code"]) for one in answer["errors"]] == [(["stack"], code)]


async def test_candidates_of_a_revision_are_named(graph, world) -> None:
    """Where the beginning of a revision fits several, the error says which."""
    answer = await ask(graph, world.viewers()["admin"], TAGS, asOf={"revision": "0000000"})
    assert answer["errors"][0]["extensions"]["candidates"] == ["0" * 40, "0" * 7 + "a" * 33]


@pytest.mark.parametrize("position", REFUSED.values(), ids=REFUSED)
async def test_a_position_that_cannot_be_meant_is_refused(position, graph, world) -> None:
    """Anything but exactly one of time, run and revision refuses the operation before it runs."""
    answer = await ask(graph, world.viewers()["admin"], TAGS, asOf=position)
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_viewer_learns_nothing_of_an_estate_out_of_sight(graph, world) -> None:
    """Whether a revision was indexed is no more told than the estate itself."""
    answers = [await ask(graph, world.viewers()["main"], TAGS, asOf={"revision": revision}) for revision in ("0" * 40, "beefbeef")]
    assert answers[0] == answers[1]
    assert answers[0]["errors"][0]["extensions"]["code"] == "NOT_INDEXED"


async def test_what_is_gone_is_found_where_it_was_and_what_is_new_is_not(graph, world, store) -> None:
    """A removed stack answers at a position where it lived; one that came later is null before, without an error."""
    document = "query Q($name: String!, $asOf: AsOfInput) { stack(name: $name, asOf: $asOf) { name state } }"
    admin = world.viewers()["admin"]
    gone = next(stack for stack in world.stacks if stack.removed_at is not None)
    assert await ask(graph, admin, document, name=gone.name) == {"data": {"stack": None}}
    found = await ask(graph, admin, document, name=gone.name, asOf={"run": "run_0000"})
    assert found == {"data": {"stack": {"name": gone.name, "state": "FRESH"}}}
    new = next(
        store.one(identity)
        for identity, versions in store.versions["component_instance"].items()
        if min(version["from_number"] for version in versions if version["ref"] == "main") > 0
        and store.one(identity)["removed_at"] is None
        and store.one(store.one(identity)["stack_id"])["name"] != "twin"
    )
    of_instance = """query Q($stack: String!, $component: String!, $type: ComponentType, $asOf: AsOfInput) {
        componentInstance(stack: $stack, component: $component, type: $type, asOf: $asOf) { name } }"""
    asked = {"stack": store.one(new["stack_id"])["name"], "component": new["name"], "type": new["type"]}
    run = {"acme-infra": "run_0000", "globex-infra": "run_0100"}[store.one(new["estate_id"])["name"]]
    assert await ask(graph, admin, of_instance, **asked, asOf={"run": run}) == {"data": {"componentInstance": None}}
    assert (await ask(graph, admin, of_instance, **asked))["data"]["componentInstance"] == {"name": new["name"]}


async def test_the_tenant_of_the_version_decides_who_sees_it(graph, world) -> None:
    """A stack that changed its tenant is seen at each position by those of the tenant that it had there."""
    document = "query Q($name: String!, $asOf: AsOfInput) { stack(name: $name, asOf: $asOf) { name } }"
    plat, core = world.viewers()["plat"], world.viewers()["pair"]
    moved, nothing = {"data": {"stack": {"name": MOVED}}}, {"data": {"stack": None}}
    assert await ask(graph, plat, document, name=MOVED) == moved
    assert await ask(graph, plat, document, name=MOVED, asOf={"run": "run_0000"}) == nothing
    assert await ask(graph, plat, document, name=MOVED, asOf={"run": "run_0001"}) == moved
    assert await ask(graph, core, document, name=MOVED, asOf={"run": "run_0001"}) == nothing


async def test_links_lead_into_the_revision_of_the_position(graph, world) -> None:
    """Places in files of a past row link to the revision that was asked for."""
    document = """{ stack(name: "core-00-staging", estate: "acme-infra", asOf: {revision: "%s"}) {
        ownership { location { url } } unowned { location { url } } } }"""
    for revision in ("0" * 40, "01" * 20):
        answer = await ask(graph, world.viewers()["admin"], document % revision)
        found = answer["data"]["stack"]["ownership"] or answer["data"]["stack"]["unowned"]
        assert found["location"]["url"].startswith(f"https://git.test/{revision}/stacks/")


async def test_an_owner_that_is_known_no_more_owns_nothing(graph, world, store) -> None:
    """A version that names a lost team says what named it, and that nobody is known by it."""
    lost = next(
        store.one(identity)
        for identity, versions in store.versions["stack"].items()
        if any(version["row"] is not None and version["data"]["team_id"] == LOST_TEAM for version in versions)
        and store.one(identity)["owner_source"]
    )
    run = {"acme-infra": "run_0000", "globex-infra": "run_0100"}[store.one(lost["estate_id"])["name"]]
    document = """query Q($name: String!, $asOf: AsOfInput) {
        stack(name: $name, asOf: $asOf) { ownership { team { slug } } unowned { reason value } } }"""
    answer = await ask(graph, world.viewers()["admin"], document, name=lost["name"], asOf={"run": run})
    assert answer == {"data": {"stack": {"ownership": None, "unowned": {"reason": "UNKNOWN_OWNER", "value": lost["owner_value"]}}}}


async def test_the_order_of_a_stack_is_not_told_of_the_past(graph, world) -> None:
    """The order in which a stack may be applied is refused of the past, not answered with the present's."""
    document = '{ stack(name: "core-00-staging", asOf: {run: "run_0000"}) { applyOrder { truncated } } }'
    answer = await ask(graph, world.viewers()["admin"], document)
    assert answer["data"] == {"stack": None}
    assert answer["errors"][0]["path"] == ["stack", "applyOrder"]
