"""Files of charges against a real Postgres: what is taken, replaced and refused, and what a bad file leaves as it was."""

import gzip
import json
from decimal import Decimal

import pytest

from catalog.cost import imports
from catalog.errors import Invalid
from catalog.records import CostFormat

HEADER = (
    "BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,BillingCurrency,BilledCost,EffectiveCost,"
    "ProviderName,ResourceId,Tags"
)
SUMS = "select currency, sum(effective) from charge group by 1 order by 1"
REJECTED = 'select "row", "column", reason from rejected_row where import_id = $1 order by ordinal'


def charge(resource, cost, *, month=5, currency="USD", category="Usage"):
    period = (
        f"2026-{month:02}-01T00:00:00Z,2026-{month + 1:02}-01T00:00:00Z,2026-{month:02}-02T00:00:00Z,2026-{month:02}-03T00:00:00Z"
    )
    return f'{period},{category},{currency},{cost},{cost},AWS,{resource},"{{""n"":1}}"'


@pytest.fixture
def take(fresh_database, tmp_path):
    """Import rows, or the bytes of a file, under a name."""

    async def call(*rows, name="aws.csv", body=None, kind=CostFormat.FOCUS_CSV, **more):
        path = tmp_path / "given"
        path.write_bytes(body if body is not None else "\n".join((HEADER, *rows, "")).encode())
        async with fresh_database.session() as session:
            report = await imports.take(session, imports.Source(path=path, name=name, format=kind, **more))
            await session.commit()
        return report

    return call


@pytest.fixture
def ask(fresh_database):
    """Ask the database."""

    async def call(statement, *values):
        async with fresh_database.connection() as connection:
            return [tuple(row) for row in await connection.fetch(statement, *values)]

    return call


async def test_a_file_that_comes_again_changes_nothing(take, ask):
    """Importing a file twice leaves the very rows that the first time wrote."""
    rows = [charge("i-1", "1.000000000000001"), charge("i-2", "-0.5", category="Credit"), charge("i-3", "7", currency="EUR")]
    first = await take(*rows)
    written = await ask("select id, xmin::text from charge order by id")

    again = await take(*rows)

    assert (first.rows, first.accepted, first.replaced, first.rejected) == (3, 3, 0, 0)
    assert (again.rows, again.accepted, again.replaced, again.rejected) == (3, 3, 3, 0)
    assert first.totals == (("EUR", Decimal(7)), ("USD", Decimal("0.500000000000001")))
    assert await ask(SUMS) == list(first.totals)
    assert await ask("select id, xmin::text from charge order by id") == written


async def test_a_correction_replaces_its_file_s_billing_period_and_nothing_else(take, ask):
    """What the file said of May is replaced, what it said of June and what other files say of May stays."""
    await take(charge("i-1", "1"), charge("i-2", "2"), charge("i-3", "4", month=6))
    await take(charge("i-9", "100"), name="other.csv")

    report = await take(charge("i-1", "1"), charge("i-2", "3"))

    assert (report.accepted, report.replaced) == (2, 2)
    assert await ask("select resource_id, effective from charge order by 1") == [
        ("i-1", 1), ("i-2", 3), ("i-3", 4), ("i-9", 100),
    ]  # fmt: skip


async def test_a_row_that_stands_twice_is_taken_once_and_told_of(take, ask):
    """Nothing is doubled, and nothing that was left out is left unsaid."""
    report = await take(charge("i-1", "1"), charge("i-2", "2"), charge("i-1", "1"))

    assert (report.rows, report.accepted, report.rejected) == (3, 2, 1)
    assert await ask(REJECTED, report.id) == [(3, None, "the row says the same as row 1")]
    assert await ask(SUMS) == [("USD", 3)]


async def test_the_same_file_under_another_name_doubles_nothing(take, ask):
    """A charge is there once, whatever its file is called the second time."""
    await take(charge("i-1", "1"), charge("i-2", "2"))

    report = await take(charge("i-1", "1"), charge("i-3", "4"), name="copy.csv")

    assert (report.accepted, report.rejected) == (1, 1)
    assert await ask(REJECTED, report.id) == [(1, None, "the charge was imported from aws.csv already")]
    assert await ask(SUMS) == [("USD", 7)]


async def test_every_refused_row_is_kept_with_its_reason_in_the_order_of_the_file(take, ask):
    """The report loses nothing, however many rows are refused."""
    bad = [charge(f"i-{n}", "nothing") for n in range(20_000)]

    report = await take(charge("i-a", "1"), *bad, charge("i-a", "1"), charge("i-b", "2"))

    told = await ask(REJECTED, report.id)
    assert (report.rows, report.accepted, report.rejected) == (20_003, 2, 20_001)
    assert [row for row, _, _ in told] == list(range(2, 20_003))
    assert told[0][1:] == ("BilledCost", "'nothing' is not a number")
    assert await ask(SUMS) == [("USD", 3)]


