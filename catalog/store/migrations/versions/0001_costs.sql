-- Sums of where charges landed, by day and by month, so that a report of a million charges reads the few thousand sums that they come to.
-- They follow every statement on allocations, the deletions that cascade from charges too. Amounts are exact, so what is added and taken
-- away again leaves nothing behind; a sum of no parts is deleted. Rows are touched in the order of their keys: no two writers deadlock.
create function catalog_costs_added() returns trigger language plpgsql as $$
begin
    insert into cost_month as known (key, month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency, amount, parts)
    select md5(jsonb_build_array(month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency)::text) as key,
        month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency, sum(amount), count(*)
    from added group by month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency
    order by key on conflict (key) do update set amount = known.amount + excluded.amount, parts = known.parts + excluded.parts;
    insert into cost_day as known (key, day, month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency, amount, parts)
    select md5(jsonb_build_array(day, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency)::text) as key,
        day, month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency, sum(amount), count(*)
    from added group by day, month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency
    order by key on conflict (key) do update set amount = known.amount + excluded.amount, parts = known.parts + excluded.parts;
    return null;
end
$$;

create function catalog_costs_removed() returns trigger language plpgsql as $$
begin
    insert into cost_month as known (key, month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency, amount, parts)
    select md5(jsonb_build_array(month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency)::text) as key,
        month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency, -sum(amount), -count(*)
    from removed group by month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency
    order by key on conflict (key) do update set amount = known.amount + excluded.amount, parts = known.parts + excluded.parts;
    insert into cost_day as known (key, day, month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency, amount, parts)
    select md5(jsonb_build_array(day, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency)::text) as key,
        day, month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency, -sum(amount), -count(*)
    from removed group by day, month, tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency
    order by key on conflict (key) do update set amount = known.amount + excluded.amount, parts = known.parts + excluded.parts;
    delete from cost_month where parts = 0;
    delete from cost_day where parts = 0;
    return null;
end
$$;

create trigger allocation_1_removed after update on allocation referencing old table as removed
    for each statement execute function catalog_costs_removed();
create trigger allocation_2_added after update on allocation referencing new table as added
    for each statement execute function catalog_costs_added();
create trigger allocation_added after insert on allocation referencing new table as added
    for each statement execute function catalog_costs_added();
create trigger allocation_removed after delete on allocation referencing old table as removed
    for each statement execute function catalog_costs_removed();

create function catalog_costs_emptied() returns trigger language plpgsql as $$
begin
    truncate cost_month, cost_day;
    return null;
end
$$;

create trigger allocation_emptied after truncate on allocation for each statement execute function catalog_costs_emptied();

-- Loads leave out what only proves references, never this.
alter table allocation enable always trigger allocation_1_removed;
alter table allocation enable always trigger allocation_2_added;
alter table allocation enable always trigger allocation_added;
alter table allocation enable always trigger allocation_removed;
alter table allocation enable always trigger allocation_emptied;

-- What one unit of a currency is worth in another one by the rates of a day: the last ones not after it; null where nothing tells.
-- Said directly, else the other way round, else through one currency that both have a rate with, the first by name. One division,
-- to 30 decimals.
create function catalog_rate(source text, target text, day date) returns numeric language sql stable as $$
    with known as (
        select distinct on (r.base, r.currency) r.base, r.currency, r.rate from exchange_rate r
        where r.day <= catalog_rate.day and source <> target
            and (r.base in (source, target) or r.currency in (source, target))
        order by r.base, r.currency, r.day desc
    ), leg as (
        select base as here, currency as there, rate as worth, 1::numeric as of, 0 as turned from known
        union all select currency, base, 1, rate, 1 from known
    ), way as (
        select worth, of, turned, '' as via from leg where here = source and there = target
        union all
        select a.worth * b.worth, a.of * b.of, 2, a.there from leg a join leg b on b.here = a.there
        where a.here = source and b.there = target
    )
    select case when source = target then 1
        else (select case when of = 1 then worth else round(worth, 30) / of end from way order by turned, via, worth limit 1) end
$$;
