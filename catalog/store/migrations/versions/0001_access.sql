-- Who may what has changed: processes that remember viewers forget them (catalog/access/viewers.py).
create function catalog_access_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('catalog_access', tg_table_name);
    return null;
end
$$;

-- A new token changes nothing that could be remembered, and neither does the note that one was used.
create trigger access_token_changed after delete or update of principal_id, kind, hash, expires_at, revoked_at on access_token
    for each statement execute function catalog_access_changed();
create trigger principal_changed after delete or update on principal
    for each statement execute function catalog_access_changed();
create trigger principal_grant_changed after insert or delete or update on principal_grant
    for each statement execute function catalog_access_changed();
create trigger team_member_changed after insert or delete or update on team_member
    for each statement execute function catalog_access_changed();
