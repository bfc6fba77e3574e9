"""Sources of governance: policies, their verdicts, what people did, and the applications that Argo CD runs."""

from __future__ import annotations

from catalog import records
from catalog.store.compile.source import Key, Source, ToMany, ToOne, columns_of, fraction, json, number
from catalog.store.compile.sources import visibility

EVALUATIONS_OF_INSTANCE = ToMany(target="policy_evaluation", link="{b}.instance_id = {a}.id")
EVALUATIONS_OF_REQUEST = ToMany(target="policy_evaluation", link="{b}.request_id = {a}.id")
AUDIT_OF_REQUEST = ToMany(target="audit_event", link="{b}.subject_id = {a}.id", tie=())
APPLICATIONS = ToMany(target="application", link="{b}.service_instance_id = {a}.id")
# The share of its verdicts that passed, over the last one of each instance that the viewer may see.
_COMPLIANCE = (
    "(select avg(q.passed::int) from (select distinct on (e.instance_id) e.passed from policy_evaluation e"
    " where e.policy_id = {a}.id and e.instance_id is not null and {sees_policy_evaluation_e}"
    " order by e.instance_id, e.evaluated_at desc, e.id) q)"
)

SOURCES = (
    Source(
        name="policy",
        rows="policy",
        columns=columns_of(records.Policy, compliance=fraction(_COMPLIANCE)),
        orders={"name": (Key(sql="{b}.package", type="text"), Key(sql="{b}.name", type="text"))},
        order=(("name", False),),
        visible=visibility.estate_part,
    ),
    Source(
        name="policy_evaluation",
        rows="policy_evaluation",
        columns=columns_of(records.PolicyEvaluation, milliseconds=fraction("{a}.milliseconds::numeric", nullable=False)),
        relations={
            # Whoever sees a verdict sees which policy it is of.
            "policy": ToOne(target="policy", on="{b}.id = {a}.policy_id", proven=True, key="policy_id"),
            "instance": ToOne(target="component_instance", on="{b}.id = {a}.instance_id", key="instance_id"),
            "request": ToOne(target="provisioning_request", on="{b}.id = {a}.request_id", key="request_id"),
        },
        orders={"latest": (Key(sql="{b}.evaluated_at", type="timestamptz", descending=True),)},
        order=(("latest", False),),
        visible=visibility.evaluation,
    ),
    Source(
        name="audit_event",
        rows="audit_event",
        columns=columns_of(
            records.AuditEvent,
            sequence=number("{a}.sequence", nullable=False),
            detail=json("{a}.detail", nullable=False),
        ),
        orders={"latest": (Key(sql="{b}.sequence", type="int8", descending=True),)},
        order=(("latest", False),),
        tie=(),
        visible=visibility.audit,
    ),
    Source(
        name="application",
        rows="application",
        columns=columns_of(records.Application),
        orders={"name": (Key(sql="{b}.name", type="text"), Key(sql="{b}.id", type="int4"))},
        order=(("name", False),),
        tie=(),
    ),
)
