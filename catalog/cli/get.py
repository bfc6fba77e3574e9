"""`catalog get KIND`: rows of the graph, by one table of kinds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from catalog import errors
from catalog.cli import output, remote

Where = Callable[[str], dict[str, Any]]


def _equals(*path: str) -> Where:
    """A filter that compares one text, perhaps deep inside: `_equals("stack", "name")` is {stack: {name: {eq: …}}}."""

    def condition(value: str) -> dict[str, Any]:
        nested: dict[str, Any] = {"eq": value}
        for key in reversed(path):
            nested = {key: nested}
        return nested

    return condition


def _one_of(name: str) -> Where:
    """A filter by enum: several values separated by commas, in any case."""
    return lambda value: {name: [word.strip().upper().replace("-", "_") for word in value.split(",")]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one kind of thing is asked for: root connection, selection, the columns of its table, and its filters by option."""

    field: str
    where: str | None
    selection: str
    columns: tuple[str, ...]
    filters: Mapping[str, Where] = dataclasses.field(default_factory=dict)


_COST = "costEstimate { status monthly { amount currency } }"
_OWNER = "ownership { source team { slug } }"
KINDS: dict[str, Kind] = {
    "estates": Kind(
        field="estates",
        where=None,
        selection="name repository ref directory revision indexedAt writable lastRun { state stacks componentInstances }",
        columns=("name", "ref", "revision", "indexedAt", "writable", "lastRun.stacks", "lastRun.componentInstances"),
    ),
    "stacks": Kind(
        field="stacks",
        where="StackWhere",
        selection=f"name estate {{ name }} tenant {{ name }} environment {{ name kind }} account stage region state {_OWNER}",
        columns=(
            "name",
            "estate.name",
            "tenant.name",
            "environment.name",
            "account",
            "region",
            "owner:ownership.team.slug",
            "state",
        ),
        filters={
            "name": _equals("name"),
            "estate": _equals("estate"),
            "tenant": _equals("tenant", "name"),
            "team": _equals("team", "slug"),
        },
    ),
    "components": Kind(
        field="components",
        where="ComponentWhere",
        selection=f"name type estate {{ name }} category description provisioningTime maturity {_COST}",
        columns=(
            "name",
            "type",
            "category",
            "monthly:costEstimate.monthly.amount",
            "costEstimate.monthly.currency",
            "provisioningTime",
        ),
        filters={"name": _equals("name"), "estate": _equals("estate"), "category": _equals("category")},
    ),
    "instances": Kind(
        field="componentInstances",
        where="ComponentInstanceWhere",
        selection=f"name type stack {{ name }} component {{ name }} enabled state {_OWNER} {_COST}",
        columns=(
            "stack.name",
            "name",
            "component.name",
            "enabled",
            "state",
            "owner:ownership.team.slug",
            "monthly:costEstimate.monthly.amount",
            "costEstimate.monthly.currency",
        ),
        filters={
            "name": _equals("name"),
            "stack": _equals("stack", "name"),
            "component": _equals("component", "name"),
            "estate": _equals("stack", "estate"),
            "tenant": _equals("stack", "tenant", "name"),
            "team": _equals("team", "slug"),
        },
    ),
    "services": Kind(
        field="services",
        where="ServiceWhere",
        selection=f"slug title category lifecycle owner {{ slug }} {_COST}"
        " computedCostEstimate { status monthly { amount currency } }",
        columns=("slug", "title", "category", "owner.slug", "monthly:costEstimate.monthly.amount", "costEstimate.monthly.currency"),
        filters={"name": _equals("slug"), "category": _equals("category"), "team": _equals("owner", "slug")},
    ),
    "teams": Kind(
        field="teams",
        where="TeamWhere",
        selection="slug title email chat costCenter platform organization { name }",
        columns=("slug", "title", "costCenter", "platform"),
        filters={"name": _equals("slug")},
    ),
    "workflows": Kind(
        field="workflows",
        where="WorkflowWhere",
        selection="name file governed description estate { name }",
        columns=("name", "file", "governed", "description"),
        filters={"name": _equals("name"), "estate": _equals("estate")},
    ),
    "requests": Kind(
        field="provisioningRequests",
        where="ProvisioningRequestWhere",
        selection="number action state stackName componentName team { slug } requester createdAt updatedAt commit justification",
        columns=("number", "action", "componentName", "stackName", "state", "requester", "updatedAt"),
        filters={"state": _one_of("state"), "team": _equals("team", "slug")},
    ),
    "diagnostics": Kind(
        field="diagnostics",
        where="DiagnosticWhere",
        selection="severity code message hint location { file line column } stack { name } componentName since",
        columns=("severity", "code", "location.file", "location.line", "message"),
        filters={"severity": _one_of("severity"), "estate": _equals("estate"), "file": _equals("file")},
    ),
    "runs": Kind(
        field="estates",
        where=None,
        selection="name runs(first: 100) { nodes { revision state startedAt finishedAt manifests stacks componentInstances"
        " added changed removed unchanged heldReason } }",
        columns=("estate", "state", "startedAt", "revision", "added", "changed", "removed", "unchanged"),
    ),
}
_FILTERS = sorted({name for kind in KINDS.values() for name in kind.filters} | {"estate"})


