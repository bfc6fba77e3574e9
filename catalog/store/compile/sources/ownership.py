"""Sources of ownership: the owner of a row with its evidence, why a row has none, and how many rows of an estate have one."""

from __future__ import annotations

from catalog.records import OwnershipSource, UnownedReason
from catalog.store.compile.source import (
    Relation,
    Same,
    Source,
    ToOne,
    element_source,
    elements,
    last_good,
    location,
    number,
    plain,
    text,
)

_LONGEST = 100  # reasons of one coverage, those of most rows first
_KNOWN = "{a}.team_id is not null"
_OWNED = f"({_KNOWN} and {{a}}.owner_source is not null)"
_REASON = f"case when {{a}}.owner_source is null then '{UnownedReason.NO_EVIDENCE}' else '{UnownedReason.UNKNOWN_OWNER}' end"
_RANKS = ", ".join(f"'{source}'" for source in OwnershipSource)


def ownership(team: ToOne, *, known: str = _KNOWN, revision: str = last_good("revision", "x")) -> dict[str, Relation]:
    """Who owns a row and what says so, or why nobody does: exactly one of both is there.

    `known` tells whether the team that the row names is one, `revision` is the one that the evidence stands in.
    """
    owned = _OWNED.replace(_KNOWN, known)
    place = location("{a}.owner_file", "{a}.owner_line", estate="{a}.estate_id", revision=revision)
    return {
        "ownership": Same(
            present=owned,
            columns={"source": plain("{a}.owner_source", nullable=False), "value": text("{a}.owner_value")},
            relations={"team": team, "location": place},
        ),
        "unowned": Same(
            present=f"not {owned}",
            columns={
                "reason": plain(_REASON, nullable=False),
                "source": plain("{a}.owner_source"),
                "value": text("{a}.owner_value"),
            },
            relations={"location": place},
        ),
    }


def coverage(table: str, link: str) -> ToOne:
    """How many rows `i` of a table in sight that a fragment links have an owner, by source, and why the others have none."""
    owned, reason = _OWNED.replace("{a}", "i"), _REASON.replace("{a}", "i")
    groups = (
        f"select {owned} as owned, i.owner_source as source, case when {owned} then null else i.owner_value end as value,"
        f" case when {owned} then null else {reason} end as reason, count(*)::int as n"
        f" from {table} i where {link} and i.removed_at is null and {{sees_{table}_i}} group by 1, 2, 3, 4"
    )
    rows = (
        "(select coalesce(sum(g.n), 0)::int as total, coalesce(sum(g.n) filter (where g.owned), 0)::int as owned,"
        " coalesce(jsonb_agg(jsonb_build_object('source', g.source, 'count', g.n)"
        f" order by array_position(array[{_RANKS}], g.source::text)) filter (where g.owned), '[]') as sources,"
        " coalesce(jsonb_path_query_array(jsonb_agg(jsonb_build_object('reason', g.reason, 'source', g.source, 'value', g.value,"
        " 'count', g.n) order by g.n desc, g.reason, g.source nulls first, g.value nulls first) filter (where not g.owned),"
        f" '$[0 to {_LONGEST - 1}]'), '[]') as reasons from ({groups}) g)"
    )
    return ToOne(target="ownership_coverage", rows=rows, proven=True)


SOURCES = (
    Source(
        name="ownership_coverage",
        rows="",
        columns={
            "total": number("{a}.total", nullable=False),
            "owned": number("{a}.owned", nullable=False),
            "unowned": number("({a}.total - {a}.owned)", nullable=False),
        },
        relations={
            "sources": elements("ownership_count", "{a}.sources"),
            "reasons": elements("unowned_count", "{a}.reasons"),
        },
    ),
    element_source(
        name="ownership_count",
        columns={
            "source": plain("{a}.v->>'source'", nullable=False),
            "count": number("({a}.v->>'count')::int", nullable=False),
        },
    ),
    element_source(
        name="unowned_count",
        columns={
            "reason": plain("{a}.v->>'reason'", nullable=False),
            "source": plain("{a}.v->>'source'"),
            "value": text("{a}.v->>'value'"),
            "count": number("({a}.v->>'count')::int", nullable=False),
        },
    ),
)
