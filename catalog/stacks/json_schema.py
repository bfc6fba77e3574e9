"""JSON Schema, draft 2020-12 and what older drafts write otherwise: where a value doesn't keep to a schema.

A schema is compiled once into closures, so that a value that keeps to it costs little more than a walk over it. What fails comes back
as a tree of `Failure`s in the words of the validator that Atmos uses (alternatives are inner nodes, their failures the leaves).
Keywords that need to know what other keywords have looked at (`unevaluatedProperties` and its like) are left to the jsonschema library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import NoneType
from typing import Any
from urllib.parse import unquote

from catalog.errors import EstateError

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
_Rule = Callable[[Any], Sequence[Failure]]

_KINDS: dict[type, str] = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    NoneType: "null",
}
_ALL_KINDS = ("object", "array", "string", "boolean", "number", "null")
_NOTHING: tuple[Failure, ...] = ()

# What no single look at a value can tell; where a schema has one of these, the library has the last word.
_FOREIGN = frozenset(
    ("unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef", "contentEncoding", "contentMediaType")
)
_OLD_DRAFTS = ("draft-04", "draft-06", "draft-07")


def kind(value: Any) -> str:
    """Return JSON's name for a value's type; what is none of JSON's types is text there (dates)."""
    return _KINDS.get(type(value)) or next((name for known, name in _KINDS.items() if isinstance(value, known)), "string")


def foreign(schema: Any, *, careful: bool) -> Check:
    """Return the check of a schema that strangers wrote; raises EstateError (code SCHEMA) where it is no schema.

    A careful check takes no chances with their patterns: one that could keep the machine busy counts as matching.
    """
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415 - the library is slow to load, and rarely needed
    from jsonschema.validators import Draft202012Validator, validator_for  # noqa: PLC0415

    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
        return compiled(schema, careful=careful)
    except SchemaError as error:
        raise EstateError(f"jsonschema compilation failed: {error.message}", code="SCHEMA") from error
    except re.error as error:
        raise EstateError(f"jsonschema compilation failed: a pattern can't be read: {error}", code="SCHEMA") from error


def compiled(schema: Any, *, careful: bool = False) -> Check:
    """Return the check of a schema that is known to be one."""
    check = _Compiler(schema, careful=careful).check(schema)

    def root(value: Any) -> Failure | None:
        failure = check(value)
        return None if failure is None else _because("doesn't validate with the schema", failure)

    return root


