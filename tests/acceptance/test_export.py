"""`catalog export` against a running catalog."""

import csv
import io
import json

import pytest

pytestmark = pytest.mark.acceptance


def test_csv_into_a_file(catalog, tmp_path):
    """A list is written into the file that is named, with a line for every row of the graph."""
    catalog.ok("export", "csv", "stacks", "--fields", "name,tenant.name", "--output", str(tmp_path / "stacks.csv"))
    first, *rows = csv.reader((tmp_path / "stacks.csv").read_text().splitlines())
    assert first == ["name", "tenant.name"]
    assert len(rows) == catalog.ask("{ stacks { totalCount } }")["data"]["stacks"]["totalCount"]
    assert [file.name for file in tmp_path.iterdir()] == ["stacks.csv"]


def test_json_lines_of_a_document(catalog, tmp_path):
    """A document says itself what is exported."""
    (tmp_path / "a.graphql").write_text("query A($n: String!) { team(slug: $n) { services { nodes { slug } } } }")
    done = catalog.ok("export", "ndjson", "--document", str(tmp_path / "a.graphql"), "--variables", '{"n": "platform"}')
    told = catalog.ask('{ team(slug: "platform") { services(first: 100) { nodes { slug } } } }')
    assert [json.loads(line) for line in done.out.splitlines()] == told["data"]["team"]["services"]["nodes"]


def test_focus(catalog):
    """Charges have the columns of FOCUS, whether there are any or not."""
    first = next(csv.reader(io.StringIO(catalog.ok("export", "focus").out)))
    assert {"BilledCost", "BillingCurrency", "ChargePeriodStart", "Tags"} <= set(first)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("csv",), 2, "say which list"),
        (("focus", "stacks"), 2, "charges alone"),
        (("csv", "nothing"), 1, "no list"),
        (("csv", "stacks", "--fields", "nothing"), 1, "nothing"),
        (("csv", "stacks", "--argument", "first=5"), 1, "leave `first` out"),
        (("csv", "stacks", "--argument", "x"), 2, "is no argument"),
    ],
)
def test_refusals(catalog, tmp_path, arguments, code, words):
    """What can't be exported is said, and leaves no file."""
    done = catalog.command("export", *arguments, "--output", str(tmp_path / "x.csv"))
    assert (done.code, list(tmp_path.iterdir())) == (code, [])
    assert words in done.err
