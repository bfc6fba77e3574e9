"""Cost reports: facts are grouped once, by the dimensions asked for; rows, total and months are read from the groups.

    (with p (currency, months), m (its months), f (facts of other currencies that the filter admits, grouped by keys, month, currency and
     day), r (their rates), b (all facts that the filter admits, in one currency, by keys and month), g (rows), t (the total) select … )

The rows' sums are the total exactly, since both are sums of the same groups: what is converted is converted before. What was charged
and can't be converted makes the report an error that names the rate. Which dimensions there are is part of the statement. What is read
once is left to Postgres to take in where it is read, so that it computes only what is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.store.compile import text
from catalog.store.compile.conditions import predicate
from catalog.store.compile.sources.cost import FIRST, LAST, MONTHS, TODAY
from catalog.store.compile.sources.report import BY_TEAM, CURRENCY, DIMENSIONS, FACTS, FACTS_BY_TEAM, PARTIAL
from catalog.store.selection import Report, asked_of

if TYPE_CHECKING:
    from catalog.store.compile.statement import Writer

_MONTH = "MONTH"
_LACKING = "r.charged and r.rate is null"
_SUMS = "sum({0}.estimated) as estimated, sum({0}.actual) as actual, sum({0}.unknown)::int as unknown, sum({0}.instances)::int as instances"


def report(writer: Writer, field: Report) -> str:
    """Write a report."""
    made = _Report(writer, field)
    # Sums by team are read whole, whatever is asked of them.
    writer.writing.bounded = writer.writing.bounded and made.by_team
    return made.sql()


class _Report:
    def __init__(self, writer: Writer, field: Report) -> None:
        self._writer = writer
        self._writing = writer.writing
        self._field = field
        self._alias = writer.writing.alias()
        self._monthly = _MONTH in field.dimensions
        # Months are kept apart whether or not they are asked for.
        self._keyed = [(number, name) for number, name in enumerate(field.dimensions) if name != _MONTH]
        self.by_team = {*field.dimensions, *asked_of(field.condition)} <= BY_TEAM
        self._read = FACTS_BY_TEAM if self.by_team else FACTS

    def sql(self) -> str:
        alias, source = self._alias, self._writing.sources["cost_report"]
        joins: list[str] = []
        body = self._writer.row(source, alias, self._field.fields, joins)
        parts = {
            "p": self._asked(),
            "m": self._months(),
            "f": self._facts(),
            "r": self._rates(),
            "b": self._groups(),
            "g": self._rows(),
            "t": self._total(),
        }
        named = ", ".join(f"{alias}{name} as ({sql})" for name, sql in parts.items())
        mark = text.mark(self._writing.fault(self._field.lacking), f"(select r.lacking from {alias}r r where {_LACKING} limit 1)")
        lacks = f"exists(select from {alias}r r where {_LACKING})"
        return f"(with {named} select case when {lacks} then {mark} else {body} end from {alias}p {alias} {' '.join(joins)})"

    def _fill(self, fragment: str, *, within: str = "") -> str:
        return self._writing.fill(fragment.replace("{p}", within or f"{self._alias}p"), arguments=self._field.arguments)

    def _asked(self) -> str:
        return self._fill(f"select {CURRENCY} as currency, {FIRST} as first, {LAST} as last")

    def _months(self) -> str:
        first, last = (f"(select {end} from {self._alias}p)" for end in ("first", "last"))
        return f"select m.month, to_char(m.month, 'YYYY-MM') as name from {MONTHS.format(first=first, last=last)} m"

    def _admitted(self, read: str, columns: str) -> str:
        """The facts that count: their keys, month and some columns, each preceded by `{f}`."""
        facts, source = self._writing.alias(), self._writing.sources["cost_fact"]
        keys = "".join(f"{facts}.{DIMENSIONS[name].key} as k{number}, " for number, name in self._keyed)
        admitted = predicate(self._writing, source, facts, self._field.condition)
        return (
            f"select {keys}{facts}.month, {columns.replace('{f}', facts)} from (select * from {self._alias}p) p cross join lateral"
            f" {self._fill(read, within='p')} {facts} where {admitted}"
        )

    def _facts(self) -> str:
        """What is in other currencies, by what decides about its conversion too."""
        by = ", ".join(str(number + 1) for number in range(len(self._keyed) + 3))
        columns = f"{{f}}.currency, {{f}}.day, {_SUMS.format('{f}')}, sum({{f}}.known)::int as estimates"
        return f"{self._admitted(self._read.foreign, columns)} group by {by}"

    def _rates(self) -> str:
        """What each currency was worth on each of the days."""
        alias = self._alias
        told = "jsonb_build_object('source', d.currency, 'target', p.currency, 'day', d.day)::text"
        return (
            f"select d.*, x.rate, {told} as lacking from {alias}p p cross join (select f.currency, f.day, bool_or(f.actual is not null)"
            f" as charged from {alias}f f where f.currency is not null group by 1, 2 order by 1, 2) d"
            " cross join lateral (select catalog_rate(d.currency, p.currency, d.day) as rate) x"
        )

    def _groups(self) -> str:
        """All facts in one currency, by their keys and month; an estimate that can't be converted is unknown."""
        alias = self._alias
        keys = "".join(f"f.k{number}, " for number, _name in self._keyed)
        by = ", ".join(str(number + 1) for number in range(len(self._keyed) + 1))
        native = self._admitted(self._read.native, "{f}.estimated, {f}.actual, {f}.unknown, {f}.instances")
        converted = (
            f"select {keys}f.month, f.estimated * r.rate, f.actual * r.rate,"
            " f.unknown + case when r.rate is null then f.estimates else 0 end, f.instances"
            f" from {alias}f f left join {alias}r r on r.currency = f.currency and r.day = f.day"
        )
        return f"select {keys}f.month, {_SUMS.format('f')} from ({native} union all {converted}) f group by {by}"

    def _rows(self) -> str:
        """One row for each combination of what the keys stand for; an estimate is a month's and counts for each."""
        alias, dimensions = self._alias, [DIMENSIONS[name] for name in self._field.dimensions]
        joined = [self._named(number, dimension.join) for number, dimension in enumerate(dimensions) if dimension.join]
        values = [self._named(number, dimension.value) for number, dimension in enumerate(dimensions)]
        ids = [self._named(number, dimension.id) for number, dimension in enumerate(dimensions)]
        told = ", ".join(
            [
                f"{value} as v{number}, {identity} as i{number}"
                for number, (value, identity) in enumerate(zip(values, ids, strict=True))
            ]
        )
        inner = (
            f"select {told}, {self._budget()} as budget, q.month, q.estimated * {self._times()} as estimated, q.actual, q.unknown,"
            f" q.instances from {self._by_month()} q {' '.join(joined)}"
        )
        numbers = range(len(dimensions))
        names = ", ".join(f"'{name}'" for name in self._field.dimensions)
        called, things = (", ".join(f"h.{kind}{number}" for number in numbers) for kind in "vi")
        place = "||E'\\x01'||".join(f"coalesce('0'||h.v{number},'1')" for number in numbers)
        identity = "||','||".join(f"coalesce(h.i{number},'')" for number in numbers)
        unowned = " or ".join(f"h.v{number} is null" for number in numbers)
        by = ", ".join(f"h.v{number}, h.i{number}" for number in numbers)
        return (
            f"select array[{names}] as dimensions, array[{called}]::text[] as called, array[{things}]::text[] as things,"
            f" {place} as place, {identity} as ids, ({unowned}) as unowned,"
            f" (select currency from {alias}p) as currency, max(h.budget) as budget, {_SUMS.format('h')},"
            f" sum(h.actual) - sum(h.estimated) as variance from ({inner}) h group by {by}"
        )

    def _named(self, number: int, fragment: str) -> str:
        """A fragment about the key of one dimension."""
        key = "q.month" if self._field.dimensions[number] == _MONTH else f"q.k{number}"
        return self._writing.fill(fragment.replace("{d}", f"d{number}").replace("{k}", key).replace("{m}", f"{self._alias}m"))

    def _by_month(self) -> str:
        """The groups; where months are a dimension, an estimate stands in each of them, else a month tells nothing."""
        alias = self._alias
        keys = "".join(f"b.k{number}, " for number, _name in self._keyed)
        sums = "b.estimated, b.actual, b.unknown, b.instances"
        if not self._monthly:
            return f"(select {keys}b.month, {sums} from {alias}b b)"
        return (
            f"(select {keys}b.month, {sums} from {alias}b b where b.month is not null union all"
            f" select {keys}m.month, {sums} from {alias}b b left join {alias}m m on true where b.month is null)"
        )

    def _times(self) -> str:
        return "1" if self._monthly else f"(select count(*) from {self._alias}m)"

    def _budget(self) -> str:
        """What may be spent on a row's thing, where rows are things with budgets (and months)."""
        own = [(number, DIMENSIONS[name]) for number, name in enumerate(self._field.dimensions) if name != _MONTH]
        if len(own) != 1 or own[0][1].budget is None:
            return "null::numeric"
        number, dimension = own[0]
        concerned = self._named(number, dimension.budget or "")
        return (
            f"case when d{number}.budget is not null and ({concerned}) then d{number}.budget * {self._times()}"
            f" * catalog_rate(d{number}.budget_currency, (select currency from {self._alias}p), {TODAY}) end"
        )

    def _total(self) -> str:
        alias = self._alias
        count = f"(select count(*) from {alias}m)"
        monthly = (
            "(select jsonb_agg(jsonb_build_object('month', m.month, 'estimated', s.estimated, 'actual',"
            f" (select sum(b.actual) from {alias}b b where b.month = m.month), 'currency', p.currency) order by m.month) from {alias}m m)"
        )
        return (
            f"select p.currency, s.estimated * {count} as estimated, s.actual, s.unknown, {self._fill(PARTIAL, within='p')} as partial,"
            f" null::numeric as budget, {monthly} as by_month from {alias}p p cross join lateral"
            f" (select sum(b.estimated) as estimated, sum(b.actual) as actual, coalesce(sum(b.unknown), 0)::int as unknown"
            f" from {alias}b b) s"
        )
