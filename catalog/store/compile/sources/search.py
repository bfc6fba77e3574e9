"""Search: what answers to some words, best first, as rows that are found no further than a page needs.

Ways to answer, each better than the next: a name is what was asked, begins with it, has all the words; name and text together have all
the words; so they do if words that are written alike count. Instances are found by the names they share; where a name has only some
of the words, the stack must have the others. Only what passes its own source's rule of visibility becomes a row here.

    with q (the question), k (the kinds asked for), found (entries that match by their words), rests (stacks with the rest of them)
    select … from q, p (passes) cross join lateral (rows of one pass, in order, limited) h order by pass … limit

Passes are gone through in their order until the page is full: names that are what was asked, kind by kind; names that begin with it,
kind by kind; at last all that matches by its words, which alone must be collected and sorted.
"""

from __future__ import annotations

from catalog.records import SearchKind
from catalog.store.compile.sight import Viewer
from catalog.store.compile.source import Column, Format, Key, Source, ToMany, Window, plain, text

# Ranks, to which the kind's place is added: ten kinds at most. A name that is what was asked begins at 0.
_BEGINS, _NAMED, _WORDS, _ALIKE = 10, 20, 30, 40
_LAST = 2 * _NAMED  # the pass of all that matches by its words
_FEW = 300  # stacks whose instances are looked up one by one; of more, the instances of a name are gone through
_INSTANCE = SearchKind.COMPONENT_INSTANCE
# Kinds of one thing each, in the order in which they are listed among equals; instances, by far the most, come behind them.
_ONE_EACH = (
    SearchKind.SERVICE,
    SearchKind.COMPONENT,
    SearchKind.STACK,
    SearchKind.TEAM,
    SearchKind.ENVIRONMENT,
    SearchKind.WORKFLOW,
    SearchKind.PROVISIONING_REQUEST,
)
_KINDS = ", ".join(f"('{kind}', {place})" for place, kind in enumerate((*_ONE_EACH, _INSTANCE)))
_CURRENT = {SearchKind.STACK: "t.removed_at is null", SearchKind.COMPONENT: "t.removed_at is null"}

_ASKED = "select (catalog_search_query({arg_query})).*"
_KINDS_ASKED = f"select * from (values {_KINDS}) k(kind, place) where {{arg_kinds}} is null or kind = any({{arg_kinds}})"
# What matches by its words and by none of the better ways: all but instances.
_THINGS_FOUND = f"""
select e.kind, e.key, e.tenant_id, e.shown, e.name, k.place
    + case when e.words @@ q.every_named then {_NAMED} when e.words @@ q.every_plain then {_WORDS} else {_ALIKE} end as rank,
  null::tsquery as rest, null::tsquery as spare
from q join search_entry e on e.words @@ q.every_broad join k on k.kind = e.kind where e.kind <> 'COMPONENT_INSTANCE'{{other}}"""
# Names of instances. `rest` is what their stack must have, null for nothing; `spare` what it must not, so that no instance is found
# in two ways.
_NAMES_FOUND = f"""
select e.kind, e.key, e.tenant_id, e.shown, e.name, k.place + w.way as rank, w.rest, w.spare
from q join search_entry e on e.words @@ q.names join k on k.kind = e.kind
cross join lateral (
    select {_NAMED} as way, null::tsquery as rest, null::tsquery as spare where e.words @@ q.every_plain
    union all select {_WORDS}, catalog_search_rest(e.words, q.plain), null where not e.words @@ q.every_plain
    union all select {_ALIKE}, catalog_search_rest(e.words, q.broad), catalog_search_rest(e.words, q.plain)
    where q.broad <> q.plain and not e.words @@ q.every_plain
      and catalog_search_rest(e.words, q.broad) is distinct from catalog_search_rest(e.words, q.plain)
  ) w
where e.kind = 'COMPONENT_INSTANCE'{{other}}"""
_OTHER_WAY = " and e.name <> q.text and not (q.begins and starts_with(e.name, q.text))"
# The stacks that have the rest of the words, as long as they are few.
_RESTS = f"""
select r.rest, array(select o.key from search_entry o where o.kind = 'STACK' and o.words @@ r.rest limit {_FEW + 1}) as stacks
from (select distinct rest from found where rest is not null) r"""


# The passes in their order, each of a rank and a kind but for the last. Behind each stands an end: rows are sorted pass by pass, and a
# pass is given out at the first row behind it, which must not be looked for in the next one.
_PASSES = f"""
select place * 2 as pass, place as rank, kind from k
union all select ({_BEGINS} + place) * 2, {_BEGINS} + place, kind from k
union all select place * 2 + 1, null, null from k
union all select ({_BEGINS} + place) * 2 + 1, null, null from k
union all select {_LAST}, null, null"""
_END = "select null as id, null as kind, null as key, null::int as rank, null as name where p.pass % 2 = 1"


