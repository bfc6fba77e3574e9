"""Rows for benchmarks of the graph, made inside Postgres: one organisation, teams, services, environments, instances, edges, costs.

Sizes follow from the number of component instances; everything else is in proportion, and the same for the same number.
"""

from __future__ import annotations

from dataclasses import dataclass

_STATEMENTS = """
insert into organization (id, name, title, currency) values ('org_1', 'acme', 'Acme', 'USD');
insert into tenant (id, organization_id, name, hidden) select 'ten_' || t, 'org_1', 'tenant-' || t, false from generate_series(1, 8) t;
insert into team (id, organization_id, slug, title, platform, aliases)
  select 'tea_' || t, 'org_1', 'team-' || lpad(t::text, 4, '0'), 'Team ' || t, false, '{{}}' from generate_series(1, {teams}) t;
insert into estate (id, name, organization_id, kind, path, ref, directory, writable, executor, workflows, removal_limit)
  values ('est_1', 'acme-infra', 'org_1', 'git', '/nowhere', 'main', '.', true, 'terraform', '{{}}', 50);
insert into index_run (id, estate_id, ref, number, state, started_at, finished_at, manifests, stacks, component_instances,
    added, changed, removed, unchanged, backfill)
  values ('run_1', 'est_1', 'main', 1, 'SUCCEEDED', now(), now(), 1, 1, 1, 1, 0, 0, 0, false);
insert into manifest (id, estate_id, path, content_hash, top_level)
  select 'man_' || s, 'est_1', 'stacks/orgs/' || s || '.yaml', 'h', true from generate_series(1, {stacks}) s;
insert into environment (id, organization_id, tenant_id, name, kind)
  select 'env_' || e, 'org_1', 'ten_' || (1 + e % 8), 'env-' || e, 'DEVELOPMENT' from generate_series(1, {environments}) e;
insert into stack (id, estate_id, tenant_id, organization_id, environment_id, manifest_id, name, labels, tags, vars, state,
    team_id, row_hash, content_hash)
  select 'stk_' || s, 'est_1', 'ten_' || (1 + s % 8), 'org_1', 'env_' || (1 + (s - 1) % {environments}), 'man_' || s,
         {stack_name}, '{{}}', '{{}}', '{{}}', 'FRESH', 'tea_' || (1 + s % {teams}), 'h', 'h'
  from generate_series(1, {stacks}) s;
insert into component (id, estate_id, type, name, path, category_derived, inputs, outputs, providers, modules,
    input_schema, content_hash)
  select 'cmp_' || c, 'est_1', 'TERRAFORM', 'component-' || c, 'components/terraform/' || c, false, '[]', '[]', '[]', '[]', '{{}}', 'h'
  from generate_series(1, {components}) c;
insert into config (hash, document)
  select 'h' || c, jsonb_build_object(
    'vars', jsonb_build_object('n', c, 'cidr', '10.0.0.0/16', 'text', repeat('x', 200)) || {padding}, 'settings', '{{}}'::jsonb)
  from generate_series(1, {documents}) c;
insert into cost_estimate (id, subject_kind, subject_id, status, currency, monthly, unsupported, source)
  select 'cst_' || i, 'ComponentInstance', 'ins_' || i, case when i % 5 = 0 then 'UNKNOWN' else 'KNOWN' end, 'USD',
         case when i % 5 = 0 then null else (i % 97) + 0.25 end, '{{}}', 'INSTANCE_METADATA' from generate_series(1, {instances}) i;
insert into component_instance (id, estate_id, tenant_id, stack_id, component_id, type, name, abstract, enabled, locked, state, inherits,
    labels, unresolved_dependencies, config_hash, team_id, owner_source, cost_estimate_id, cost_status, monthly, currency, drift,
    changed_at, content_hash)
  select 'ins_' || i, 'est_1', 'ten_' || (1 + s % 8), 'stk_' || s, 'cmp_' || (1 + i % {components}), 'TERRAFORM',
         {instance_name}, false, true, false, 'FRESH', '{{}}', '{{}}', '{{}}', 'h' || (1 + i % {documents}),
         'tea_' || (1 + i % {teams}), 'TENANT_MAPPING', 'cst_' || i, case when i % 5 = 0 then 'UNKNOWN' else 'KNOWN' end,
         case when i % 5 = 0 then null else (i % 97) + 0.25 end, 'USD', 'UNKNOWN', now() - (i || ' minutes')::interval, 'h'
  from (select i, 1 + (i - 1) % {stacks} as s from generate_series(1, {instances}) i) x;
insert into dependency (source_id, target_id, via, kind)
  select 'ins_' || i, 'ins_' || (1 + (i * 7 + d * 13) % {instances}), 'settings.depends_on', 'DECLARED'
  from generate_series(1, {instances}) i, generate_series(1, 3) d on conflict do nothing;
insert into cost_estimate (id, subject_kind, subject_id, status, currency, monthly, unsupported, source)
  select 'cst_s' || s, 'Service', 'svc_' || s, 'KNOWN', 'USD', s % 500, '{{}}', 'SERVICE' from generate_series(1, {services}) s;
insert into service (id, organization_id, slug, title, lifecycle, lifecycle_stated, version, owner_id, cost_estimate_id, tags,
    links, public, source)
  select 'svc_' || s, 'org_1', 'service-' || lpad(s::text, 5, '0'), 'Service ' || s, 'PRODUCTION', true, 1, 'tea_' || (1 + s % {teams}),
         'cst_s' || s, '{{}}', '[]', true, 'SEEDS' from generate_series(1, {services}) s;
insert into service_instance (id, tenant_id, service_id, environment_id, name, state, missing)
  select 'svi_' || s || '_' || k, 'ten_' || (1 + e % 8), 'svc_' || s, 'env_' || e, 'service-' || s || '-' || k, 'COMPLETE', '{{}}'
  from (select s, k, 1 + (s * 3 + k) % {environments} as e from generate_series(1, {services}) s, generate_series(1, 6) k) x;
insert into service_instance_component (service_instance_id, instance_id)
  select 'svi_' || s || '_' || k, 'ins_' || (1 + (s * 31 + k * 7 + c) % {instances})
  from generate_series(1, {services}) s, generate_series(1, 6) k, generate_series(1, 6) c on conflict do nothing;
"""

