"""Rows never multiply statements: every connection field of the schema takes as many for fifty rows as for five."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import graph_walks
import pytest
from sqlalchemy import event

from catalog.records import PrincipalKind

WALKS = graph_walks.connections()
# Shown by mutations alone: there is one report, and its list is a page of one statement as any other.
OF_MUTATIONS = {"ImportReport.rejected"}


@asynccontextmanager
async def counting(database) -> AsyncIterator[list[str]]:
    """Every statement that reaches Postgres through the reader or a session while the block lasts."""
    counted: list[str] = []

    def read(query) -> None:
        counted.append(query.query)

    def written(_connection, _cursor, statement, *_more) -> None:
        counted.append(statement)

    # One operation after the other takes the connection that was put back last.
    async with AsyncExitStack() as opened:
        connections = [await opened.enter_async_context(database.reader.connection(generic=generic)) for generic in (True, False)]
    for connection in connections:
        connection.add_query_logger(read)
    event.listen(database.engine.sync_engine, "before_cursor_execute", written)
    try:
        yield counted
        await asyncio.sleep(0)  # loggers are called in the next turn of the loop
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", written)
        for connection in connections:
            connection.remove_query_logger(read)


async def _asked(graph, database, walk, scope, size: int) -> tuple[int, int]:
    """How many statements a walk takes at a size of pages, and how many things its answer shows."""
    kind, name = walk.steps[-1]
    shown = graph_walks.selection(graph_walks.shown_by(kind.fields[name]))
    # What the way passes is not what is judged: its pages stay small enough for fifty at the end.
    document = walk.document(shown, pages=f"first: {size}", outer="first: 3")
    async with counting(database) as counted:
        response = await graph.execute(document, None, None, scope)
    assert not response.is_request_error, response.body
    answer = json.loads(response.body)
    return len(counted), json.dumps(answer["data"]).count('"__typename"')


def test_every_connection_is_walked() -> None:
    """None is left out for want of a way."""
    assert set(WALKS) == graph_walks.every_connection() - OF_MUTATIONS


@pytest.mark.parametrize("name", WALKS)
async def test_fifty_rows_take_as_many_statements_as_five(name, graph, world, database) -> None:
    """With everything shown that a row has: the number is the same, and it is small."""
    scope = replace(world.viewers()["admin"], kind=PrincipalKind.SERVICE)  # may ask for the most at once
    few, shown = await _asked(graph, database, WALKS[name], scope, 5)
    many, more = await _asked(graph, database, WALKS[name], scope, 50)
    assert more >= shown
    assert few == many
    assert 1 <= many <= 4


async def test_a_statement_for_each_row_is_counted(graph, world, database) -> None:
    """The count would tell."""
    async with counting(database) as counted:
        for row in world.stacks[:3]:
            await graph.execute("query($id: ID!) { node(id: $id) { id } }", {"id": row.id}, None, world.viewers()["admin"])
        async with database.session() as session:
            await session.connection()
    assert len(counted) >= 3
