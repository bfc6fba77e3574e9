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
    """How one kind of thing is asked for: its connection, selection, the columns of its table, and its filters by option.

    The connection is a root, or with `of_estate` each estate's. `always` is a filter that holds unless an option lifts it.
    """

    field: str
    where: str | None
    selection: str
    columns: tuple[str, ...]
    filters: Mapping[str, Where] = dataclasses.field(default_factory=dict)
    of_estate: bool = False
    always: Mapping[str, Any] | None = None


_COST = "costEstimate { status monthly { amount currency } }"
_SCORECARD = "scorecard { score checks { name passed detail } }"
_OWNER = "ownership { source team { slug } }"
KINDS: dict[str, Kind] = {
    "estates": Kind(
        field="estates",
        where=None,
        selection="name repository ref directory revision indexedAt writable lastRun { state stacks componentInstances }",
        columns=("name", "ref", "revision", "indexedAt", "writable", "lastRun.stacks", "lastRun.componentInstances"),
    ),
    "organizations": Kind(
        field="organizations",
        where=None,
        selection="name title currency tenants(first: 1) { totalCount } teams(first: 1) { totalCount }",
        columns=("name", "title", "currency", "tenants:tenants.totalCount", "teams:teams.totalCount"),
    ),
    "tenants": Kind(
        field="tenants",
        where="TenantWhere",
        selection="name title organization { name } stacks(first: 1) { totalCount }",
        columns=("name", "title", "organization.name", "stacks:stacks.totalCount"),
        filters={"name": _equals("name"), "organization": _equals("organization")},
    ),
    "environments": Kind(
        field="environments",
        where="EnvironmentWhere",
        selection="name kind organization { name } tenant { name } account stage region team { slug } stacks(first: 1) { totalCount }",
        columns=("name", "kind", "organization.name", "tenant.name", "account", "region", "team.slug", "stacks:stacks.totalCount"),
        filters={
            "name": _equals("name"),
            "tenant": _equals("tenant", "name"),
            "account": _equals("account"),
            "region": _equals("region"),
            "team": _equals("team", "slug"),
        },
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
        always={"abstract": False},
    ),
    "services": Kind(
        field="services",
        where="ServiceWhere",
        selection=f"slug title category lifecycle owner {{ slug }} {_COST}"
        f" computedCostEstimate {{ status monthly {{ amount currency }} }} {_SCORECARD}",
        columns=(
            "slug",
            "title",
            "category",
            "owner.slug",
            "score:scorecard.score",
            "monthly:costEstimate.monthly.amount",
            "costEstimate.monthly.currency",
        ),
        filters={"name": _equals("slug"), "category": _equals("category"), "team": _equals("owner", "slug")},
    ),
    "service-instances": Kind(
        field="serviceInstances",
        where="ServiceInstanceWhere",
        selection="name service { slug } environment { name tenant { name } region } team { slug } state missingComponents",
        columns=(
            "name",
            "service.slug",
            "environment.name",
            "environment.region",
            "team.slug",
            "state",
            "missing:missingComponents",
        ),
        filters={
            "name": _equals("name"),
            "service": _equals("service", "slug"),
            "environment": _equals("environment", "name"),
            "team": _equals("team", "slug"),
            "state": _one_of("state"),
        },
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
    "changes": Kind(
        field="changes",
        where="ChangeWhere",
        selection="kind at stackName componentType componentName revision author"
        " values(first: 100) { totalCount nodes { path before after } }",
        columns=("at", "kind", "stack:stackName", "component:componentName", "values:values.totalCount", "revision", "author"),
        filters={
            "estate": _equals("estate"),
            "stack": _equals("stack"),
            "component": _equals("component"),
            "revision": _equals("revision"),
        },
    ),
    "manifests": Kind(
        field="manifests",
        where=None,
        selection="path imports(first: 1) { totalCount } importedBy(first: 1) { totalCount } stacks(first: 1) { totalCount }",
        columns=(
            "estate",
            "path",
            "imports:imports.totalCount",
            "imported by:importedBy.totalCount",
            "stacks:stacks.totalCount",
        ),
        of_estate=True,
    ),
    "runs": Kind(
        field="runs",
        where=None,
        selection=(
            "id ref number revision askedRevision author committedAt state startedAt finishedAt manifests stacks componentInstances"
            " added changed removed unchanged heldReason decidedBy error backfill"
        ),
        columns=("run:id", "estate", "state", "startedAt", "revision", "added", "changed", "removed", "unchanged"),
        of_estate=True,
    ),
}
_COVERAGE = "{ sources { source count } reasons { reason source value count } }"
# What is no list of the graph: who names the owners of how many, and how many there are of each kind.
_SUMMARIES: dict[str, tuple[str, ...]] = {
    "ownership": ("estate", "of", "owned", "source", "reason", "value", "count"),
    "counts": ("kind", "total"),
}
_FILTERS = sorted({name for kind in KINDS.values() for name in kind.filters} | {"estate"})


def _filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name in reversed(_FILTERS):
        kinds = [kind for kind, row in KINDS.items() if name in row.filters or (row.of_estate and name == "estate")]
        kinds += ["ownership"] if name == "estate" else []
        command = click.option(f"--{name}", metavar=name.upper(), help=f"Only these {', '.join(kinds)}.")(command)
    return command


@click.command()
@click.argument("kind", type=click.Choice([*KINDS, *_SUMMARIES]))
@_filter_options
@click.option("--abstract", is_flag=True, help="Abstract instances too.")
@click.option("--limit", type=click.IntRange(min=0), default=100, show_default=True, help="How many at most; 0 for all.")
@output.format_option()
@remote.options
def get(*, kind: str, abstract: bool, limit: int, format_: str, url: str | None, token: str | None, **filters: str | None) -> None:
    """Print what the graph holds.

    Filters compare whole values; those by state or severity take several, separated by commas. `ownership` tells what names the
    owners of how many stacks and instances, and why how many have none; `counts` tells how many there are of each kind.
    """
    given = {name: value for name, value in filters.items() if value is not None}
    if abstract and kind != "instances":
        raise errors.WrongUse(f"--abstract says nothing about {kind}")
    _check(kind, given)
    client = remote.connect(url, token)
    if kind in _SUMMARIES:
        found = _ownership(client, given) if kind == "ownership" else _counts(client)
        output.rows(list(found), _SUMMARIES[kind], format_)
        return
    chosen = KINDS[kind]
    if chosen.of_estate:
        values = list(_of_estates(client, chosen, given.get("estate"), limit))
    else:
        where = _where(chosen, given, lifted=abstract)
        values = list(client.nodes(chosen.field, chosen.selection, {"where": (chosen.where or "", where)}, limit))
    if limit and len(values) == limit and format_ == "table":
        click.echo(f"the first {limit}; --limit 0 shows all", err=True)
    output.rows(values, chosen.columns, format_)


def _check(kind: str, given: Mapping[str, str]) -> None:
    chosen = KINDS.get(kind)
    if chosen is None:
        known = ["estate"] if kind == "ownership" else []
    else:
        known = ["estate"] if chosen.of_estate else list(chosen.filters)
    for name in given:
        if name not in known:
            hint = ", ".join(f"--{word}" for word in known) or "none"
            raise errors.WrongUse(f"{kind} can't be filtered by --{name}", hint=f"filters of {kind}: {hint}")


def _where(kind: Kind, given: Mapping[str, str], *, lifted: bool) -> dict[str, Any] | None:
    conditions = [kind.filters[name](value) for name, value in given.items()]
    if kind.always is not None and not lifted:
        conditions.append(dict(kind.always))
    return {"and": conditions} if len(conditions) > 1 else conditions[0] if conditions else None


def _of_estates(client: remote.Remote, kind: Kind, estate: str | None, limit: int) -> Iterator[dict[str, Any]]:
    """What hangs on each estate, estate by estate."""
    count = 0
    for name in _estates(client, estate):
        for row in client.nodes(kind.field, kind.selection, {}, limit - count if limit else 0, estate=name):
            count += 1
            yield {"estate": name, **row}
        if limit and count >= limit:
            return


def _estates(client: remote.Remote, chosen: str | None) -> list[str]:
    names = [row["name"] for row in client.nodes("estates", "name", {}, 0)]
    return [name for name in names if chosen in {None, name}]


def _ownership(client: remote.Remote, given: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """One row for each source of owners and each reason of having none, of instances and of stacks, estate by estate."""
    selection = f"name instances: instanceOwnership {_COVERAGE} stacks: stackOwnership {_COVERAGE}"
    for estate in client.nodes("estates", selection, {}, 0):
        if given.get("estate") not in {None, estate["name"]}:
            continue
        for part in ("instances", "stacks"):
            about = {"estate": estate["name"], "of": part}
            for row in estate[part]["sources"]:
                yield {**about, "owned": True, "source": row["source"], "reason": None, "value": None, "count": row["count"]}
            for row in estate[part]["reasons"]:
                yield {**about, "owned": False, **{key: row[key] for key in ("source", "reason", "value", "count")}}


def _counts(client: remote.Remote) -> Iterator[dict[str, Any]]:
    """How many the viewer may see of each kind; instances without abstract ones, as in their list."""
    for kind, row in KINDS.items():
        if row.of_estate:
            estates = client.nodes("estates", f"{row.field}(first: 1) {{ totalCount }}", {}, 0)
            total = sum(estate[row.field]["totalCount"] for estate in estates)
        else:
            where = _where(row, {}, lifted=False)
            declared, passed = ("", "") if where is None else (f"($where: {row.where})", ", where: $where")
            document = f"query Count{declared} {{ {row.field}(first: 1{passed}) {{ totalCount }} }}"
            total = client.ask(document, {} if where is None else {"where": where})[row.field]["totalCount"]
        yield {"kind": kind, "total": total}