# Hashes, so that neither Postgres nor a client can make it smaller.
_PADDING = "(select jsonb_object_agg('p' || p, md5(c || ' ' || p)) from generate_series(1, {pieces}) p)"
_CHARGES = """
insert into cost_import (id, file, format, imported_at, rows, accepted, replaced)
  values ('imp_1', 'focus.csv', 'FOCUS_CSV', now(), {charges}, {charges}, 0);
insert into charge_batch (id, file, billing_period_start, billing_period_end, import_id)
  select 'bat_' || m, 'focus.csv', make_timestamptz(2025, m, 1, 0, 0, 0, 'UTC'),
         make_timestamptz(2025, m, 1, 0, 0, 0, 'UTC') + interval '1 month', 'imp_1' from generate_series(1, 12) m;
insert into charge (id, batch_id, billing_period_start, billing_period_end, period_start, period_end, category, provider, service_name,
    resource_id, region_id, currency, billed, effective, tags)
  select 'chg_' || c, b.id, b.billing_period_start, b.billing_period_end, b.billing_period_start, b.billing_period_end, 'Usage', 'AWS',
         'Amazon EC2', 'arn:aws:ec2:::' || i, 'us-east-1', 'USD', c % 997 + 0.123456, c % 997 + 0.123456,
         jsonb_build_object('instance', i)
  from (select c, 1 + (c / 12) * 7 % {instances} as i, 'bat_' || (1 + c % 12) as batch from generate_series(0, {charges} - 1) c) x
  join charge_batch b on b.id = x.batch;
insert into allocation (charge_id, ordinal, day, month, tenant_id, team_id, environment_id, stack_id, instance_id, share, amount, currency,
    rule, reason)
  select c.id, 1, c.period_start::date, c.period_start::date, a.tenant_id, a.team_id, s.environment_id, s.id, a.id, 1, c.effective,
         c.currency, 'tag', 'the tag names the instance'
  from charge c join component_instance a on a.id = 'ins_' || (c.tags->>'instance') join stack s on s.id = a.stack_id;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many rows of each kind, and what SQL names the s-th stack of so many and its i-th instance: no two alike unless said.

    `documents` of resolved sections are shared by the instances, each of `padding` KB more than a little, which don't compress.
    `charges` are monthly ones of 2025: twelve for each of so many instances.
    """

    instances: int
    documents: int = 1000
    padding: int = 0
    charges: int = 0
    stack_name: str = "'stack-' || lpad(s::text, 6, '0')"
    instance_name: str = "'instance-' || lpad(i::text, 7, '0')"

    def counts(self) -> dict[str, int]:
        """The numbers of rows."""
        return {
            "instances": self.instances,
            "stacks": max(8, self.instances // 20),
            "components": max(5, self.instances // 40),
            "services": max(5, self.instances // 100),
            "environments": max(4, self.instances // 200),
            "teams": max(5, min(50, self.instances // 200)),
            "documents": self.documents,
            "charges": self.charges,
        }


async def fill(database, size: Size) -> None:
    """Write the rows and let Postgres look at them."""
    async with database.connection() as connection:
        names = {"stack_name": size.stack_name, "instance_name": size.instance_name.format(**size.counts())}
        padding = _PADDING.format(pieces=size.padding * 22) if size.padding else "'{}'::jsonb"
        await connection.execute(_STATEMENTS.format(**size.counts(), **names, padding=padding))
        if size.charges:
            await connection.execute(_CHARGES.format(**size.counts()))
        await connection.execute("vacuum analyze")
