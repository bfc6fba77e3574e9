"""What a change of the schema means to clients."""

from datetime import date

import pytest

from catalog.errors import Invalid
from catalog.graph import contract

TODAY = date(2026, 6, 1)
BEFORE = """
directive @cached(seconds: Int) on FIELD
interface Thing { id: ID! }
union Found = Team | Service
enum Level { LOW HIGH OLD @deprecated(reason: "Use LOW. Removed after 2026-05-31.") }
input Where {
  slug: String
  name: String @deprecated(reason: "Use slug. Removed after 2026-05-31.")
}
type Team implements Thing {
  id: ID!
  slug: String!
  old: Old @deprecated(reason: "Use slug. Removed after 2026-05-31.")
  soon: String @deprecated(reason: "Use slug. Removed after 2026-06-01.")
  whenever: String @deprecated(reason: "Nobody likes it.")
}
type Old { up: Older }
type Older { name(long: Boolean): String down: Old }
type Service implements Thing { id: ID! level: Level! }
type Query {
  team(slug: String!, full: Boolean = false, brief: Boolean @deprecated(reason: "Use full. Removed after 2026-05-31.")): Team
  teams(where: Where): [Team!]!
  found: [Found!]!
}
"""
B, D, A = contract.Severity.BREAKING, contract.Severity.DANGEROUS, contract.Severity.ANNOUNCED

# What is replaced by what: the differences as (severity, place), and the line of the first.
CHANGES = {
    "a field goes": ("  slug: String!\n", "", [(B, "Team.slug")], 12),
    "a field may be null": ("slug: String!\n", "slug: String\n", [(B, "Team.slug")], 12),
    "a field is never null": ("level: Level!", "level: [Level!]!", [(B, "Service.level")], 19),
    "an argument goes": (", full: Boolean = false", "", [(B, "Query.team(full:)")], 21),
    "an argument's default differs": ("full: Boolean = false", "full: Boolean = true", [(D, "Query.team(full:)")], 21),
    "an argument must be given": ("found: [", "found(first: Int!): [", [(B, "Query.found(first:)")], 23),
    "an argument may be given": ("found: [", "found(first: Int): [", [(D, "Query.found(first:)")], 23),
    "a value goes": ("LOW HIGH", "LOW", [(B, "Level.HIGH")], 5),
    "a value comes": ("LOW HIGH", "LOW HIGH HIGHER", [(D, "Level.HIGHER")], 5),
    "a filter must be given": ("  slug: String\n", "  slug: String\n  must: Int!\n", [(B, "Where.must")], 8),
    "a filter may be given": ("  slug: String\n", "  slug: String\n  may: Int\n", [(D, "Where.may")], 8),
    "a member goes": ("Team | Service", "Team", [(B, "Found")], 4),
    "an interface goes": ("type Service implements Thing {", "type Service {", [(B, "Service")], 19),
    "a type changes its kind": ("type Old { up: Older }", "scalar Old", [(B, "Old")], 17),
    "a directive's argument goes": ("@cached(seconds: Int)", "@cached", [(B, "@cached(seconds:)")], 2),
    "a field comes": ("found: [", "more: Int found: [", [], None),
    "a description comes": ("type Old", '"Once." type Old', [], None),
    "a deprecated field's day is over": (
        '  old: Old @deprecated(reason: "Use slug. Removed after 2026-05-31.")\n',
        "",
        [(A, "Team.old")],
        13,
    ),
    "a deprecated field's day is today": (
        '  soon: String @deprecated(reason: "Use slug. Removed after 2026-06-01.")\n',
        "",
        [(B, "Team.soon")],
        14,
    ),
    "a deprecated field has no day": (
        '  whenever: String @deprecated(reason: "Nobody likes it.")\n',
        "",
        [(B, "Team.whenever")],
        15,
    ),
    "a deprecated value's day is over": (
        ' OLD @deprecated(reason: "Use LOW. Removed after 2026-05-31.")',
        "",
        [(A, "Level.OLD")],
        5,
    ),
    "a deprecated filter's day is over": (
        '  name: String @deprecated(reason: "Use slug. Removed after 2026-05-31.")\n',
        "",
        [(A, "Where.name")],
        8,
    ),
    "a deprecated argument's day is over": (
        ', brief: Boolean @deprecated(reason: "Use full. Removed after 2026-05-31.")',
        "",
        [(A, "Query.team(brief:)")],
        21,
    ),
    "a deprecated field changes its type": ("  old: Old @", "  old: String @", [(B, "Team.old")], 13),
}


@pytest.mark.parametrize(("old", "new", "expected", "line"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_what_it_is_to_clients(old, new, expected, line) -> None:
    """Each change is told as breaking, dangerous or announced, at its place and line; an addition nobody stumbles over isn't."""
    assert old in BEFORE
    after = BEFORE.replace(old, new, 1)
    found = contract.differences(contract.read(BEFORE, "old"), contract.read(after, "new"), TODAY)
    assert sorted((one.severity, one.place) for one in found) == sorted(expected)
    assert line in ({one.line for one in found} or {None})


def test_types_go_with_what_led_to_them() -> None:
    """A type that only announced fields led to was announced with them; one that is still led to breaks."""
    led = '  old: Old @deprecated(reason: "Use slug. Removed after 2026-05-31.")\n'
    types = "type Old { up: Older }\ntype Older { name(long: Boolean): String down: Old }\n"
    after = contract.read(BEFORE.replace(led, "").replace(types, ""), "new")
    found = contract.differences(contract.read(BEFORE, "old"), after, TODAY)
    assert [(one.severity, one.place) for one in found] == [(A, "Old"), (A, "Older"), (A, "Team.old")]
    still = BEFORE.replace("found: [Found!]!", "found: [Found!]! older: Older")
    found = contract.differences(contract.read(still, "old"), after, TODAY)
    assert [(one.severity, one.place) for one in found] == [(B, "Old"), (B, "Older"), (B, "Query.older"), (A, "Team.old")]


def test_what_breaks_comes_first() -> None:
    """The order is that of what hurts most, then of places."""
    after = BEFORE.replace("LOW HIGH", "LOW TOP", 1).replace("  slug: String!\n", "", 1)
    found = contract.differences(contract.read(BEFORE, "old"), contract.read(after, "new"), TODAY)
    assert [one.place for one in found] == ["Level.HIGH", "Team.slug", "Level.TOP"]
    assert [one.gone for one in found] == [True, True, False]


def test_a_deprecation_says_what_instead_and_until_when() -> None:
    """What is deprecated in any other form is found."""
    assert contract.undated(contract.read(BEFORE, "old")) == ["Team.whenever"]
    no_day = BEFORE.replace("2026-06-01", "2026-02-30")
    assert contract.undated(contract.read(no_day, "old")) == ["Team.soon", "Team.whenever"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("type Query {", "old:1 is not a schema"), ("type Query { a: Nowhere }", "old is not a schema"), ("", "old")],
)
def test_what_is_no_schema_is_refused_by_name(text, said) -> None:
    """A text that can't be read says which file it is, and where."""
    with pytest.raises(Invalid, match=said):
        contract.read(text, "old")
