-- Reports: views for dashboards and for whoever asks by SQL, in a schema of their own. What they are called and what their columns mean
-- stays from release to release, whatever becomes of the tables; comments say it, and docs/reporting.md is drawn from them.
--
-- They belong to catalog_viewer, so each reads as that role does: through row-level security, as the principal that `report_role` binds
-- the session's role to. Whoever is no such role sees nothing. A dashboard's role is a member of catalog_report and has these views alone.

do $$
begin
    if not exists (select from pg_roles where rolname = 'catalog_report') then
        create role catalog_report nologin nosuperuser nobypassrls nocreatedb nocreaterole noinherit;
    end if;
exception
    when duplicate_object or unique_violation then null; -- another database of this server was migrated at the same moment
    when insufficient_privilege then
        raise exception 'the role catalog_report is missing, and % may not create it', current_user
            using hint = 'as an administrator: create role catalog_report nologin';
end
$$;

create schema report;
comment on schema report is 'What dashboards read: stable views, each showing what the principal behind the role may see.';
grant usage on schema report to catalog_report;
grant usage, create on schema report to catalog_viewer;

-- Rates are for whoever reads reports; a function of its own, since one that is written into a statement reads as who sent it.
create function catalog_report_rate(source text, target text, day date) returns numeric
language sql stable security definer set search_path from current as $$ select catalog_rate(source, target, day) $$;

-- Who may see an instance may know the stack that it is in, and where that is, though the stack itself be out of sight. Not for dashboards:
-- views below join it to instances in sight.
create view component_instance_place as
select i.id as instance_id, s.name as stack, x.name as estate, n.name as tenant, s.environment_id, s.account,
    s.region
from component_instance i left join stack s on s.id = i.stack_id left join estate x on x.id = i.estate_id
    left join tenant n on n.id = i.tenant_id and not n.hidden;
grant select on component_instance_place to catalog_viewer;

create view report.teams as
select t.id as team_id, t.slug as team, t.title, o.name as organization, t.cost_center, t.platform as is_platform
from team t left join organization o on o.id = t.organization_id;
comment on view report.teams is 'Teams.';
comment on column report.teams.team_id is 'Its id in the graph.';
comment on column report.teams.team is 'Its short name, by which other views name it.';
comment on column report.teams.title is 'What it is called.';
comment on column report.teams.organization is 'The organisation that it belongs to.';
comment on column report.teams.cost_center is 'The cost centre that pays for it.';
comment on column report.teams.is_platform is 'Whether it is a platform team.';

create view report.environments as
select e.id as environment_id, e.name as environment, e.kind, n.name as tenant, e.account, e.region, t.slug as team
from environment e left join tenant n on n.id = e.tenant_id left join team t on t.id = e.team_id;
comment on view report.environments is 'Environments: a place of a tenant in an account and a region.';
comment on column report.environments.environment_id is 'Its id in the graph.';
comment on column report.environments.environment is 'Its name; several may have the same one.';
comment on column report.environments.kind is 'DEVELOPMENT, TEST, STAGING, PRODUCTION, SHARED or OTHER.';
comment on column report.environments.tenant is 'The tenant that it belongs to.';
comment on column report.environments.account is 'The cloud account.';
comment on column report.environments.region is 'The region.';
comment on column report.environments.team is 'The team that owns it.';

create view report.stacks as
select s.id as stack_id, s.name as stack, x.name as estate, n.name as tenant, e.name as environment, e.kind as environment_kind,
    s.account, s.region, t.slug as team, s.state
from stack s left join estate x on x.id = s.estate_id left join tenant n on n.id = s.tenant_id
    left join environment e on e.id = s.environment_id left join team t on t.id = s.team_id
where s.removed_at is null;
comment on view report.stacks is 'Stacks that are there now.';
comment on column report.stacks.stack_id is 'Its id in the graph.';
comment on column report.stacks.stack is 'Its name.';
comment on column report.stacks.estate is 'The estate that it is a part of.';
comment on column report.stacks.tenant is 'The tenant that it belongs to.';
comment on column report.stacks.environment is 'The environment that it makes.';
comment on column report.stacks.environment_kind is 'That environment''s kind.';
comment on column report.stacks.account is 'The cloud account.';
comment on column report.stacks.region is 'The region.';
comment on column report.stacks.team is 'The team that owns it; null where nobody does.';
comment on column report.stacks.state is 'FRESH, or STALE where the last reading of it failed.';

