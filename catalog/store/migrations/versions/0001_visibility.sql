-- The second lock: who sees which rows, told once more, by policies of row-level security.
--
-- Compiled reads carry their rules in the statement and run as the owner of the tables, whom no policy concerns. Everything else that
-- reads on behalf of a viewer does so as `catalog_viewer`, which may only read and sees what the viewer of the transaction sees; without
-- one it sees nothing. Who that is:
--   * for a database role of its own (a dashboard): the principal that `report_role` binds to it, whatever it sets;
--   * for the catalog itself: `catalog.viewer`, set for the transaction: {"me", "grants": [{"role", "teams", "tenants"}], "member_of"}.
--
-- What a viewer's grants admit is worked out once a statement: policies ask for it in subselects without reference to the row.

do $$
begin
    if not exists (select from pg_roles where rolname = 'catalog_viewer') then
        create role catalog_viewer nologin nosuperuser nobypassrls nocreatedb nocreaterole noinherit;
    end if;
exception
    when duplicate_object or unique_violation then null; -- another database of this server was migrated at the same moment
    when insufficient_privilege then
        raise exception 'the role catalog_viewer is missing, and % may not create it', current_user
            using hint = 'as an administrator: create role catalog_viewer nologin; grant catalog_viewer to ' || current_user;
end
$$;

do $$
begin
    execute format('grant usage on schema %I to catalog_viewer', current_schema());
    -- Who made a role may not yet become it (since Postgres 16); a superuser may become anyone.
    if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant catalog_viewer to %I', current_user);
    end if;
exception
    when insufficient_privilege then null; -- an administrator made the role, and granted it
end
$$;

-- ── the viewer ──────────────────────────────────────────────────────────────────────────────────────────────────────────

create function catalog_viewer() returns jsonb language sql stable security definer set search_path from current as $$
    select case
        when exists (select from report_role r where r.name = session_user) then (
            select jsonb_build_object(
                'me', p.id,
                'grants', coalesce((select jsonb_agg(jsonb_build_object('role', g.role, 'teams', g.teams, 'tenants', g.tenants))
                    from principal_grant g where g.principal_id = p.id), '[]'),
                'member_of', coalesce((select jsonb_agg(m.team_id) from team_member m where m.principal_id = p.id), '[]'))
            from report_role r join principal p on p.id = r.principal_id where r.name = session_user and p.disabled_at is null)
        -- Only the catalog itself may say who it reads for: whoever else has the role would name an admin.
        when pg_has_role(session_user, current_user, 'MEMBER') then nullif(current_setting('catalog.viewer', true), '')::jsonb
    end
$$;

create function catalog_viewer_me() returns text language sql stable security definer set search_path from current as
$$ select catalog_viewer()->>'me' $$;

-- The viewer's grants; those that may decide, when asked for.
create function catalog_viewer_grants(deciding boolean) returns table (teams jsonb, tenants jsonb)
language sql stable security definer set search_path from current as $$
    select nullif(g->'teams', 'null'), nullif(g->'tenants', 'null')
    from jsonb_array_elements(catalog_viewer()->'grants') g
    where not deciding or g->>'role' in ('APPROVER', 'ADMIN')
$$;

create function catalog_viewer_any() returns boolean language sql stable security definer set search_path from current as
$$ select exists (select from catalog_viewer_grants(false)) $$;

create function catalog_viewer_all() returns boolean language sql stable security definer set search_path from current as
$$ select exists (select from catalog_viewer_grants(false) where teams is null and tenants is null) $$;

create function catalog_viewer_admin() returns boolean language sql stable security definer set search_path from current as $$
    select exists (select from jsonb_array_elements(catalog_viewer()->'grants') g
        where g->>'role' = 'ADMIN' and nullif(g->'teams', 'null') is null and nullif(g->'tenants', 'null') is null)
$$;

