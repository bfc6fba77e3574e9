"""Sources of what the organisation says: organisations, tenants, environments, teams, people and services."""

from __future__ import annotations

from catalog import records
from catalog.store.compile.source import (
    Key,
    Source,
    ToMany,
    ToOne,
    columns_of,
    element_source,
    elements,
    json,
    location,
    money,
    text,
    texts,
)
from catalog.store.compile.sources import budget, cost, faceted, governance, scorecard, visibility

_NAME = {"name": (Key(sql="{b}.name", type="text"),)}
_BY_NAME = (("name", False),)
_SLUG = {"slug": (Key(sql="{b}.slug", type="text"),), "title": (Key(sql="{b}.title", type="text"),)}
_BY_SLUG = (("slug", False),)
_ORGANIZATION = ToOne(target="organization", on="{b}.id = {a}.organization_id", proven=True, key="organization_id")
_TENANT = ToOne(target="tenant", on="{b}.id = {a}.tenant_id", where="not {b}.hidden", proven=True, key="tenant_id")
_TEAM = ToOne(target="team", on="{b}.id = {a}.team_id", proven=True, key="team_id")
# What may be spent is for those whose money it is, and for admins.
_TEAM_BUDGET = "case when {admin} or {a}.id = any({my_teams}) then {a}.budget end"
_SERVICE_BUDGET = "case when {admin} or {a}.owner_id = any({my_teams}) then {a}.budget end"
_TENANT_BUDGET = "case when {admin} or {a}.id = any({my_tenants}) then {a}.budget end"
_OF_SERVICE = (
    "i.id in (select x.instance_id from service_instance_component x join service_instance y on y.id = x.service_instance_id"
    " where y.service_id = {a}.id)"
)

# What a request for a service may say: for each of its parts, by name, the variables of that component. None has to be said, since
# stacks and defaults give what a module requires. Of two parts of one name the first one counts.
_REQUEST_SCHEMA = (
    "jsonb_build_object('$schema', 'https://json-schema.org/draft/2020-12/schema', 'type', 'object', 'title', {a}.title,"
    " 'additionalProperties', false, 'properties', coalesce((select jsonb_object_agg(p.name,"
    " (c.input_schema - 'required' - '$schema') || jsonb_strip_nulls(jsonb_build_object('title', coalesce(c.title, c.name),"
    " 'description', coalesce(p.role, c.description))) order by p.ordinal desc)"
    " from service_component p join component c on c.id = p.component_id and c.removed_at is null and {sees_component_c}"
    " where p.service_id = {a}.id), '{{}}'))"
)