class _Compiler:
    """Compiles one schema document; parts that are referred to are compiled when they are first needed."""

    def __init__(self, document: Any, *, careful: bool) -> None:
        self.document = document
        self.careful = careful
        self.known: dict[int, Check] = {}
        dialect = document.get("$schema") if isinstance(document, dict) else None
        self.asserts_formats = isinstance(dialect, str) and any(draft in dialect for draft in _OLD_DRAFTS)

    def check(self, schema: Any) -> Check:
        """Return the check of a part of the document."""
        if schema is True or schema == {}:
            return _accept
        if schema is False:
            return _refuse
        types = _types(schema)
        rules = self._rules(schema)

        def check(value: Any) -> Failure | None:
            what = _KINDS.get(type(value)) or kind(value)
            if types is not None and what not in types and not ("integer" in types and _is_whole(value, what)):
                return Failure(f"expected {' or '.join(types)}, but got {what}")
            found: list[Failure] | None = None
            for rule in rules[what]:
                failures = rule(value)
                if failures:
                    found = [*found, *failures] if found else list(failures)
            return None if found is None else found[0] if len(found) == 1 else Failure("", (), tuple(found))

        return check

    def _rules(self, schema: Mapping[str, Any]) -> dict[str, list[_Rule]]:
        """The rules for each type of value, in the order in which their failures are told."""
        first, last = self._of_any(schema), self._of_parts(schema)
        special = {
            "object": self._of_objects(schema),
            "array": self._of_arrays(schema),
            "string": self._of_strings(schema),
            "number": list(_of_numbers(schema)),
        }
        return {name: [*first, *special.get(name, ()), *last] for name in _ALL_KINDS}

    def _of_any(self, schema: Mapping[str, Any]) -> list[_Rule]:
        rules: list[_Rule] = []
        if "const" in schema:
            constant = schema["const"]
            words = "const failed" if isinstance(constant, (dict, list)) else f"value must be {_go(constant)}"
            rules.append(_when(lambda value: not _equal(value, constant), words))
        if "enum" in schema:
            rules.append(_enum(schema["enum"]))
        if self.asserts_formats and isinstance(schema.get("format"), str):
            rules.append(_format(schema["format"]))
        return rules

    def _of_objects(self, schema: Mapping[str, Any]) -> list[_Rule]:
        rules: list[_Rule] = []
        if "minProperties" in schema:
            least = schema["minProperties"]
            rules.append(_sized(lambda size: size < least, f"minimum {least} properties allowed, but found {{}} properties"))
        if "maxProperties" in schema:
            most = schema["maxProperties"]
            rules.append(_sized(lambda size: size > most, f"maximum {most} properties allowed, but found {{}} properties"))
        if schema.get("required"):
            rules.append(_required(tuple(schema["required"])))
        if "propertyNames" in schema:
            rules.append(_names(self.check(schema["propertyNames"])))
        if {"properties", "patternProperties", "additionalProperties"} & schema.keys():
            rules.append(self._members(schema))
        return rules + self._of_dependent(schema)

    def _members(self, schema: Mapping[str, Any]) -> _Rule:
        properties = {name: self.check(part) for name, part in schema.get("properties", {}).items()}
        patterns = [(self._pattern(text), self.check(part)) for text, part in schema.get("patternProperties", {}).items()]
        rest = schema.get("additionalProperties", True)
        others = None if rest is True or rest == {} else self.check(rest)

        def rule(value: dict[str, Any]) -> Sequence[Failure]:
            found: list[Failure] | None = None
            unknown: list[str] | None = None
            for key, item in value.items():
                check = properties.get(key)
                is_known = check is not None
                if check is not None and (failure := check(item)) is not None:
                    found = [*(found or ()), failure.under(key)]
                for matches, check in patterns:
                    if matches(key):
                        is_known = True
                        if (failure := check(item)) is not None:
                            found = [*(found or ()), failure.under(key)]
                if not is_known and others is not None:
                    unknown = [*(unknown or ()), key]
            if unknown and others is not None:
                found = [*(found or ()), *_unknown(value, unknown, others, tuple(properties))]
            return found or _NOTHING

        return rule

    def _of_dependent(self, schema: Mapping[str, Any]) -> list[_Rule]:
        rules: list[_Rule] = []
        for keyword in ("dependencies", "dependentRequired", "dependentSchemas"):
            for name, needed in schema.get(keyword, {}).items():
                rules.append(_together(name, needed) if isinstance(needed, list) else _given(name, self.check(needed)))
        return rules

    def _of_arrays(self, schema: Mapping[str, Any]) -> list[_Rule]:
        rules: list[_Rule] = []
        if "minItems" in schema:
            least = schema["minItems"]
            rules.append(_sized(lambda size: size < least, f"minimum {least} items required, but found {{}} items"))
        if "maxItems" in schema:
            most = schema["maxItems"]
            rules.append(_sized(lambda size: size > most, f"maximum {most} items required, but found {{}} items"))
        if schema.get("uniqueItems") is True:
            rules.append(_unique)
        items = schema.get("items")
        prefix = items if isinstance(items, list) else schema.get("prefixItems", [])
        rest = schema.get("additionalItems") if isinstance(items, list) else items
        if prefix or rest is not None:
            rules.append(_items([self.check(part) for part in prefix], None if rest is None else self.check(rest)))
        if "contains" in schema:
            rules.append(_contains(self.check(schema["contains"]), schema.get("minContains", 1), schema.get("maxContains")))
        return rules

    def _of_strings(self, schema: Mapping[str, Any]) -> list[_Rule]:
        rules: list[_Rule] = []
        if "minLength" in schema:
            least = schema["minLength"]
            rules.append(_sized(lambda size: size < least, f"length must be >= {least}, but got {{}}"))
        if "maxLength" in schema:
            most = schema["maxLength"]
            rules.append(_sized(lambda size: size > most, f"length must be <= {most}, but got {{}}"))
        if "pattern" in schema:
            matches = self._pattern(schema["pattern"])
            rules.append(_when(lambda value: not matches(value), f"does not match pattern {quoted(schema['pattern'])}"))
        return rules

    def _of_parts(self, schema: Mapping[str, Any]) -> list[_Rule]:
        """References to other schemas, and combinations of several."""
        rules: list[_Rule] = []
        if "$ref" in schema:
            rules.append(self._reference(schema["$ref"]))
        if "not" in schema:
            refused = self.check(schema["not"])
            rules.append(_when(lambda value: refused(value) is None, "not failed"))
        rules += [_every(self.check(part)) for part in schema.get("allOf", ())]
        if "anyOf" in schema:
            rules.append(_any([self.check(part) for part in schema["anyOf"]]))
        if "oneOf" in schema:
            rules.append(_one([(self._kinds(part), self.check(part)) for part in schema["oneOf"]]))
        if "if" in schema:
            branches = (self.check(schema.get("then", True)), self.check(schema.get("else", True)))
            rules.append(_conditional(self.check(schema["if"]), *branches))
        if _FOREIGN & schema.keys():
            rules.append(self._foreign(schema))
        return rules

    def _reference(self, text: str) -> _Rule:
        target = self._target(text)
        known = self.known

        def rule(value: Any) -> Sequence[Failure]:
            check = known.get(id(target))
            if check is None:
                check = known[id(target)] = self.check(target)
            failure = check(value)
            return _NOTHING if failure is None else (_because(f"doesn't validate with {quoted(text)}", failure),)

        return rule

    def _target(self, text: str) -> Any:
        base, _, fragment = text.partition("#")
        own = self.document.get("$id", "") if isinstance(self.document, dict) else ""
        if base and base != str(own).rstrip("#"):
            raise EstateError(f"jsonschema {text} compilation failed: the schema lies elsewhere", code="SCHEMA")
        if fragment and not fragment.startswith("/"):
            found = _anchored(self.document, fragment)
        else:
            found = self.document
            for part in fragment.split("/")[1:]:
                step = unquote(part).replace("~1", "/").replace("~0", "~")
                try:
                    found = found[int(step) if isinstance(found, list) else step]
                except (KeyError, IndexError, ValueError, TypeError):
                    found = None
        if found is None:
            raise EstateError(f"jsonschema: {text} not found", code="SCHEMA")
        return found

    def _kinds(self, schema: Any) -> tuple[str, ...] | None:
        """The types that a schema can accept at all; None where that isn't plain to see."""
        for _ in range(_REFERENCES):
            if not isinstance(schema, dict) or "type" in schema or "$ref" not in schema:
                break
            schema = self._target(schema["$ref"])
        return _types(schema) if isinstance(schema, dict) else None

    def _pattern(self, text: str) -> Callable[[str], object]:
        # Go's `$` is the end of the text, Python's also stands before a last line end.
        pattern = text[:-1] + r"\Z" if text.endswith("$") and not text.endswith(r"\$") else text
        search = re.compile(pattern).search
        if not self.careful:
            return search
        if re.search(r"\)[*+{?]", text):
            return lambda _: True
        # What backtracking can cost grows with a power of the length; beyond the limit the text isn't looked at.
        power = 1 + len(re.findall(r"[*+]|,\}", text))
        return lambda value: len(value) ** power > _PATTERN_LIMIT or search(value)

    def _foreign(self, schema: Mapping[str, Any]) -> _Rule:
        from jsonschema.exceptions import best_match  # noqa: PLC0415
        from jsonschema.validators import Draft202012Validator, validator_for  # noqa: PLC0415

        library = validator_for(self.document, default=Draft202012Validator)
        validator = library(self.document).evolve(schema=schema)

        def rule(value: Any) -> Sequence[Failure]:
            error = best_match(validator.iter_errors(value))
            return () if error is None else (Failure(error.message, tuple(error.absolute_path)),)

        return rule