-- Tenants of which everything is admitted: all there are for a viewer without restriction, so that one index serves every viewer.
create function catalog_viewer_tenants(deciding boolean default false) returns text[]
language sql stable security definer set search_path from current as $$
    select case when exists (select from catalog_viewer_grants(deciding) where teams is null and tenants is null)
        then array(select id from tenant)
        else array(select t from catalog_viewer_grants(deciding) g, jsonb_array_elements_text(g.tenants) t where g.teams is null) end
$$;

-- Teams of which everything is admitted, in whichever tenant; '' stands for no team: what nobody owns is for all of them.
create function catalog_viewer_teams(deciding boolean default false) returns text[]
language sql stable security definer set search_path from current as $$
    select array(select t from catalog_viewer_grants(deciding) g, jsonb_array_elements_text(g.teams || '[""]') t where g.tenants is null)
$$;

-- Of grants that name both: 'tenant team' and 'tenant '.
create function catalog_viewer_pairs(deciding boolean default false) returns text[]
language sql stable security definer set search_path from current as $$
    select array(select x || ' ' || t from catalog_viewer_grants(deciding) g, jsonb_array_elements_text(g.tenants) x,
        jsonb_array_elements_text(g.teams || '[""]') t)
$$;

create function catalog_viewer_own(what text) returns text[] language sql stable security definer set search_path from current as $$
    select array(
        select t from jsonb_array_elements(catalog_viewer()->'grants') g, jsonb_array_elements_text(nullif(g->what, 'null')) t
        union select t from jsonb_array_elements_text(catalog_viewer()->'member_of') t where what = 'teams')
$$;

-- Whether a place is admitted, where it has to be asked row by row.
create function catalog_viewer_admits(tenant text, team text, deciding boolean default false) returns boolean
language sql stable security definer set search_path from current as $$
    select tenant = any (catalog_viewer_tenants(deciding)) or coalesce(team, '') = any (catalog_viewer_teams(deciding))
        or tenant || ' ' || coalesce(team, '') = any (catalog_viewer_pairs(deciding))
$$;

-- ── what a rule must know of rows that the viewer may not see ───────────────────────────────────────────────────────────────

create function catalog_owner_of_instance(id text) returns text language sql stable security definer set search_path from current as
$$ select x.team_id from component_instance x where x.id = $1 $$;

create function catalog_owner_of_environment(id text) returns text
language sql stable security definer set search_path from current as
$$ select x.team_id from environment x where x.id = $1 $$;

create function catalog_component_is_used(id text) returns boolean
language sql stable security definer set search_path from current as
$$ select exists (select from component_instance x where x.component_id = $1) $$;

create function catalog_viewer_decides(preview jsonb) returns boolean
language sql stable security definer set search_path from current as $$
    select exists (select from jsonb_array_elements(coalesce(preview->'affected', '[]')) u
        join component_instance v on v.id = u->>'instanceId' where catalog_viewer_admits(v.tenant_id, v.team_id, true))
$$;

-- Manifests that a visible stack is made of, directly or by imports.
create function catalog_viewer_manifests() returns text[] language sql stable security definer set search_path from current as $$
    with recursive mine as materialized (
        select catalog_viewer_tenants() as tenants, catalog_viewer_teams() as teams, catalog_viewer_pairs() as pairs
    ), used(id) as (
        select s.manifest_id from stack s, mine
        where s.tenant_id = any (mine.tenants) or coalesce(s.team_id, '') = any (mine.teams)
            or s.tenant_id || ' ' || coalesce(s.team_id, '') = any (mine.pairs)
        union select i.imported_id from manifest_import i join used u on i.manifest_id = u.id
    )
    select array(select id from used where id is not null)
$$;

-- ── policies ────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Every table is locked, those of later versions by a test: what has no policy shows nothing to anybody but its owner.
do $$
declare
    name text;
begin
    for name in select c.relname from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace
        and c.relname not like 'pgqueuer%' and c.relname <> 'alembic_version'
    loop
        execute format('alter table %I enable row level security', name);
    end loop;
end
$$;