create view report.component_instances as
select i.id as instance_id, i.name as component, i.type as component_type, p.stack, p.estate, p.tenant,
    e.name as environment, e.kind as environment_kind, p.account, p.region, c.category, t.slug as team, i.owner_source,
    i.enabled as is_enabled, i.locked as is_locked, i.drift, i.state, i.cost_status, i.monthly as monthly_estimate, i.currency, i.changed_at
from component_instance i left join component_instance_place p on p.instance_id = i.id
    left join environment e on e.id = p.environment_id left join component c on c.id = i.component_id left join team t on t.id = i.team_id
where i.removed_at is null and not i.abstract;
comment on view report.component_instances is 'Component instances that are there now: a component in a stack. Abstract ones are left out.';
comment on column report.component_instances.instance_id is 'Its id in the graph.';
comment on column report.component_instances.component is 'The component''s name in the stack.';
comment on column report.component_instances.component_type is 'TERRAFORM, HELMFILE or another type of Atmos.';
comment on column report.component_instances.stack is 'The stack.';
comment on column report.component_instances.estate is 'The estate.';
comment on column report.component_instances.tenant is 'The tenant that it belongs to.';
comment on column report.component_instances.environment is 'The environment.';
comment on column report.component_instances.environment_kind is 'That environment''s kind.';
comment on column report.component_instances.account is 'The cloud account.';
comment on column report.component_instances.region is 'The region.';
comment on column report.component_instances.category is 'What the component is for, such as networking.';
comment on column report.component_instances.team is 'The team that owns it; null where nobody does.';
comment on column report.component_instances.owner_source is 'By what evidence it owns it.';
comment on column report.component_instances.is_enabled is 'Whether Terraform creates it.';
comment on column report.component_instances.is_locked is 'Whether changes are locked.';
comment on column report.component_instances.drift is 'Whether what runs differs from what is written: IN_SYNC, DRIFTED or UNKNOWN.';
comment on column report.component_instances.state is 'FRESH, or STALE where the last reading of it failed.';
comment on column report.component_instances.cost_status is 'KNOWN, PARTIAL or UNKNOWN: whether the estimate is a number, only a range or a part, or nothing.';
comment on column report.component_instances.monthly_estimate is 'What it is expected to cost a month; null where that isn''t known, never zero.';
comment on column report.component_instances.currency is 'In which currency.';
comment on column report.component_instances.changed_at is 'When it last changed.';

create view report.services as
select v.id as service_id, v.slug as service, v.title, o.name as organization, v.category, v.lifecycle, v.tier, t.slug as team,
    (select count(*) from service_instance i where i.service_id = v.id) as instances
from service v left join organization o on o.id = v.organization_id left join team t on t.id = v.owner_id;
comment on view report.services is 'Services.';
comment on column report.services.service_id is 'Its id in the graph.';
comment on column report.services.service is 'Its short name.';
comment on column report.services.title is 'What it is called.';
comment on column report.services.organization is 'The organisation that it belongs to.';
comment on column report.services.category is 'Its category.';
comment on column report.services.lifecycle is 'EXPERIMENTAL, PRODUCTION, DEPRECATED or RETIRED.';
comment on column report.services.tier is 'How critical it is; 1 is the most.';
comment on column report.services.team is 'The team that owns it.';
comment on column report.services.instances is 'In how many environments in sight it runs.';

create view report.charges as
select c.id as charge_id, c.billing_period_start, c.billing_period_end, c.period_start, c.period_end, c.category, c.charge_class,
    c.provider, c.billing_account_id, c.sub_account_id, c.service_category, c.service_name, c.resource_id, c.resource_name, c.region_id,
    c.description, c.billed as billed_cost, c.effective as effective_cost, c.listed as list_cost, c.contracted as contracted_cost,
    c.currency, c.tags