_PATTERN_LIMIT = 4_000_000
_REFERENCES = 20  # a schema that is a reference to a reference to a reference …


def _accept(_: Any) -> Failure | None:
    return None


def _refuse(_: Any) -> Failure | None:
    return Failure("not allowed")


def _because(words: str, failure: Failure) -> Failure:
    held = failure.causes if not failure.message else None
    return Failure(words, (), (failure,) if held is None else tuple(cause.under(*failure.path) for cause in held))


def _types(schema: Mapping[str, Any]) -> tuple[str, ...] | None:
    types = schema.get("type")
    return None if types is None else (types,) if isinstance(types, str) else tuple(types)


def _is_whole(value: Any, what: str) -> bool:
    return what == "number" and (isinstance(value, int) or float(value).is_integer())


def _when(is_broken: Callable[[Any], bool], words: str) -> _Rule:
    failures = (Failure(words),)
    return lambda value: failures if is_broken(value) else _NOTHING


def _sized(is_broken: Callable[[int], bool], words: str) -> _Rule:
    return lambda value: (Failure(words.format(len(value))),) if is_broken(len(value)) else _NOTHING


def _enum(allowed: Sequence[Any]) -> _Rule:
    texts = frozenset(item for item in allowed if isinstance(item, str))
    words = "value must be one of " + ", ".join(map(_go, allowed)) if len(allowed) > 1 else f"value must be {_go(allowed[0])}"
    if any(isinstance(item, (dict, list)) for item in allowed):
        words = "enum failed"

    def is_broken(value: Any) -> bool:
        return value not in texts if isinstance(value, str) else not any(_equal(value, item) for item in allowed)

    return _when(is_broken, words)


