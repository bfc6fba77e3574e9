"""Answers of OpenCost as charges: exact, in the currency that is said, and what isn't clear is refused with its column."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from catalog.cost import opencost
from catalog.cost.charges import Read, Rejected
from catalog.errors import Invalid

WINDOW = {"start": "2026-12-31T00:00:00Z", "end": "2027-01-01T00:00:00+01:00"}


def read(*sets, currency="EUR"):
    return list(opencost.read(json.dumps({"code": 200, "data": sets}), currency))


def test_an_allocation_is_a_charge() -> None:
    """Its total to the last digit, its place as the resource, its labels as tags, in the month that it began in."""
    about = {
        "cluster": "c1",
        "namespace": "shop",
        "controllerKind": "deployment",
        "labels": {"team": "web"},
        "namespaceLabels": {"team": "all", "unit": "u"},
    }
    # More digits than a float has: written as text.
    said = f'"window": {json.dumps(WINDOW)}, "totalCost": 0.123456789012345678, "properties": {json.dumps(about)}'
    text = f'{{"data": [{{"shop": {{{said}}}}}]}}'
    ((number, charge),) = [(one.row, one.charge) for one in opencost.read(text, "EUR") if isinstance(one, Read)]

    assert (number, charge.effective, charge.billed) == (1, Decimal("0.123456789012345678"), charge.effective)
    assert (charge.currency, charge.resource_id, charge.resource_name) == ("EUR", "c1/shop/deployment", "shop")
    assert (charge.period_start, charge.period_end) == (
        datetime(2026, 12, 31, tzinfo=UTC),
        datetime(2026, 12, 31, 23, tzinfo=UTC),
    )
    assert (charge.billing_period_start, charge.billing_period_end) == (
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    )
    tags = json.loads(charge.tags)
    assert (tags["team"], tags["unit"], tags["opencost:cluster"]) == ("web", "u", "c1")


def test_parts_stand_in_for_a_missing_total() -> None:
    """The sum of the parts that are there; a total that is there counts alone."""
    parts = {"window": WINDOW, "cpuCost": 1.5, "ramCost": 0.25, "gpuCost": None}
    costs = [one.charge.effective for one in read({"a": parts, "b": {**parts, "totalCost": 9}}) if isinstance(one, Read)]

    assert costs == [Decimal("1.75"), Decimal(9)]


def test_the_same_is_the_same_charge() -> None:
    """Equal allocations have equal ids; another cost or currency is another charge."""
    one = {"a": {"window": WINDOW, "totalCost": 1}}
    ids = {
        read(found, currency=currency)[0].charge.id
        for found, currency in ((one, "EUR"), (one, "EUR"), (one, "USD"), ({"a": {"window": WINDOW, "totalCost": 2}}, "EUR"))
    }

    assert len(ids) == 3


@pytest.mark.parametrize(
    ("allocation", "column", "reason"),
    [
        ("text", None, "an object"),
        ({"totalCost": 1}, "window", "no start or no end"),
        ({"window": {"start": WINDOW["start"]}, "totalCost": 1}, "window", "no start or no end"),
        ({"start": WINDOW["end"], "end": WINDOW["start"], "totalCost": 1}, "window", "ends before it begins"),
        ({"window": WINDOW}, "totalCost", "no cost"),
        ({"window": WINDOW, "totalCost": "1"}, "totalCost", "no cost"),
        ({"window": WINDOW, "totalCost": 1, "properties": [1]}, "properties", ""),
    ],
)
def test_what_is_unclear_is_refused_alone(allocation, column, reason) -> None:
    """With its number, the column and why; what stands beside it is taken."""
    first, second = read({"bad": allocation, "good": {"window": WINDOW, "totalCost": 1}})

    assert isinstance(first, Rejected)
    assert (first.row, first.column) == (1, column)
    assert reason in first.reason
    assert isinstance(second, Read)


def test_an_empty_set_is_nothing() -> None:
    """A window without allocations is null or empty; a set that is neither is refused."""
    assert read(None, {}) == []
    assert [type(one) for one in read([1])] == [Rejected]


@pytest.mark.parametrize("text", ["{", "[]", '{"data": {}}', '{"data": [{"a": {"totalCost": NaN}}]}', "[" * 100_000])
def test_what_is_no_answer_is_refused_as_a_whole(text: str) -> None:
    """Half a document, another document, and what no reader should try."""
    with pytest.raises(Invalid):
        list(opencost.read(text, "USD"))
