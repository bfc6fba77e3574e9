"""The rules of JSON Schema, keyword by keyword: what each makes of a value, and in which words it fails.

A rule looks at a value of the type that its keyword is about, and returns what fails. The words are those of Atmos' validator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import NoneType
from typing import Any

Step = str | int


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that a value breaks: what, at which path below the value looked at, and what lies behind it.

    The paths of causes begin where this failure's path ends. An empty message only holds several failures together. Of keys that
    aren't allowed, `keys` names them and `known` those that would be.
    """

    message: str
    path: tuple[Step, ...] = ()
    causes: tuple[Failure, ...] = ()
    keys: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    def under(self, *steps: Step) -> Failure:
        """Return this failure as one of the value that holds the value looked at under a key or number."""
        return Failure(self.message, (*steps, *self.path), self.causes, self.keys, self.known)

    def flat(self) -> Iterator[Failure]:
        """Every failure of the tree, a node before its causes, each with its whole path."""
        yield self
        for cause in self.causes:
            yield from cause.under(*self.path).flat()


Check = Callable[[Any], Failure | None]
Rule = Callable[[Any], Sequence[Failure]]

KINDS: dict[type, str] = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    NoneType: "null",
}
ALL_KINDS = ("object", "array", "string", "boolean", "number", "null")
NOTHING: tuple[Failure, ...] = ()


def kind(value: Any) -> str:
    """Return JSON's name for a value's type; what is none of JSON's types is text there (dates)."""
    return KINDS.get(type(value)) or next((name for known, name in KINDS.items() if isinstance(value, known)), "string")


def accept(_: Any) -> Failure | None:
    """Accept every value."""
    return None


def refuse(_: Any) -> Failure | None:
    """Refuse every value."""
    return Failure("not allowed")


def because(words: str, failure: Failure) -> Failure:
    """Return a failure that another one causes; one that only holds several hands these on."""
    held = failure.causes if not failure.message else None
    return Failure(words, (), (failure,) if held is None else tuple(cause.under(*failure.path) for cause in held))


def when(is_broken: Callable[[Any], bool], words: str) -> Rule:
    """Return the rule that fails where a value is broken."""
    failures = (Failure(words),)
    return lambda value: failures if is_broken(value) else NOTHING


def sized(is_broken: Callable[[int], bool], words: str) -> Rule:
    """Return the rule that fails by how many items, keys or characters a value has."""
    return lambda value: (Failure(words.format(len(value))),) if is_broken(len(value)) else NOTHING


def among(allowed: Sequence[Any]) -> Rule:
    """Return the rule that a value is one of those allowed."""
    texts = frozenset(item for item in allowed if isinstance(item, str))
    words = "value must be one of " + ", ".join(map(go, allowed)) if len(allowed) > 1 else f"value must be {go(allowed[0])}"
    if any(isinstance(item, (dict, list)) for item in allowed):
        words = "enum failed"

    def is_broken(value: Any) -> bool:
        return value not in texts if isinstance(value, str) else not any(equal(value, item) for item in allowed)

    return when(is_broken, words)


def formatted(name: str) -> Rule:
    """Return the rule that a value has a format."""
    from jsonschema import FormatChecker  # noqa: PLC0415

    checker = FormatChecker()

    def rule(value: Any) -> Sequence[Failure]:
        shown = quoted(value) if isinstance(value, str) else value
        return () if checker.conforms(value, name) else (Failure(f"{shown} is not valid {quoted(name)}"),)

    return rule


def required(names: tuple[str, ...]) -> Rule:
    """Return the rule that a map has keys."""

    def rule(value: dict[str, Any]) -> Sequence[Failure]:
        missing = [name for name in names if name not in value]
        return (Failure("missing properties: " + ", ".join(map(quoted, missing))),) if missing else NOTHING

    return rule


def unknown(value: Mapping[str, Any], names: Sequence[str], others: Check, known: tuple[str, ...]) -> list[Failure]:
    """Return what the keys that no other rule knows break."""
    if others is refuse:
        words = f"additionalProperties {', '.join(map(quoted, names))} not allowed"
        return [Failure(words, keys=tuple(names), known=known)]
    return [failure.under(name) for name in names if (failure := others(value[name])) is not None]


def names(check: Check) -> Rule:
    """Return the rule for the keys of a map."""
    return lambda value: [failure.under(name) for name in value if (failure := check(name)) is not None]


def together(name: str, needed: Sequence[str]) -> Rule:
    """Return the rule that a key needs others beside it."""

    def rule(value: dict[str, Any]) -> Sequence[Failure]:
        if name not in value:
            return NOTHING
        words = "property {} is required, if {} property exists"
        return [Failure(words.format(quoted(other), quoted(name))) for other in needed if other not in value]

    return rule


def given(name: str, check: Check) -> Rule:
    """Return the rule for maps that have a key."""
    return lambda value: () if name not in value or (failure := check(value)) is None else (failure,)


def distinct(value: Sequence[Any]) -> Sequence[Failure]:
    """Insist that no two items are equal."""
    if len(value) == len({item for item in value if isinstance(item, str)}):
        return NOTHING
    for number in range(1, len(value)):
        for other in range(number):
            if equal(value[number], value[other]):
                return (Failure(f"items at index {other} and {number} are equal"),)
    return NOTHING


def items(prefix: Sequence[Check], rest: Check | None) -> Rule:
    """Return the rule for the items of a list: the first ones each by its own, the rest by another."""

    def rule(value: Sequence[Any]) -> Sequence[Failure]:
        if rest is refuse and len(value) > len(prefix):
            return (Failure(f"only {len(prefix)} items are allowed, but found {len(value)} items"),)
        found: list[Failure] = []
        for number, item in enumerate(value):
            check = prefix[number] if number < len(prefix) else rest
            if check is not None and (failure := check(item)) is not None:
                found.append(failure.under(number))
        return found

    return rule