def _format(name: str) -> _Rule:
    from jsonschema import FormatChecker  # noqa: PLC0415

    checker = FormatChecker()

    def rule(value: Any) -> Sequence[Failure]:
        shown = quoted(value) if isinstance(value, str) else value
        return () if checker.conforms(value, name) else (Failure(f"{shown} is not valid {quoted(name)}"),)

    return rule


def _required(names: tuple[str, ...]) -> _Rule:
    def rule(value: dict[str, Any]) -> Sequence[Failure]:
        missing = [name for name in names if name not in value]
        return (Failure("missing properties: " + ", ".join(map(quoted, missing))),) if missing else _NOTHING

    return rule


def _unknown(value: Mapping[str, Any], names: Sequence[str], others: Check, known: tuple[str, ...]) -> list[Failure]:
    if others is _refuse:
        words = f"additionalProperties {', '.join(map(quoted, names))} not allowed"
        return [Failure(words, keys=tuple(names), known=known)]
    return [failure.under(name) for name in names if (failure := others(value[name])) is not None]


def _names(check: Check) -> _Rule:
    return lambda value: [failure.under(name) for name in value if (failure := check(name)) is not None]


def _together(name: str, needed: Sequence[str]) -> _Rule:
    def rule(value: dict[str, Any]) -> Sequence[Failure]:
        if name not in value:
            return _NOTHING
        words = "property {} is required, if {} property exists"
        return [Failure(words.format(quoted(other), quoted(name))) for other in needed if other not in value]

    return rule


def _given(name: str, check: Check) -> _Rule:
    return lambda value: () if name not in value or (failure := check(value)) is None else (failure,)


def _unique(value: Sequence[Any]) -> Sequence[Failure]:
    if len(value) == len({item for item in value if isinstance(item, str)}):
        return _NOTHING
    for number in range(1, len(value)):
        for other in range(number):
            if _equal(value[number], value[other]):
                return (Failure(f"items at index {other} and {number} are equal"),)
    return _NOTHING


def _items(prefix: Sequence[Check], rest: Check | None) -> _Rule:
    def rule(value: Sequence[Any]) -> Sequence[Failure]:
        if rest is _refuse and len(value) > len(prefix):
            return (Failure(f"only {len(prefix)} items are allowed, but found {len(value)} items"),)
        found: list[Failure] = []
        for number, item in enumerate(value):
            check = prefix[number] if number < len(prefix) else rest
            if check is not None and (failure := check(item)) is not None:
                found.append(failure.under(number))
        return found

    return rule


