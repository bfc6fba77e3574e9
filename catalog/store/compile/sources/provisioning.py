"""Sources of governed provisioning: requests, their steps, logs and approvals, and the documents inside them."""

from __future__ import annotations

from catalog import records
from catalog.store.compile.source import (
    Key,
    Same,
    Source,
    ToMany,
    ToOne,
    columns_of,
    element_source,
    elements,
    json,
    money_in,
    number,
    text,
    texts,
    truth,
)
from catalog.store.compile.sources import budget, governance, visibility
from catalog.store.compile.sources.estate import ESTATE

_TEXTS_IN = "array(select jsonb_array_elements_text(coalesce({document}, '[]')))"


def _listed(document: str) -> str:
    return _TEXTS_IN.replace("{document}", document)


def _preview(document: str, team: str) -> Same:
    """A preview; its budget is that of the team on whose behalf it is, for those whose money it is and for admins."""
    return Same(
        present=f"{document} is not null",
        columns={
            "digest": text(f"{document}->>'digest'", nullable=False),
            "unknown_instances": number(f"({document}->>'unknownInstances')::int", nullable=False),
            "requires_approval": truth(f"({document}->>'requiresApproval')::bool"),
            "may_approve": texts(_listed(f"{document}->'mayApprove'")),
        },
        relations={
            "files": elements("rendered_file", f"({document}->'files')"),
            "affected": elements("affected_instance", f"({document}->'affected')"),
            "cost_before": money_in(f"{document}->'costBefore'"),
            "cost_after": money_in(f"{document}->'costAfter'"),
            "cost_delta": money_in(f"{document}->'costDelta'"),
            "verdicts": elements("policy_verdict", f"({document}->'verdicts')"),
            "budget": budget.status(
                f"l.team_id = {team}",
                f"r.team_id = {team}",
                budget=f"(select t.budget from team t where t.id = {team} and ({{admin}} or t.id = any({{my_teams}})))",
                currency=f"(select t.budget_currency from team t where t.id = {team})",
            ),
        },
    )


def _plan(document: str) -> Same:
    return Same(
        present=f"{document} is not null",
        columns={
            "digest": text(f"{document}->>'digest'", nullable=False),
            **{
                count: number(f"coalesce(({document}->>'{count}')::int, 0)", nullable=False)
                for count in ("create", "update", "replace", "delete")
            },
        },
        relations={
            "levels": elements("plan_level", f"({document}->'levels')"),
            "cost_delta": money_in(f"{document}->'costDelta'"),
            "cost_ceiling": money_in(f"{document}->'costCeiling'"),
        },
    )


# Log lines are signs of life too: an apply may take its time.
_STUCK = (
    "({a}.state = 'APPLY_UNKNOWN' or ({a}.state in ('PENDING', 'PREVIEWING', 'PLANNING', 'APPROVED', 'PROVISIONING', 'DEPLOYING')"
    " and greatest({a}.updated_at, (select l.at from step_log l where l.request_id = {a}.id order by l.sequence desc limit 1))"
    " < now() - interval '10 minutes'))"
)
_PREVIEW = _preview("{a}.preview", "({a}.preview->>'teamId')")

