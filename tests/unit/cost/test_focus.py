import gzip
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catalog.cost import files, focus
from catalog.cost.charges import Read, Rejected
from catalog.errors import Invalid

HEADER = (
    "BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,BillingCurrency,BilledCost,EffectiveCost,"
    "ListCost,ContractedCost,ProviderName,ServiceName,ResourceId,RegionId,BillingAccountId,Tags"
)
GOOD = {
    "BillingPeriodStart": "2026-05-01T00:00:00Z",
    "BillingPeriodEnd": "2026-06-01T00:00:00Z",
    "ChargePeriodStart": "2026-05-02T00:00:00Z",
    "ChargePeriodEnd": "2026-05-03T00:00:00Z",
    "ChargeCategory": "Usage",
    "BillingCurrency": "USD",
    "BilledCost": "12.34",
    "EffectiveCost": "12.143470300800001",
    "ListCost": "",
    "ContractedCost": "15",
    "ProviderName": "AWS",
    "ServiceName": "AmazonEC2",
    "ResourceId": "i-1",
    "RegionId": "eu-west-2",
    "BillingAccountId": "1",
    "Tags": '{"team":"platform"}',
}


def row(**changed):
    return ",".join('"' + str(value).replace('"', '""') + '"' for value in (GOOD | changed).values())


def read(*rows, header=HEADER, end="\n"):
    text = "\n".join((header, *rows)) + end
    return list(focus.read_csv(files.lines(io.BytesIO(text.encode()))))


def test_a_charge_is_read_with_every_decimal_and_unknown_amounts_stay_unknown():
    """Amounts keep what the file says to the last digit, and an empty cell is no zero."""
    [found] = read(row())

    charge = found.charge
    assert (charge.effective, charge.billed, charge.listed, charge.contracted) == (
        Decimal("12.143470300800001"), Decimal("12.34"), None, Decimal(15),
    )  # fmt: skip
    assert charge.period_start == datetime(2026, 5, 2, tzinfo=UTC)
    assert json.loads(charge.tags) == {"team": "platform"}


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("BilledCost", "", "an unknown amount is not zero"),
        ("EffectiveCost", "12,5", "not a number"),
        ("EffectiveCost", "Infinity", "no amount"),
        ("BilledCost", "1e999", "no amount"),
        ("ChargePeriodStart", "yesterday", "no time"),
        ("ChargePeriodStart", "2026-02-30T00:00:00Z", "no time"),
        ("ChargePeriodEnd", "2026-05-01T00:00:00Z", "ends before it begins"),
        ("BillingPeriodEnd", "2026-04-01T00:00:00Z", "ends before it begins"),
        ("BillingCurrency", "DOLLARS", "no currency"),
        ("ChargeCategory", "", "empty"),
        ("Tags", "{broken", "not JSON"),
        ("Tags", '{"a": NaN}', "not JSON"),
        ("Tags", '{"a": 1e999}', "not JSON"),
        ("Tags", '"text"', "not an object"),
        ("ResourceId", "x" * 3000, "more than 2000 bytes"),
    ],
)
def test_a_row_that_does_not_hold_is_rejected_with_its_column_and_the_rows_around_it_are_taken(column, cell, reason):
    """One bad cell costs one row, and the report says which and why."""
    first, bad, last = read(row(), row(**{column: cell}), row(ResourceId="i-2"))

    assert isinstance(first, Read)
    assert isinstance(last, Read)
    assert (bad.row, bad.column) == (2, column)
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("written", "tags"),
    [
        ('{"a":"b"}', {"a": "b"}),
        ('"a": "b","c": "d"', {"a": "b", "c": "d"}),  # Azure's older exports
        ('[{"key":"a","value":"b"}]', {"a": "b"}),  # Google Cloud
        ("", {}),
        ("null", {}),
        ('{"a":"\\u0000\\ud800"}', {"a": "\ufffd?"}),
    ],
)
def test_tags_are_read_as_each_provider_writes_them(written, tags):
    """A tag is found whichever cloud the charge is of."""
    [found] = read(row(Tags=written))

    assert json.loads(found.charge.tags) == tags


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-05-02T00:00:00Z", "2026-05-02T00:00:00+00:00"),
        ("2026-05-02T00:00:00.000Z", "2026-05-02T00:00:00+00:00"),  # AWS
        ("2026-05-02T00:00Z", "2026-05-02T00:00:00+00:00"),  # Azure
        ("2026-05-02 00:00:00 UTC", "2026-05-02T00:00:00+00:00"),  # BigQuery
        ("2026-05-02", "2026-05-02T00:00:00+00:00"),
        ("2026-05-02T02:00:00+02:00", "2026-05-02T00:00:00+00:00"),
        ("2026-05-02T00:00:00.123456789Z", "2026-05-02T00:00:00.123456+00:00"),
    ],
)
def test_times_are_read_as_each_provider_writes_them(written, moment):
    """A charge lies in its period whichever cloud it is of."""
    [found] = read(row(ChargePeriodStart=written))

    assert found.charge.period_start == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ProviderName", "ServiceProviderName"),  # 1.3 and 1.4
        ("BilledCost", "billed_cost"),
        ("EffectiveCost", "effectivecost"),  # what query engines make of it
        ("RegionId", "Region"),
        ("BillingPeriodStart", "\ufeffBillingPeriodStart"),
    ],
)
def test_columns_are_found_under_the_names_of_every_version(old, new):
    """Files of FOCUS 1.0 to 1.4 are accepted as they come."""
    [found] = read(row(), header=HEADER.replace(old, new))

    assert found.charge.provider == "AWS"
    assert found.charge.region_id == "eu-west-2"
    assert found.charge.billed == Decimal("12.34")


