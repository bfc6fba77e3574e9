-- Events: what subscriptions tell (catalog/store/live.py). Rows are the truth, a message only wakes who waits for more of them.
--
-- A sequence ascends in the order of the commits, so that who has read up to a number missed none: it is taken at the end of the
-- transaction (the triggers are deferred) and under a lock that is held for no longer than the commit.

-- Let no other transaction add events of a request before this one ends.
create function catalog_hold_events(of_request text) returns void language sql as $$
    select pg_advisory_xact_lock(hashtextextended('events:' || of_request, 0))
$$;

-- The last sequence of a request: log lines are events too.
create function catalog_last_event(of_request text) returns int language sql stable as $$
    select greatest(
        coalesce((select max(e.sequence) from request_event e where e.request_id = of_request), 0),
        coalesce((select max(l.sequence) from step_log l where l.request_id = of_request), 0)
    )
$$;

create function catalog_request_event() returns trigger language plpgsql as $$
declare
    of_request text;
    of_step int;
begin
    if tg_table_name = 'provisioning_request' then
        of_request := new.id;
    else
        of_request := new.request_id;
    end if;
    if tg_table_name = 'request_step' then
        of_step := new.ordinal;
    end if;
    perform catalog_hold_events(of_request);
    insert into request_event (request_id, sequence, at, kind, ordinal)
    select r.id, catalog_last_event(r.id) + 1, clock_timestamp(), tg_argv[0], of_step from provisioning_request r where r.id = of_request;
    perform pg_notify('catalog_live', 'request:' || of_request);
    return null;
end
$$;

create constraint trigger request_state_event after update of state on provisioning_request
    deferrable initially deferred for each row when (old.state is distinct from new.state)
    execute function catalog_request_event('STATE');
create constraint trigger request_step_event after update of state, attempt on request_step
    deferrable initially deferred for each row when ((old.state, old.attempt) is distinct from (new.state, new.attempt))
    execute function catalog_request_event('STEP');
create constraint trigger request_approval_event after insert or update of void on approval
    deferrable initially deferred for each row execute function catalog_request_event('APPROVAL');

-- 0x6c697665, "live": runs of all estates share one sequence.
create function catalog_add_run_event(of_run text, done int, total int) returns void language plpgsql as $$
begin
    perform pg_advisory_xact_lock(x'6c697665'::int, 0);
    insert into index_run_event (sequence, run_id, at, done, total)
    select (select coalesce(max(e.sequence), 0) + 1 from index_run_event e), r.id, clock_timestamp(),
        -- A run that failed came as far as it came.
        coalesce(
            catalog_add_run_event.done,
            (select e.done from index_run_event e where e.run_id = r.id order by e.sequence desc limit 1),
            0
        ),
        catalog_add_run_event.total
    from index_run r where r.id = of_run;
    perform pg_notify('catalog_live', 'runs');
end
$$;

create function catalog_run_event() returns trigger language plpgsql as $$
begin
    if new.state in ('SUCCEEDED', 'HELD') then
        perform catalog_add_run_event(new.id, new.stacks, new.stacks);
    elsif new.state = 'FAILED' then
        perform catalog_add_run_event(new.id, null, null);
    else
        perform catalog_add_run_event(new.id, 0, null);
    end if;
    return null;
end
$$;

create constraint trigger index_run_begun after insert on index_run
    deferrable initially deferred for each row execute function catalog_run_event();
create constraint trigger index_run_moved after update of state on index_run
    deferrable initially deferred for each row when (old.state is distinct from new.state)
    execute function catalog_run_event();

create function catalog_changes_told() returns trigger language plpgsql as $$
begin
    perform pg_notify('catalog_live', 'changes');
    return null;
end
$$;

create trigger change_told after insert on change for each statement execute function catalog_changes_told();
-- Bulk writers leave ordinary triggers out.
alter table change enable always trigger change_told;
