"""`catalog costs report`: what the costs in sight come to, by what they are grouped by."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

from catalog import errors
from catalog.cli import output, remote

DIMENSIONS = (
    "organization", "tenant", "team", "service", "environment", "account", "region", "stack", "component", "category", "cost-center", "month",
)  # fmt: skip
_FILTERS = ("organization", "tenant", "team", "service", "environment", "account", "region", "category")
_ORDERS = ("key", "estimated", "actual", "variance")
_AMOUNTS = ("estimated", "actual", "variance", "budget")
_COLUMNS = (*(f"{name}:{name}.amount" for name in _AMOUNTS), "currency", "unknown:unknownInstances", "instances")
_SUMS = " ".join(f"{name} {{ amount currency }}" for name in _AMOUNTS)
_PAGE = 100  # the graph's ceiling
_MONTHS = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(?:\.\.(\d{4})-(0[1-9]|1[0-2]))?")
_REPORT = f"""
query Report(
  $by: [CostDimension!]!, $period: PeriodInput, $where: CostWhere, $currency: CurrencyCode, $order: [CostReportOrder!],
  $first: Int, $after: String
) {{
  costReport(groupBy: $by, period: $period, where: $where, currency: $currency) {{
    currency unallocatedShare
    total {{ {_SUMS} unknownInstances partial }}
    rows(first: $first, after: $after, orderBy: $order) {{
      nodes {{ keys {{ dimension value }} {_SUMS} unknownInstances instances }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""


def _filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name in reversed(_FILTERS):
        command = click.option(f"--{name}", metavar=name.upper(), help=f"Only costs of this {name}.")(command)
    return command


@click.command()
@click.option("--by", type=click.Choice(DIMENSIONS), multiple=True, required=True, help="By what; up to four, in this order.")
@click.option("--months", metavar="FROM[..TO]", help="Such as 2026-01 or 2026-01..2026-03, both included. [default: this month]")
@click.option("--currency", metavar="CODE", help="In which currency. [default: the organisation's]")
@_filter_options
@click.option(
    "--order", type=click.Choice(_ORDERS), default="key", show_default=True, help="By what rows are ordered, the dearest first."
)
@click.option("--limit", type=click.IntRange(min=0), default=100, show_default=True, help="How many rows at most; 0 for all.")
@output.format_option()
@remote.options
def report(
    *,
    by: Sequence[str],
    months: str | None,
    currency: str | None,
    order: str,
    limit: int,
    format_: str,
    url: str | None,
    token: str | None,
    **filters: str | None,
) -> None:
    """Report what costs come to: today's estimates beside what was charged.

    A row without a key is what nobody owns. What isn't known is left empty, never zero: `unknown` counts the instances without a known
    cost. The rows' sums are the total exactly, as long as all rows are shown.
    """
    variables = {
        "by": [_enum(name) for name in by],
        "period": None if months is None else _period(months),
        "where": {name: {"eq": value} for name, value in filters.items() if value is not None} or None,
        "currency": currency,
        "order": [{"field": order.upper(), "direction": "ASC" if order == "key" else "DESC"}],
    }
    told: dict[str, Any] = {}
    rows = list(_rows(remote.connect(url, token), variables, limit, told))
    if format_ in output.DOCUMENT_FORMATS:
        output.document({**told, "rows": rows}, format_)
        return
    if format_ == "table":
        rows.append({"keys": [{"dimension": _enum(by[0]), "value": "total"}], **told["total"]})
    columns = (*(f"{name}:{_enum(name)}" for name in by), *_COLUMNS)
    output.rows([_flat(row, told["currency"]) for row in rows], columns, format_)
    for line in _remarks(told, rows, limit) if format_ == "table" else ():
        click.echo(line, err=True)


def _rows(client: remote.Remote, variables: Mapping[str, Any], limit: int, told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Page through the rows; what the report says as a whole is put into `told`."""
    left, after = limit or None, None
    while True:
        size = _PAGE if left is None else min(left, _PAGE)
        found = client.ask(_REPORT, {**variables, "first": size, "after": after})["costReport"]
        page = found.pop("rows")
        told |= found
        yield from page["nodes"]
        left = None if left is None else left - len(page["nodes"])
        if left == 0 or not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _remarks(told: Mapping[str, Any], rows: Sequence[Any], limit: int) -> Iterator[str]:
    if limit and len(rows) > limit:
        yield f"the first {limit} rows; --limit 0 shows all"
    if told["unallocatedShare"]:
        yield f"{told['unallocatedShare']:.1%} of it has no owner by these keys"
    if told["total"]["partial"]:
        yield "some costs are out of your sight and left out"


def _flat(row: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """A row with its keys beside its sums."""
    return {**row, **{key["dimension"]: key["value"] for key in row["keys"]}, "currency": currency}


def _enum(name: str) -> str:
    return name.upper().replace("-", "_")


def _period(months: str) -> dict[str, str]:
    """The period of a range of months, both included; raises WrongUse for what is none."""
    found = _MONTHS.fullmatch(months)
    if found is None:
        raise errors.WrongUse(f"{months} is no month and no range of months", hint="say it as 2026-01 or 2026-01..2026-03")
    first, last = (int(found[1]), int(found[2])), (int(found[3] or found[1]), int(found[4] or found[2]))
    after = (last[0] + 1, 1) if last[1] == 12 else (last[0], last[1] + 1)
    return {"from": f"{first[0]:04}-{first[1]:02}-01", "to": f"{after[0]:04}-{after[1]:02}-01"}
