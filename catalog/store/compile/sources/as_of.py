"""Sources of what stacks and component instances were at a position of their estate: versions in the place of rows.

Each is made of the source of the present, so that both show the same columns. A row carries the position it is read at, and what hangs
on it (a stack's instances, an instance's stack, edges, estimate and sums) is read at that position too; what lies beyond (components,
teams, environments, tenants, manifests, requests) is what it is now. A version that still holds is told by the rows of the present.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sqlmodel import SQLModel

from catalog import records
from catalog.store.compile.source import ToMany, ToOne, columns_of, everyone, location, number, text
from catalog.store.compile.sources import cost, faceted, ownership, stack
from catalog.store.selection import Moment

# What identifies a subject never changes, so look-ups by it find the subject first, and its versions then.
_STEADY: Mapping[type[SQLModel], frozenset[str]] = {
    records.Stack: frozenset(("id", "estate_id", "name")),
    records.ComponentInstance: frozenset(("id", "estate_id", "stack_id", "type", "name")),
}
_POSITION = "{a}.as_of_estate, {a}.as_of_ref, {a}.as_of_number, {a}.as_of_revision, v.row is null as holds"
_HELD = (
    "{v}.ref = {{a}}.as_of_ref and {v}.from_number <= {{a}}.as_of_number"
    " and ({v}.to_number is null or {v}.to_number > {{a}}.as_of_number)"
)


def _held(alias: str) -> str:
    """Whether a version held at the position that the row `{a}` carries."""
    return _HELD.format(v=alias)


def _versions(record: type[SQLModel], *, of: str, key: str, more: Iterable[str] = ()) -> str:
    """Rows of a record as they were at the position that `{a}`, a row or a position of the same estate, carries."""
    table = record.__table__  # type: ignore[attr-defined]
    steady, told = _STEADY[record], {name.rpartition(" as ")[2].rpartition(".")[2] for name in more}
    shown = [f'{"s" if name in steady else "r"}."{name}"' for name in columns_of(record) if name not in told]
    # The subject's row is the base: it is the answer where the version still holds, and where a version was written before a column
    # was known.
    return (
        f"(select {', '.join((*shown, *more, _POSITION))} from {of} v"
        f" join {table.name} s on s.id = v.{key} and s.estate_id = {{a}}.as_of_estate"
        f" cross join lateral jsonb_populate_record(s, v.row) r where {_held('v')})"
    )


_STACKS = _versions(records.Stack, of="stack_version", key="stack_id")
_INSTANCES = _versions(
    records.ComponentInstance,
    of="instance_version",
    key="instance_id",
    more=("v.config_hash", "v.estimate as estimate_then"),
)


def _edges_from(ids: str) -> str:
    """The edges from some instances: those of rows where the source's version still holds, else those that the version kept."""
    return (
        "(select d.* from dependency d join instance_version o on o.instance_id = d.source_id"
        f" where d.source_id = any({ids}) and o.row is null and {_held('o')}"
        " union all select d.* from instance_version o cross join lateral jsonb_populate_recordset(null::dependency, o.edges) d"
        f" where o.instance_id = any({ids}) and o.row is not null and {_held('o')})"
    )


def _edges_to(ids: str) -> str:
    """The same for edges to some instances."""
    return (
        "(select d.* from dependency d join instance_version o on o.instance_id = d.source_id"
        f" where d.target_id = any({ids}) and o.row is null and {_held('o')}"
        f" union all select d.* from unnest({ids}) t(id) join instance_version o"
        " on jsonb_path_query_array(o.edges, '$[*].target_id') @> to_jsonb(t.id)"
        " cross join lateral jsonb_populate_recordset(null::dependency, o.edges) d"
        f" where d.target_id = t.id and o.edges is not null and {_held('o')})"
    )


_ITSELF = "array[{a}.id]"
_HIDDEN_NEIGHBOURS = (
    f"(select count(*)::int from {_INSTANCES} i where i.removed_at is null and not {{sees_component_instance_as_of_i}} and i.id in"
    f" (select d.target_id from {_edges_from(_ITSELF)} d union select d.source_id from {_edges_to(_ITSELF)} d))"
)
_ESTIMATES = (
    "(select c.*, true as holds from cost_estimate c where {a}.holds and c.id = {a}.cost_estimate_id"
    " union all select c.*, false from jsonb_populate_record(null::cost_estimate, {a}.estimate_then) c where not {a}.holds)"
)

# Which runs stand for a moment: estate by estate, so that each is found along an index. The revisions that begin as asked are a range,
# since no digit comes behind f.
_SUCCEEDED = "r.estate_id = x.id and r.state = 'SUCCEEDED'"
RUNS: Mapping[Moment, str] = {
    moment: f"select r.* from estate x cross join lateral (select {rows}) r"
    for moment, rows in {
        Moment.RUN: f"r.* from index_run r where {_SUCCEEDED} and r.id = {{arg_moment}}",
        Moment.REVISION: (
            f"distinct on (r.revision) r.* from index_run r where {_SUCCEEDED}"
            " and r.revision >= {arg_moment} and r.revision < {arg_moment} || 'g'"
            " order by r.revision, r.ref = x.ref desc, r.number desc"
        ),
        Moment.TIME: (
            f"r.* from index_run r where {_SUCCEEDED} and r.ref = x.ref"
            " and coalesce(r.committed_at, r.started_at) <= {arg_moment} order by r.number desc limit 1"
        ),
    }.items()
}
POSITION = "{b}.estate_id as as_of_estate, {b}.ref as as_of_ref, {b}.number as as_of_number, {b}.revision as as_of_revision"

