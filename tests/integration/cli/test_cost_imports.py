"""`catalog costs import` and `estimate` as a person runs them: what they print, where it goes, and their exit codes."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json

import pytest

from catalog.cli import opening, program, settings

HEADER = "BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,BillingCurrency,BilledCost,EffectiveCost,ResourceId"


def charges(*costs):
    period = "2026-05-01T00:00:00Z,2026-06-01T00:00:00Z,2026-05-02T00:00:00Z,2026-05-03T00:00:00Z"
    rows = (f"{period},Usage,{'EUR' if cost == '9' else 'USD'},{cost},{cost},i-{n}" for n, cost in enumerate(costs))
    return "\n".join((HEADER, *rows, ""))


@pytest.fixture
def place(fresh_database, tmp_path, monkeypatch):
    """A directory to work in, and a database of the test's own."""
    monkeypatch.setenv("CATALOG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CATALOG_DATABASE_URL", fresh_database.config.database_url)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(place, capsys):
    """Run a command: exit code, document on stdout, text on stderr."""

    def call(*arguments):
        code = program.run(["costs", *arguments, "--format", "json"])
        captured = capsys.readouterr()
        return code, json.loads(captured.out) if captured.out else None, captured.err

    return call


def test_a_file_is_imported_and_told_of_by_currency(run, place):
    """Amounts of several currencies stay apart, and what comes again replaces itself."""
    (place / "aws.csv.gz").write_bytes(gzip.compress(charges("1.000000000000001", "2", "9").encode()))

    first, second = run("import", "aws.csv.gz"), run("import", "aws.csv.gz")

    shown = {
        "file": "aws.csv.gz",
        "format": "FOCUS_CSV",
        "rows": 3,
        "accepted": 3,
        "replaced": 0,
        "rejected": 0,
        "totals": {"EUR": "9", "USD": "3.000000000000001"},
        "rejectedRows": [],
    }
    assert first == (0, [shown], "")
    assert second == (0, [shown | {"replaced": 3}], "")


def test_rows_that_are_not_taken_are_told_of_and_all_of_them_written_where_asked(run, place):
    """A few on stderr, a hundred in the document, every one in the file."""
    (place / "aws.csv").write_text(charges("1", *["bad"] * 150))

    code, [report], told = run("import", "aws.csv", "--rejected", "rejected.csv")

    assert (code, report["accepted"], report["rejected"], len(report["rejectedRows"])) == (0, 1, 150, 100)
    assert "aws.csv: row 2, BilledCost: 'bad' is not a number" in told
    assert "140 more rows were not taken" in told
    with (place / "rejected.csv").open() as file:
        written = list(csv.DictReader(file))
    assert [row["row"] for row in written] == [str(n) for n in range(2, 152)]


def test_a_file_that_can_not_be_read_fails_by_itself(run, place):
    """The other files are imported, and the exit code says that one was not."""
    (place / "good.csv").write_text(charges("1"))
    (place / "half.csv").write_text(charges("1", "2")[:-15])

    code, reports, told = run("import", "half.csv", "good.csv")

    assert (code, [report["file"] for report in reports]) == (1, ["good.csv"])
    assert "half.csv: the file ends in the middle" in told
    assert "1 of 2 files were not imported" in told


def test_strict_takes_all_of_a_file_or_nothing(run, place):
    """A row that doesn't hold leaves what was there before as it was."""
    (place / "aws.csv").write_text(charges("1", "bad"))

    code, reports, _ = run("import", "aws.csv", "--strict")
    _, [again], _ = run("import", "aws.csv")

    assert (code, reports) == (1, [])
    assert (again["accepted"], again["replaced"]) == (1, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ("import",),
        ("import", "x.json"),
        ("import", "nowhere.csv"),
        ("import", "a.csv", "b.csv", "--name", "c"),
        ("estimate", "vpc"),
    ],
)
def test_wrong_use_is_told_apart_from_failure(run, place, arguments):
    """What the command can't be asked exits with 2."""
    for name in ("x.json", "a.csv", "b.csv"):
        (place / name).write_text("")

    assert run(*arguments)[0] == 2


def test_a_price_book_estimates_the_plan_of_an_instance(run, place, capsys):
    """What the price book says of a plan is the instance's estimate from then on."""
    files = {
        "estate/atmos.yaml": 'stacks: {base_path: stacks, included_paths: ["*"], name_pattern: "{stage}"}\ncomponents: {terraform: {base_path: components}}\n',
        "estate/stacks/dev.yaml": "vars: {stage: dev}\ncomponents: {terraform: {vpc: {vars: {a: 1}}}}\n",
        "estate/components/vpc/main.tf": 'variable "a" {}\n',
        "prices.yaml": "prices: {currency: USD, resources: [{resource_type: aws_nat_gateway, unit: hours, price: '0.045'}]}\n",
        "plan.json": json.dumps(
            {"planned_values": {"root_module": {"resources": [{"address": "a", "type": "aws_nat_gateway", "values": {}}, {"address": "b", "type": "aws_vpc"}]}}}
        ),
    }  # fmt: skip
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    assert program.run(["index", "estate"]) == 0
    capsys.readouterr()

    code, told, _ = run("estimate", "vpc", "-s", "dev", "--plan", "plan.json", "--price-book", "prices.yaml")
    missing, _, _ = run("estimate", "eks", "-s", "dev", "--plan", "plan.json", "--price-book", "prices.yaml")

    assert (code, missing) == (0, 1)
    assert told == [
        {
            "component": "vpc",
            "stack": "dev",
            "status": "PARTIAL",
            "monthly": "32.850",
            "currency": "USD",
            "unsupported": ["aws_vpc (1): the price book doesn't know it"],
        }
    ]


def test_explaining_a_charge_tells_every_way_that_was_tried(run, place):
    """What landed nowhere tells what was looked for, in order; a charge that there isn't is said so."""
    (place / "aws.csv").write_text(charges("7"))
    _, imported, _ = run("import", "aws.csv")
    assert imported[0]["accepted"] == 1

    code, told, _ = run("explain", _charge_id())
    unknown = run("explain", "crg_0")

    assert code == 0
    assert [(part["rule"], part["amount"], part["tenant"]) for part in told["parts"]] == [("unallocated", "7", None)]
    assert [way["way"] for way in told["ways"]] == ["tags", "environment", "team"]
    assert unknown[0] == 1
    assert "there is no charge 'crg_0'" in unknown[2]


def _charge_id():
    async def ask():
        async with opening.opened(settings.read(), "test") as database, database.connection() as connection:
            return await connection.fetchval("select id from charge")

    return asyncio.run(ask())