from charge c;
comment on view report.charges is 'Charges as providers billed them; a charge is in sight where a part of it is.';
comment on column report.charges.charge_id is 'Its id in the graph.';
comment on column report.charges.billing_period_start is 'When the period began that it was billed in.';
comment on column report.charges.billing_period_end is 'When that was over.';
comment on column report.charges.period_start is 'When what is charged for began.';
comment on column report.charges.period_end is 'When it was over.';
comment on column report.charges.category is 'Usage, Purchase, Tax, Credit or Adjustment.';
comment on column report.charges.charge_class is 'Correction where it corrects an earlier billing period.';
comment on column report.charges.provider is 'Who billed it.';
comment on column report.charges.billing_account_id is 'The account that is billed.';
comment on column report.charges.sub_account_id is 'The account below it that caused the charge.';
comment on column report.charges.service_category is 'What kind of service it is.';
comment on column report.charges.service_name is 'The provider''s service.';
comment on column report.charges.resource_id is 'The provider''s id of the resource.';
comment on column report.charges.resource_name is 'What the resource is called.';
comment on column report.charges.region_id is 'The provider''s id of the region.';
comment on column report.charges.description is 'What it is for, in the provider''s words.';
comment on column report.charges.billed_cost is 'What was billed.';
comment on column report.charges.effective_cost is 'What it costs when prepayments are spread; this is what is allocated.';
comment on column report.charges.list_cost is 'What it would have cost by list prices.';
comment on column report.charges.contracted_cost is 'What it would have cost by negotiated prices.';
comment on column report.charges.currency is 'The currency of its amounts.';
comment on column report.charges.tags is 'Its tags.';

create view report.allocations as
select a.charge_id, a.ordinal, a.day, a.month, n.name as tenant, t.slug as team, e.name as environment,
    coalesce(p.stack, s.name) as stack, i.name as component, v.slug as service, a.share, a.amount as effective_cost, a.currency, a.rule, a.reason
from allocation a left join tenant n on n.id = a.tenant_id left join team t on t.id = a.team_id
    left join environment e on e.id = a.environment_id left join stack s on s.id = a.stack_id
    left join component_instance i on i.id = a.instance_id left join component_instance_place p on p.instance_id = i.id
    left join service v on v.id = a.service_id;
comment on view report.allocations is 'Where charges landed: the parts of a charge add up to its effective cost. What nobody owns names nothing, and admins alone see it.';
comment on column report.allocations.charge_id is 'The charge.';
comment on column report.allocations.ordinal is 'Tells the parts of a charge apart.';
comment on column report.allocations.day is 'The day on which the charge''s period began (UTC).';
comment on column report.allocations.month is 'The first day of that day''s month.';
comment on column report.allocations.tenant is 'The tenant; null where the part is nobody''s.';
comment on column report.allocations.team is 'The team that pays.';
comment on column report.allocations.environment is 'The environment.';
comment on column report.allocations.stack is 'The stack.';
comment on column report.allocations.component is 'The component in that stack.';
comment on column report.allocations.service is 'The service.';
comment on column report.allocations.share is 'Its part of the charge, from 0 to 1.';
comment on column report.allocations.effective_cost is 'How much that is.';
comment on column report.allocations.currency is 'In which currency.';
comment on column report.allocations.rule is 'The rule that put it there.';
comment on column report.allocations.reason is 'Why that rule holds.';

create view report.costs as
select m.month, o.name as organization, n.name as tenant, t.slug as team, t.cost_center, e.name as environment, e.kind as environment_kind,
    e.account, e.region, coalesce(p.stack, s.name) as stack, i.name as component, c.category, v.slug as service, m.amount as effective_cost, m.currency
from cost_month m left join tenant n on n.id = m.tenant_id left join organization o on o.id = n.organization_id
    left join team t on t.id = m.team_id left join environment e on e.id = m.environment_id left join stack s on s.id = m.stack_id
    left join component_instance i on i.id = m.instance_id left join component_instance_place p on p.instance_id = i.id left join component c on c.id = i.component_id
    left join service v on v.id = m.service_id
where m.parts > 0;
comment on view report.costs is 'What was charged by month, as sums of allocations: fast for dashboards. Sums of different currencies must not be added; report.costs_in tells them in one.';
comment on column report.costs.month is 'The first day of the month (UTC).';
comment on column report.costs.organization is 'The organisation.';
comment on column report.costs.tenant is 'The tenant; null where costs are nobody''s.';
comment on column report.costs.team is 'The team that pays; null where costs of a tenant are no team''s.';
comment on column report.costs.cost_center is 'That team''s cost centre.';
comment on column report.costs.environment is 'The environment.';
comment on column report.costs.environment_kind is 'That environment''s kind.';
comment on column report.costs.account is 'That environment''s cloud account.';
comment on column report.costs.region is 'That environment''s region.';
comment on column report.costs.stack is 'The stack.';
comment on column report.costs.component is 'The component in that stack.';
comment on column report.costs.category is 'What the component is for.';
comment on column report.costs.service is 'The service.';
comment on column report.costs.effective_cost is 'What it cost.';
comment on column report.costs.currency is 'In which currency.';

