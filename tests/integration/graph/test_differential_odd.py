"""The same over rows that tempt a writer of text: quotes, control characters, letters beyond ASCII, an estate never read."""

from __future__ import annotations

import os

import pytest
import pytest_asyncio
from graph_past import Store
from synthetic import Synthetic
from test_differential import Differences, harvest

SOAK = int(os.environ.get("CATALOG_SOAK_OPERATIONS", "5000"))


@pytest.fixture(scope="module")
def world() -> Synthetic:
    """The world with its odd rows."""
    return Synthetic()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(graph, database) -> Store:
    """Every row, in memory."""
    return await Store.load(database)


async def differ(graph, world, store, seeds) -> tuple[Differences, list[str]]:
    """Run the operations of seeds both ways."""
    differences = Differences(graph, store, world.viewers())
    await harvest(differences)
    return differences, [told for seed in seeds if (told := await differences.differ(seed))]


async def test_odd_rows_read_alike(graph, world, store) -> None:
    """Whatever characters rows hold, compiled reads answer as plain execution does."""
    differences, found = await differ(graph, world, store, range(100_000, 100_150))
    assert not found, "\n\n".join(found[:6])
    assert differences.ran > 150


@pytest.mark.soak
async def test_thousands_of_operations_read_alike(graph, world, store) -> None:
    """Thousands of operations for every viewer answer as plain execution does."""
    differences, found = await differ(graph, world, store, range(200_000, 200_000 + SOAK))
    print(
        f"\n{differences.ran} compared, {dict(differences.refused)} refused, {differences.failed} with errors, {len(found)} different"
    )
    assert not found, f"{len(found)} different\n\n" + "\n\n".join(found[:12])
