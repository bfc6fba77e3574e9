# ruff: noqa: E501  # documents and statements are easier to read in few lines
"""The five operations of the comparison: what each peer is asked, the bare statement, and how an answer is brought into one form.

Every peer shows the same rows and fields in a form of its own; `rows` says what each answer comes to, and these must be equal before
anything is measured. Where a peer can't do what the catalog does, it does less: see README.md.
"""

from __future__ import annotations

INSTANCES, TEAMS, EACH, HITS, ROWS = 50, 5, 3, 20, 100
WORDS = "vpc prod"
PERIOD = {"from": "2025-01-01", "to": "2026-01-01"}

_ESTIMATE = "costEstimate { status monthly { amount currency } }"
CATALOG = {
    "a": (
        f"""query Page($n: Int) {{ componentInstances(first: $n) {{ nodes {{ id name type state stack {{ name }} component {{ name }}
          ownership {{ team {{ slug }} }} {_ESTIMATE} }} pageInfo {{ hasNextPage }} }} }}""",
        {"n": INSTANCES},
    ),
    "b": (
        f"""query Nested($n: Int, $m: Int) {{ teams(first: $n) {{ nodes {{ slug title services(first: $n) {{ nodes {{ slug title {_ESTIMATE}
          instances(first: $m) {{ nodes {{ name state componentInstances(first: $m) {{ nodes {{ id name type {_ESTIMATE}
            dependsOn(first: $m) {{ nodes {{ id name {_ESTIMATE} }} }} }} }} }} }} }} }} }} }} }}""",
        {"n": TEAMS, "m": EACH},
    ),
    "c": (
        """query Search($q: String!, $n: Int) { search(query: $q, first: $n) { nodes { score node { __typename ... on Node { id }
          ... on ComponentInstance { name stack { name } } ... on Stack { name } } } } }""",
        {"q": WORDS, "n": HITS},
    ),
    "d": (
        """query Report($period: PeriodInput, $n: Int) { costReport(groupBy: [TEAM, MONTH], period: $period) { currency
          rows(first: $n) { nodes { keys { value } estimated { amount currency } actual { amount currency } } } } }""",
        {"period": PERIOD, "n": ROWS},
    ),
    "e": (
        f"""query One($id: ID!) {{ node(id: $id) {{ ... on ComponentInstance {{ id name type state stack {{ name }} component {{ name }}
          ownership {{ team {{ slug }} }} {_ESTIMATE} }} }} }}""",
        {"id": "ins_1234"},
    ),
}

# ── the bare statements: reviewed like code, since a slow floor would flatter us ─────────────────────────────────────────

_COST = """coalesce((select '{{"status":"'||c.status||'","monthly":'||case when c.monthly is null then 'null' else
  '{{"amount":"'||trim_scale(c.monthly)||'","currency":'||to_json(c.currency)||'}}' end||'}}' from cost_estimate c where c.id = {0}), 'null')"""


def _cost(key: str) -> str:
    return _COST.format(key)


_INSTANCE = f"""'{{"id":"'||i.id||'","name":'||to_json(i.name)||',"type":"'||i.type||'","state":"'||i.state||'","stack":{{"name":'||
  (select to_json(s.name) from stack s where s.id = i.stack_id)||'}},"component":'||coalesce((select '{{"name":'||to_json(c.name)||'}}'
  from component c where c.id = i.component_id), 'null')||',"ownership":'||coalesce((select '{{"team":{{"slug":'||to_json(t.slug)||'}}}}'
  from team t where t.id = i.team_id and i.owner_source is not null), 'null')||',"costEstimate":'||{_cost("i.cost_estimate_id")}||'}}'"""