def _filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name in reversed(_FILTERS):
        kinds = [kind for kind, row in KINDS.items() if name in row.filters or (kind, name) == ("runs", "estate")]
        command = click.option(f"--{name}", metavar=name.upper(), help=f"Only these {', '.join(kinds)}.")(command)
    return command


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@_filter_options
@click.option("--abstract", is_flag=True, help="Abstract instances too.")
@click.option("--limit", type=click.IntRange(min=0), default=100, show_default=True, help="How many at most; 0 for all.")
@output.format_option()
@remote.options
def get(*, kind: str, abstract: bool, limit: int, format_: str, url: str | None, token: str | None, **filters: str | None) -> None:
    """Print what the graph holds.

    Filters compare whole values; those by state or severity take several, separated by commas.
    """
    chosen = KINDS[kind]
    given = {name: value for name, value in filters.items() if value is not None}
    if abstract and kind != "instances":
        raise errors.WrongUse(f"--abstract says nothing about {kind}")
    client = remote.connect(url, token)
    if kind == "runs":
        values = list(_runs(client, given, limit))
    else:
        values = list(
            client.nodes(
                chosen.field, chosen.selection, {"where": (chosen.where or "", _where(kind, given, abstract=abstract))}, limit
            )
        )
    if limit and len(values) == limit and format_ == "table":
        click.echo(f"the first {limit}; --limit 0 shows all", err=True)
    output.rows(values, chosen.columns, format_)


def _where(kind: str, given: Mapping[str, str], *, abstract: bool) -> dict[str, Any] | None:
    filters = KINDS[kind].filters
    for name in given:
        if name not in filters:
            known = ", ".join(f"--{known}" for known in filters) or "none"
            raise errors.WrongUse(f"{kind} can't be filtered by --{name}", hint=f"filters of {kind}: {known}")
    conditions = [filters[name](value) for name, value in given.items()]
    if kind == "instances" and not abstract:
        conditions.append({"abstract": False})
    return {"and": conditions} if len(conditions) > 1 else conditions[0] if conditions else None


def _runs(client: remote.Remote, given: Mapping[str, str], limit: int) -> Iterator[dict[str, Any]]:
    """Runs hang on their estate; they come newest first, estate by estate."""
    if set(given) - {"estate"}:
        raise errors.WrongUse("runs can only be filtered by --estate")
    count = 0
    for estate in client.nodes("estates", KINDS["runs"].selection, {}, 0):
        for run in estate["runs"]["nodes"]:
            if given.get("estate") in {None, estate["name"]} and (not limit or count < limit):
                count += 1
                yield {"estate": estate["name"], **run}