def test_columns_that_nobody_asked_for_are_no_matter_but_make_another_charge():
    """Extensions of a provider change nothing of what is read, and two rows that differ in them alone are two charges."""
    found = read(row() + ",one", row() + ",two", header=HEADER + ",x_Discount")

    assert len({one.charge.id for one in found}) == 2


def test_the_same_row_is_the_same_charge_wherever_it_stands():
    """A charge that comes again is recognised by its content."""
    [first], again = read(row()), read(row(ResourceId="i-0"), row())

    assert first.charge.id == again[1].charge.id


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER.replace("EffectiveCost", "Effective"), "lacks EffectiveCost"),
        ("lineItem/UsageAccountId,lineItem/UnblendedCost", "not in the columns of FOCUS"),
        ("", "not in the columns of FOCUS"),
        ("PK\x03\x04\x00\xff", "not in the columns of FOCUS"),
    ],
)
def test_a_wrong_header_is_refused_as_a_whole_and_names_what_is_missing(header, message):
    """A file of another kind imports nothing and says what was expected."""
    with pytest.raises(Invalid, match=message):
        read(row(), header=header)


def test_credits_are_negative_and_currencies_stay_beside_their_amounts():
    """A credit is taken as it is, and amounts of several currencies are not added by anybody here."""
    found = read(row(ChargeCategory="Credit", BilledCost="-5", EffectiveCost="-5.10"), row(BillingCurrency="EUR"))

    assert [(one.charge.effective, one.charge.currency) for one in found] == [
        (Decimal("-5.10"), "USD"), (Decimal("12.143470300800001"), "EUR"),
    ]  # fmt: skip


def test_a_row_of_other_width_is_rejected_unless_the_file_ends_in_it():
    """A broken line costs itself; a file that stops within a line is half a file."""
    broken, good = read("a,b", row())

    assert isinstance(broken, Rejected)
    assert isinstance(good, Read)
    with pytest.raises(Invalid, match="ends in the middle of row 2"):
        read(row(), row()[:40], end="")


@given(st.integers(min_value=1, max_value=len(row()) - 1))
def test_half_of_the_last_line_is_never_taken_for_a_charge(length):
    """Wherever within its last line a file is cut off, nothing of it counts as whole, unless what is missing may be empty."""
    assume(not row()[:length].endswith(","))
    with pytest.raises(Invalid, match="ends in the middle"):
        read(row(), row()[:length], end="")


def test_a_last_line_without_a_line_break_is_a_line():
    """Many programs leave the last line break out."""
    assert len(read(row(), row(ResourceId="i-2"), end="")) == 2


def test_a_truncated_gzip_is_half_a_file_and_a_damaged_one_says_so():
    """What a provider's file is cut off or garbled is never mistaken for all of it."""
    packed = gzip.compress(
        "\n".join([HEADER, *(row(ResourceId=f"i-{n}", BillingAccountId=n * 7919) for n in range(5000))]).encode()
    )
    garbled = packed[: len(packed) // 2] + bytes(64) + packed[len(packed) // 2 + 64 :]

    with pytest.raises(Invalid, match="ends in the middle"):
        list(focus.read_csv(files.lines(io.BytesIO(packed[:-2000]))))
    with pytest.raises(Invalid):
        list(focus.read_csv(files.lines(io.BytesIO(garbled))))


def test_a_small_gzip_that_unpacks_to_one_endless_line_is_refused_before_it_fills_memory():
    """A file of zeros is refused after a MiB of them, however many there are."""
    packed = gzip.compress(bytes(200 << 20), compresslevel=1)

    with pytest.raises(Invalid, match="a line has more than"):
        list(focus.read_csv(files.lines(io.BytesIO(packed))))


@given(st.binary(max_size=400))
def test_whatever_bytes_come_each_is_read_rejected_or_refused(data):
    """No content of a file is an error that nobody expected."""
    try:
        found = list(focus.read_csv(files.lines(io.BytesIO(HEADER.encode() + b"\n" + data))))
    except Invalid:
        return
    assert all(isinstance(one, Read | Rejected) for one in found)


def test_typed_rows_are_read_as_csv_is():
    """What Parquet holds as times, decimals and maps is what CSV says as text."""
    typed = GOOD | {
        "ChargePeriodStart": datetime(2026, 5, 2),  # noqa: DTZ001 — as Parquet has it
        "EffectiveCost": Decimal("12.143470300800001"),
        "BilledCost": 12.34,
        "ListCost": None,
        "Tags": [("team", "platform")],
    }

    [found] = focus.read_rows(list(typed), [list(typed.values())])

    [written] = read(row())
    assert found.charge[1:] == (*written.charge[1:-1], found.charge.tags)
    assert json.loads(found.charge.tags) == {"team": "platform"}
