"""The history of an instance's estimate: what the estate said, version by version, and what was imported between."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from catalog import records
from catalog.store import tables
from catalog.store.rows import CostEstimateRow, CostItemRow

ASK = """query($id: ID!) { node(id: $id) { ... on ComponentInstance { costHistory(first: 10) {
    nodes { source estimatedAt monthly { amount } items(first: 5) { nodes { name } } } } } } }"""


def imported(subject, number, monthly, *, superseded):
    row = CostEstimateRow(
        id=f"cst_imported_{number}",
        subject_kind="ComponentInstance",
        subject_id=subject,
        status="KNOWN",
        currency="USD",
        monthly=Decimal(monthly),
        low=None,
        high=None,
        reason=None,
        unsupported=[],
        source="INFRACOST",
        file=None,
        line=None,
        estimated_at=datetime(2040, number, 1, tzinfo=UTC),
        superseded_at=datetime(2040, number + 1, 1, tzinfo=UTC) if superseded else None,
    )
    item = CostItemRow(
        estimate_id=row.id,
        ordinal=0,
        name=f"item {number}",
        resource_type=None,
        unit=None,
        monthly_quantity=None,
        monthly=Decimal(monthly),
        currency="USD",
    )
    return row, item


@pytest.fixture
async def instance(world, database):
    """An instance with a declared estimate that two imports came after."""
    found = next(one for one in world.instances if one.cost_estimate_id and one.cost_status == "KNOWN" and one.removed_at is None)
    made = [imported(found.id, 1, "70", superseded=True), imported(found.id, 2, "80.000000000000001", superseded=False)]
    async with database.transaction() as connection:
        await tables.insert(connection, records.CostEstimate, [row for row, _ in made])
        await tables.insert(connection, records.CostItem, [item for _, item in made])
    yield found.id
    async with database.transaction() as connection:
        await tables.delete(connection, records.CostEstimate, [row.id for row, _ in made])


async def test_imports_stand_in_the_history_with_their_items_beside_what_the_estate_said(graph, world, instance) -> None:
    """A trend shows every import, superseded or not, the latest first, and what was declared before."""
    answer = json.loads((await graph.execute(ASK, {"id": instance}, None, world.viewers()["admin"])).body)

    assert "errors" not in answer, answer
    history = answer["data"]["node"]["costHistory"]["nodes"]
    assert [(one["source"], one["monthly"]["amount"], one["items"]["nodes"]) for one in history[:2]] == [
        ("INFRACOST", "80.000000000000001", [{"name": "item 2"}]),
        ("INFRACOST", "70", [{"name": "item 1"}]),
    ]
    assert {one["source"] for one in history[2:]} == {"INSTANCE_METADATA"}
