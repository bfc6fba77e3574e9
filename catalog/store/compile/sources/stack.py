"""Sources of what stacks are made of: stacks, components, component instances, their documents and their edges."""

from __future__ import annotations

from catalog import records
from catalog.store.compile.source import (
    IDENTITY,
    Column,
    Format,
    Key,
    Source,
    ToMany,
    ToOne,
    columns_of,
    element_source,
    elements,
    json,
    location,
    number,
    plain,
    text,
    truth,
)
from catalog.store.compile.sources import cost, faceted, governance, ownership, visibility
from catalog.store.compile.sources.estate import ESTATE

_NAME = {"name": (Key(sql="{b}.name", type="text"),)}
_BY_NAME = (("name", False),)
_FINAL = ", ".join(f"'{state}'" for state in records.FINAL_STATES)
_TEAM = ToOne(target="team", on="{b}.id = {a}.team_id", proven=True, key="team_id")
_OWNERSHIP = ownership.ownership(_TEAM)
# Both ends of every edge of an instance; what was removed is no neighbour any more.
_HIDDEN_NEIGHBOURS = (
    "(select count(*)::int from component_instance i where i.removed_at is null and not {sees_component_instance_i} and i.id in"
    " (select d.target_id from dependency d where d.source_id = {a}.id"
    " union select d.source_id from dependency d where d.target_id = {a}.id))"
)


_EDGE = '{e}.kind as e_kind, {e}.via as e_via, {e}.file as e_file, {e}.line as e_line, {e}."column" as e_column'


def _edges(here: str, there: str) -> ToMany:
    return ToMany(
        target="component_instance",
        join=f"join dependency {{e}} on {{e}}.{there} = {{b}}.id",
        link=f"{{e}}.{here} = {{a}}.id",
        also=f"{_EDGE}, 1 as e_depth",
        edge="dependency_edge",
        tie=(*IDENTITY, Key(sql="{e}.via", type="text")),
    )


def _reached(here: str, there: str) -> ToMany:
    return ToMany(
        target="component_instance",
        walk=walk(here, there),
        join=f"join {{w}} {{e}} on {{e}}.{there} = {{b}}.id",
        also=f"{_EDGE}, {{e}}.depth as e_depth",
        edge="dependency_edge",
        order=(("depth", False), ("name", False)),
        proven=True,  # nothing out of sight is walked to
    )


def walk(here: str, there: str, *, edges: str = "dependency", instances: str = "component_instance") -> str:
    """What is reached from the instance {a} along edges, each instance once, by one of the shortest ways: that way's last edge.

    One row of the recursion is one level: recursive rows can't be told apart from all that were reached before, an array can. Nothing
    is reached through what is out of sight or gone.
    """
    return (
        "with recursive w(depth, ids, edges, seen) as ("
        "select 0, array[{a}.id], '{{}}'::dependency[], array[{a}.id] union all select w.depth + 1, n.ids, n.edges, w.seen || n.ids"
        " from w cross join lateral (select array_agg(f.id) as ids, array_agg(f.edge) as edges from ("
        f"select distinct on (d.{there}) d.{there} as id, d::dependency as edge"
        f" from {edges} d join {instances} i on i.id = d.{there}"
        f" where d.{here} = any(w.ids) and ({{arg_kind}} is null or d.kind = {{arg_kind}})"
        " and i.removed_at is null and {sees_component_instance_i}"
        f" and not exists(select from unnest(w.seen) s(id) where s.id = d.{there})"
        f" order by d.{there}, d.via, d.{here}) f) n where n.ids is not null)"
        " select w.depth, x.* from w cross join lateral unnest(w.edges) x"
    )


