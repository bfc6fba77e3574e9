"""Facets: how many rows of a list have which value, the most frequent values first.

    (select '['||…||']' from (select v, i, sum(n) from (select KEY as k, count(*) as n from LIST group by 1) g left join … group by 1, 2) f)

Rows are grouped by a key of their own first, and joined to what the key names then: a few keys, not all the rows. What is out of sight
counts under no value, as the rows themselves show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.store.compile.source import Facet
from catalog.store.selection import Facets

if TYPE_CHECKING:
    from catalog.store.compile.statement import Writer

SOURCE = "facet"


def facets(writer: Writer, facet: Facet, field: Facets, *, alias: str, listed: str, where: str) -> str:
    """Return the expression of a list's facets; `listed` is the list's FROM item, `where` what its rows fulfil."""
    writing = writer.writing
    shown = writing.alias()
    key, apart = writing.fill(facet.key, b=alias), writing.fill(facet.apart, b=alias)
    grouped = f"select {key} as k, count(*) as n from {listed} {apart} where {where} group by 1"
    joined = writing.fill(facet.join)
    valued = f"select ({facet.value})::text as v, {facet.id} as i, sum(g.n)::int as n from ({grouped}) g {joined} group by 1, 2"
    order = f'{shown}.n desc, {shown}.v collate "C" nulls last, {shown}.i collate "C" nulls last'
    joins: list[str] = []
    body = writer.row(writing.sources[SOURCE], shown, field.fields, joins)
    limited = f"select {shown}.* from ({valued}) {shown} order by {order} limit {writing.slot(field.limit)}"
    rows = f"select {body} as j from ({limited}) {shown} {' '.join(joins)} order by {order}"
    return f"'['||coalesce((select string_agg(q.j, ',') from ({rows}) q),'')||']'"
