-- The chain of audit events. Whoever writes one waits for the one before to be committed, so that it knows its hash; writers do so as
-- the last thing in their transaction.
create function catalog_audit_hash(e audit_event) returns text language sql stable as $$
    select encode(sha256(convert_to(jsonb_build_array(
        e.previous_hash, e.sequence, extract(epoch from e.at)::text, e.actor_id, e.actor, e.action, e.subject_id, e.detail
    )::text, 'UTF8')), 'hex')
$$;

create function catalog_audit_chained() returns trigger language plpgsql as $$
declare
    last audit_event%rowtype;
begin
    perform pg_advisory_xact_lock(hashtext('catalog_audit'));
    select * into last from audit_event order by sequence desc limit 1;
    new.sequence := coalesce(last.sequence, 0) + 1;
    new.previous_hash := coalesce(last.hash, '');
    new.at := clock_timestamp();
    new.hash := catalog_audit_hash(new);
    new.id := 'aud_' || left(new.hash, 32);
    return new;
end
$$;

create function catalog_audit_kept() returns trigger language plpgsql as $$
begin
    raise exception 'audit events are kept as they are' using errcode = 'restrict_violation';
end
$$;

create trigger audit_event_chained before insert on audit_event for each row execute function catalog_audit_chained();
create trigger audit_event_kept before update or delete on audit_event for each row execute function catalog_audit_kept();
create trigger audit_event_all_kept before truncate on audit_event for each statement execute function catalog_audit_kept();