BARE = {
    "a": (
        f"""select '{{"componentInstances":{{"nodes":['||coalesce(string_agg({_INSTANCE}, ',') filter (where i.n <= $1), '')||
          '],"pageInfo":{{"hasNextPage":'||(count(*) > $1)||'}}}}}}' from (
          select *, row_number() over (order by name, id) as n from component_instance where removed_at is null
          order by name, id limit $1 + 1) i""",
        [INSTANCES],
    ),
    "b": (
        f"""select '{{"teams":{{"nodes":['||coalesce(string_agg('{{"slug":'||to_json(t.slug)||',"title":'||to_json(t.title)||
            ',"services":{{"nodes":['||coalesce((
          select string_agg('{{"slug":'||to_json(s.slug)||',"title":'||to_json(s.title)||',"costEstimate":'||{_cost("s.cost_estimate_id")}||
              ',"instances":{{"nodes":['||coalesce((
            select string_agg('{{"name":'||to_json(i.name)||',"state":"'||i.state||'","componentInstances":{{"nodes":['||coalesce((
              select string_agg('{{"id":"'||a.id||'","name":'||to_json(a.name)||',"type":"'||a.type||
                  '","costEstimate":'||{_cost("a.cost_estimate_id")}||',"dependsOn":{{"nodes":['||coalesce((
                select string_agg('{{"id":"'||d.id||'","name":'||to_json(d.name)||',"costEstimate":'||{_cost("d.cost_estimate_id")}||'}}', ',')
                from (select d.* from dependency e join component_instance d on d.id = e.target_id
                  where e.source_id = a.id and d.removed_at is null order by d.name, d.id, e.via limit $2) d), '')||']}}}}', ',')
              from (select a.* from service_instance_component l join component_instance a on a.id = l.instance_id
                where l.service_instance_id = i.id and a.removed_at is null order by a.name, a.id limit $2) a), '')||']}}}}', ',')
            from (select * from service_instance i where i.service_id = s.id order by i.name, i.id limit $2) i), '')||']}}}}', ',')
          from (select * from service s where s.owner_id = t.id order by s.slug, s.id limit $1) s), '')||']}}}}', ','), '')||']}}}}'
        from (select * from team t order by t.slug, t.id limit $1) t""",
        [TEAMS, EACH],
    ),
    "d": (
        """with l as (select team_id, month, sum(amount) as actual from team_month
            where month >= $1 and month < $2 and currency = $3 group by team_id, month),
          e as (select team_id, sum(amount) filter (where known > 0) as estimated from team_estimate where currency = $3 group by team_id),
          r as (select t.slug, to_char(m.month, 'YYYY-MM') as month, e.estimated, l.actual
            from (select n::date as month from generate_series($1::date::timestamp, $2::date::timestamp - interval '1 day', interval '1 month') n) m
            cross join e left join l on l.team_id = e.team_id and l.month = m.month join team t on t.id = e.team_id
            order by t.slug, m.month limit $4)
          select '{"costReport":{"currency":'||to_json($3::text)||',"rows":{"nodes":['||coalesce(string_agg('{"keys":[{"value":'||to_json(slug)||
            '},{"value":"'||month||'"}],"estimated":'||case when estimated is null then 'null' else '{"amount":"'||trim_scale(estimated)||
            '","currency":'||to_json($3::text)||'}' end||',"actual":'||case when actual is null then 'null' else '{"amount":"'||
            trim_scale(actual)||'","currency":'||to_json($3::text)||'}' end||'}', ','), '')||']}}}' from r""",
        ["date:2025-01-01", "date:2026-01-01", "USD", ROWS],
    ),
    "e": (f"""select '{{"node":'||{_INSTANCE}||'}}' from component_instance i where i.id = $1""", ["ins_1234"]),
}

# ── PostGraphile, as `@graphile/simplify-inflection` names things ────────────────────────────────────────────────────────

_FOUND = "status monthly currency"
POSTGRAPHILE = {
    "a": (
        f"""query Page($n: Int) {{ componentInstances(first: $n, orderBy: [NAME_ASC, ROW_ID_ASC]) {{ nodes {{ rowId name type
          state ownerSource tenantStack {{ name }} component {{ name }} team {{ slug }} costEstimate {{ {_FOUND} }} }} pageInfo {{ hasNextPage }} }} }}""",
        {"n": INSTANCES},
    ),
    "b": (
        f"""query Nested($n: Int, $m: Int) {{ teams(first: $n, orderBy: [SLUG_ASC, ROW_ID_ASC]) {{ nodes {{ slug title
          servicesByOwnerId(first: $n, orderBy: [SLUG_ASC, ROW_ID_ASC]) {{ nodes {{ slug title costEstimate {{ {_FOUND} }}
            serviceInstances(first: $m, orderBy: [NAME_ASC, ROW_ID_ASC]) {{ nodes {{ name state
              serviceInstanceComponents(first: $m) {{ nodes {{ instance {{ rowId name type costEstimate {{ {_FOUND} }}
                dependenciesBySourceId(first: $m) {{ nodes {{ target {{ rowId name costEstimate {{ {_FOUND} }} }} }} }} }} }} }} }} }} }} }} }} }} }}""",
        {"n": TEAMS, "m": EACH},
    ),
    "c": (
        """query Search($q: String!, $n: Int!) { peerSearchHits(q: $q, n: $n) { nodes { score typename rowId name stack } } }""",
        {"q": WORDS, "n": HITS},
    ),
    "d": (
        """query Report($from: Date!, $to: Date!, $n: Int) { peerCostRows(first: $n, fromDay: $from, toDay: $to, currency: "USD") {
          nodes { team month currency estimated actual } } }""",
        {"from": PERIOD["from"], "to": PERIOD["to"], "n": ROWS},
    ),
    "e": (
        f"""query One($id: String!) {{ componentInstance(rowId: $id) {{ rowId name type state ownerSource tenantStack {{ name }} component {{ name }} team {{ slug }}
          costEstimate {{ {_FOUND} }} }} }}""",
        {"id": "ins_1234"},
    ),
}

# ── Strawberry: the catalog's own names ──────────────────────────────────────────────────────────────────────────────────

STRAWBERRY = CATALOG | {
    "c": (
        "query Search($q: String!, $n: Int!) { search(query: $q, first: $n) { nodes { score typename id name stack } } }",
        {"q": WORDS, "n": HITS},
    ),
    "d": (
        """query Report($from: Date!, $to: Date!, $n: Int!) { costReport(since: $from, until: $to, first: $n) { currency
          rows { nodes { keys { value } estimated { amount currency } actual { amount currency } } } } }""",
        PERIOD | {"n": ROWS},
    ),
    "e": (
        f"""query One($id: String!) {{ componentInstance(id: $id) {{ id name type state stack {{ name }} component {{ name }}
          ownership {{ team {{ slug }} }} {_ESTIMATE} }} }}""",
        {"id": "ins_1234"},
    ),
}
