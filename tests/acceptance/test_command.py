"""The command against a running catalog: what it prints, what it refuses, and a change from request to re-index."""

import csv
import io
import json

import outside
import pytest

pytestmark = pytest.mark.acceptance

STACK = "plat-testenv-02-dev"


@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [
        ("estates", "name", "fnx"),
        ("stacks", "name", "plat-testenv-01-dev"),
        ("components", "name", "vpc"),
        ("services", "slug", "web-application"),
        ("teams", "slug", "payments"),
        ("workflows", "name", "apply-with-governance"),
        ("runs", "state", "SUCCEEDED"),
        ("organizations", "name", "fnx"),
        ("tenants", "name", "plat"),
        ("environments", "name", "development"),
        ("service-instances", "state", "COMPLETE"),
        ("manifests", "path", "stacks/orgs/fnx/dev/eu-west-2/testenv-01.yaml"),
        ("changes", "kind", "ADDED"),
        ("ownership", "source", "TENANT_MAPPING"),
        ("counts", "kind", "stacks"),
    ],
)
def test_get_prints_rows_in_every_format(catalog, kind, column, value):
    """Each kind of thing is printed as JSON, YAML, a table and CSV, results on stdout alone."""
    rows = catalog.ok("get", kind, "--format", "json", "--limit", "0").json
    assert value in [row[column] for row in rows]
    table = catalog.ok("get", kind, "--limit", "0")
    assert value in table.out
    read = list(csv.DictReader(io.StringIO(catalog.ok("get", kind, "--format", "csv", "--limit", "0").out)))
    # A run may come in between; nothing else does.
    assert len(rows) <= len(read) <= len(catalog.ok("get", kind, "--format", "json", "--limit", "0").json)
    assert value in catalog.ok("get", kind, "--format", "yaml", "--limit", "0").out


def test_get_filters(catalog):
    """Filters are combined, and compare whole values."""
    rows = catalog.ok("get", "instances", "--stack", STACK, "--component", "vpc", "--format", "json").json
    assert [(row["stack"]["name"], row["name"]) for row in rows] == [(STACK, "vpc")]
    both = catalog.ok("get", "instances", "--stack", STACK, "--component", "vpc", "--abstract", "--format", "json").json
    assert "vpc/defaults" in [row["name"] for row in both]


def test_get_counts_what_its_lists_hold(catalog):
    """The counts of each kind are those of its list, and the rows of ownership add up to the stacks and instances."""
    counts = {row["kind"]: row["total"] for row in catalog.ok("get", "counts", "--format", "json").json}
    for kind in ("stacks", "instances", "tenants", "manifests", "service-instances"):
        assert counts[kind] == len(catalog.ok("get", kind, "--limit", "0", "--format", "json").json)
    rows = catalog.ok("get", "ownership", "--estate", "fnx", "--format", "json").json
    for part in ("stacks", "instances"):
        assert sum(row["count"] for row in rows if row["of"] == part) == counts[part]
    assert all(row["owned"] for row in rows)


def test_get_pages_through_everything(catalog):
    """Without a limit every row comes, once; with one, so many."""
    everything = catalog.ok("get", "instances", "--abstract", "--limit", "0", "--format", "json").json
    total = catalog.ask("{ componentInstances(first: 1) { totalCount } }")["data"]["componentInstances"]["totalCount"]
    assert len(everything) == total
    assert len({(row["stack"]["name"], row["type"], row["name"]) for row in everything}) == total
    assert len(catalog.ok("get", "instances", "--limit", "3", "--format", "json").json) == 3


def test_search_finds_things_of_every_kind_it_is_asked_for(catalog):
    """Words find instances in their stacks, kinds narrow, formats and limits are those of `get`."""
    found = catalog.ok("search", "vpc", STACK, "--format", "json").json
    assert ("instance", "vpc", STACK) in [(row["kind"], row["name"], row["in"]) for row in found]
    assert [row["score"] for row in found] == sorted((row["score"] for row in found), reverse=True)
    assert {row["kind"] for row in catalog.ok("search", "plat", "--kind", "stack", "--limit", "0", "--format", "json").json} == {
        "stack"
    }
    assert catalog.ok("search", "paymnets", "--kind", "team", "--format", "json").json[0]["node"]["slug"] == "payments"
    assert "«vpc»" in catalog.ok("search", "vpc").out
    assert len(catalog.ok("search", "vpc", "--limit", "2", "--format", "json").json) == 2
    assert catalog.ok("search", "--format", "json", "--", "---").json == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["get", "stacks", "--token", "atc_wrong"], 1, "not a token of this catalog"),
        (["get", "stacks", "--url", "http://127.0.0.1:1"], 1, "no catalog answers"),
        (["get", "teams", "--severity", "error"], 2, "can't be filtered by --severity"),
        (["get", "nonsense"], 2, "nonsense"),
        (["preview", "vpc", "-s", "no-such-stack", "--set", "enabled=true"], 1, "no-such-stack"),
        (["preview", "nonsense", "-s", STACK, "--set", "enabled=true"], 1, "nonsense"),
        (["preview", "vpc", "-s", STACK, "--set", "tags=5"], 1, "tags"),
        (["preview", "vpc", "-s", STACK, "--set", "no_such_variable=5"], 1, "no_such_variable"),
        (["request", "vpc", "-s", STACK, "--set", "cidr_block=[1]"], 1, "cidr_block"),
        (["request", "vpc", "-s", STACK, "--set", "nothing"], 2, "PATH=VALUE"),
        (["approve", "123456789"], 1, "no request 123456789"),
        (["cancel", "abc"], 2, "abc"),
    ],
)
def test_refusals(catalog, arguments, code, words):
    """What can't be done is said on stderr, with nothing on stdout and the exit code of its kind; no request is made."""
    before = catalog.ok("get", "requests", "--format", "json", "--limit", "0").json
    done = catalog.command(*arguments)
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert "Traceback" not in done.err
    assert catalog.ok("get", "requests", "--format", "json", "--limit", "0").json == before