SOURCES = (
    Source(
        name="organization",
        rows="organization",
        columns=columns_of(records.Organization),
        relations={
            "tenants": ToMany(target="tenant", link="{b}.organization_id = {a}.id"),
            "teams": ToMany(target="team", link="{b}.organization_id = {a}.id"),
        },
        orders=_NAME,
        order=_BY_NAME,
        visible=visibility.organization,
    ),
    Source(
        name="tenant",
        rows="tenant",
        columns=columns_of(records.Tenant),
        relations={
            "organization": _ORGANIZATION,
            "stacks": ToMany(target="stack", link="{b}.tenant_id = {a}.id"),
            "budget": money(_TENANT_BUDGET, "{a}.budget_currency"),
            "budget_status": budget.status(
                "l.tenant_id = {a}.id", "r.tenant_id = {a}.id", budget=_TENANT_BUDGET, currency="{a}.budget_currency"
            ),
            "cost": cost.summary(
                "i.tenant_id = {a}.id",
                charged="l.tenant_id = {a}.id",
                organization="{a}.organization_id",
                budget=_TENANT_BUDGET,
                budget_currency="{a}.budget_currency",
            ),
        },
        orders=_NAME,
        order=_BY_NAME,
        visible=visibility.tenant,
    ),
    Source(
        name="environment",
        rows="environment",
        columns=columns_of(records.Environment),
        relations={
            "organization": _ORGANIZATION,
            "tenant": _TENANT,
            "team": _TEAM,
            "stacks": ToMany(target="stack", link="{b}.environment_id = {a}.id"),
            "service_instances": ToMany(target="service_instance", link="{b}.environment_id = {a}.id"),
            "cost": cost.summary(
                "i.stack_id in (select x.id from stack x where x.environment_id = {a}.id)",
                charged="l.environment_id = {a}.id",
                organization="{a}.organization_id",
            ),
        },
        orders=_NAME,
        order=_BY_NAME,
        visible=visibility.tenant_row,
    ),
    Source(
        name="team",
        rows="team",
        columns=columns_of(records.Team),
        relations={
            "organization": _ORGANIZATION,
            "members": ToMany(target="person", link="{b}.team_id = {a}.id"),
            "budget": money(_TEAM_BUDGET, "{a}.budget_currency"),
            "location": location("{a}.file", "{a}.line"),
            "services": ToMany(target="service", link="{b}.owner_id = {a}.id"),
            "stacks": ToMany(target="stack", link="{b}.team_id = {a}.id"),
            "instances": ToMany(target="component_instance", link="{b}.team_id = {a}.id"),
            "requests": ToMany(target="provisioning_request", link="{b}.team_id = {a}.id"),
            "scorecard": scorecard.TEAM,
            "budget_status": budget.status(
                "l.team_id = {a}.id", "r.team_id = {a}.id", budget=_TEAM_BUDGET, currency="{a}.budget_currency"
            ),
            "cost": cost.summary(
                "i.team_id = {a}.id",
                charged="l.team_id = {a}.id",
                organization="{a}.organization_id",
                budget=_TEAM_BUDGET,
                budget_currency="{a}.budget_currency",
            ),
        },
        orders=_SLUG | {"monthly_cost": (Key(sql=cost.total("i.team_id = {b}.id"), type="numeric"),)},
        order=_BY_SLUG,
        visible=visibility.team,
    ),
    Source(
        name="person",
        rows="person",
        columns=columns_of(
            records.Person,
            # E-mail addresses of others are for their own team and for admins.
            email=text("case when {admin} or {a}.team_id = any({my_teams}) then {a}.email end"),
        ),
        orders=_NAME,
        order=_BY_NAME,
    ),
    Source(
        name="service",
        rows="service",
        columns=columns_of(records.Service, category=text("{a}.category"), request_schema=json(_REQUEST_SCHEMA, nullable=False)),
        relations={
            "organization": _ORGANIZATION,
            "owner": ToOne(target="team", on="{b}.id = {a}.owner_id", proven=True, key="owner_id"),
            "cost_estimate": cost.estimate("cost_estimate_id"),
            "computed_cost_estimate": cost.estimate("computed_cost_estimate_id"),
            "location": location("{a}.file", "{a}.line"),
            "links": elements("link", "{a}.links"),
            "components": ToMany(target="service_component", link="{b}.service_id = {a}.id", order=(("ordinal", False),), tie=()),
            "instances": ToMany(target="service_instance", link="{b}.service_id = {a}.id"),
            "budget": money(_SERVICE_BUDGET, "{a}.budget_currency"),
            "budget_status": budget.status(
                "l.service_id = {a}.id", "r.service_id = {a}.id", budget=_SERVICE_BUDGET, currency="{a}.budget_currency"
            ),
            "cost": cost.summary(
                _OF_SERVICE,
                charged="l.service_id = {a}.id",
                organization="{a}.organization_id",
                budget=_SERVICE_BUDGET,
                budget_currency="{a}.budget_currency",
            ),
            "scorecard": scorecard.SERVICE,
        },
        orders=_SLUG
        | {
            "category": (
                Key(sql="({b}.category is null)", type="bool", fixed=True),
                Key(sql="coalesce({b}.category, '')", type="text"),
            ),
            "tier": (Key(sql="({b}.tier is null)", type="bool", fixed=True), Key(sql="coalesce({b}.tier, 0)", type="int4")),
            "monthly_cost": (Key(sql=cost.total(_OF_SERVICE.replace("{a}", "{b}")), type="numeric"),),
        },
        order=_BY_SLUG,
        visible=visibility.service,
        facets=faceted.SERVICE,
    ),
    element_source(
        name="link",
        columns={
            "title": text("coalesce({a}.v->>'title', {a}.v->>'url', '')", nullable=False),
            "url": text("coalesce({a}.v->>'url', '')", nullable=False),
        },
    ),
    Source(
        name="service_component",
        rows="service_component",
        columns=columns_of(records.ServiceComponent),
        relations={"component": ToOne(target="component", on="{b}.id = {a}.component_id", key="component_id")},
        orders={"ordinal": (Key(sql="{b}.ordinal", type="int4"),)},
        order=(("ordinal", False),),
    ),
    Source(
        name="service_instance",
        rows="service_instance",
        columns=columns_of(records.ServiceInstance, missing=texts("{a}.missing")),
        relations={
            "service": ToOne(target="service", on="{b}.id = {a}.service_id", proven=True, key="service_id"),
            "environment": ToOne(target="environment", on="{b}.id = {a}.environment_id", proven=True, key="environment_id"),
            "team": _TEAM,
            "component_instances": ToMany(
                target="component_instance",
                join="join service_instance_component {e} on {e}.instance_id = {b}.id",
                link="{e}.service_instance_id = {a}.id",
            ),
            "applications": governance.APPLICATIONS,
            "registered_by": ToOne(target="provisioning_request", on="{b}.id = {a}.registered_by_id", key="registered_by_id"),
            "cost": cost.summary(
                "i.id in (select x.instance_id from service_instance_component x where x.service_instance_id = {a}.id)",
                charged="l.instance_id in (select x.instance_id from service_instance_component x where x.service_instance_id = {a}.id)",
                organization="(select x.organization_id from environment x where x.id = {a}.environment_id)",
            ),
        },
        orders=_NAME,
        order=_BY_NAME,
        visible=visibility.tenant_row,
    ),
)