SOURCES = (
    *ownership.SOURCES,
    Source(
        name="stack",
        rows="stack",
        columns=columns_of(records.Stack),
        relations={
            "estate": ESTATE,
            "manifest": ToOne(target="manifest", on="{b}.id = {a}.manifest_id", proven=True, key="manifest_id"),
            "organization": ToOne(target="organization", on="{b}.id = {a}.organization_id", proven=True, key="organization_id"),
            "tenant": ToOne(target="tenant", on="{b}.id = {a}.tenant_id", where="not {b}.hidden", proven=True, key="tenant_id"),
            "environment": ToOne(target="environment", on="{b}.id = {a}.environment_id", key="environment_id"),
            "team": _TEAM,
            **_OWNERSHIP,
            "instances": ToMany(target="component_instance", link="{b}.stack_id = {a}.id"),
            "cost": cost.summary("i.stack_id = {a}.id", charged="l.stack_id = {a}.id", organization="{a}.organization_id"),
        },
        orders=_NAME
        | {
            "instances": (Key(sql=cost.count("i.stack_id = {b}.id"), type="int8"),),
            "monthly_cost": (Key(sql=cost.total("i.stack_id = {b}.id"), type="numeric"),),
        },
        order=_BY_NAME,
        visible=visibility.tenant_row,
        current="{b}.removed_at is null",
        by_tenant=True,
        facets=faceted.STACK,
    ),
    Source(
        name="component",
        rows="component",
        columns=columns_of(records.Component),
        relations={
            "estate": ESTATE,
            "cost_estimate": cost.estimate("cost_estimate_id"),
            "maintainer": ToOne(target="team", on="{b}.id = {a}.maintainer_id", proven=True, key="maintainer_id"),
            "inputs": elements("component_input", "{a}.inputs"),
            "outputs": elements("component_output", "{a}.outputs"),
            "providers": elements("provider_requirement", "{a}.providers"),
            "modules": elements("module_call", "{a}.modules"),
            "instances": ToMany(target="component_instance", link="{b}.component_id = {a}.id"),
            "services": ToMany(
                target="service", link="{b}.id in (select x.service_id from service_component x where x.component_id = {a}.id)"
            ),
        },
        orders=_NAME
        | {
            "category": (
                Key(sql="({b}.category is null)", type="bool", fixed=True),
                Key(sql="coalesce({b}.category, '')", type="text"),
            ),
            "instances": (Key(sql=cost.count("i.component_id = {b}.id"), type="int8"),),
            "monthly_cost": (Key(sql=cost.total("i.component_id = {b}.id"), type="numeric"),),
        },
        order=_BY_NAME,
        visible=visibility.component,
        current="{b}.removed_at is null",
    ),
    element_source(
        name="component_input",
        columns={
            "name": text("{a}.v->>'name'", nullable=False),
            "type": text("coalesce({a}.v->>'type', 'any')", nullable=False),
            "description": text("{a}.v->>'description'"),
            "default": json("{a}.v->'default'"),
            "required": truth("coalesce(({a}.v->>'required')::bool, false)"),
            "sensitive": truth("coalesce(({a}.v->>'sensitive')::bool, false)"),
            "nullable": truth("coalesce(({a}.v->>'nullable')::bool, true)"),
            "deprecated": text("{a}.v->>'deprecated'"),
        },
        relations={"validations": elements("input_validation", "({a}.v->'validations')")},
    ),
    element_source(
        name="input_validation",
        columns={
            "condition": text("{a}.v->>'condition'", nullable=False),
            "error_message": text("{a}.v->>'error_message'", nullable=False),
        },
    ),
    element_source(
        name="component_output",
        columns={
            "name": text("{a}.v->>'name'", nullable=False),
            "description": text("{a}.v->>'description'"),
            "sensitive": truth("coalesce(({a}.v->>'sensitive')::bool, false)"),
            "deprecated": text("{a}.v->>'deprecated'"),
        },
    ),
    *(
        element_source(
            name=name,
            columns={
                "name": text("{a}.v->>'name'", nullable=False),
                "source": text("{a}.v->>'source'"),
                "version": text("{a}.v->>'version'"),
            },
        )
        for name in ("provider_requirement", "module_call")
    ),
    Source(
        name="config",
        rows="config",
        columns={
            "id": plain("{a}.hash", nullable=False),
            "document": json("{a}.document", nullable=False),
        }
        | {
            section: Column(
                sql=f"coalesce({{a}}.document->'{section}', '{{{{}}}}')",
                format=Format.JSON,
                nullable=False,
                filtered=f"({{a}}.document->'{section}')",
            )
            for section in ("vars", "settings", "env", "metadata", "backend", "providers", "overrides")
        },
        key="hash",
        visible=visibility.configuration,
    ),
    Source(
        name="component_instance",
        rows="component_instance",
        columns=columns_of(
            records.ComponentInstance,
            hidden_dependencies=number(_HIDDEN_NEIGHBOURS, nullable=False),
            edge_kind=plain("{a}e.kind", nullable=False),  # of the link table, while a list of dependencies is filtered
        ),
        relations={
            "estate": ESTATE,
            # The composite key proves the same tenant; a visible child shows its stack's name whoever owns that.
            "stack": ToOne(target="stack", on="{b}.id = {a}.stack_id", proven=True, key="stack_id"),
            "component": ToOne(target="component", on="{b}.id = {a}.component_id", proven=True, key="component_id"),
            "config": ToOne(target="config", on="{b}.hash = {a}.config_hash", proven=True, key="config_hash"),
            "team": _TEAM,
            **_OWNERSHIP,
            "depends_on": _edges("source_id", "target_id"),
            "dependents": _edges("target_id", "source_id"),
            "all_depends_on": _reached("source_id", "target_id"),
            "all_dependents": _reached("target_id", "source_id"),
            "cost_estimate": cost.estimate("cost_estimate_id"),
            "cost": cost.summary(
                "i.id = {a}.id",
                charged="l.instance_id = {a}.id",
                currency="{a}.currency",
                organization="(select x.organization_id from stack x where x.id = {a}.stack_id)",
            ),
            "cost_history": cost.COST_HISTORY,
            "charges": cost.CHARGES,
            "locked_by": ToOne(
                target="provisioning_request", on=f"{{b}}.instance_id = {{a}}.id and {{b}}.state not in ({_FINAL})", first=True
            ),
            "policy_evaluations": governance.EVALUATIONS_OF_INSTANCE,
            "history": ToMany(target="change", link="({b}.instance_id = {a}.id or {b}.previous_id = {a}.id)"),
            "requests": ToMany(target="provisioning_request", link="{b}.instance_id = {a}.id"),
        },
        orders=_NAME
        | {
            "stack": (Key(sql="(select x.name from stack x where x.id = {b}.stack_id)", type="text"),),
            "monthly_cost": (
                Key(sql="({b}.monthly is null)", type="bool", fixed=True),
                Key(sql="coalesce({b}.monthly, 0)", type="numeric"),
            ),
            "changed_at": (Key(sql="{b}.changed_at", type="timestamptz"),),
            "depth": (Key(sql="{e}.depth", type="int4"),),
        },
        order=_BY_NAME,
        visible=visibility.tenant_row,
        current="{b}.removed_at is null",
        by_tenant=True,
        facets=faceted.INSTANCE,
    ),
    Source(
        name="dependency_edge",
        rows="",
        columns={
            "kind": plain("{a}.e_kind", nullable=False),
            "via": text("{a}.e_via", nullable=False),
            "depth": number("{a}.e_depth", nullable=False),
        },
        relations={"location": location("{a}.e_file", "{a}.e_line", "{a}.e_column", estate="{a}.estate_id")},
    ),
)