create view report.costs_in as
select d.day, d.month, o.name as organization, n.name as tenant, t.slug as team, e.name as environment, e.kind as environment_kind,
    v.slug as service, k.currency, d.amount * catalog_report_rate(d.currency, k.currency, d.day) as effective_cost,
    d.amount as original_cost, d.currency as original_currency
from cost_day d cross join (select currency from organization union select currency from exchange_rate union select base from exchange_rate) k
    left join tenant n on n.id = d.tenant_id left join organization o on o.id = n.organization_id left join team t on t.id = d.team_id
    left join environment e on e.id = d.environment_id left join service v on v.id = d.service_id
where d.parts > 0;
comment on view report.costs_in is 'What was charged by day, in every currency that there are rates of: always say which (where currency = ''EUR''). Rates are those of the day.';
comment on column report.costs_in.day is 'The day (UTC).';
comment on column report.costs_in.month is 'The first day of its month.';
comment on column report.costs_in.organization is 'The organisation.';
comment on column report.costs_in.tenant is 'The tenant; null where costs are nobody''s.';
comment on column report.costs_in.team is 'The team that pays.';
comment on column report.costs_in.environment is 'The environment.';
comment on column report.costs_in.environment_kind is 'That environment''s kind.';
comment on column report.costs_in.service is 'The service.';
comment on column report.costs_in.currency is 'In which currency the row is told.';
comment on column report.costs_in.effective_cost is 'What it cost in that currency; null where no rate of that day is known, so that a sum without it is partial.';
comment on column report.costs_in.original_cost is 'What it cost as it was billed.';
comment on column report.costs_in.original_currency is 'In which currency it was billed.';

create view report.estimates as
select o.name as organization, p.tenant, t.slug as team, e.name as environment, e.kind as environment_kind, c.category,
    i.currency, sum(i.monthly) as monthly_estimate, count(*) filter (where i.monthly is not null) as known_instances,
    count(*) filter (where i.monthly is null) as unknown_instances
from component_instance i left join component_instance_place p on p.instance_id = i.id left join tenant n on n.id = i.tenant_id
    left join organization o on o.id = n.organization_id left join team t on t.id = i.team_id
    left join environment e on e.id = p.environment_id left join component c on c.id = i.component_id
where i.removed_at is null and not i.abstract and i.enabled
group by o.name, p.tenant, t.slug, e.name, e.kind, c.category, i.currency;
comment on view report.estimates is 'What enabled instances are expected to cost a month, summed. Instances without an estimate are counted, not taken for zero.';
comment on column report.estimates.organization is 'The organisation.';
comment on column report.estimates.tenant is 'The tenant.';
comment on column report.estimates.team is 'The team that owns them; null where nobody does.';
comment on column report.estimates.environment is 'The environment.';
comment on column report.estimates.environment_kind is 'That environment''s kind.';
comment on column report.estimates.category is 'What the components are for.';
comment on column report.estimates.currency is 'In which currency; null for instances without an estimate.';
comment on column report.estimates.monthly_estimate is 'What they are expected to cost a month; null where none is known.';
comment on column report.estimates.known_instances is 'How many of them have an estimate.';
comment on column report.estimates.unknown_instances is 'How many have none.';

create view report.budgets as
with budgeted as (
    select 'TEAM' as kind, id, slug as name, budget, budget_currency from team where budget is not null
    union all select 'TENANT', id, name, budget, budget_currency from tenant where budget is not null
    union all select 'SERVICE', id, slug, budget, budget_currency from service where budget is not null
)
select b.kind, b.name, d.month, b.budget as monthly_budget,
    case when count(*) = count(catalog_report_rate(d.currency, b.budget_currency, d.day))
        then sum(d.amount * catalog_report_rate(d.currency, b.budget_currency, d.day)) end as effective_cost,
    b.budget_currency as currency
from budgeted b join cost_day d on d.parts > 0
    and case b.kind when 'TEAM' then d.team_id when 'TENANT' then d.tenant_id else d.service_id end = b.id
