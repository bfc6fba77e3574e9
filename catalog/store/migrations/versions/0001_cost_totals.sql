-- Sums by tenant and team: a report that asks for nothing narrower reads some thousand rows, not one for each instance and month. They
-- follow every statement on allocations and instances by what it changed: what stays as it was is not touched. Rows are touched in the
-- order of their keys: no two writers deadlock.
create type catalog_team_months_part as (month date, tenant_id text, team_id text, currency text, amount numeric, parts bigint);

create function catalog_team_months() returns trigger language plpgsql as $$
begin
    if tg_op = 'TRUNCATE' then
        truncate team_month;
    elsif tg_op = 'INSERT' then
        perform catalog_team_months_write(array(select row(month, tenant_id, team_id, currency, sum(amount), count(*))::catalog_team_months_part
            from added group by month, tenant_id, team_id, currency));
    elsif tg_op = 'DELETE' then
        perform catalog_team_months_write(array(select row(month, tenant_id, team_id, currency, -sum(amount), -count(*))::catalog_team_months_part
            from removed group by month, tenant_id, team_id, currency));
    else
        perform catalog_team_months_write(array(select row(month, tenant_id, team_id, currency, sum(amount), sum(parts))::catalog_team_months_part
            from (select month, tenant_id, team_id, currency, amount, 1 as parts from added
                union all select month, tenant_id, team_id, currency, -amount, -1 from removed) d
            group by month, tenant_id, team_id, currency having sum(amount) <> 0 or sum(parts) <> 0));
    end if;
    return null;
end
$$;

create function catalog_team_months_write(changed catalog_team_months_part[]) returns void language plpgsql as $$
begin
    insert into team_month as held (key, month, tenant_id, team_id, currency, amount, parts)
    select md5(jsonb_build_array(month, tenant_id, team_id, currency)::text) as key, month, tenant_id, team_id, currency, amount, parts
    from unnest(changed) order by key
    on conflict (key) do update set amount = held.amount + excluded.amount, parts = held.parts + excluded.parts;
    delete from team_month where parts = 0;
end
$$;

create trigger allocation_3_team_added after insert on allocation referencing new table as added
    for each statement execute function catalog_team_months();
create trigger allocation_3_team_removed after delete on allocation referencing old table as removed
    for each statement execute function catalog_team_months();
create trigger allocation_3_team_changed after update on allocation referencing old table as removed new table as added
    for each statement execute function catalog_team_months();
create trigger allocation_3_team_emptied after truncate on allocation for each statement execute function catalog_team_months();

create type catalog_team_estimates_part as (
    estate_id text, tenant_id text, team_id text, currency text, amount numeric, known bigint, instances bigint);

create function catalog_team_estimates_write(changed catalog_team_estimates_part[]) returns void language plpgsql as $$
begin
    insert into team_estimate as held (key, estate_id, tenant_id, team_id, currency, amount, known, instances)
    select md5(jsonb_build_array(estate_id, tenant_id, team_id, currency)::text) as key, estate_id, tenant_id, team_id, currency, amount,
        c.known, instances
    from unnest(changed) c order by key
    on conflict (key) do update set amount = held.amount + excluded.amount, known = held.known + excluded.known,
        instances = held.instances + excluded.instances;
    delete from team_estimate where instances = 0;
end
$$;

create function catalog_team_estimates() returns trigger language plpgsql as $$
begin
    if tg_op = 'TRUNCATE' then
        truncate team_estimate;
    elsif tg_op = 'INSERT' then
        perform catalog_team_estimates_write(array(
            select row(estate_id, tenant_id, team_id, currency, coalesce(sum(monthly), 0), count(monthly), count(*))::catalog_team_estimates_part
            from added where not abstract and enabled and removed_at is null group by estate_id, tenant_id, team_id, currency));
    elsif tg_op = 'DELETE' then
        perform catalog_team_estimates_write(array(
            select row(estate_id, tenant_id, team_id, currency, -coalesce(sum(monthly), 0), -count(monthly), -count(*))::catalog_team_estimates_part
            from removed where not abstract and enabled and removed_at is null group by estate_id, tenant_id, team_id, currency));
    else
        perform catalog_team_estimates_write(array(
            select row(estate_id, tenant_id, team_id, currency, sum(amount), sum(known), sum(instances))::catalog_team_estimates_part
            from (select estate_id, tenant_id, team_id, currency, coalesce(monthly, 0) as amount, (monthly is not null)::int as known,
                1 as instances from added where not abstract and enabled and removed_at is null
                union all select estate_id, tenant_id, team_id, currency, -coalesce(monthly, 0), -(monthly is not null)::int,
                -1 from removed where not abstract and enabled and removed_at is null) d
            group by estate_id, tenant_id, team_id, currency having sum(amount) <> 0 or sum(known) <> 0 or sum(instances) <> 0));
    end if;
    return null;
end
$$;

create trigger component_instance_team_added after insert on component_instance referencing new table as added
    for each statement execute function catalog_team_estimates();
create trigger component_instance_team_removed after delete on component_instance referencing old table as removed
    for each statement execute function catalog_team_estimates();
create trigger component_instance_team_changed after update on component_instance referencing old table as removed new table as added
    for each statement execute function catalog_team_estimates();
create trigger component_instance_team_emptied after truncate on component_instance
    for each statement execute function catalog_team_estimates();

-- A first load leaves out what only proves references, never this.
alter table allocation enable always trigger allocation_3_team_added;
alter table allocation enable always trigger allocation_3_team_removed;
alter table allocation enable always trigger allocation_3_team_changed;
alter table allocation enable always trigger allocation_3_team_emptied;
alter table component_instance enable always trigger component_instance_team_added;
alter table component_instance enable always trigger component_instance_team_removed;
alter table component_instance enable always trigger component_instance_team_changed;
alter table component_instance enable always trigger component_instance_team_emptied;