def _contains(check: Check, least: int, most: int | None) -> _Rule:
    def rule(value: Sequence[Any]) -> Sequence[Failure]:
        failures = [(number, check(item)) for number, item in enumerate(value)]
        matched = sum(failure is None for _, failure in failures)
        if matched < least:
            causes = tuple(failure.under(number) for number, failure in failures if failure is not None)
            return (Failure(f"valid must be >= {least}, but got {matched}", (), causes),)
        return (Failure(f"valid must be <= {most}, but got {matched}"),) if most is not None and matched > most else _NOTHING

    return rule


def _every(check: Check) -> _Rule:
    return lambda value: () if (failure := check(value)) is None else (Failure("allOf failed", (), (failure,)),)


def _any(checks: Sequence[Check]) -> _Rule:
    def rule(value: Any) -> Sequence[Failure]:
        causes: list[Failure] = []
        for check in checks:
            failure = check(value)
            if failure is None:
                return _NOTHING
            causes.append(failure)
        return (Failure("anyOf failed", (), tuple(causes)),)

    return rule


def _one(branches: Sequence[tuple[tuple[str, ...] | None, Check]]) -> _Rule:
    # Most alternatives are of different types: the type alone tells which one a value can be.
    chosen = {
        name: [
            (number, check)
            for number, (types, check) in enumerate(branches)
            if types is None or name in types or (name == "number" and "integer" in types)
        ]
        for name in _ALL_KINDS
    }

    def rule(value: Any) -> Sequence[Failure]:
        first: int | None = None
        for number, check in chosen[_KINDS.get(type(value)) or kind(value)]:
            if check(value) is None:
                if first is not None:
                    return (Failure(f"valid against schemas at indexes {first} and {number}"),)
                first = number
        if first is not None:
            return _NOTHING
        failures = (check(value) for _, check in branches)
        return (Failure("oneOf failed", (), tuple(failure for failure in failures if failure is not None)),)

    return rule


def _conditional(condition: Check, then: Check, otherwise: Check) -> _Rule:
    def rule(value: Any) -> Sequence[Failure]:
        is_met = condition(value) is None
        failure = (then if is_met else otherwise)(value)
        return _NOTHING if failure is None else (Failure("if-then failed" if is_met else "if-else failed", (), (failure,)),)

    return rule


def _of_numbers(schema: Mapping[str, Any]) -> Iterator[_Rule]:
    # Draft 4 wrote `exclusiveMinimum: true` beside the minimum.
    for keyword, other, words, is_broken in _BOUNDS:
        bound = schema.get(keyword)
        if schema.get(other) is True and keyword in ("minimum", "maximum"):
            words = words.replace("=", "")  # noqa: PLW2901
            is_broken = _STRICTLY[keyword]  # noqa: PLW2901
        if isinstance(bound, (int, float)) and not isinstance(bound, bool):
            yield _bounded(bound, f"must be {words} {_number(bound)} but found {{}}", is_broken)
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


def _bounded(bound: float, words: str, is_broken: Callable[[Any, Any], bool]) -> _Rule:
    return lambda value: (Failure(words.format(_number(value))),) if is_broken(value, bound) else _NOTHING


def _multiple(step: float) -> _Rule:
    def rule(value: float) -> Sequence[Failure]:
        if (Fraction(str(value)) / Fraction(str(step))).denominator == 1:
            return _NOTHING
        return (Failure(f"{_number(value)} not multipleOf {_number(step)}"),)

    return rule


def _anchored(part: Any, name: str) -> Any:
    if isinstance(part, dict):
        if part.get("$anchor") == name:
            return part
        part = list(part.values())
    found = (_anchored(item, name) for item in part) if isinstance(part, list) else ()
    return next((item for item in found if item is not None), None)


def _equal(one: Any, other: Any) -> bool:
    what = kind(one)
    if what != kind(other):
        return False
    if what == "array":
        return len(one) == len(other) and all(map(_equal, one, other))
    if what == "object":
        return one.keys() == other.keys() and all(_equal(item, other[key]) for key, item in one.items())
    return bool(one == other)


def _number(value: float) -> str:
    """Write a number as Go does: whole ones without a point."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e21 else repr(value)


def _go(value: Any) -> str:
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
