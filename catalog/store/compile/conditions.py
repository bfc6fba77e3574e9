"""Conditions → predicates. Every related source is entered through its visible rows."""

from __future__ import annotations

from catalog.store.compile.source import Same, Source, ToOne
from catalog.store.compile.writing import Writing
from catalog.store.selection import All, AnyOf, Condition, Not, Op, Related, Test

# Redacted values match nothing, whatever is asked of them.
_OPEN = "(({x} #> {0})::text like '%\"$redacted\"%') is not true"
_TESTS = {
    Op.EQ: "{x} = {0}",
    Op.NE: "{x} is distinct from {0}",
    Op.IN: "{x} = any({0})",
    Op.CONTAINS: "strpos(lower({x}), lower({0})) > 0",
    Op.STARTS_WITH: "starts_with({x}, {0})",
    Op.GT: "{x} > {0}",
    Op.GTE: "{x} >= {0}",
    Op.LT: "{x} < {0}",
    Op.LTE: "{x} <= {0}",
    Op.IS_NULL: "{x} is null",
    Op.NOT_NULL: "{x} is not null",
    Op.HAS: "{0} = any({x})",
    Op.INCLUDES: "{x} @> {0}",
    Op.KEY_IN: "{x} ->> {0} = any({1})",
    Op.KEY_NOT_IN: "({x} ->> {0} = any({1})) is not true",
    Op.KEY_EXISTS: "{x} ? {0}",
    Op.KEY_ABSENT: "not {x} ? {0}",
    # The containment, where the path has no index numbers, lets an index find the few rows that the equality then judges.
    Op.JSON_EQ: "({x} #> {0} = {1} and ({2} is null or {x} @> {2}) and " + _OPEN + ")",
    Op.JSON_IS_NULL: "coalesce(jsonb_typeof({x} #> {0}), 'null') = 'null'",
    Op.JSON_NOT_NULL: "(coalesce(jsonb_typeof({x} #> {0}), 'null') <> 'null' and " + _OPEN + ")",
}


def predicate(writing: Writing, source: Source, alias: str, condition: Condition) -> str:
    """Return the predicate of a condition on the row `alias` of a source."""
    match condition:
        case All(conditions=parts):
            return _joined(writing, source, alias, parts, " and ", empty="true")
        case AnyOf(conditions=parts):
            return _joined(writing, source, alias, parts, " or ", empty="false")
        case Not(condition=part):
            return f"({predicate(writing, source, alias, part)}) is not true"
        case Test():
            return _test(writing, source, alias, condition)
        case Related():
            return _related(writing, source, alias, condition)


def _joined(writing: Writing, source: Source, alias: str, parts: tuple[Condition, ...], word: str, *, empty: str) -> str:
    written = [predicate(writing, source, alias, part) for part in parts]
    return f"({word.join(written)})" if written else empty


def _test(writing: Writing, source: Source, alias: str, test: Test) -> str:
    shown = source.columns[test.column]
    column = writing.fill(shown.filtered or shown.sql, a=alias)
    written = _TESTS[test.op].replace("{x}", column)
    for number, slot in enumerate(test.slots):
        written = written.replace(f"{{{number}}}", writing.slot(slot))
    return written


def _related(writing: Writing, source: Source, alias: str, related: Related) -> str:
    relation = source.relations[related.relation]
    assert not isinstance(relation, Same)
    target = writing.sources[relation.target]
    inner = writing.alias()
    rules = [predicate(writing, target, inner, related.condition)]
    if not relation.proven:
        rules.append(writing.visible(target, inner))
    if isinstance(relation, ToOne):
        # One look-up of the few keys, then an index on the foreign key: `exists` would look at every row.
        rules.append(writing.fill(relation.where, b=inner))
        computed = None if _is_steady(relation, related.condition) else relation.rows
        rows = writing.fill(computed or target.rows, a=alias, b=inner)
        keys = f"select {inner}.{target.key} from {rows} {inner} where {' and '.join(rules)}"
        return f"{alias}.{relation.key} = any(array({keys}))"
    link = writing.fill(relation.link, a=alias, b=inner)
    join = writing.fill(relation.join, a=alias, b=inner)
    rows = writing.fill(relation.rows, a=alias, b=inner) if relation.rows else f"{target.rows} {inner}"
    return f"exists(select from {rows} {join} where {' and '.join((link, *rules))})"


def _is_steady(relation: ToOne, condition: Condition) -> bool:
    """Whether a condition only asks what is the same of the target's own rows."""
    match condition:
        case Test(column=column):
            return column in relation.steady
        case All(conditions=parts) | AnyOf(conditions=parts):
            return all(_is_steady(relation, part) for part in parts)
        case Not(condition=part):
            return _is_steady(relation, part)
        case Related():
            return False
