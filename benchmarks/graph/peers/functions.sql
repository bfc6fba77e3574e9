-- What PostGraphile is given for what its tables alone can't say: the same statements as the bare ones, as functions that it shows.
create schema peer;
create type peer.search_hit as (score double precision, typename text, id text, name text, stack text);
create type peer.cost_row as (team text, month text, currency text, estimated numeric, actual numeric);
create function peer.cost_rows(from_day date, to_day date, currency text) returns setof peer.cost_row language sql stable as $$
    with l as (select team_id, month, sum(amount) as actual from team_month
        where month >= $1 and month < $2 and team_month.currency = $3 group by team_id, month),
      e as (select team_id, sum(amount) filter (where known > 0) as estimated from team_estimate where team_estimate.currency = $3 group by team_id)
    select t.slug, to_char(m.month, 'YYYY-MM'), $3, e.estimated, l.actual
    from (select n::date as month from generate_series($1::timestamp, $2::timestamp - interval '1 day', interval '1 month') n) m
    cross join e left join l on l.team_id = e.team_id and l.month = m.month join team t on t.id = e.team_id
    order by t.slug, m.month
$$;
create function peer.search_hits(q text, n int) returns setof peer.search_hit language sql stable as $$
    select ((100 - h.rank) / 100.0)::double precision, h.kind, h.id, coalesce(i.name, s.name), u.name from ({hits}) h
    left join component_instance i on i.id = h.id left join stack u on u.id = i.stack_id left join stack s on s.id = h.id
    order by h.rank, h.name, h.id limit $2
$$;
