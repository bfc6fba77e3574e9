-- Search: the words of things are kept by the tables that hold the things, in the transaction that writes them, whoever writes.

-- The words of a text in small letters, without accents, in their order. Whatever is neither a letter nor a digit separates them; the
-- separators are spelled out because a regular expression's idea of a letter depends on the database's locale.
create function catalog_search_words(given text) returns text[]
    language sql immutable strict parallel safe as $$
    select coalesce(array_agg(left(word, 100) order by n), '{}')
    from regexp_split_to_table(
        lower(regexp_replace(normalize(left(given, 4000), nfkd), '[\u0300-\u036f]+', '', 'g') collate "default"),
        '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+'
    ) with ordinality as split(word, n)
    where word <> ''
$$;

-- The entry of a thing. Positions let a quoted phrase be found; those of the text beside the name begin well behind it.
create function catalog_search_entry(kind text, key text, tenant_id text, name text, title text, body text) returns search_entry
    language sql immutable parallel safe as $$
    select kind, key, tenant_id, left(array_to_string(named.words, ' '), 200),
        case when title is null or title = name then name else title || ' (' || name || ')' end, coalesce(body, ''),
        coalesce((select string_agg(format('''%s'':%s%s', w.word, least(w.n + w.start, 16000), w.weight), ' ')
            from (
                select word, n, 0 as start, 'A' as weight from unnest(named.words) with ordinality as listed(word, n)
                union all
                select word, n, 200, 'A' from unnest(catalog_search_words(coalesce(title, ''))) with ordinality as listed(word, n)
                union all
                select word, n, 400, 'B' from unnest(catalog_search_words(coalesce(body, ''))) with ordinality as listed(word, n)
            ) w), '')::tsvector
    from (select catalog_search_words(name) as words) named
$$;

-- The entry of the instances of one name in a tenant.
create function catalog_search_instances(tenant_id text, name text) returns search_entry
    language sql immutable parallel safe as $$
    select * from catalog_search_entry('COMPONENT_INSTANCE', tenant_id || '/' || name, tenant_id, name, null, null)
$$;

-- Write entries; those that say what they said before are left alone.
create function catalog_search_put(entries search_entry[]) returns void language sql as $$
    insert into search_entry as e (kind, key, tenant_id, name, shown, body, words)
    select kind, key, tenant_id, name, shown, body, words from unnest(entries)
    on conflict (kind, key) do update set tenant_id = excluded.tenant_id, name = excluded.name, shown = excluded.shown,
        body = excluded.body, words = excluded.words
    where (e.tenant_id, e.name, e.shown, e.body) is distinct from (excluded.tenant_id, excluded.name, excluded.shown, excluded.body)
$$;

-- New words of entries, and words that are new to stacks.
create function catalog_search_learn() returns trigger language plpgsql as $$
begin
    insert into search_word (word, of_stack)
    select distinct w.word, c.kind = 'STACK' from changed c cross join lateral unnest(tsvector_to_array(c.words)) as w(word)
    where not exists (select from search_word s where s.word = w.word and (s.of_stack or c.kind <> 'STACK'));
    return null;
end
$$;
create trigger search_entry_added after insert on search_entry referencing new table as changed
    for each statement execute function catalog_search_learn();
create trigger search_entry_changed after update on search_entry referencing new table as changed
    for each statement execute function catalog_search_learn();
-- Also for entries of instances that a bulk writer writes, which leaves ordinary triggers out.
alter table search_entry enable always trigger search_entry_added;
alter table search_entry enable always trigger search_entry_changed;

create function catalog_search_forget() returns trigger language plpgsql as $$
begin
    delete from search_entry e using gone g where e.kind = tg_argv[0] and e.key = g.id;
    return null;
end
$$;

-- What each kind is found by. Only what everybody sees who sees the thing: no e-mail addresses, nothing of what it leads to.
create function catalog_search_service() returns trigger language plpgsql as $$
begin
    perform catalog_search_put(array_agg(catalog_search_entry('SERVICE', c.id, null, c.slug, c.title,
        concat_ws(' · ', c.description, c.category, nullif(array_to_string(c.tags, ' '), '')))))
    from changed c;
    return null;
end
$$;

create function catalog_search_component() returns trigger language plpgsql as $$
begin
    perform catalog_search_put(array_agg(catalog_search_entry('COMPONENT', c.id, null, c.name, c.title,
        concat_ws(' · ', c.description, c.category))))
    from changed c;
    return null;
end
$$;

create function catalog_search_stack() returns trigger language plpgsql as $$
begin
    perform catalog_search_put(array_agg(catalog_search_entry('STACK', c.id, c.tenant_id, c.name, null,
        concat_ws(' · ', c.namespace, t.name, c.account, c.stage, c.region, nullif(array_to_string(c.tags, ' '), ''),
            (select string_agg(l.value, ' ' order by l.key) from jsonb_each_text(c.labels) l)))))
    from changed c left join tenant t on t.id = c.tenant_id and not t.hidden;
    if tg_op = 'UPDATE' then
        -- A stack that moves to another tenant takes its instances along.
        perform catalog_search_put(array_agg(catalog_search_instances(n.tenant_id, n.name)))
        from (select distinct c.tenant_id, i.name
            from changed c join previous p on p.id = c.id and p.tenant_id <> c.tenant_id join component_instance i on i.stack_id = c.id) n;
    end if;
    return null;
end
$$;

create function catalog_search_team() returns trigger language plpgsql as $$
begin
    perform catalog_search_put(array_agg(catalog_search_entry('TEAM', c.id, null, c.slug, c.title, c.cost_center))) from changed c;
    return null;
end
$$;

create function catalog_search_environment() returns trigger language plpgsql as $$
begin
    perform catalog_search_put(array_agg(catalog_search_entry('ENVIRONMENT', c.id, c.tenant_id, c.name, null,
        concat_ws(' · ', t.name, c.account, c.stage, c.region, lower(c.kind)))))
    from changed c left join tenant t on t.id = c.tenant_id and not t.hidden;
    return null;
end
$$;

create function catalog_search_workflow() returns trigger language plpgsql as $$
begin
    perform catalog_search_put(array_agg(catalog_search_entry('WORKFLOW', c.id, null, c.name, null,
        concat_ws(' · ', c.description, regexp_replace(c.file, '\.ya?ml$', '')))))
    from changed c;
    return null;
end
$$;

create function catalog_search_provisioning_request() returns trigger language plpgsql as $$
begin
    perform catalog_search_put(array_agg(catalog_search_entry('PROVISIONING_REQUEST', c.id, null, c.number::text, null,
        concat_ws(' · ', c.component_name, c.stack_name, lower(replace(c.action, '_', ' ')), p.name, c.justification))))
    from changed c left join principal p on p.id = c.requester_id;
    return null;
end
$$;

do $$
declare
    searched text;
begin
    foreach searched in array array['service', 'component', 'stack', 'team', 'environment', 'workflow', 'provisioning_request'] loop
        execute format('create trigger %1$s_search_added after insert on %1$s referencing new table as changed'
            ' for each statement execute function catalog_search_%1$s()', searched);
        execute format('create trigger %1$s_search_changed after update on %1$s referencing old table as previous new table as changed'
            ' for each statement execute function catalog_search_%1$s()', searched);
        execute format('create trigger %1$s_search_deleted after delete on %1$s referencing old table as gone'
            ' for each statement execute function catalog_search_forget(%2$L)', searched, upper(searched));
    end loop;
end
$$;

-- An instance never changes its name, and a name that no instance has any more finds nothing.
create function catalog_search_component_instance() returns trigger language plpgsql as $$
begin
    perform catalog_search_put(array_agg(catalog_search_instances(n.tenant_id, n.name)))
    from (select distinct c.tenant_id, c.name from changed c) n
    where not exists (select from search_entry e where e.kind = 'COMPONENT_INSTANCE' and e.key = n.tenant_id || '/' || n.name);
    return null;
end
$$;
create trigger component_instance_search_added after insert on component_instance referencing new table as changed
    for each statement execute function catalog_search_component_instance();
-- Also when very many are written at once, without a look-up for each of their foreign keys.
alter table component_instance enable always trigger component_instance_search_added;

-- Words that a misspelled one may mean; none where the server has no trigrams. Which of them anybody sees makes no difference: a
-- thing is found for what itself holds.
create function catalog_search_similar(given text) returns setof text language plpgsql stable as $$
begin
    if length(given) < 5 or given ~ '^[0-9]+$' or to_regoperator('%(text,text)') is null then
        return;
    end if;
    return query select distinct w.word from search_word w
        where w.word % given and length(w.word) >= 4 and abs(length(w.word) - length(given)) <= 2 and not starts_with(w.word, given);
end
$$;
do $$
begin
    if to_regoperator('%(text,text)') is not null then
        create index search_word_trigrams on search_word using gin (word gin_trgm_ops) where length(word) >= 4;
    end if;
end
$$;

-- What a query asks for. Each of its words must be there, as a word or the beginning of one, or, failing that, as one that is written
-- much alike; words in quotes must stand there as they are, one after the other.
create type catalog_search_question as (
    text text,           -- the query as names are kept
    begins boolean,      -- whether a name may begin with it: not when it quotes
    terms int,
    plain tsquery[],     -- term by term, as written
    broad tsquery[],     -- term by term, or much alike
    every_named tsquery, -- all terms, as written, in name or title
    every_plain tsquery, -- all terms, as written
    every_broad tsquery, -- all terms, or much alike
    names tsquery,       -- what the name of an instance must have: the terms that no stack has, else any of them
    beginnings text[],   -- what to highlight: words that begin so
    wholes text[],       -- and words that are these
    pattern text         -- the same as a regular expression, for texts without letters beyond ASCII
);
create function catalog_search_query(given text) returns catalog_search_question language plpgsql stable as $$
declare
    most constant int := 20; -- terms beyond them are not asked for
    asked catalog_search_question;
    part text[];
    words text[];
    term text;
    alike text[];
    named text[] := '{}';
    unplaced text[] := '{}';
    separator constant text := '\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f';
begin
    asked.text := '';
    asked.begins := true;
    asked.plain := '{}';
    asked.broad := '{}';
    asked.beginnings := '{}';
    asked.wholes := '{}';
    for part in select regexp_matches(left(given, 1000), '"([^"]*)"|([^"]+)', 'g') loop
        words := catalog_search_words(coalesce(part[1], part[2]));
        words := words[1:most - cardinality(asked.plain)];
        continue when cardinality(words) = 0;
        asked.text := concat_ws(' ', nullif(asked.text, ''), array_to_string(words, ' '));
        if part[1] is not null then
            asked.begins := false;
            asked.plain := asked.plain
                || (select string_agg(quote_literal(w), '<->' order by n)::tsquery from unnest(words) with ordinality as listed(w, n));
            asked.broad := asked.broad || asked.plain[cardinality(asked.plain)];
            named := named
                || (select string_agg(quote_literal(w) || ':A', '<->' order by n) from unnest(words) with ordinality as listed(w, n));
            asked.wholes := asked.wholes || words;
            if exists(select from unnest(words) as p(part)
                where not exists(select from search_word s where s.of_stack and s.word = p.part)) then
                unplaced := unplaced || asked.plain[cardinality(asked.plain)]::text;
            end if;
            continue;
        end if;
        foreach term in array words loop
            alike := array(select catalog_search_similar(term) as w order by w);
            asked.plain := asked.plain || (quote_literal(term) || ':*')::tsquery;
            asked.broad := asked.broad || concat_ws('|', quote_literal(term) || ':*',
                (select string_agg(quote_literal(w), '|') from unnest(alike) w))::tsquery;
            named := named || (quote_literal(term) || ':*A');
            asked.beginnings := asked.beginnings || term;
            asked.wholes := asked.wholes || alike;
            if not exists(select from search_word s where s.of_stack and s.word >= term and s.word < term || chr(1114111))
                and not exists(select from search_word s where s.of_stack and s.word = any(alike)) then
                unplaced := unplaced || asked.broad[cardinality(asked.broad)]::text;
            end if;
        end loop;
    end loop;
    asked.terms := cardinality(asked.plain);
    if asked.terms > 0 then
        asked.every_named := array_to_string(array(select '(' || q || ')' from unnest(named) q), '&')::tsquery;
        asked.every_plain := array_to_string(array(select '(' || q::text || ')' from unnest(asked.plain) q), '&')::tsquery;
        asked.every_broad := array_to_string(array(select '(' || q::text || ')' from unnest(asked.broad) q), '&')::tsquery;
        if asked.terms = 1 or cardinality(unplaced) = 0 then
            asked.names := array_to_string(array(select '(' || q::text || ')' from unnest(asked.broad) q), '|')::tsquery;
        else
            asked.names := array_to_string(array(select '(' || q || ')' from unnest(unplaced) q), '&')::tsquery;
        end if;
        asked.pattern := '(?<![^' || separator || '])(' || concat_ws('|',
            '(?:' || nullif(array_to_string(asked.beginnings, '|'), '') || ')[^' || separator || ']*',
            '(?:' || nullif(array_to_string(asked.wholes, '|'), '') || ')(?![^' || separator || '])') || ')';
    end if;
    return asked;
end
$$;

-- The terms that some words lack, all of them; null when they lack none.
create function catalog_search_rest(words tsvector, terms tsquery[]) returns tsquery language sql immutable parallel safe as $$
    select string_agg('(' || term::text || ')', '&')::tsquery from unnest(terms) term where not words @@ term
$$;

-- A text with «» around the words that were found, shortened around the first of them.
create function catalog_search_marked(given text, pattern text, beginnings text[], wholes text[]) returns text
    language plpgsql immutable parallel safe as $$
declare
    marked text := translate(left(given, 2000), '«»', '""');
    at int;
begin
    if octet_length(marked) = length(marked) then
        marked := regexp_replace(marked collate "default", pattern, '«\1»', 'gi');
    else
        marked := (
            select string_agg(case when pieces.is_found then '«' || piece[1] || '»' else piece[1] end || piece[2], '' order by n)
            from (
                select n, piece, exists(select from unnest(catalog_search_words(piece[1])) w
                    where w = any(wholes) or exists(select from unnest(beginnings) b where starts_with(w, b))) as is_found
                from regexp_matches(marked,
                    '([^\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]*)'
                    '([\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]*)', 'g'
                ) with ordinality as split(piece, n)
            ) pieces);
    end if;
    at := strpos(marked, '«');
    return case when at <= 60 then left(marked, 200) else '…' || substr(marked, at - 40, 200) end
        || case when length(marked) > greatest(at - 40, 0) + 200 then '…' else '' end;
end
$$;

-- What a hit shows of itself: its name, or where the words are found beside it.
create function catalog_search_highlight(shown text, body text, pattern text, beginnings text[], wholes text[]) returns text
    language plpgsql immutable parallel safe as $$
begin
    shown := catalog_search_marked(shown, pattern, beginnings, wholes);
    body := catalog_search_marked(body, pattern, beginnings, wholes);
    return case when strpos(body, '«') = 0 then shown when strpos(shown, '«') = 0 then body else shown || ' · ' || body end;
end
$$;
