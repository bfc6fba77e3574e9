"""The graph over the synthetic world."""

from __future__ import annotations

import graph_history
import graph_world
import pytest
import pytest_asyncio

from catalog.graph.execution import Graph


@pytest.fixture(scope="module")
def world() -> graph_world.World:
    """The rows of the world, and its viewers."""
    return graph_world.World()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def graph(database, config, world) -> Graph:
    """The graph of a database that holds the world and its past."""
    await graph_world.load(database, world)
    await graph_history.load(database)
    return Graph(database, config)
