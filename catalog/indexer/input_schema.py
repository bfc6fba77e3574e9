"""From a Terraform module's variables to JSON Schema 2020-12: what self-service forms show and requests are checked against.

The schema refuses nothing of the right type that Terraform accepts (but null as an element): validations that translate become
keywords, the others stay as `x-terraform-validation` for `terraform plan` to judge. A default that the variable's own validations
refuse is none, as Terraform sees it: such a variable is required. Keywords of our own: `x-terraform-type` (the type as written),
`x-sensitive`, `x-format: cidr`, `x-messages` (error messages of the translated validations), `x-deprecated` (what to do instead)
and, at the root, `x-pending`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from catalog.engines import hcl
from catalog.stacks import json_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]
# What a constraint gives: a schema that demands no more than it (None: nothing), and whether it demands all of it.
Fragment = tuple[Schema | None, bool]

_NOTHING: Fragment = (None, False)
_SCALARS = {"string": "string", "number": "number", "bool": "boolean"}
_LENGTHS = {
    ("min_length", "string"): "minLength",
    ("max_length", "string"): "maxLength",
    ("min_length", "list"): "minItems",
    ("max_length", "list"): "maxItems",
    ("min_length", "set"): "minItems",
    ("max_length", "set"): "maxItems",
    ("min_length", "map"): "minProperties",
    ("max_length", "map"): "maxProperties",
}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_WORD = re.compile(r"(?!(?:true|false)$)[A-Za-z]")
_BOUNDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusive_minimum": "exclusiveMinimum",
    "exclusive_maximum": "exclusiveMaximum",
}
# RE2 syntax that ECMA-262 writes otherwise: classes by name, anchors of the whole text, groups with a name.
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "digit": "0-9", "lower": "a-z", "upper": "A-Z", "space": r"\s", "word": r"\w",
    "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_SPELLED_OTHERWISE = re.compile(r"(?P<kept>\\[^AzP])|\[:(?P<class>[a-z]+):\]|(?P<start>\\A)|(?P<end>\\z)|(?P<group>\(\?P?<\w+>)")
# What is left then that ECMA-262 reads otherwise or not at all: flags, Unicode classes, \Q…\E.
_ONLY_RE2 = re.compile(r"\(\?(?!:)|\\[QEpPCaAz]|\\x\{|\[:")


def of_module(module: hcl.Module) -> Schema:
    """Return the schema of a module's variables; those without a default that holds are required."""
    properties = {variable.name: of_variable(variable) for variable in module.variables}
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": properties,
        "required": [
            variable.name
            for variable in module.variables
            if not variable.has_default or not (_is_secret(variable) or "default" in properties[variable.name])
        ],
        "additionalProperties": False,
    }


def of_unread(sensitive: Iterable[str], *, pending: bool) -> Schema:
    """Return the schema of code that wasn't parsed (yet): anything goes, but what may be a secret is marked."""
    schema: Schema = {
        "$schema": DIALECT,
        "type": "object",
        "properties": {name: {"writeOnly": True, "x-sensitive": True} for name in sorted(sensitive)},
    }
    return {**schema, "x-pending": True} if pending else schema


def of_variable(variable: hcl.Variable) -> Schema:
    """Return the schema of one variable."""
    schema = of_type(variable.type)
    default = converted(variable.default, variable.type)
    _admit_nulls(schema, default)
    if variable.nullable and ((variable.has_default and variable.default is None) or _mentions_null(variable)):
        schema = _or_null(schema)
    rest, messages = [], []
    for validation in variable.validations:
        fragment, exact = translate(validation.constraint, variable.type)
        _merge(schema, fragment or {})
        if exact and validation.exact:
            messages.append(validation.error_message)
        else:
            rest.append({"condition": validation.condition, "error_message": validation.error_message})
    secret = _is_secret(variable)
    beside = {
        "description": variable.description,
        "x-terraform-type": variable.type_expression,
        "x-terraform-validation": rest or None,
        "x-messages": messages or None,
        "writeOnly": secret or None,
        "x-sensitive": secret or None,
        "deprecated": variable.deprecated is not None or None,
        "x-deprecated": variable.deprecated,
    }
    schema.update({keyword: value for keyword, value in beside.items() if value is not None})
    if variable.has_default and not secret and json_schema.compiled(schema, careful=True)(default) is None:
        schema["default"] = default
    return schema


def _is_secret(variable: hcl.Variable) -> bool:
    return variable.sensitive or variable.ephemeral