BROKEN = {
    "half a line": lambda whole: whole[:-30],
    "a gzip that was cut off": lambda whole: gzip.compress(whole)[:-12],
    "another header": lambda whole: whole.replace(b"EffectiveCost", b"Cost"),
    "no CSV at all": lambda _: bytes(range(256)) * 20,
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_file_that_is_not_whole_changes_nothing(take, ask, broken):
    """Half a file, or one of another kind, is refused as a whole, and what was imported before stays."""
    rows = [charge(f"i-{n}", "1") for n in range(5000)]
    await take(*rows)

    with pytest.raises(Invalid):
        await take(body=BROKEN[broken]("\n".join((HEADER, *rows, charge("i-new", "5"), "")).encode()))

    assert await ask(SUMS) == [("USD", 5000)]
    assert await ask("select count(*) from cost_import") == [(1,)]


async def test_parquet_says_what_csv_says(take, ask, tmp_path):
    """Charges of Parquet are taken with every decimal, and half a Parquet file isn't."""
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415 — an extra

    names = HEADER.split(",")
    columns = {name: [] for name in names}
    for number in range(3000):
        for name, cell in zip(names, charge(f"i-{number}", "0.000000000000007").split(",", len(names) - 1), strict=True):
            columns[name].append(Decimal(cell) if name.endswith("Cost") else '{"n":1}' if name == "Tags" else cell)
    path = tmp_path / "charges.parquet"
    parquet.write_table(arrow.table(columns), path)

    report = await take(body=path.read_bytes(), kind=CostFormat.FOCUS_PARQUET, name="gcp.parquet")

    assert (report.accepted, report.rejected) == (3000, 0)
    assert await ask(SUMS) == [("USD", Decimal("0.000000000021"))]
    with pytest.raises(Invalid, match="no Parquet, damaged or cut off"):
        await take(body=path.read_bytes()[:-100], kind=CostFormat.FOCUS_PARQUET, name="gcp.parquet")


async def test_allocations_of_opencost_are_charges_in_the_currency_that_is_said(take, ask):
    """Namespaces cost what OpenCost counts, one charge each, found again by their labels."""
    window = {"start": "2026-05-01T00:00:00Z", "end": "2026-05-02T00:00:00Z"}
    shop = {
        "name": "shop",
        "window": window,
        "properties": {"cluster": "c1", "namespace": "shop", "labels": {"team": "data"}},
        "totalCost": 1.25,
    }
    idle = {"name": "__idle__", "window": window, "cpuCost": 0.5, "ramCost": 0.25}
    body = json.dumps({"code": 200, "data": [{"shop": shop, "__idle__": idle, "broken": {"window": window}}]}).encode()

    report = await take(body=body, kind=CostFormat.OPENCOST, name="opencost", currency="EUR")

    assert (report.rows, report.accepted, report.rejected) == (3, 2, 1)
    assert await ask("select resource_id, effective, tags->>'team' from charge order by 1 nulls last") == [
        ("c1/shop", Decimal("1.25"), "data"), (None, Decimal("0.75"), None),
    ]  # fmt: skip
    assert report.totals == (("EUR", Decimal("2.00")),)
    with pytest.raises(Invalid, match="not JSON"):
        await take(body=body[:-40], kind=CostFormat.OPENCOST, name="opencost")


@pytest.mark.shared
async def test_the_sample_of_focus_adds_up_to_the_last_digit(take, ask, shared):
    """The columns of FOCUS 1.2 are accepted as they come, and the sums are those of the file."""
    sample = shared / "samples" / "focus" / "focus_1_2_aws.csv.gz"
    if not sample.is_file():
        pytest.skip("the sample of FOCUS is not on this machine")

    report = await take(body=sample.read_bytes(), name=sample.name)

    assert (report.rows, report.accepted, report.rejected) == (2000, 2000, 0)
    assert await ask("select sum(billed), sum(effective), sum(listed), sum(contracted) from charge") == [
        (
            Decimal("40293.064555134896250"),
            Decimal("40293.064555134896250"),
            Decimal("57661.488525689682064"),
            Decimal("55227.674376357296250"),
        )
    ]


async def test_nothing_but_allocations_refers_to_a_charge(ask):
    """Superseded charges are deleted past foreign keys, their allocations before them: whatever else refers to a charge must be, too."""
    found = await ask("select conrelid::regclass::text from pg_constraint where contype = 'f' and confrelid = 'charge'::regclass")

    assert found == [("allocation",)]
