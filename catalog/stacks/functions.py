"""The function pass: YAML functions in a merged component entry, evaluated as Atmos does.

A function is text that begins with its name, whether it was written as a tag or as a quoted string. Only values are looked at, never
keys, in maps and lists of every section. What nobody may answer stays as its text (`lookup.Deferred`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from catalog.errors import EstateError, NotGiven, NotProvisioned, UnknownStore
from catalog.stacks import arguments, outputs, references
from catalog.stacks.expressions import select
from catalog.stacks.lookup import NOTHING, Deferred, Lookup
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.texts import Texts

Path = tuple[str | int, ...]

COMPUTED = "(computed)"  # what Atmos prints for an output that doesn't exist yet
REMOVED = object()  # what `!unset` gives: the key or item goes away

# The functions whose contributions of all layers are merged after they are evaluated (see `deferred`).
_MERGED_LATE = ("!template", "!terraform.output", "!terraform.state", "!store", "!exec", "!env", "!labels", "!tags")
_NAME = re.compile(r"![A-Za-z0-9._-]+")
_UNSET = "!unset"
_GIT_FACTS = ("root", "sha", "ref", "branch", "repository", "owner", "name", "host", "url")
_AWS_FACTS = ("account_id", "caller_identity_arn", "caller_identity_user_id", "region", "organization_id")
_LITERAL = frozenset({"mocks", "sources"})  # sections in which nothing is evaluated


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Where functions are evaluated, and whom they may ask.

    `env` is the section that `!env` looks in first, `environment` the variables behind it (None: the lookup's), `metadata` what
    `!tags` and `!labels` print. `describe` gives the entry of another component in a stack, evaluated, for the text of a function;
    it refuses cycles. `query` evaluates a yq expression. `version` answers `!version`. `skip` holds names without `!`. `error_mode`
    is strict, warn or silent. With `lose`, an error is reported with its path and the text stays; without it, errors are raised.
    `enabled` is False for a component that metadata disables: it keeps its terraform functions.
    """

    component: str
    stack: str
    env: Map = field(default_factory=lambda: EMPTY)
    metadata: Map = field(default_factory=lambda: EMPTY)
    lookup: Lookup = NOTHING
    describe: Callable[[str, str, str], Map] | None = None
    query: Callable[[str, Any], Any] | None = None
    version: Callable[[str], str] | None = None
    environment: Mapping[str, str] | None = None
    skip: frozenset[str] = frozenset()
    error_mode: str = "strict"
    enabled: bool = True
    lose: Callable[[Path, EstateError], None] | None = None
    texts: Texts = field(default_factory=Texts)


def evaluated(entry: Map, here: Here) -> Map:
    """Return the entry with its functions evaluated; the very same entry when it holds none."""
    if not here.texts.has_function(entry):
        return entry
    result = {}
    for key, item in entry.items():
        found = item if key in _LITERAL else _evaluated(item, here, (key,))
        if found is not REMOVED:
            result[key] = found
    return result


def value(text: str, here: Here) -> Any:
    """Return what one text gives: text that is no function comes back as it is, `!unset` gives REMOVED.

    For `atmos.Resolve` and deferred merging. Raises EstateError even where `here` could lose it.
    """
    return _called(text, here) if text[:1] == "!" else text


def merges_late(text: Any) -> bool:
    """Tell whether a value is one of the functions whose results are merged over all layers of a component."""
    return isinstance(text, str) and text.startswith(_MERGED_LATE)


def decoded(text: str) -> Any:
    """Return text as the JSON it is, with Go's numbers (every one a float); other text as it is."""
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return text
    return _mended(value) if "\\ud" in text or "\\uD" in text else value