group by b.kind, b.id, b.name, d.month, b.budget, b.budget_currency;
comment on view report.budgets is 'Monthly budgets beside what was charged, for each month that has charges.';
comment on column report.budgets.kind is 'TEAM, TENANT or SERVICE: whose budget it is.';
comment on column report.budgets.name is 'The short name of the team or service, or the tenant''s name.';
comment on column report.budgets.month is 'The first day of the month (UTC).';
comment on column report.budgets.monthly_budget is 'What may be spent in a month.';
comment on column report.budgets.effective_cost is 'What was charged in the month, by the rates of the days; null where a rate is missing.';
comment on column report.budgets.currency is 'The currency of both.';

create view report.kpis as
select k.name as kpi, k.ordinal, k.title, k.population, k.unit, k.direction, k.baseline, k.target, p.at as measured_on, p.value, p.sample_size,
    case when p.value is null or k.target is null then null
        when k.direction = 'HIGHER_IS_BETTER' then p.value >= k.target else p.value <= k.target end as is_met
from kpi k left join lateral (select p.at, p.value, p.sample_size from kpi_point p where p.name = k.name order by p.at desc limit 1) p on true;
comment on view report.kpis is 'What the platform is measured by, with the latest value; a measure without data has none.';
comment on column report.kpis.kpi is 'The measure''s name.';
comment on column report.kpis.ordinal is 'In which order measures are shown.';
comment on column report.kpis.title is 'What it is called.';
comment on column report.kpis.population is 'Of what it is the measure.';
comment on column report.kpis.unit is 'Its unit.';
comment on column report.kpis.direction is 'HIGHER_IS_BETTER or LOWER_IS_BETTER.';
comment on column report.kpis.baseline is 'Where it stood before the platform.';
comment on column report.kpis.target is 'Where it should be.';
comment on column report.kpis.measured_on is 'The day of the latest value.';
comment on column report.kpis.value is 'The latest value; null where there was nothing to measure.';
comment on column report.kpis.sample_size is 'Of how many it is the measure.';
comment on column report.kpis.is_met is 'Whether the target is reached; null where value or target is missing.';

create view report.kpi_values as
select p.name as kpi, p.at as day, p.value, p.sample_size from kpi_point p;
comment on view report.kpi_values is 'What measures were over time.';
comment on column report.kpi_values.kpi is 'The measure''s name.';
comment on column report.kpi_values.day is 'The day.';
comment on column report.kpi_values.value is 'Its value then; null where there was nothing to measure.';
comment on column report.kpi_values.sample_size is 'Of how many it is the measure.';

create view report.requests as
select r.id as request_id, r.number, r.action, r.state, n.name as tenant, t.slug as team, v.slug as service, r.stack_name as stack,
    r.component_name as component, r.executor, r.required_approvals,
    (select count(*) from approval a where a.request_id = r.id and a.decision = 'APPROVED') as approvals,
    r.created_at, r.finished_at
from provisioning_request r left join tenant n on n.id = r.tenant_id left join team t on t.id = r.team_id
    left join service v on v.id = r.service_id;
comment on view report.requests is 'Provisioning requests.';
comment on column report.requests.request_id is 'Its id in the graph.';
comment on column report.requests.number is 'Its number.';
comment on column report.requests.action is 'What was asked for.';
comment on column report.requests.state is 'How far it is.';
comment on column report.requests.tenant is 'The tenant that it concerns.';
comment on column report.requests.team is 'The team on whose behalf it was made.';
comment on column report.requests.service is 'The service, where it is about one.';
comment on column report.requests.stack is 'The stack, where it is about one.';
comment on column report.requests.component is 'The component, where it is about one.';
comment on column report.requests.executor is 'What carries it out.';
comment on column report.requests.required_approvals is 'How many approvals it needs.';
comment on column report.requests.approvals is 'How often it was approved.';
comment on column report.requests.created_at is 'When it was made.';
comment on column report.requests.finished_at is 'When it was over; null while it isn''t.';

create view report.policy_results as
select p.id as evaluation_id, y.package, y.name as policy, y.severity, p.point, p.passed as has_passed, n.name as tenant,
    r.number as request, p.evaluated_at
from policy_evaluation p left join policy y on y.id = p.policy_id left join tenant n on n.id = p.tenant_id
    left join provisioning_request r on r.id = p.request_id;