def converted(value: Any, tree: Mapping[str, Any]) -> Any:
    """Return a value as Terraform takes it for a type: scalars become those that the type wants, where they can."""
    kind = tree["kind"]
    if kind in _SCALARS:
        return _scalar(value, kind)
    if isinstance(value, list) and kind in ("list", "set", "tuple"):
        inner = tree.get("elements", ()) if kind == "tuple" else [tree["element"]] * len(value)
        items = [converted(item, of) for item, of in zip(value, inner, strict=True)] if len(inner) == len(value) else value
        return [item for at, item in enumerate(items) if item not in items[:at]] if kind == "set" else items
    if isinstance(value, Mapping) and kind in ("map", "object"):
        # Terraform drops what an object's type doesn't name.
        return {name: converted(item, of) for name, item in value.items() if (of := _below(tree, name)) is not None}
    return value


def _scalar(value: Any, kind: str) -> Any:
    if kind == "string":
        return value if value is None or isinstance(value, (str, list, Mapping)) else json.dumps(value)
    if kind == "number" and isinstance(value, str) and _NUMBER.fullmatch(value):
        number = json.loads(value)
        return number if math.isfinite(number) else value
    return {"true": True, "false": False}.get(value, value) if kind == "bool" and isinstance(value, str) else value


def _admit_nulls(schema: Schema, value: Any) -> None:
    """Allow null, in place, for the elements of collections where a default has one."""
    parts: list[tuple[Schema, Any]] = []
    if isinstance(value, list):
        parts = [*zip(schema.get("prefixItems", ()), value, strict=False)]
        parts += [(schema["items"], item) for item in value if "items" in schema]
    elif isinstance(value, Mapping) and "properties" in schema:
        parts = [(schema["properties"][name], item) for name, item in value.items()]
    elif isinstance(value, Mapping) and "additionalProperties" in schema:
        parts = [(schema["additionalProperties"], item) for item in value.values()]
    for part, item in parts:
        if item is None:
            part.update(_or_null(part))
        else:
            _admit_nulls(part, item)


def of_type(tree: Mapping[str, Any]) -> Schema:
    """Return the schema of a type constraint's tree; `any` is the schema that accepts everything."""
    kind = tree["kind"]
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    if kind in ("list", "set"):
        unique = {"uniqueItems": True} if kind == "set" else {}
        return {"type": "array", "items": of_type(tree["element"]), **unique}
    if kind == "map":
        return {"type": "object", "additionalProperties": of_type(tree["element"])}
    if kind == "tuple":
        elements = [of_type(element) for element in tree.get("elements", ())]
        return {"type": "array", "prefixItems": elements, "minItems": len(elements), "maxItems": len(elements)}
    if kind == "object":
        return _object(tree.get("attributes", {}))
    return {}


def _object(attributes: Mapping[str, Mapping[str, Any]]) -> Schema:
    return {
        "type": "object",
        "properties": {name: _attribute(attribute) for name, attribute in attributes.items()},
        "required": [name for name, attribute in attributes.items() if not attribute["optional"]],
    }


def _attribute(attribute: Mapping[str, Any]) -> Schema:
    schema = _or_null(of_type(attribute["type"]))  # to Terraform null is a value of every attribute
    if "default" in attribute:
        schema["default"] = converted(attribute["default"], attribute["type"])
        _admit_nulls(schema, schema["default"])
    return schema


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]} if isinstance(schema.get("type"), str) else schema


def translate(constraint: Mapping[str, Any] | None, tree: Mapping[str, Any]) -> Fragment:
    """Return what a constraint on a value of that type means as a schema."""
    if constraint is None:
        return _NOTHING
    rule = _RULES.get(constraint["operation"])
    return rule(constraint, tree) if rule else _NOTHING