def contains(check: Check, least: int, most: int | None) -> Rule:
    """Return the rule that so many items keep to a schema."""

    def rule(value: Sequence[Any]) -> Sequence[Failure]:
        failures = [(number, check(item)) for number, item in enumerate(value)]
        matched = sum(failure is None for _, failure in failures)
        if matched < least:
            causes = tuple(failure.under(number) for number, failure in failures if failure is not None)
            return (Failure(f"valid must be >= {least}, but got {matched}", (), causes),)
        return (Failure(f"valid must be <= {most}, but got {matched}"),) if most is not None and matched > most else NOTHING

    return rule


def all_of(check: Check) -> Rule:
    """Return the rule of one schema among several that all hold."""
    return lambda value: () if (failure := check(value)) is None else (Failure("allOf failed", (), (failure,)),)


def any_of(checks: Sequence[Check]) -> Rule:
    """Return the rule that at least one of several schemas holds."""

    def rule(value: Any) -> Sequence[Failure]:
        causes: list[Failure] = []
        for check in checks:
            failure = check(value)
            if failure is None:
                return NOTHING
            causes.append(failure)
        return (Failure("anyOf failed", (), tuple(causes)),)

    return rule


def one_of(branches: Sequence[tuple[tuple[str, ...] | None, Check]]) -> Rule:
    """Return the rule that exactly one of several schemas holds; each comes with the types that it can accept at all."""
    # Most alternatives are of different types: the type alone tells which one a value can be.
    chosen = {
        name: [
            (number, check)
            for number, (types, check) in enumerate(branches)
            if types is None or name in types or (name == "number" and "integer" in types)
        ]
        for name in ALL_KINDS
    }

    def rule(value: Any) -> Sequence[Failure]:
        first: int | None = None
        for number, check in chosen[KINDS.get(type(value)) or kind(value)]:
            if check(value) is None:
                if first is not None:
                    return (Failure(f"valid against schemas at indexes {first} and {number}"),)
                first = number
        if first is not None:
            return NOTHING
        failures = (check(value) for _, check in branches)
        return (Failure("oneOf failed", (), tuple(failure for failure in failures if failure is not None)),)

    return rule


def conditional(condition: Check, then: Check, otherwise: Check) -> Rule:
    """Return the rule that one of two schemas holds, as a condition says."""

    def rule(value: Any) -> Sequence[Failure]:
        is_met = condition(value) is None
        failure = (then if is_met else otherwise)(value)
        return NOTHING if failure is None else (Failure("if-then failed" if is_met else "if-else failed", (), (failure,)),)

    return rule


def of_numbers(schema: Mapping[str, Any]) -> Iterator[Rule]:
    """Return the rules for numbers."""
    # Draft 4 wrote `exclusiveMinimum: true` beside the minimum.
    for keyword, other, words, is_broken in _BOUNDS:
        bound = schema.get(keyword)
        if schema.get(other) is True and keyword in ("minimum", "maximum"):
            words = words.replace("=", "")  # noqa: PLW2901
            is_broken = _STRICTLY[keyword]  # noqa: PLW2901
        if isinstance(bound, (int, float)) and not isinstance(bound, bool):
            yield _bounded(bound, f"must be {words} {number(bound)} but found {{}}", is_broken)
    if "multipleOf" in schema:
        yield _multiple(schema["multipleOf"])


_BOUNDS: tuple[tuple[str, str, str, Callable[[Any, Any], bool]], ...] = (
    ("minimum", "exclusiveMinimum", ">=", lambda value, bound: value < bound),
    ("exclusiveMinimum", "", ">", lambda value, bound: value <= bound),
    ("maximum", "exclusiveMaximum", "<=", lambda value, bound: value > bound),
    ("exclusiveMaximum", "", "<", lambda value, bound: value >= bound),
)
_STRICTLY: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, bound: value <= bound,
    "maximum": lambda value, bound: value >= bound,
}


def _bounded(bound: float, words: str, is_broken: Callable[[Any, Any], bool]) -> Rule:
    return lambda value: (Failure(words.format(number(value))),) if is_broken(value, bound) else NOTHING


def _multiple(step: float) -> Rule:
    def rule(value: float) -> Sequence[Failure]:
        if (Fraction(str(value)) / Fraction(str(step))).denominator == 1:
            return NOTHING
        return (Failure(f"{number(value)} not multipleOf {number(step)}"),)

    return rule


def equal(one: Any, other: Any) -> bool:
    """Tell whether two values are equal to JSON, to which a boolean is no number."""
    what = kind(one)
    if what != kind(other):
        return False
    if what == "array":
        return len(one) == len(other) and all(map(equal, one, other))
    if what == "object":
        return one.keys() == other.keys() and all(equal(item, other[key]) for key, item in one.items())
    return bool(one == other)


def number(value: float) -> str:
    """Write a number as Go does: whole ones without a point."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e21 else repr(value)


def go(value: Any) -> str:
    """Write a constant as Go's %#v does; a number of a schema is text to it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{_escaped(value)}"' if isinstance(value, str) else f'"{value}"'


def quoted(text: str) -> str:
    """Write a text between single quotes, with what can't be printed as escapes."""
    return "'" + _escaped(text).replace('\\"', '"').replace("'", "\\'") + "'"


_SIGNS = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\v": "\\v"}


def _escaped(text: str) -> str:
    return "".join(_SIGNS.get(sign) or (sign if sign.isprintable() else _code(ord(sign))) for sign in text)


def _code(number: int) -> str:
    return f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