comment on view report.policy_results is 'What policies decided.';
comment on column report.policy_results.evaluation_id is 'Its id in the graph.';
comment on column report.policy_results.package is 'The package of the policy.';
comment on column report.policy_results.policy is 'The policy''s name.';
comment on column report.policy_results.severity is 'How severe a violation is.';
comment on column report.policy_results.point is 'Where in a request''s course it was asked.';
comment on column report.policy_results.has_passed is 'Whether it was content.';
comment on column report.policy_results.tenant is 'The tenant that was judged for.';
comment on column report.policy_results.request is 'The number of the request.';
comment on column report.policy_results.evaluated_at is 'When.';

create view report.diagnostics as
select d.id as diagnostic_id, d.severity, d.code, d.message, x.name as estate, s.name as stack, d.component_name as component, d.file,
    d.line, d.since
from diagnostic d left join estate x on x.id = d.estate_id left join stack s on s.id = d.stack_id;
comment on view report.diagnostics is 'What is wrong with estates now.';
comment on column report.diagnostics.diagnostic_id is 'Its id in the graph.';
comment on column report.diagnostics.severity is 'ERROR, WARNING or INFO.';
comment on column report.diagnostics.code is 'Its code; docs/diagnostics.md explains each.';
comment on column report.diagnostics.message is 'What is wrong.';
comment on column report.diagnostics.estate is 'The estate.';
comment on column report.diagnostics.stack is 'The stack, where it concerns one.';
comment on column report.diagnostics.component is 'The component, where it concerns one.';
comment on column report.diagnostics.file is 'The file.';
comment on column report.diagnostics.line is 'The line.';
comment on column report.diagnostics.since is 'Since when it has been so.';

create view report.changes as
select c.id as change_id, c.at, c.kind, x.name as estate, n.name as tenant, c.stack_name as stack, c.component_type, c.component_name as component,
    c.author, c.revision
from change c left join estate x on x.id = c.estate_id left join tenant n on n.id = c.tenant_id;
comment on view report.changes is 'What changed in estates, and when.';
comment on column report.changes.change_id is 'Its id in the graph.';
comment on column report.changes.at is 'When it was indexed or, for Git, committed.';
comment on column report.changes.kind is 'ADDED, CHANGED, REMOVED, RENAMED or another kind.';
comment on column report.changes.estate is 'The estate.';
comment on column report.changes.tenant is 'The tenant.';
comment on column report.changes.stack is 'The stack.';
comment on column report.changes.component_type is 'The component''s type.';
comment on column report.changes.component is 'The component''s name in the stack.';
comment on column report.changes.author is 'Who made the commit.';
comment on column report.changes.revision is 'The commit.';

create view report.index_runs as
select r.id as run_id, x.name as estate, r.ref, r.revision, r.state, r.started_at, r.finished_at, r.stacks, r.component_instances,
    r.added, r.changed, r.removed
from index_run r left join estate x on x.id = r.estate_id;
comment on view report.index_runs is 'Readings of estates.';
comment on column report.index_runs.run_id is 'Its id in the graph.';
comment on column report.index_runs.estate is 'The estate.';
comment on column report.index_runs.ref is 'The branch.';
comment on column report.index_runs.revision is 'The commit that was read; null for a directory.';
comment on column report.index_runs.state is 'How it ended, or how far it is.';
comment on column report.index_runs.started_at is 'When it began.';
comment on column report.index_runs.finished_at is 'When it was over.';
comment on column report.index_runs.stacks is 'How many stacks it read.';
comment on column report.index_runs.component_instances is 'How many component instances.';
comment on column report.index_runs.added is 'How many of these were new.';
comment on column report.index_runs.changed is 'How many changed.';
comment on column report.index_runs.removed is 'How many were gone.';

-- As their owner's role, views read through its policies; who reads a view needs no right on a table.
do $$
declare
    name text;
begin
    for name in select c.relname from pg_class c where c.relkind = 'v' and c.relnamespace = 'report'::regnamespace loop
        execute format('alter view report.%I owner to catalog_viewer', name);
        execute format('grant select on report.%I to catalog_report', name);
    end loop;
end
$$;
revoke create on schema report from catalog_viewer;

-- Policies call functions with the rights of whoever reads, so these are open to everybody; what a role can't name it can't call by itself.
do $$
begin
    execute format('revoke usage on schema %I from public', current_schema());
end
$$;