def _all(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    merged: Schema = {}
    whole = True
    for part in constraint["of"]:
        fragment, exact = translate(part, tree)
        _merge(merged, fragment or {})
        whole = whole and exact
    return merged or None, whole


def _any(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    parts = [part for part in constraint["of"] if not _is_null(part)]
    with_null = len(parts) < len(constraint["of"])
    fragments = [translate(part, tree) for part in parts]
    if any(fragment is None for fragment, _ in fragments):
        return _NOTHING
    schemas = [fragment for fragment, _ in fragments if fragment]
    whole = all(exact for _, exact in fragments)
    if all(schema.keys() == {"enum"} for schema in schemas):
        values = [value for schema in schemas for value in schema["enum"]]
        return {"enum": [*values, None] if with_null else values}, whole
    if with_null and len(schemas) == 1 and "enum" in schemas[0]:
        return {**schemas[0], "enum": [*schemas[0]["enum"], None]}, whole
    if with_null and len(schemas) == 1:
        return schemas[0], whole  # its keywords say nothing about null
    return {"anyOf": [*schemas, {"type": "null"}] if with_null else schemas}, whole


def _not(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    fragment, exact = translate(constraint["of"][0], tree)
    return ({"not": fragment}, True) if exact else _NOTHING


def _enum(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    # Where anything goes "1" and 1 or "true" and true are the same to Terraform: only words are surely what they are.
    plain = tree["kind"] != "any" or all(
        value is None or (isinstance(value, str) and _WORD.match(value)) for value in constraint["value"]
    )
    return ({"enum": constraint["value"]}, True) if plain else _NOTHING


def _pattern(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    text = _SPELLED_OTHERWISE.sub(_spelled, constraint["value"])
    if tree["kind"] != "string" or _ONLY_RE2.search(text):
        return _NOTHING
    try:
        re.compile(text)
    except re.error:
        return _NOTHING
    return {"pattern": text}, True


def _spelled(found: re.Match[str]) -> str:
    if found["class"]:
        return _CLASSES.get(found["class"], found[0])
    return found["kept"] or (found["start"] and "^") or (found["end"] and "$") or "("


def _bound(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    return ({_BOUNDS[constraint["operation"]]: constraint["value"]}, True) if tree["kind"] == "number" else _NOTHING


def _length(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    keyword = _LENGTHS.get((constraint["operation"], tree["kind"]))
    return ({keyword: max(0, constraint["value"])}, True) if keyword else _NOTHING


def _integer(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    del constraint
    return ({"type": "integer"}, True) if tree["kind"] == "number" else _NOTHING


def _unique(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    del constraint
    return ({"uniqueItems": True}, True) if tree["kind"] in ("list", "set") else _NOTHING


def _cidr(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    del constraint
    return ({"x-format": "cidr"}, True) if tree["kind"] == "string" else _NOTHING


def _key(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    return ({"required": [constraint["name"]]}, True) if tree["kind"] == "map" else _NOTHING


def _property(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    name = constraint["name"]
    inner = _below(tree, name)
    if inner is None:
        return _NOTHING
    fragment, exact = translate(constraint["of"][0], inner)
    return ({"properties": {name: fragment}}, exact) if fragment else _NOTHING


def _below(tree: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The type of what has a name in a value of a type: `any` where anything may be there, None where nothing can be."""
    if tree["kind"] == "map":
        found: Mapping[str, Any] = tree["element"]
        return found
    return tree if tree["kind"] == "any" else tree.get("attributes", {}).get(name, {}).get("type")


def _items(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    keyword = {"list": "items", "set": "items", "map": "additionalProperties"}.get(tree["kind"])
    if keyword is None:
        return _NOTHING
    fragment, exact = translate(constraint["of"][0], tree["element"])
    return ({keyword: fragment}, exact) if fragment else _NOTHING


def _names(constraint: Mapping[str, Any], tree: Mapping[str, Any]) -> Fragment:
    if tree["kind"] != "map":
        return _NOTHING
    fragment, exact = translate(constraint["of"][0], {"kind": "string"})
    return ({"propertyNames": fragment}, exact) if fragment else _NOTHING


_RULES: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Fragment]] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "enum": _enum,
    "pattern": _pattern,
    "minimum": _bound,
    "maximum": _bound,
    "exclusive_minimum": _bound,
    "exclusive_maximum": _bound,
    "min_length": _length,
    "max_length": _length,
    "integer": _integer,
    "unique": _unique,
    "cidr": _cidr,
    "key": _key,
    "property": _property,
    "items": _items,
    "names": _names,
}

_TWINS = {"properties": "additionalProperties", "additionalProperties": "properties"}


def _merge(schema: Schema, fragment: Schema) -> None:
    """Put a fragment's keywords into a schema in place; a keyword that is taken goes below `allOf`."""
    for keyword, value in fragment.items():
        present = schema.get(keyword)
        if present is None and _TWINS.get(keyword) in schema:
            schema.setdefault("allOf", []).append({keyword: value})  # beside its twin it would mean something else
        elif present is None or present == value:
            schema[keyword] = value
        elif keyword == "type" and value == "integer":
            schema["type"] = (
                ["integer" if kind == "number" else kind for kind in present] if isinstance(present, list) else "integer"
            )
        elif keyword == "required":
            schema["required"] = [*present, *(name for name in value if name not in present)]
        elif keyword == "properties":
            for name, inner in value.items():
                _merge(present.setdefault(name, {}), inner)
        elif keyword in ("items", "additionalProperties", "propertyNames") and isinstance(present, dict):
            _merge(present, value)
        else:
            schema.setdefault("allOf", []).append({keyword: value})


def _is_null(constraint: Mapping[str, Any]) -> bool:
    return bool(constraint["operation"] == "enum" and constraint["value"] == [None])


def _mentions_null(variable: hcl.Variable) -> bool:
    return any(
        validation.constraint is not None
        and validation.constraint["operation"] == "any"
        and any(_is_null(part) for part in validation.constraint["of"])
        for validation in variable.validations
    )
