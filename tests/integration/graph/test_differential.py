"""Compiled reads against the reference: the same answer for any operation, any viewer.

CATALOG_DIFFERENTIAL sets how many operations are made (default 300), CATALOG_DIFFERENTIAL_SEED where they begin.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from decimal import localcontext

import pytest_asyncio
from graph_operations import SCHEMA, Generator
from graph_past import Reader, Store
from graph_reference import decoded
from graphql import GraphQLError, get_named_type

COUNT = int(os.environ.get("CATALOG_DIFFERENTIAL", "300"))
SEED = int(os.environ.get("CATALOG_DIFFERENTIAL_SEED", "0"))
REFUSED = {
    "TOO_MANY_NODES", "TOO_EXPENSIVE", "TOO_MANY_ALIASES", "TOO_MANY_FIELDS", "TOO_DEEP", "TOO_MANY_DIRECTIVES", "TOO_MANY_ROOT_FIELDS",
    "BAD_USER_INPUT",
}  # fmt: skip
_CURSORS = {"cursor", "startCursor", "endCursor"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(graph, database) -> Store:
    """Every row, in memory."""
    return await Store.load(database)


class Differences:
    """Runs operations both ways and tells them apart."""

    def __init__(self, graph, store, viewers) -> None:
        self.graph, self.store, self.viewers = graph, store, viewers
        self.readers = {name: Reader(store, scope) for name, scope in viewers.items()}
        self.cursors: dict[str, list[str]] = defaultdict(list)
        self.ran = self.failed = 0
        self.refused: Counter[str] = Counter()

    def generator(self, seed: int) -> Generator:
        """The generator of a seed."""
        ids = sorted(self.store.by_id)
        return Generator(seed, [*ids[:: max(1, len(ids) // 200)], "stk_unknown", "nonsense"], self.cursors)

    async def differ(self, seed: int) -> str | None:
        """What is different about an operation, None when nothing is."""
        generator = self.generator(seed)
        operation, name = generator.operation(), sorted(self.viewers)[seed % len(self.viewers)]
        told = await self.compare(operation.document, operation.variables, name)
        # Once more with other values: the plan at hand serves them, or must know that it doesn't.
        told = told or await self.compare(operation.document, generator.others(), name)
        return told and f"seed {seed}: {told}"

    async def compare(self, document: str, variables, name: str) -> str | None:
        """What is different about a run, None when nothing is."""
        response = await self.graph.execute(document, variables, None, self.viewers[name])
        ours = json.loads(response.body)
        if response.is_request_error:
            problem = ours["errors"][0]
            expected = problem["extensions"]["code"] in REFUSED or "conflict" in problem["message"]
            assert expected, f"{ours} for {document} {variables}"
            self.refused[problem["extensions"]["code"]] += 1
            return None
        self.ran += 1
        theirs = self.readers[name].execute(document, variables)
        for problem in theirs.errors or ():
            if problem.original_error is not None and not isinstance(problem.original_error, GraphQLError):
                raise problem.original_error
        self.failed += bool(theirs.errors)
        with localcontext(prec=200):
            told = told_apart(ours, theirs)
        return told and f"viewer {name}: {told}\n{document}\n{json.dumps(variables)}"


def told_apart(ours, theirs) -> str | None:
    """Where two answers differ: values, order of keys, errors by path and message."""
    mine = json.dumps(cursorless(ours["data"]))
    other = json.dumps(cursorless(theirs.data, ours=False))
    if mine != other:
        place = next((n for n, (a, b) in enumerate(zip(mine, other, strict=False)) if a != b), min(len(mine), len(other)))
        return f"\n  ours:   …{mine[max(0, place - 150) : place + 150]}\n  theirs: …{other[max(0, place - 150) : place + 150]}"
    faults = {(json.dumps(one.get("path")), one["message"]) for one in ours.get("errors", ())}
    known = {(json.dumps(one.path), one.message) for one in theirs.errors or ()}
    return None if faults == known else f"errors {faults} instead of {known}"


def cursorless(value, *, ours=True):
    """An answer whose cursors are the keys they hold; both sides then speak of the same thing."""
    if isinstance(value, dict):
        return {name: cursorless(inner, ours=ours) for name, inner in value.items()}
    if isinstance(value, list):
        return [cursorless(inner, ours=ours) for inner in value]
    if isinstance(value, str) and ours and len(value) > 20 and all(letter in "0123456789abcdef" for letter in value):
        try:
            return decoded(value)
        except ValueError:
            return value
    return value


async def test_compiled_reads_equal_plain_execution(graph, world, store) -> None:
    """Whatever is asked and whoever asks, the compiled statement answers as plain execution does."""
    differences = Differences(graph, store, world.viewers())
    await harvest(differences)
    found = [told for seed in range(SEED, SEED + COUNT) if (told := await differences.differ(seed))]
    print(
        f"\n{differences.ran} operations compared, {dict(differences.refused)} refused, {differences.failed} with errors, {len(found)} different"
    )
    assert not found, "\n\n".join(found[:6])
    assert differences.ran > COUNT


async def harvest(differences) -> None:
    """Collect real cursors of lists at the root and below, so that pages begin and end in the middle."""
    for document in HARVESTS:
        response = await differences.graph.execute(f"{{ {document} }}", None, None, differences.viewers["admin"])
        answer = json.loads(response.body)
        assert "errors" not in answer, answer
        known = differences.cursors
        for place, cursor in cursors_in(SCHEMA.query_type, answer["data"]):
            if cursor not in known[place]:
                known[place].append(cursor)


def cursors_in(kind, data):
    """The cursors of an answer, each with the type and the field of its list."""
    for name, value in data.items():
        inner = get_named_type(kind.fields[name].type)
        if "edges" not in value:
            yield from cursors_in(inner, value)
        for edge in value.get("edges", ()):
            yield f"{kind.name}.{name}", edge["cursor"]
            if "node" in edge:
                yield from cursors_in(get_named_type(get_named_type(inner.fields["edges"].type).fields["node"].type), edge["node"])


def _lists(tree: dict) -> str:
    return " ".join(
        f"{name}(first: 8) {{ edges {{ cursor {f'node {{ {_lists(inner)} }}' if inner else ''} }} }}"
        for name, inner in tree.items()
    )


HARVESTS = [
    _lists(tree)
    for tree in (
        {"stacks": {"instances": {"dependsOn": {}, "dependents": {}, "history": {}, "requests": {}}}},
        {"componentInstances": {}, "components": {"instances": {}, "services": {}}},
        {"services": {"instances": {"componentInstances": {}}}},
        {"teams": {"services": {}, "stacks": {}, "instances": {}, "requests": {}}},
        {"organizations": {"tenants": {"stacks": {}}, "teams": {}}, "environments": {"stacks": {}, "serviceInstances": {}}},
        {"estates": {"runs": {"diagnostics": {}, "changes": {"values": {}}}, "diagnostics": {}}},
        {"estates": {"manifests": {"imports": {}, "importedBy": {}, "stacks": {}}}},
        {"componentInstances": {"charges": {}, "costHistory": {"items": {}}}, "charges": {}},
        {"changes": {}, "diagnostics": {}, "provisioningRequests": {}, "workflows": {}, "principals": {}, "accessTokens": {}},
    )
] + [f"costReport(groupBy: [{by}]) {{ {_lists({'rows': {}})} }}" for by in ("TEAM", "STACK", "MONTH")]