_PLACE = {
    "as_of_ref": text("{a}.as_of_ref", nullable=False),
    "as_of_number": number("{a}.as_of_number", nullable=False),
    "as_of_revision": text("{a}.as_of_revision"),
}
_PRESENT = {source.name: source for source in (*stack.SOURCES, *cost.SOURCES)}
_STACK, _INSTANCE, _ESTIMATE, _EDGE = (
    _PRESENT[name] for name in ("stack", "component_instance", "cost_estimate", "dependency_edge")
)

# Who owned a row: a team that is known no more owns nothing, and what it said stands in that position's revision.
_OWNERSHIP = ownership.ownership(
    ToOne(target="team", on="{b}.id = {a}.team_id", proven=True, key="team_id"),
    known="exists(select from team x where x.id = {a}.team_id)",
    revision="{a}.as_of_revision",
)


def _list(name: str, link: str = "true", join: str = "", walk: str | None = None) -> ToMany:
    """A list of the present's instances, of what they were; what is walked is joined as in the present."""
    present = _PRESENT[name.partition(".")[0]].relations[name.partition(".")[2]]
    assert isinstance(present, ToMany)
    edge = present.edge and f"{present.edge}_as_of"
    joined = present.join if walk else join
    return replace(
        present, target="component_instance_as_of", rows=f"{_INSTANCES} {{b}}", join=joined, link=link, edge=edge, walk=walk
    )


def _direct(there: str, edges: Callable[[str], str]) -> str:
    return f"join {edges(_ITSELF)} {{e}} on {{e}}.{there} = {{b}}.id"


def _reached(here: str, there: str, edges: Callable[[str], str]) -> str:
    return stack.walk(here, there, edges=edges("w.ids"), instances=_INSTANCES)


SOURCES = (
    replace(
        _STACK,
        name="stack_as_of",
        columns={**_STACK.columns, **_PLACE},
        relations={
            **_STACK.relations,
            **_OWNERSHIP,
            "instances": _list("stack.instances", link="{b}.stack_id = {a}.id"),
            "cost": cost.summary(
                "i.stack_id = {a}.id",
                charged="l.stack_id = {a}.id",
                organization="{a}.organization_id",
                instances=f"{_INSTANCES} i",
            ),
        },
        by_tenant=False,
    ),
    replace(
        _INSTANCE,
        name="component_instance_as_of",
        rows="",
        columns={**_INSTANCE.columns, **_PLACE, "hidden_dependencies": number(_HIDDEN_NEIGHBOURS, nullable=False)},
        relations={
            **_INSTANCE.relations,
            "stack": ToOne(
                target="stack_as_of",
                rows=_STACKS,
                on="{b}.id = {a}.stack_id",
                proven=True,
                key="stack_id",
                steady=_STEADY[records.Stack],
            ),
            **_OWNERSHIP,
            "depends_on": _list("component_instance.depends_on", join=_direct("target_id", _edges_from)),
            "dependents": _list("component_instance.dependents", join=_direct("source_id", _edges_to)),
            "all_depends_on": _list("component_instance.all_depends_on", walk=_reached("source_id", "target_id", _edges_from)),
            "all_dependents": _list("component_instance.all_dependents", walk=_reached("target_id", "source_id", _edges_to)),
            "cost_estimate": ToOne(
                target="cost_estimate_as_of",
                rows=_ESTIMATES,
                on="{b}.id = {a}.cost_estimate_id",
                proven=True,
                key="cost_estimate_id",
            ),
            "cost": cost.summary(
                "i.id = {a}.id",
                charged="l.instance_id = {a}.id",
                currency="{a}.currency",
                organization="(select x.organization_id from stack x where x.id = {a}.stack_id)",
                instances=f"{_INSTANCES} i",
            ),
        },
        by_tenant=False,
        facets=faceted.past_instance(_STACKS.replace("{a}", "{b}")),
    ),
    replace(
        _EDGE,
        name="dependency_edge_as_of",
        relations={
            "location": location("{a}.e_file", "{a}.e_line", "{a}.e_column", estate="{a}.estate_id", revision="{a}.as_of_revision")
        },
    ),
    # Entered only from the instance that it is an estimate of: whoever sees that sees it.
    replace(
        _ESTIMATE,
        name="cost_estimate_as_of",
        rows="",
        relations={**_ESTIMATE.relations, "items": replace(cost.ITEMS, link=f"{cost.ITEMS.link} and {{a}}.holds")},
        visible=everyone,
    ),
)
STACKS = ToMany(target="stack_as_of", rows=f"{_STACKS} {{b}}")
INSTANCES = ToMany(target="component_instance_as_of", rows=f"{_INSTANCES} {{b}}")