def test_no_token_is_wrong_use(catalog, tmp_path):
    """Without any token the command says where one would come from."""
    done = outside.command("get", "stacks", env=outside.environment(tmp_path / "elsewhere", catalog.port))
    assert done.code == 2
    assert "CATALOG_TOKEN" in done.err


def test_preview_writes_nothing(catalog):
    """A preview shows the diff, the affected instances and the digest, and leaves the estate as it is."""
    before = catalog.ok("get", "estates", "--format", "json").json
    text = catalog.ok("preview", "vpc", "-s", STACK, "--set", "tags.Purpose=previewed").out
    assert "+" in text
    assert "previewed" in text
    assert f"vpc in {STACK}" in text
    assert "digest: " in text
    assert catalog.ok("get", "estates", "--format", "json").json == before


@pytest.mark.terraform
def test_change_from_request_to_reindex(catalog):
    """A change is asked for, not by its requester but by another approved, committed, applied by terraform, and indexed again."""
    lin = catalog.principal("lin@command.example", "approver")
    ada = catalog.principal("ada@command.example", "approver")
    arguments = ["request", "vpc", "-s", STACK, "--set", "tags.Purpose=commanded", "-m", "from the command", "--format", "json"]
    made = catalog.ok(*arguments, "--idempotency-key", "command-1", token=lin).json
    again = catalog.ok(*arguments, "--idempotency-key", "command-1", token=lin).json
    assert again["number"] == made["number"]
    number = str(made["number"])
    outside.eventually(lambda: state(catalog, made["number"]) == "AWAITING_APPROVAL", within=90)
    own = catalog.command("approve", number, token=lin)
    assert own.code == 1
    assert state(catalog, made["number"]) == "AWAITING_APPROVAL"
    stale = catalog.command("approve", number, "--digest", "0" * 64, token=ada)
    assert stale.code == 1
    followed = catalog.ok("approve", number, "--watch", "--format", "json", token=ada)
    assert followed.json["state"] == "SUCCEEDED"
    assert followed.json["commit"]
    assert "Apply complete!" in followed.err
    vars_ = catalog.ask(f'{{ componentInstance(stack: "{STACK}", component: "vpc") {{ vars }} }}')["data"]["componentInstance"][
        "vars"
    ]
    assert vars_["tags"]["Purpose"] == "commanded"
    states = [json.loads(path.read_text()) for path in (catalog.home / "state").rglob("*.tfstate")]
    assert "commanded" in json.dumps(states)


def test_rejected_and_cancelled_requests_end(catalog):
    """A rejected request and a cancelled one end as such, and leave the target free for the next."""
    lin = catalog.principal("lin@endings.example", "requester")
    ada = catalog.principal("ada@endings.example", "approver")
    first = catalog.ok("request", "eks", "-s", STACK, "--set", "tags.Purpose=rejected", "--format", "json", token=lin).json[
        "number"
    ]
    outside.eventually(lambda: state(catalog, first) == "AWAITING_APPROVAL", within=90)
    assert catalog.ok("reject", str(first), "-m", "not now", "--format", "json", token=ada).json["state"] == "REJECTED"
    second = catalog.ok("request", "eks", "-s", STACK, "--set", "tags.Purpose=cancelled", "--format", "json", token=lin).json[
        "number"
    ]
    assert catalog.ok("cancel", str(second), "--format", "json", token=lin).json["state"] == "CANCELLED"


def state(catalog, number):
    found = catalog.ask("query ($n: Int!) { provisioningRequest(number: $n) { state } }", {"n": number})
    return found["data"]["provisioningRequest"]["state"]