SOURCES = (
    Source(
        name="provisioning_request",
        rows="provisioning_request",
        columns=columns_of(
            records.ProvisioningRequest,
            number=number("{a}.number", nullable=False),
            requester=text("(select x.name from principal x where x.id = {a}.requester_id)", nullable=False),
            mine=truth("coalesce({a}.requester_id = {me}, false)"),
            stuck=truth(_STUCK),
            decidable=truth("coalesce({decides_a}, false)"),
            lead_time=number("extract(epoch from {a}.finished_at - {a}.created_at)::int"),
        ),
        relations={
            "estate": ESTATE,
            "workflow": ToOne(target="workflow", on="{b}.id = {a}.workflow_id", proven=True, key="workflow_id"),
            "service": ToOne(target="service", on="{b}.id = {a}.service_id", key="service_id"),
            "environment": ToOne(target="environment", on="{b}.id = {a}.environment_id", key="environment_id"),
            "instance": ToOne(target="component_instance", on="{b}.id = {a}.instance_id", key="instance_id"),
            "team": ToOne(target="team", on="{b}.id = {a}.team_id", proven=True, key="team_id"),
            "principal": ToOne(target="principal", on="{b}.id = {a}.requester_id", proven=True, key="requester_id"),
            "service_instance": ToOne(target="service_instance", on="{b}.registered_by_id = {a}.id", first=True),
            "preview": _preview("{a}.preview", "{a}.team_id"),
            "plan": _plan("{a}.plan"),
            "policy_evaluations": governance.EVALUATIONS_OF_REQUEST,
            "audit": governance.AUDIT_OF_REQUEST,
            "approvals": ToMany(target="approval", link="{b}.request_id = {a}.id", tie=()),
            "steps": ToMany(target="request_step", link="{b}.request_id = {a}.id", tie=()),
        },
        orders={
            "number": (Key(sql="{b}.number", type="int8"),),
            "created_at": (Key(sql="{b}.created_at", type="timestamptz"),),
            "updated_at": (Key(sql="{b}.updated_at", type="timestamptz"),),
            "latest": (Key(sql="{b}.created_at", type="timestamptz", descending=True),),
            "event": (Key(sql="{e}.sequence", type="int4"),),
        },
        order=(("latest", False),),
        visible=visibility.request,
    ),
    Source(name="preview_document", rows="", columns=_PREVIEW.columns, relations=_PREVIEW.relations),
    element_source(
        name="rendered_file",
        columns={
            "path": text("{a}.v->>'path'", nullable=False),
            "content": text("{a}.v->>'content'", nullable=False),
            "diff": text("{a}.v->>'diff'", nullable=False),
        },
    ),
    element_source(
        name="affected_instance",
        columns={
            "stack_name": text("{a}.v->>'stackName'", nullable=False),
            "component_type": text("{a}.v->>'componentType'", nullable=False),
            "component_name": text("{a}.v->>'componentName'", nullable=False),
            "deleted": truth("coalesce(({a}.v->>'deleted')::bool, false)"),
            "reasons": texts(_listed("{a}.v->'reasons'")),
            "dependents": number("coalesce(({a}.v->>'dependents')::int, 0)", nullable=False),
        },
        relations={"instance": ToOne(target="component_instance", on="{b}.id = {a}.v->>'instanceId'")},
    ),
    element_source(
        name="policy_verdict",
        columns={
            "policy": text("{a}.v->>'policy'", nullable=False),
            "passed": truth("({a}.v->>'passed')::bool"),
            "severity": text("{a}.v->>'severity'", nullable=False),
            "message": text("{a}.v->>'message'"),
        },
    ),
    element_source(
        name="plan_level",
        columns={
            "instances": texts(_listed("{a}.v->'instances'")),
            "planned": truth("coalesce(({a}.v->>'planned')::bool, false)"),
            "resource_types": texts(_listed("{a}.v->'resourceTypes'")),
            "changes": json("coalesce({a}.v->'changes', '[]')", nullable=False),
            "bounds": json("{a}.v->'bounds'"),
        },
    ),
    Source(
        name="approval",
        rows="approval",
        columns=columns_of(
            records.Approval, by=text("(select x.name from principal x where x.id = {a}.principal_id)", nullable=False)
        ),
        orders={"at": (Key(sql="{b}.at", type="timestamptz"), Key(sql="{b}.id", type="int4"))},
        order=(("at", False),),
    ),
    Source(
        name="request_step",
        rows="request_step",
        columns=columns_of(records.RequestStep),
        relations={
            "log": ToMany(target="log_line", link="{b}.request_id = {a}.request_id and {b}.ordinal = {a}.ordinal", tie=()),
        },
        orders={"ordinal": (Key(sql="{b}.ordinal", type="int4"),)},
        order=(("ordinal", False),),
    ),
    Source(
        name="log_line",
        rows="step_log",
        columns=columns_of(records.StepLog),
        orders={"sequence": (Key(sql="{b}.sequence", type="int4"),)},
        order=(("sequence", False),),
    ),
)