def _mended(value: Any) -> Any:
    """Replace halves of characters, which JSON can write and Go doesn't keep."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return [_mended(item) for item in value] if isinstance(value, list) else value


def _number(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError(text)
    return number


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(text)


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_refuse_constant)


def _evaluated(item: Any, here: Here, path: Path) -> Any:
    if isinstance(item, str):
        return _text(item, here, path) if item[:1] == "!" else item
    if not isinstance(item, (dict, list)) or not here.texts.has_function(item):
        return item
    if isinstance(item, list):
        items = [_evaluated(below, here, (*path, index)) for index, below in enumerate(item)]
        return [found for found in items if found is not REMOVED]
    result = {}
    for key, below in item.items():
        if isinstance(below, str):
            found = _text(below, here, (*path, key)) if below[:1] == "!" else below
        else:
            found = _evaluated(below, here, (*path, key)) if isinstance(below, (dict, list)) else below
        if found is not REMOVED:
            result[key] = found
    return result


def _text(text: str, here: Here, path: Path) -> Any:
    if isinstance(text, Deferred):
        return text  # it couldn't be rendered
    if text.startswith(_UNSET) and "unset" not in here.skip:
        return REMOVED
    try:
        return _called(text, here)
    except NotProvisioned as error:
        return COMPUTED if here.error_mode != "strict" else _lost(text, error, here, path)
    except EstateError as error:
        return _lost(text, error, here, path)


def _lost(text: str, error: EstateError, here: Here, path: Path) -> str:
    if here.lose is None:
        raise error
    here.lose(path, error)
    return text


def _called(text: str, here: Here) -> Any:
    found = _NAME.match(text)
    name = found.group() if found else ""
    function = _FUNCTIONS.get(name)
    if function is None or name[1:] in here.skip:
        return text
    if not here.enabled and name in {"!terraform.state", "!terraform.output"}:
        return text
    try:
        return function(text, name, here)
    except NotGiven:
        return Deferred(text)


def _argument(text: str, name: str) -> str:
    rest = text[len(name) :].strip()
    if not rest:
        raise EstateError(f"invalid Atmos YAML function: {text}", code="FUNCTION")
    return rest


def _unset(text: str, name: str, here: Here) -> Any:
    del text, name, here
    return REMOVED


def _template(text: str, name: str, here: Here) -> Any:
    del here
    return decoded(_argument(text, name))


def _execute(text: str, name: str, here: Here) -> Any:
    return decoded(here.lookup.execute(_argument(text, name), text).rstrip("\n"))


def _environment(text: str, name: str, here: Here) -> str:
    try:
        variable, default = arguments.environment(_argument(text, name))
    except EstateError as error:
        if error.message.startswith("invalid Atmos"):
            raise
        raise EstateError(f"invalid Atmos YAML function: {error.message}: {text}", code="FUNCTION") from error
    if variable in here.env:
        shown = references.printed(here.env[variable])
        return str(here.env[variable]) if shown is None else shown
    variables = here.lookup.environment() if here.environment is None else here.environment
    return variables.get(variable, default)


def _terraform(text: str, name: str, here: Here) -> Any:
    wanted = arguments.output(_argument(text, name))
    read = outputs.state if name == "!terraform.state" else outputs.output
    return read(wanted, text, here)


def _store(text: str, name: str, here: Here) -> Any:
    try:
        wanted = arguments.stored(_argument(text, name))
    except EstateError as error:
        if error.message.startswith("invalid Atmos"):
            raise
        return f"invalid YAML function: {text}"
    path = wanted.path if len(wanted.path) > 2 else (here.stack, *wanted.path)
    key = path[-1]
    try:
        found = here.lookup.store(wanted.store, path, text)
    except UnknownStore as error:
        words = f"failed to execute YAML function {text}. Store {wanted.store} not found"
        raise EstateError(words, code="STORE") from error
    except KeyError as error:
        if wanted.default is not None:
            return wanted.default
        words = f"error executing YAML function {text}. Failed to get key {key}. Error: {error.args[0]}"
        raise EstateError(words, code="STORE") from error
    return select(wanted.query, found, here.query) if wanted.query else found


def _stored_as_is(text: str, name: str, here: Here) -> Any:
    try:
        wanted = arguments.stored_as_is(_argument(text, name))
    except EstateError as error:
        if error.message.startswith("invalid Atmos"):
            raise
        without_value = error.message.endswith("expected option value")
        return f"{'invalid parameters after pipe' if without_value else 'invalid YAML function'}: {text}"
    key = wanted.path[0]
    try:
        found = here.lookup.store(wanted.store, wanted.path, text)
    except UnknownStore as error:
        words = f"failed to execute YAML function {text}. store not found: {wanted.store}"
        raise EstateError(words, code="STORE") from error
    except KeyError as error:
        if wanted.default is not None:
            return wanted.default
        words = f"failed to get key from store: failed to execute YAML function {text} for key {key}: {error.args[0]}"
        raise EstateError(words, code="STORE") from error
    if found is None and wanted.default is not None:
        return wanted.default
    return select(wanted.query, found, here.query) if wanted.query else found


def _secret(text: str, name: str, here: Here) -> Any:
    secret, *modifiers = text[len(name) :].split("|")
    if not secret.strip():
        raise EstateError("secret name cannot be empty", code="SECRET")
    for modifier in modifiers:
        keyword, blank, _ = modifier.strip().partition(" ")
        if not blank:
            raise EstateError(f'invalid !secret arguments: invalid modifier "{modifier}"', code="SECRET")
        if keyword.strip("\"'") not in {"path", "default"}:
            raise EstateError(f'invalid !secret arguments: unknown modifier "{keyword}"', code="SECRET")
    return here.lookup.secret(text)


def _git(text: str, name: str, here: Here) -> str:
    default = text[len(name) :].strip()
    fact = {"!repo-root": "root", "!git.ref": "sha"}.get(name) or name.removeprefix("!git.")
    try:
        found = here.lookup.git(fact)
    except NotGiven:
        raise
    except EstateError:
        if default:
            return default
        raise
    if not found and not default:
        raise EstateError("failed to get repository info", code="GIT")
    return found or default


def _aws(text: str, name: str, here: Here) -> Any:
    return here.lookup.aws(name.removeprefix("!aws.")) if text == name else text


def _emulator(text: str, name: str, here: Here) -> Any:
    words = _argument(text, name).split()
    if len(words) != 2:
        asked = json.dumps(_argument(text, name), ensure_ascii=False)
        raise EstateError(f"emulator configuration invalid: `!emulator` expects `<ref> <key>`, got {asked}", code="EMULATOR")
    return here.lookup.emulator(words[0], words[1], here.stack)


def _version(text: str, name: str, here: Here) -> str:
    wanted = _argument(text, name)
    if here.version is None:
        raise NotGiven(f"the version of {wanted} is not known here")
    return here.version(wanted)


def _tags(text: str, name: str, here: Here) -> Any:
    tags = here.metadata.get("tags")
    if text != name:
        return text
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _labels(text: str, name: str, here: Here) -> Any:
    written = here.metadata.get("labels")
    if text != name:
        return text
    labels = {key: label for key, label in written.items() if isinstance(label, str)} if isinstance(written, dict) else {}
    if name == "!labels":
        return labels
    names = sorted(labels, key=str.encode)
    return names if name == "!labels.keys" else [labels[key] for key in names]


_FUNCTIONS: Mapping[str, Callable[[str, str, Here], Any]] = {
    "!unset": _unset,
    "!template": _template,
    "!exec": _execute,
    "!env": _environment,
    "!terraform.state": _terraform,
    "!terraform.output": _terraform,
    "!store": _store,
    "!store.get": _stored_as_is,
    "!secret": _secret,
    **dict.fromkeys(("!repo-root", *(f"!git.{fact}" for fact in _GIT_FACTS)), _git),
    **dict.fromkeys((f"!aws.{fact}" for fact in _AWS_FACTS), _aws),
    "!emulator": _emulator,
    "!version": _version,
    "!tags": _tags,
    "!labels": _labels,
    "!labels.keys": _labels,
    "!labels.values": _labels,
}
