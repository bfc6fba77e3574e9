"""Seeds of money: rules of allocation and exchange rates; what doesn't hold is told with file and line, and the last good file stays."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.cost import allocation, rates
from catalog.errors import Invalid
from catalog.indexer import seeds

RULES = """\
allocation:
  tags: {stack: [stack]}
  accounts: {"012345678901": prod, 111122223333: dev}
  resources: [{id: "vol-*", stack: plat-dev, component: ec2}]
  shared:
    - {name: support, match: {service: "Support*", tags: {Kind: all}}, split: fixed, weights: {platform: 33.3%, payments: 66.7}}
    - {name: tax, match: {category: Tax}}
"""
BROKEN = {
    "fixed parts that are not 100": ("{name: a, match: {service: x}, split: fixed, weights: {a: 50, b: 49.9}}", "100 percent"),
    "a rule for every charge": ("{name: a, match: {}}", "more than nothing"),
    "a rule without match": ("{name: a}", "which charges are shared"),
    "usage without weights": ("{name: a, match: {service: x}, split: usage}", "usage is told by weights"),
    "a split that there isn't": ("{name: a, match: {service: x}, split: halves}", "one of even, estimate, usage, fixed"),
    "a weight that is no number": ("{name: a, match: {service: x}, split: usage, weights: {a: some}}", "names and numbers"),
    "a negative weight": ("{name: a, match: {service: x}, split: usage, weights: {a: -1, b: 2}}", "zero or more"),
}
RATES = "day,base,currency,rate\n2026-01-01,EUR,USD,1.0835\n2026-02-01,EUR,USD,1.1\n"
BROKEN_RATES = {
    "no such currency": ("2026-01-02,EURO,USD,1", 2),
    "one currency": ("2026-01-02,EUR,EUR,1", 2),
    "no number": ("2026-01-02,EUR,USD,one", 2),
    "nothing": ("2026-01-02,EUR,USD,0", 2),
    "no day": ("yesterday,EUR,USD,1", 2),
    "twice": ("2026-01-01,EUR,USD,1\n2026-01-01,EUR,USD,2", 3),
}


def write(directory, **files):
    for name, text in files.items():
        (directory / name.replace("_", ".")).write_text(text)
    return directory


def test_rules_are_read_exactly(tmp_path):
    """Percentages and account numbers mean what is written, and what isn't said is the default."""
    said = seeds.load(write(tmp_path, allocation_yaml=RULES))

    assert said.diagnostics == ()
    rules = allocation.rules_of(said.allocation)
    assert rules.accounts == {"012345678901": "prod", "111122223333": "dev"}
    assert rules.tags["stack"] == ("stack",)
    assert rules.tags["team"] == allocation.TAG_KEYS["team"]
    assert rules.shared[0].weights == (("platform", Decimal("33.3")), ("payments", Decimal("66.7")))
    assert (rules.shared[1].split, rules.shared[1].among) == ("even", "team")


@pytest.mark.parametrize("case", BROKEN)
def test_rules_that_do_not_hold_leave_the_last_good_ones(case, tmp_path):
    """One rule that doesn't hold refuses the file, with its line; what it said last stays."""
    rule, told = BROKEN[case]
    place, kept = tmp_path / "seeds", tmp_path / "kept"
    place.mkdir()
    good = seeds.load(write(place, allocation_yaml=RULES), kept=kept)

    said = seeds.load(write(place, allocation_yaml=f"allocation:\n  shared:\n    - {rule}\n"), kept=kept)

    assert said.allocation == good.allocation
    [problem] = said.diagnostics
    assert (problem.code, problem.location.file, problem.location.line) == ("SEED_BROKEN", "seeds/allocation.yaml", 3)
    assert told in problem.message


def test_rates_are_read_as_written():
    """A rate keeps its digits."""
    first, _ = rates.read(RATES.encode(), "seeds/rates.csv")

    assert first == rates.Rate(day=date(2026, 1, 1), base="EUR", currency="USD", rate=Decimal("1.0835"))


@pytest.mark.parametrize("case", BROKEN_RATES)
def test_rates_that_can_not_be_read_leave_the_last_good_ones(case, tmp_path):
    """A row that can't be read refuses the file, with its line; the rates that it said last stay."""
    row, line = BROKEN_RATES[case]
    place, kept = tmp_path / "seeds", tmp_path / "kept"
    place.mkdir()
    good = seeds.load(write(place, rates_csv=RATES), kept=kept)

    said = seeds.load(write(place, rates_csv=f"day,base,currency,rate\n{row}\n"), kept=kept)

    assert said.rates == good.rates
    assert len(said.rates) == 2
    [problem] = said.diagnostics
    assert (problem.code, problem.location.file, problem.location.line) == ("SEED_BROKEN", "seeds/rates.csv", line)


def test_a_file_with_another_header_is_refused():
    """What has other columns is no file of rates."""
    with pytest.raises(Invalid, match="no column rate"):
        rates.read(b"day,base,currency\n", "rates.csv")
