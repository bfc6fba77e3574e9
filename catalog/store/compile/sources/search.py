"""Search: what answers to some words, best first, as rows that are found no further than a page needs.

Ways to answer, each better than the next: a name is what was asked, begins with it, has all the words; name and text together have all
the words; so they do if words that are written alike count. Instances are found by the names they share; where a name has only some
of the words, the stack must have the others. Only what passes its own source's rule of visibility becomes a row here.

    with q (the question), k (kinds asked for), places (the words of stacks), found (what matches by its words)
    select … from q, p (passes) cross join lateral (rows of one pass, in order, limited) h order by pass … limit

Passes are gone through in their order until the page is full: names that are what was asked, kind by kind; names that begin with it,
kind by kind; at last all that matches by its words, which alone must be collected and sorted.
"""

from __future__ import annotations

from catalog.records import SearchKind
from catalog.store.compile.sight import Viewer
from catalog.store.compile.source import Window

# Ranks, to which the kind's place is added: ten kinds at most.
_EXACT, _BEGINS, _NAMED, _WORDS, _ALIKE = 0, 10, 20, 30, 40
_KINDS = ", ".join(f"('{kind}', {place})" for place, kind in enumerate(SearchKind))
_CURRENT = {SearchKind.STACK: "t.removed_at is null", SearchKind.COMPONENT: "t.removed_at is null"}

_ASKED = "select (catalog_search_query({arg_query})).*"
_KINDS_ASKED = f"select * from (values {_KINDS}) k(kind, place) where {{arg_kinds}} is null or kind = any({{arg_kinds}})"
# Which of the words each stack has, as bits by id: asked only where instances may need their stack for some of the words.
_PLACES = """
select jsonb_object_agg(o.key, catalog_search_bits(o.words, q.plain)) as plain,
  jsonb_object_agg(o.key, catalog_search_bits(o.words, q.broad)) as broad
from q join search_entry o on o.kind = 'STACK' and o.words @@ q.some_broad
where q.terms > 1 and exists(select from k where k.kind = 'COMPONENT_INSTANCE')"""
# What matches by its words and by none of the better ways. `need` of null: it has all the words itself; otherwise the way in which
# its stack must have the rest.
_FOUND = f"""
select e.kind, e.key, e.name, m.rank + k.place as rank, m.need, m.plain, m.broad
from q join search_entry e on e.words @@ q.some_broad join k on k.kind = e.kind cross join lateral (
    select case when e.words @@ q.every_named then {_NAMED} when e.words @@ q.every_plain then {_WORDS} else {_ALIKE} end as rank,
      null::int as need, null::bigint as plain, null::bigint as broad
    where e.words @@ q.every_plain or ((e.kind <> 'COMPONENT_INSTANCE' or q.terms = 1) and e.words @@ q.every_broad)
    union all
    select w.way, w.way, catalog_search_bits(e.words, q.plain), catalog_search_bits(e.words, q.broad)
    from (values ({_WORDS}), ({_ALIKE})) w(way)
    where e.kind = 'COMPONENT_INSTANCE' and q.terms > 1 and not e.words @@ q.every_plain
  ) m
where e.name <> q.text and not (q.begins and starts_with(e.name, q.text))"""


def hits(viewer: Viewer, window: Window) -> str:
    """Write the rows of a search: (id, kind, key, pass, rank, name, beginnings, wholes)."""
    exact = _named(viewer, window, f"p.pass < {_BEGINS} and e.name = q.text")
    begins = _named(
        viewer,
        window,
        f"p.pass >= {_BEGINS} and p.pass < {_NAMED} and q.begins and e.name > q.text and e.name < q.text || chr(1114111)",
    )
    return (
        f"(with q as materialized ({_ASKED}), k as materialized ({_KINDS_ASKED}), places as materialized ({_PLACES}),"
        f" found as materialized ({_FOUND})"
        " select h.*, p.pass, q.beginnings, q.wholes from q cross join"
        f" (select place as pass, kind from k union all select {_BEGINS} + place, kind from k union all select {_NAMED}, null) p"
        f" cross join lateral (({exact}) union all ({begins}) union all ({_by_words(viewer, window)})) h"
        f" where q.terms > 0 order by p.pass, h.rank, h.name, h.id {window.limit})"
    )


def _named(viewer: Viewer, window: Window, which: str) -> str:
    """The rows of one kind whose name is, or begins with, what was asked: along an index."""
    beyond = window.beyond("p.pass", "p.pass", "e.name", "h.id")
    things = _things(viewer, window, "p.kind", window.beyond("p.pass", "p.pass", "e.name", "i.id"))
    return (
        "select h.id, e.kind, e.key, p.pass as rank, e.name from search_entry e"
        f" cross join lateral ({things}) h where {which} and e.kind = p.kind and {beyond}"
        f" order by {window.order('e.name', 'h.id')} {window.limit}"
    )


def _by_words(viewer: Viewer, window: Window) -> str:
    """The rows that match by their words."""
    beyond = window.beyond("p.pass", "e.rank", "e.name", "h.id")
    things = _things(viewer, window, "e.kind", f"({_STACK_HAS_THE_REST}) and {window.beyond('p.pass', 'e.rank', 'e.name', 'i.id')}")
    return (
        "select h.id, e.kind, e.key, e.rank, e.name"
        f" from (select * from found order by {window.order('rank', 'name')}) e cross join lateral ({things}) h"
        f" where p.pass = {_NAMED} and {beyond} order by {window.order('e.rank', 'e.name', 'h.id')} {window.limit}"
    )


def _all_words(way: str) -> str:
    return (
        f"(e.{way} | coalesce(((select l.{way} from places l) ->> i.stack_id)::bigint, 0)) = (1::bigint << q.terms) - 1"
    )


_STACK_HAS_THE_REST = (
    f"case e.need when {_WORDS} then {_all_words('plain')}"
    f" when {_ALIKE} then {_all_words('broad')} and not {_all_words('plain')} else true end"
)


def _things(viewer: Viewer, window: Window, kind: str, more: str) -> str:
    """The things that an entry stands for, as far as the viewer sees them."""
    ones = [
        f"select t.id from {table} t where {kind} = '{one}' and t.id = e.key"
        f" and {_CURRENT.get(one, 'true')} and {{sees_{table}_t}}"
        for one in SearchKind
        if one is not SearchKind.COMPONENT_INSTANCE
        for table in (one.lower(),)
    ]
    instances = (
        "select i.id from component_instance i where {tenant} and i.name = e.key and i.removed_at is null"
        f" and {{sees_component_instance_i}} and {more} order by {window.order('i.id')} {window.limit}"
    )
    if viewer.sight.by_tenant:
        # An index holds each tenant's instances by name: a tenant with few of them must not pay for those of others.
        of_tenant = instances.replace("{tenant}", "i.tenant_id = n.id")
        instances = (
            f"select j.id from unnest({{my_tenants}}) n(id) cross join lateral ({of_tenant}) j"
            f" where {kind} = '{SearchKind.COMPONENT_INSTANCE}' order by {window.order('j.id')} {window.limit}"
        )
    else:
        instances = instances.replace("{tenant}", f"{kind} = '{SearchKind.COMPONENT_INSTANCE}'")
    return " union all ".join((*ones, f"({instances})"))
