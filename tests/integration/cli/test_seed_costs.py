"""Charges that the catalog's seeds bring: imported once, and a file that can't be had stops no other."""

from dataclasses import replace
from decimal import Decimal

import pytest

from catalog.cli import seed_costs

ROWS = (
    "BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,BillingCurrency,BilledCost,EffectiveCost,ResourceId\n"
    "2026-05-01T00:00:00Z,2026-06-01T00:00:00Z,2026-05-02T00:00:00Z,2026-05-03T00:00:00Z,Usage,USD,{0},{0},{1}\n"
)


@pytest.fixture
def seeds(tmp_path):
    """A directory of seeds with two good files of charges and a broken one between them."""
    (tmp_path / "costs").mkdir()
    for name, text in {"a.csv": ROWS.format("1.5", "i-1"), "b.csv": "no,header\n", "c.csv": ROWS.format("2", "i-2")}.items():
        (tmp_path / "costs" / name).write_text(text)
    return tmp_path


async def test_files_of_the_seeds_are_imported_once(fresh_database, seeds):
    """The first start imports what can be read and tells of the rest; a later one looks only at what it couldn't take."""
    config = replace(fresh_database.config, seeds=seeds)

    reports, problems = await seed_costs.bring(config, fresh_database)
    again, still = await seed_costs.bring(config, fresh_database)

    assert [(report.name, report.accepted, report.totals) for report in reports] == [
        ("a.csv", 1, (("USD", Decimal("1.5")),)),
        ("c.csv", 1, (("USD", Decimal(2)),)),
    ]
    assert (len(problems), again, still) == (1, [], problems)
    assert "b.csv" in problems[0]


async def test_seeds_without_charges_import_nothing(fresh_database, tmp_path):
    """Neither a missing directory nor missing seeds are anything to tell."""
    assert await seed_costs.bring(replace(fresh_database.config, seeds=tmp_path), fresh_database) == ([], [])
    assert await seed_costs.bring(replace(fresh_database.config, seeds=None), fresh_database) == ([], [])