def hits(viewer: Viewer, window: Window) -> str:
    """Write the rows of a search: (id, kind, key, rank, name, pattern, beginnings, wholes)."""
    exact = _named(viewer, window, f"p.rank < {_BEGINS} and e.name = q.text")
    begins = _named(viewer, window, f"p.rank >= {_BEGINS} and q.begins and e.name > q.text and e.name < q.text || chr(1114111)")
    return (
        f"(with q as materialized ({_ASKED}), k as materialized ({_KINDS_ASKED}),"
        f" found as materialized ({_found(viewer)}), rests as materialized ({_RESTS})"
        " select * from (select h.*, q.pattern, q.beginnings, q.wholes"
        f" from (select * from ({_PASSES}) p order by {window.order('pass')}) p cross join q"
        f" cross join lateral (({exact}) union all ({begins}) union all ({_by_words(window)}) union all {_END}) h"
        f" where q.terms > 0 order by {window.order('p.pass', 'h.rank', 'h.name', 'h.id')} offset 0) h"
        f" where h.id is not null {window.limit})"
    )


def _found(viewer: Viewer) -> str:
    """The entries that match by their words and by none of the better ways."""
    return f"{_THINGS_FOUND} union all {_NAMES_FOUND}".format(other=_OTHER_WAY + _near(viewer))


def _near(viewer: Viewer) -> str:
    """Pass by entries of tenants that no grant of the viewer names, where all of them name some: cheaper than to look at each thing."""
    open_to_all = viewer.everything or viewer.sight.sees.teams
    return "" if open_to_all else " and (e.tenant_id is null or e.tenant_id = any({my_tenants}))"


def _named(viewer: Viewer, window: Window, which: str) -> str:
    """The rows of one kind whose name is, or begins with, what was asked: along an index."""
    instances = _instances(window, f"p.kind = '{_INSTANCE}' and {window.beyond('p.rank', 'e.name', 'i.id')}")
    return (
        "select h.id, e.kind, e.key, p.rank, e.name from search_entry e"
        f" cross join lateral ({_ones('p.kind')} union all ({instances})) h"
        f" where {which} and e.kind = p.kind{_near(viewer)} and {window.beyond('p.rank', 'e.name', 'h.id')}"
        f" order by {window.order('e.name', 'h.id')} {window.limit}"
    )


def _by_words(window: Window) -> str:
    """The rows that match by their words."""
    beyond = window.beyond("e.rank", "e.name", "i.id")
    common = f"e.kind = '{_INSTANCE}' and (e.spare is null or not {_stack_has('e.spare')}) and {beyond}"
    many = f"(e.rest is null or cardinality(e.stacks) > {_FEW}) and (e.rest is null or {_stack_has('e.rest')})"
    anywhere = _instances(window, f"{common} and {many}")
    in_few = (
        "select i.id from unnest(e.stacks) n(id) join component_instance i on i.stack_id = n.id"
        f" where i.tenant_id = e.tenant_id and i.name = e.shown and i.removed_at is null and {{sees_component_instance_i}} and {common}"
        f" and cardinality(e.stacks) <= {_FEW}"
    )
    found = f"select f.*, r.stacks from found f left join rests r on r.rest = f.rest order by {window.order('f.rank', 'f.name')}"
    return (
        f"select h.id, e.kind, e.key, e.rank, e.name from ({found}) e"
        f" cross join lateral ({_ones('e.kind')} union all ({anywhere}) union all ({in_few})) h"
        f" where p.pass = {_LAST} and {window.beyond('e.rank', 'e.name', 'h.id')}"
        f" order by {window.order('e.rank', 'e.name', 'h.id')} {window.limit}"
    )


def _stack_has(words: str) -> str:
    """Whether an instance's stack has some words: one look-up by key. With `exists`, Postgres would first collect all stacks that do."""
    return f"coalesce((select o.words @@ {words} from search_entry o where o.kind = 'STACK' and o.key = i.stack_id), false)"


def _ones(kind: str) -> str:
    """The one thing that an entry stands for, as far as the viewer sees it; nothing for names of instances."""
    return " union all ".join(
        f"select t.id from {table} t where {kind} = '{one}' and t.id = e.key and {_CURRENT.get(one, 'true')} and {{sees_{table}_t}}"
        for one in _ONE_EACH
        for table in (one.lower(),)
    )


def _instances(window: Window, condition: str) -> str:
    """The instances of a tenant's name, as far as the viewer sees them, along an index."""
    return window.head(
        "select i.id from component_instance i where i.tenant_id = e.tenant_id and i.name = e.shown and i.removed_at is null"
        f" and {{sees_component_instance_i}} and {condition} order by {window.order('i.id')}"
    )


_HIGHLIGHT = """
case when {a}.kind = 'COMPONENT_INSTANCE' then (
    select catalog_search_highlight(i.name, s.name, {a}.pattern, {a}.beginnings, {a}.wholes)
    from component_instance i join stack s on s.id = i.stack_id where i.id = {a}.id
  ) else (
    select catalog_search_highlight(o.shown, o.body, {a}.pattern, {a}.beginnings, {a}.wholes)
    from search_entry o where o.kind = {a}.kind and o.key = {a}.key
  ) end"""
HITS = ToMany(target="search_hit", window=hits)
SOURCES = (
    Source(
        name="search_hit",
        rows="",
        columns={
            "id": plain("{a}.id", nullable=False),
            "score": Column(sql="(100 - {a}.rank) / 100.0", format=Format.FLOAT, nullable=False),
            "highlight": text(_HIGHLIGHT),
        },
        orders={
            "best": (Key(sql="{b}.rank", type="int4"), Key(sql="{b}.name", type="text")),
        },
        order=(("best", False),),
    ),
)
