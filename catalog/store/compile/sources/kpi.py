"""Sources of measures: what the seeds define, with the points that were measured in the months of a period, or ever."""

from __future__ import annotations

from catalog import records
from catalog.store.compile.source import (
    Key,
    Source,
    ToMany,
    columns_of,
    element_source,
    elements,
    fraction,
    number,
    plain,
    truth,
)
from catalog.store.compile.sources import visibility

_SHOWN = 366  # points of a trend at most, the latest
_POINTS = (
    "kpi_point v where v.name = k.name"
    " and ({arg_period_from} is null or v.at >= date_trunc('month', ({arg_period_from})::timestamp)::date)"
    " and ({arg_period_to} is null"
    " or v.at < (date_trunc('month', ({arg_period_to})::timestamp - interval '1 day') + interval '1 month')::date)"
    " order by v.at desc"
)
_MEASURED = (
    "(select k.*, l.value, coalesce(l.sample_size, 0) as sample_size,"
    " (select jsonb_agg(jsonb_build_object('at', t.at, 'value', t.value) order by t.at)"
    f" from (select v.at, v.value from {_POINTS} limit {_SHOWN}) t) as trend"
    f" from kpi k left join lateral (select v.value, v.sample_size from {_POINTS} limit 1) l on true) {{b}}"
)
KPIS = ToMany(target="kpi", rows=_MEASURED)

SOURCES = (
    Source(
        name="kpi",
        rows="",
        columns=columns_of(
            records.Kpi,
            baseline=fraction("{a}.baseline"),
            target=fraction("{a}.target"),
            value=fraction("{a}.value"),
            met=truth(
                "(case {a}.direction when 'HIGHER_IS_BETTER' then {a}.value >= {a}.target else {a}.value <= {a}.target end)",
                nullable=True,
            ),
            sample_size=number("{a}.sample_size", nullable=False),
        ),
        relations={"trend": elements("kpi_point", "{a}.trend")},
        orders={"ordinal": (Key(sql="{b}.ordinal", type="int4"),)},
        order=(("ordinal", False),),
        tie=(Key(sql="{b}.name", type="text"),),
        key="name",
        visible=visibility.measure,
    ),
    element_source(
        name="kpi_point",
        columns={"at": plain("{a}.v->>'at'", nullable=False), "value": fraction("({a}.v->>'value')::numeric")},
    ),
)
