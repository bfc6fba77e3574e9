"""JSON Schema, draft 2020-12 and what older drafts write otherwise: where a value doesn't keep to a schema.

A schema is compiled once into closures, so that a value that keeps to it costs little more than a walk over it. What fails comes back
as a tree of `Failure`s in the words of the validator that Atmos uses (alternatives are inner nodes, their failures the leaves).
Keywords that need to know what other keywords have looked at (`unevaluatedProperties` and its like) are left to the jsonschema library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from catalog.errors import EstateError
from catalog.stacks import json_rules
from catalog.stacks.json_rules import Check, Failure, Step, quoted

__all__ = ["Check", "Failure", "Step", "compiled", "foreign", "quoted"]

# What no single look at a value can tell; where a schema has one of these, the library has the last word.
_FOREIGN = frozenset(
    ("unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef", "contentEncoding", "contentMediaType")
)
_OLD_DRAFTS = ("draft-04", "draft-06", "draft-07")


def foreign(schema: Any, *, careful: bool) -> Check:
    """Return the check of a schema that strangers wrote; raises EstateError (code SCHEMA) where it is no schema.

    A careful check takes no chances with their patterns: one that could keep the machine busy counts as matching.
    """
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415 - the library is slow to load, and rarely needed
    from jsonschema.validators import Draft202012Validator, validator_for  # noqa: PLC0415

    if not isinstance(schema, (dict, bool)):
        raise EstateError(f"jsonschema compilation failed: a schema is a map, not {json_rules.kind(schema)}", code="SCHEMA")
    try:
        if isinstance(schema, dict):
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
        return None if failure is None else json_rules.because("doesn't validate with the schema", failure)

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
            return json_rules.accept
        if schema is False:
            return json_rules.refuse
        types = _types(schema)
        rules = self._rules(schema)

        def check(value: Any) -> Failure | None:
            what = json_rules.KINDS.get(type(value)) or json_rules.kind(value)
            if types is not None and what not in types and not ("integer" in types and _is_whole(value, what)):
                return Failure(f"expected {' or '.join(types)}, but got {what}")
            found: list[Failure] | None = None
            for rule in rules[what]:
                failures = rule(value)
                if failures:
                    found = [*found, *failures] if found else list(failures)
            return None if found is None else found[0] if len(found) == 1 else Failure("", (), tuple(found))

        return check

    def _rules(self, schema: Mapping[str, Any]) -> dict[str, list[json_rules.Rule]]:
        """The rules for each type of value, in the order in which their failures are told."""
        first, last = self._of_any(schema), self._of_parts(schema)
        special = {
            "object": self._of_objects(schema),
            "array": self._of_arrays(schema),
            "string": self._of_strings(schema),
            "number": list(json_rules.of_numbers(schema)),
        }
        return {name: [*first, *special.get(name, ()), *last] for name in json_rules.ALL_KINDS}

    def _of_any(self, schema: Mapping[str, Any]) -> list[json_rules.Rule]:
        rules: list[json_rules.Rule] = []
        if "const" in schema:
            constant = schema["const"]
            words = "const failed" if isinstance(constant, (dict, list)) else f"value must be {json_rules.go(constant)}"
            rules.append(json_rules.when(lambda value: not json_rules.equal(value, constant), words))
        if "enum" in schema:
            rules.append(json_rules.among(schema["enum"]))
        if self.asserts_formats and isinstance(schema.get("format"), str):
            rules.append(json_rules.formatted(schema["format"]))
        return rules

    def _of_objects(self, schema: Mapping[str, Any]) -> list[json_rules.Rule]:
        rules: list[json_rules.Rule] = []
        if "minProperties" in schema:
            least = schema["minProperties"]
            rules.append(
                json_rules.sized(lambda size: size < least, f"minimum {least} properties allowed, but found {{}} properties")
            )
        if "maxProperties" in schema:
            most = schema["maxProperties"]
            rules.append(
                json_rules.sized(lambda size: size > most, f"maximum {most} properties allowed, but found {{}} properties")
            )
        if schema.get("required"):
            rules.append(json_rules.required(tuple(schema["required"])))
        if "propertyNames" in schema:
            rules.append(json_rules.names(self.check(schema["propertyNames"])))
        if {"properties", "patternProperties", "additionalProperties"} & schema.keys():
            rules.append(self._members(schema))
        return rules + self._of_dependent(schema)

    def _members(self, schema: Mapping[str, Any]) -> json_rules.Rule:
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
                found = [*(found or ()), *json_rules.unknown(value, unknown, others, tuple(properties))]
            return found or json_rules.NOTHING

        return rule

    def _of_dependent(self, schema: Mapping[str, Any]) -> list[json_rules.Rule]:
        rules: list[json_rules.Rule] = []
        for keyword in ("dependencies", "dependentRequired", "dependentSchemas"):
            for name, needed in schema.get(keyword, {}).items():
                rules.append(
                    json_rules.together(name, needed) if isinstance(needed, list) else json_rules.given(name, self.check(needed))
                )
        return rules

    def _of_arrays(self, schema: Mapping[str, Any]) -> list[json_rules.Rule]:
        rules: list[json_rules.Rule] = []
        if "minItems" in schema:
            least = schema["minItems"]
            rules.append(json_rules.sized(lambda size: size < least, f"minimum {least} items required, but found {{}} items"))
        if "maxItems" in schema:
            most = schema["maxItems"]
            rules.append(json_rules.sized(lambda size: size > most, f"maximum {most} items required, but found {{}} items"))
        if schema.get("uniqueItems") is True:
            rules.append(json_rules.distinct)
        items = schema.get("items")
        prefix = items if isinstance(items, list) else schema.get("prefixItems", [])
        rest = schema.get("additionalItems") if isinstance(items, list) else items
        if prefix or rest is not None:
            rules.append(json_rules.items([self.check(part) for part in prefix], None if rest is None else self.check(rest)))
        if "contains" in schema:
            rules.append(
                json_rules.contains(self.check(schema["contains"]), schema.get("minContains", 1), schema.get("maxContains"))
            )
        return rules

    def _of_strings(self, schema: Mapping[str, Any]) -> list[json_rules.Rule]:
        rules: list[json_rules.Rule] = []
        if "minLength" in schema:
            least = schema["minLength"]
            rules.append(json_rules.sized(lambda size: size < least, f"length must be >= {least}, but got {{}}"))
        if "maxLength" in schema:
            most = schema["maxLength"]
            rules.append(json_rules.sized(lambda size: size > most, f"length must be <= {most}, but got {{}}"))
        if "pattern" in schema:
            matches = self._pattern(schema["pattern"])
            rules.append(json_rules.when(lambda value: not matches(value), f"does not match pattern {quoted(schema['pattern'])}"))
        return rules

    def _of_parts(self, schema: Mapping[str, Any]) -> list[json_rules.Rule]:
        """References to other schemas, and combinations of several."""
        rules: list[json_rules.Rule] = []
        if "$ref" in schema:
            rules.append(self._reference(schema["$ref"]))
        if "not" in schema:
            refused = self.check(schema["not"])
            rules.append(json_rules.when(lambda value: refused(value) is None, "not failed"))
        rules += [json_rules.all_of(self.check(part)) for part in schema.get("allOf", ())]
        if "anyOf" in schema:
            rules.append(json_rules.any_of([self.check(part) for part in schema["anyOf"]]))
        if "oneOf" in schema:
            rules.append(json_rules.one_of([(self._kinds(part), self.check(part)) for part in schema["oneOf"]]))
        if "if" in schema:
            branches = (self.check(schema.get("then", True)), self.check(schema.get("else", True)))
            rules.append(json_rules.conditional(self.check(schema["if"]), *branches))
        if _FOREIGN & schema.keys():
            rules.append(self._foreign(schema))
        return rules

    def _reference(self, text: str) -> json_rules.Rule:
        target = self._target(text)
        known = self.known

        def rule(value: Any) -> Sequence[Failure]:
            check = known.get(id(target))
            if check is None:
                check = known[id(target)] = self.check(target)
            failure = check(value)
            return (
                json_rules.NOTHING if failure is None else (json_rules.because(f"doesn't validate with {quoted(text)}", failure),)
            )

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

    def _foreign(self, schema: Mapping[str, Any]) -> json_rules.Rule:
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


def _types(schema: Mapping[str, Any]) -> tuple[str, ...] | None:
    types = schema.get("type")
    return None if types is None else (types,) if isinstance(types, str) else tuple(types)


def _is_whole(value: Any, what: str) -> bool:
    return what == "number" and (isinstance(value, int) or float(value).is_integer())


def _anchored(part: Any, name: str) -> Any:
    if isinstance(part, dict):
        if part.get("$anchor") == name:
            return part
        part = list(part.values())
    found = (_anchored(item, name) for item in part) if isinstance(part, list) else ()
    return next((item for item in found if item is not None), None)