do $$
declare
    place constant text := '(%1$s.tenant_id = any ((select catalog_viewer_tenants())::text[])'
        ' or coalesce(%2$s, '''') = any ((select catalog_viewer_teams())::text[])'
        ' or %1$s.tenant_id || '' '' || coalesce(%2$s, '''') = any ((select catalog_viewer_pairs())::text[]))';
    everything constant text := '(select catalog_viewer_all())';
    admin constant text := '(select catalog_viewer_admin())';
    me constant text := '(select catalog_viewer_me())';
    rule record;
begin
    for rule in select * from (values
        -- Rows of a tenant and, perhaps, an owning team.
        ('stack', format(place, 'stack', 'stack.team_id')),
        ('component_instance', format(place, 'component_instance', 'component_instance.team_id')),
        ('environment', format(place, 'environment', 'environment.team_id')),
        ('service_instance', format(place, 'service_instance', 'service_instance.team_id')),
        ('team_estimate', format(place, 'team_estimate', 'team_estimate.team_id')),
        -- What money landed on; what landed nowhere is for admins.
        ('allocation', 'case when tenant_id is null then ' || admin || ' else ' || format(place, 'allocation', 'allocation.team_id') || ' end'),
        ('cost_month', 'case when tenant_id is null then ' || admin || ' else ' || format(place, 'cost_month', 'cost_month.team_id') || ' end'),
        ('cost_day', 'case when tenant_id is null then ' || admin || ' else ' || format(place, 'cost_day', 'cost_day.team_id') || ' end'),
        ('team_month', 'case when tenant_id is null then ' || admin || ' else ' || format(place, 'team_month', 'team_month.team_id') || ' end'),
        ('charge', admin || ' or exists (select from allocation x where x.charge_id = charge.id)'),
        -- Requests: the target's place, one's own, or those one may decide.
        ('provisioning_request', everything || ' or requester_id = ' || me || ' or '
            || format(place, 'provisioning_request', 'coalesce(catalog_owner_of_instance(instance_id), catalog_owner_of_environment(environment_id))')
            || ' or catalog_viewer_decides(preview)'),
        ('approval', 'exists (select from provisioning_request x where x.id = approval.request_id)'),
        ('request_step', 'exists (select from provisioning_request x where x.id = request_step.request_id)'),
        ('step_log', 'exists (select from provisioning_request x where x.id = step_log.request_id)'),
        ('request_event', 'exists (select from provisioning_request x where x.id = request_event.request_id)'),
        -- Estates and what is theirs.
        ('estate', everything || ' or exists (select from stack x where x.estate_id = estate.id)'
            || ' or exists (select from provisioning_request x where x.estate_id = estate.id)'),
        ('estate_remote', 'exists (select from estate x where x.id = estate_remote.estate_id)'),
        ('index_run', 'exists (select from estate x where x.id = index_run.estate_id)'),
        ('index_run_event', 'exists (select from index_run x where x.id = index_run_event.run_id)'),
        ('workflow', 'exists (select from estate x where x.id = workflow.estate_id)'),
        ('policy', 'exists (select from estate x where x.id = policy.estate_id)'),
        ('diagnostic', everything || ' or exists (select from stack x where x.id = diagnostic.stack_id)'),
        ('change', format(place, 'change', 'catalog_owner_of_instance(coalesce(instance_id, previous_id))')),
        ('manifest', everything || ' or id = any ((select catalog_viewer_manifests())::text[])'),
        ('manifest_import', everything || ' or manifest_id = any ((select catalog_viewer_manifests())::text[])'),
        ('component', everything || ' or exists (select from component_instance x where x.component_id = component.id)'
            || ' or (not catalog_component_is_used(id) and exists (select from estate x where x.id = component.estate_id))'),
        ('config', everything || ' or exists (select from component_instance x where x.config_hash = config.hash)'),
        ('dependency', 'exists (select from component_instance x where x.id = dependency.source_id)'
            || ' and exists (select from component_instance x where x.id = dependency.target_id)'),
        -- What an instance or a stack was, where both what it was and what it is are in sight.
        ('instance_version', 'exists (select from component_instance x where x.id = instance_version.instance_id and ("row" is null'
            || ' or catalog_viewer_admits("row"->>''tenant_id'', case when "row" ? ''team_id'' then "row"->>''team_id'' else x.team_id end)))'),
        ('stack_version', 'exists (select from stack x where x.id = stack_version.stack_id and ("row" is null'
            || ' or catalog_viewer_admits("row"->>''tenant_id'', case when "row" ? ''team_id'' then "row"->>''team_id'' else x.team_id end)))'),
        ('policy_evaluation', everything || ' or ' || format(place, 'policy_evaluation', 'catalog_owner_of_instance(instance_id)')
            || ' or exists (select from provisioning_request x where x.id = policy_evaluation.request_id)'),
        -- What the organisation says.
        ('organization', everything
            || ' or exists (select from tenant x where x.organization_id = organization.id and x.id = any ((select catalog_viewer_own(''tenants''))::text[]))'
            || ' or exists (select from team x where x.organization_id = organization.id and x.id = any ((select catalog_viewer_own(''teams''))::text[]))'
            || ' or exists (select from stack x where x.organization_id = organization.id)'
            || ' or exists (select from environment x where x.organization_id = organization.id)'),
        ('tenant', 'not hidden and (' || everything || ' or id = any ((select catalog_viewer_own(''tenants''))::text[])'
            || ' or exists (select from stack x where x.tenant_id = tenant.id)'
            || ' or exists (select from environment x where x.tenant_id = tenant.id))'),
        ('team', everything || ' or id = any ((select catalog_viewer_own(''teams''))::text[])'
            || ' or exists (select from stack x where x.team_id = team.id)'
            || ' or exists (select from component_instance x where x.team_id = team.id)'
            || ' or exists (select from environment x where x.team_id = team.id)'
            || ' or exists (select from service_instance x where x.team_id = team.id)'
            || ' or exists (select from service x where x.owner_id = team.id)'
            || ' or exists (select from provisioning_request x where x.team_id = team.id)'),
        ('person', 'exists (select from team x where x.id = person.team_id)'),
        ('service', '(select catalog_viewer_any()) and (' || everything
            || ' or public or exists (select from service_instance x where x.service_id = service.id))'),
        ('service_component', 'exists (select from service x where x.id = service_component.service_id)'),
        ('service_instance_component', 'exists (select from component_instance x where x.id = service_instance_component.instance_id)'),
        ('application', 'exists (select from service_instance x where x.id = application.service_instance_id)'),
        ('cost_estimate', everything || ' or case subject_kind'
            || ' when ''ComponentInstance'' then exists (select from component_instance x where x.id = cost_estimate.subject_id)'
            || ' when ''Component'' then exists (select from component x where x.id = cost_estimate.subject_id)'
            || ' when ''Service'' then exists (select from service x where x.id = cost_estimate.subject_id) else false end'),
        ('cost_item', 'exists (select from cost_estimate x where x.id = cost_item.estimate_id)'),
        ('kpi', '(select catalog_viewer_any())'),
        ('kpi_point', '(select catalog_viewer_any())'),
        ('exchange_rate', '(select catalog_viewer_any())'),
        -- People and machines: oneself; all of them for admins.
        ('principal', admin || ' or id = ' || me),
        ('principal_grant', admin || ' or principal_id = ' || me),
        ('team_member', admin || ' or principal_id = ' || me),
        ('access_token', 'kind = ''API'' and (' || admin || ' or principal_id = ' || me || ')'),
        ('audit_event', admin || ' or actor_id = ' || me),
        ('cost_import', admin),
        ('charge_batch', admin),
        ('rejected_row', admin),
        ('charge_subject', admin),
        ('allocation_rules', admin)
    ) r(name, sees)
    loop
        execute format('create policy catalog_viewer_sees on %I for select to catalog_viewer using (%s)', rule.name, rule.sees);
        execute format('grant select on %I to catalog_viewer', rule.name);
    end loop;
end
$$;

-- What nobody is shown, whoever they are: by what a token is known, and what the database's own roles are bound to.
revoke select on access_token from catalog_viewer;
grant select (id, principal_id, kind, name, prefix, created_at, expires_at, last_used_at, revoked_at) on access_token to catalog_viewer;
