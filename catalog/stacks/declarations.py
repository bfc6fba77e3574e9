"""What a component declares to depend on, as `describe dependents` and `describe affected` read it.

Atmos decodes these sections into Go structures, which refuse what has another type: one wrong value there and the whole section
counts as absent (or, for variables, the command fails). The catalog's own edges are more forgiving; see `dependencies`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.errors import EstateError
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.naming import TOKENS

_TEXT, _LIST = "text", "list"
# The variables that make a component's context, in the order in which the decoder complains.
_CONTEXT: Mapping[str, str] = {
    **dict.fromkeys((*TOKENS, "region", "component", "base_component", "component_path", "workspace"), _TEXT),
    "attributes": _LIST,
    **dict.fromkeys(("file", "folder", "terraform_workspace", "stack"), _TEXT),
}
_DEPENDENCY: Mapping[str, str] = dict.fromkeys(("component", "name", "stack", "kind", "path", *TOKENS), _TEXT)
_GO_TYPES: Mapping[type, str] = {
    bool: "bool",
    int: "int",
    float: "float64",
    dict: "map[string]interface {}",
    list: "[]interface {}",
}
_FILE_KINDS = ("file", "folder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One component that is depended on; `context` is what the old style says of its variables, None in the new style."""

    component: str
    stack: str = ""
    context: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One file or folder (`kind`) whose change affects the component."""

    kind: str
    path: str


def context(variables: Mapping[str, Any]) -> Map:
    """Return a component's context from its variables; raises EstateError in the decoder's words for one of a wrong type."""
    return _decoded(variables, _CONTEXT)


def components(entry: Mapping[str, Any]) -> Sequence[Wanted]:
    """Return the components that an entry depends on: `dependencies.components`, else `settings.depends_on`."""
    try:
        found = [
            Wanted(component=item["component"], stack=item.get("stack", ""))
            for item in _listed(entry)[0]
            if item.get("kind") not in _FILE_KINDS and item.get("component")
        ]
    except EstateError:
        found = []
    if found:
        return found
    return [
        Wanted(component=item.get("component", ""), stack=item.get("stack", ""), context=item)
        for item in _old_style(entry).values()
    ]


def watched(entry: Mapping[str, Any]) -> Sequence[Watched]:
    """Return the files and folders that an entry depends on: those of `dependencies`, else those of `settings.depends_on`."""
    if not entry.get("dependencies") and "depends_on" not in (entry.get("settings") or EMPTY):
        return ()
    found: list[Watched] = []
    try:
        listed, is_whole = _listed(entry)
        if is_whole:
            named = [(item["kind"], item["path"]) for item in listed if item.get("kind") in _FILE_KINDS]
            named += [("file", path) for path in _paths(entry, "files")] + [("folder", path) for path in _paths(entry, "folders")]
            found = [Watched(kind=kind, path=path) for kind, path in dict.fromkeys(named)]
    except EstateError:
        found = []
    if found:
        return found
    return [Watched(kind=kind, path=item[kind]) for item in _old_style(entry).values() for kind in _FILE_KINDS if item.get(kind)]


def _section(entry: Mapping[str, Any]) -> Map:
    section = entry.get("dependencies")
    return section if isinstance(section, dict) else EMPTY


def _paths(entry: Mapping[str, Any], key: str) -> list[str]:
    return [path for path in _section(entry).get(key) or () if path]


def _listed(entry: Mapping[str, Any]) -> tuple[list[Map], bool]:
    """The entries of `dependencies.components` with `name` read as `component`, and whether all of them hold.

    After the first entry that doesn't, Atmos leaves the rest as it is written. Raises EstateError where the decoder does.
    """
    section = _section(entry)
    _check_rest(section)
    items = [_decoded(item, _DEPENDENCY) for item in _list(section.get("components"), "components")]
    for number, item in enumerate(items):
        name = item.get("name")
        if name and item.get("component") not in (None, "", name):
            return items, False
        if name:
            items[number] = {**item, "component": name}
        if item.get("kind") in _FILE_KINDS and not item.get("path"):
            return items, False
    return items, True


def _check_rest(section: Map) -> None:
    tools = section.get("tools")
    if tools is not None and not (isinstance(tools, dict) and all(isinstance(item, (str, type(None))) for item in tools.values())):
        raise EstateError("'tools' expected a map of texts", code="DEPENDENCY")
    for key in ("files", "folders"):
        if not all(isinstance(item, (str, type(None))) for item in _list(section.get(key), key)):
            raise EstateError(f"'{key}' expected a list of texts", code="DEPENDENCY")
    for key in ("commands", "workflows"):
        if not all(isinstance(item, (dict, type(None))) for item in _list(section.get(key), key)):
            raise EstateError(f"'{key}' expected a list of maps", code="DEPENDENCY")


def _list(value: Any, key: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise EstateError(f"'{key}' source data must be an array or slice, got {_go_kind(value)}", code="DEPENDENCY")
    return value


def _old_style(entry: Mapping[str, Any]) -> Mapping[str, Map]:
    settings = entry.get("settings")
    if not isinstance(settings, dict) or not isinstance(settings.get("spacelift", EMPTY), (dict, type(None))):
        return EMPTY
    section = settings.get("depends_on")
    if not isinstance(section, dict):
        return EMPTY
    try:
        return {key: _decoded(item, _CONTEXT) for key, item in section.items()}
    except EstateError:
        return EMPTY


def _decoded(value: Any, fields: Mapping[str, str]) -> Map:
    """Decode a map as Go's mapstructure does: keys in any case, nulls as nothing, no conversion."""
    if value is None:
        return EMPTY
    if not isinstance(value, dict):
        words = f"expected a map or struct, got {_go_kind(value)!r}".replace("'", '"')
        raise EstateError(f"decoding failed due to the following error(s):\n\n'' {words}", code="DECODING")
    found: Map = {}
    wrong: list[str] = []
    others: Map = {}
    for key in value:
        if key not in fields and (folded := key.casefold()) in fields:
            others.setdefault(folded, value[key])
    for field, kind in fields.items():
        item = value[field] if field in value else others.get(field)
        if item is None:
            continue
        if kind == _LIST and not isinstance(item, list):
            wrong.append(f"'{field}' source data must be an array or slice, got {_go_kind(item)}")
        elif kind == _TEXT and not isinstance(item, str):
            wrong.append(f"'{field}' expected type 'string', got unconvertible type '{_go_type(item)}'")
        else:
            found[field] = item
    if wrong:
        lines = "\n".join(wrong)
        raise EstateError(f"decoding failed due to the following error(s):\n\n{lines}", code="DECODING")
    return found


def _go_type(value: Any) -> str:
    return next((name for kind, name in _GO_TYPES.items() if isinstance(value, kind)), "time.Time")


def _go_kind(value: Any) -> str:
    return (
        {"map[string]interface {}": "map", "[]interface {}": "slice"}.get(_go_type(value), _go_type(value))
        if not isinstance(value, str)
        else "string"
    )
