"""The template engine: Go's own text/template with the functions of sprig and gomplate, and what a template asks of the host.

Errors are Go's own, to the letter. A template sees no environment, files or network but what `Options` and the host hand in; what
it asks for beyond that is *deferred*: rendering ends with `NotGiven`, and the caller keeps the text as it is written.
"""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.engines import cache, hcl, yq
from catalog.engines.rendering import PLAIN, Host, Options, Reference
from catalog.engines.runner import Runner
from catalog.errors import EstateError, NotGiven, Unavailable

NAME = "template"

_DONE, _FAILED, _DEFERRED = 0, 1, 2
_KEPT = 32  # values held inside the engine at once


class Engine:
    """Renders templates. Cheap to make: the first call that needs the engine compiles or opens it, once per machine or process.

    `deadline` is in seconds, `memory` in megabytes, both for one rendering. Threads may share it; they wait for each other.
    """

    def __init__(self, directory: Path, *, deadline: float = 10.0, memory: int = 512) -> None:
        self._directory = directory
        self._limits: dict[str, Any] = {"deadline": deadline, "memory": memory}
        self._runner: Runner | None = None
        self._yq: yq.YqEngine | None = None
        self._hcl: hcl.HclEngine | None = None
        self._kept: OrderedDict[int, tuple[int, Any]] = OrderedDict()
        self._generation = 0
        self._next = 0
        self._hosts: list[Host | None] = []
        self._raised: BaseException | None = None

    def ready(self) -> bool:
        """Tell whether the engine is compiled, so that the first call takes milliseconds."""
        return self._runner is not None or cache.ready(NAME, self._directory)

    def render(self, text: str, name: str, data: Mapping[str, Any], options: Options = PLAIN, host: Host | None = None) -> str:
        """Return the rendered text.

        Raises EstateError (code TEMPLATE) in Go's words, NotGiven when the template asks for what isn't handed in. The data is sent
        once and kept while the same mapping is handed in again, so it must not change.
        """
        runner = self._opened()
        with runner.lock:  # data, host and call belong together
            return self._rendered(runner, text, name, data, options, host)

    def _rendered(self, runner: Runner, text: str, name: str, data: Mapping[str, Any], options: Options, host: Host | None) -> str:
        request = {
            "text": text,
            "name": name,
            "data": self._handle(runner, data),
            "sprig": options.sprig,
            "gomplate": options.gomplate,
            "missing": options.missing,
            "left": options.left,
            "right": options.right,
            "environment": options.environment if "nv" in text else None if options.environment is None else {},
            "pure": options.pure,
            "host": host is not None,
        }
        self._hosts.append(host)
        try:
            answer = runner.call("render", _bytes(request))
        except Unavailable as error:
            raise EstateError(f"template: {name}: {error.message}", code="TEMPLATE") from error
        finally:
            self._hosts.pop()
        status, told = answer[0], answer[1:].decode("utf-8", "replace")
        if status == _DONE:
            return told
        raised, self._raised = self._raised, None
        if status == _DEFERRED:
            raise NotGiven(f"{told} asks for what is not known here") from raised
        raise EstateError(told, code="TEMPLATE") from raised

    def references(self, text: str, name: str) -> tuple[tuple[str, ...], ...] | None:
        """Return the field paths that a template refers to; None where it needs more than Go's built-in functions, or is wrong.

        As for Atmos, which orders locals by them, neither `$.a.b` nor what lies in `(…).a` counts.
        """
        request = {"text": text, "name": name, "left": "{{", "right": "}}"}
        found = json.loads(self._opened().call("references", _bytes(request))[1:])
        return None if found is None else tuple(map(tuple, found))

    def query(self, expression: str, value: Any) -> Any:
        """Return what a yq expression gives for a value; raises EstateError in yq's words."""
        if self._yq is None:
            self._yq = yq.YqEngine(self._directory)
        try:
            return self._yq.query(expression, value)
        except Unavailable as error:
            raise EstateError(f"the expression can't be evaluated: {error.message}", code="QUERY") from error

    def attributes(self, content: bytes, name: str) -> Any:
        """Return the assignments of a `.tfvars` or `.hcl` file as data; raises EstateError in the parser's words."""
        if self._hcl is None:
            self._hcl = hcl.open_prepared(self._directory)
        try:
            return self._hcl.attributes(name, content)
        except Unavailable as error:
            raise EstateError(f"{name} can't be read: {error.message}", code="INCLUDE") from error

    def _opened(self) -> Runner:
        if self._runner is None:
            cache.prepare(NAME, self._directory)
            self._runner = Runner(NAME, self._directory, host=self._answer, **self._limits)
        return self._runner

    def _handle(self, runner: Runner, data: Mapping[str, Any]) -> int:
        runner.ready()
        if runner.generation != self._generation:
            self._kept.clear()
            self._generation = runner.generation
        known = self._kept.get(id(data))
        if known is not None:
            self._kept.move_to_end(id(data))
            return known[0]
        self._next += 1
        answer = runner.call("keep", self._next.to_bytes(4, "little") + _bytes(data))
        if answer[0] != _DONE:
            raise EstateError(f"template data: {answer[1:].decode('utf-8', 'replace')}", code="TEMPLATE")
        self._kept[id(data)] = (self._next, data)
        if len(self._kept) > _KEPT:
            _, (oldest, _) = self._kept.popitem(last=False)
            runner.ready().invoke("drop", oldest)
        return self._next

    def _answer(self, request: bytes) -> bytes:
        """Serve what a template asks: a status and JSON, or a message."""
        asked = json.loads(request)
        function: str = asked["function"]
        host = self._hosts[-1]
        if host is None:
            return bytes([_DEFERRED]) + function.encode()
        try:
            return bytes([_DONE]) + _bytes(host(function, asked["arguments"] or []))
        except EstateError as error:
            self._raised = error
            if error.code == NotGiven.code:
                return bytes([_DEFERRED]) + function.encode()
            return bytes([_FAILED]) + error.message.encode("utf-8", "replace")


def _bytes(value: Any) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_encoded)
    except ValueError:  # infinite, or not a number: JSON has neither
        text = json.dumps(_marked(value), ensure_ascii=False, default=_encoded)
    return text.encode("utf-8", "replace")


def _marked(value: Any) -> Any:
    """Return the value with what is no finite number marked for the engine."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"\0float": str(value)}
    if isinstance(value, Mapping):
        return {key: _marked(item) for key, item in value.items()}
    return [_marked(item) for item in value] if isinstance(value, (list, tuple)) else value


def _encoded(value: Any) -> Any:
    """Hand over what JSON has no form for: moments and references as such, anything else as its text."""
    if isinstance(value, Reference):
        return {"\0version": value.entry()}
    isoformat = getattr(value, "isoformat", None)
    return {"\0time": isoformat()} if isoformat is not None else str(value)
