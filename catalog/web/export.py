"""Whole lists as files: `/export/{format}` takes a document by POST, `/export/{list}.{format}` names a root list and its fields.

Rows are those that the viewer sees in the graph, of one moment, sent while they are read. A file that breaks off has no proper end
(the last chunk is missing), so that a client can't take half a list for a whole one.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from catalog import errors
from catalog.graph import exporting, focus
from catalog.graph.execution import Graph
from catalog.graph.faults import Rejected
from catalog.records import ANONYMOUS, Scope
from catalog.web import authentication, columnar, delimited, graphql

_AT_ONCE = 4  # exports of one process; each holds a connection for as long as its reader takes
_STATUS = {"NOT_FOUND": 404}


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format of files: its media type, and how rows are written in it."""

    media_type: str
    write: Callable[[Any, AsyncGenerator[list[bytes]]], AsyncGenerator[bytes]]
    check: Callable[[], None] = lambda: None  # raises when it can't be written here


FORMATS = {
    "ndjson": Format(media_type="application/x-ndjson", write=delimited.json_lines),
    "csv": Format(media_type="text/csv; charset=utf-8; header=present", write=delimited.comma_separated),
    "parquet": Format(media_type="application/vnd.apache.parquet", write=columnar.parquet, check=columnar.check),
}


class Exports:
    """The exports under way in one process."""

    def __init__(self) -> None:
        self._free = _AT_ONCE

    def begin(self) -> None:
        """Count one more; raises Unavailable when there are enough."""
        if not self._free:
            raise errors.Unavailable("enough exports are under way", code="BUSY", hint="try again when one of them has ended")
        self._free -= 1

    def end(self) -> None:
        """Count one less."""
        self._free += 1


async def of_document(request: Request) -> Response:
    """Answer POST /export/{format}: the body is that of /graphql."""

    async def prepare(scope: Scope) -> exporting.Export:
        given = await graphql.read(request)
        document = graphql.document_of(_graph(request), given)
        return await exporting.export(_graph(request), document, given.variables, given.operation_name, scope)

    return await _answer(request, request.path_params["format"], prepare)


async def of_list(request: Request) -> Response:
    """Answer GET /export/{list}.{format}: `fields` are paths separated by commas, the rest are arguments of the list.

    The list `focus` is that of charges, in the columns of FOCUS.
    """
    name, form = request.path_params["list"], request.path_params["format"]

    async def prepare(scope: Scope) -> exporting.Export:
        arguments = dict(request.query_params)
        fields = [path.strip() for path in arguments.pop("fields", "").split(",") if path.strip()]
        document, variables = exporting.document(_graph(request), name, fields, arguments)
        return await exporting.export(_graph(request), document, variables, None, scope)

    async def prepare_focus(scope: Scope) -> exporting.Export:
        if form == "ndjson":
            raise errors.NotFound("FOCUS is CSV or Parquet", hint="/export/focus.csv, or /export/charges.ndjson")
        document, variables = exporting.document(_graph(request), focus.LIST, list(focus.TITLES), dict(request.query_params))
        export = await exporting.export(_graph(request), document, variables, None, scope)
        order = {title: number for number, title in enumerate(focus.COLUMNS)}
        columns = (replace(column, title=focus.TITLES[column.title]) for column in export.columns)
        return replace(export, name=focus.NAME, columns=tuple(sorted(columns, key=lambda column: order[column.title])))

    return await _answer(request, form, prepare_focus if name == focus.NAME else prepare)


async def _answer(request: Request, name: str, prepare: Callable[[Scope], Awaitable[exporting.Export]]) -> Response:
    if request.method == "HEAD":
        raise HTTPException(405, headers={"Allow": "GET"})  # nothing is known of a file before it is read
    form = FORMATS.get(name)
    if form is None:
        raise errors.NotFound(f"there is no format {name!r}", hint=f"one of {', '.join(FORMATS)}")
    form.check()
    scope = await authentication.viewer(request)
    if scope == ANONYMOUS:
        raise errors.Unauthenticated("lists are exported for signed-in people and programs", hint=graphql.SIGN_IN)
    exports: Exports = request.app.state.exports
    exports.begin()
    try:
        export = await prepare(scope)
        batches = await _begun(export.batches)
    except BaseException as error:
        exports.end()
        if isinstance(error, Rejected):
            return _refused(error)
        if isinstance(error, graphql.Refused):
            return _problems([{"message": error.message, "extensions": {"code": error.code}}], error.status)
        raise
    written = form.write(export.columns, batches)

    async def ending() -> None:
        exports.end()
        for part in (written, batches, export.batches):
            await part.aclose()

    headers = {"Content-Disposition": f'attachment; filename="{export.name}.{name}"'}
    return _Stream(written, ending, media_type=form.media_type, headers=headers)


async def _begun(batches: AsyncGenerator[list[bytes]]) -> AsyncGenerator[list[bytes]]:
    """Read the first batch before anything is sent: what goes wrong there still has a status."""
    first = await anext(batches, None)

    async def all_of_them() -> AsyncGenerator[list[bytes]]:
        if first is not None:
            yield first
        async for batch in batches:
            yield batch

    return all_of_them()


class _Stream(StreamingResponse):
    """A response that ends what it is made of, however it ends itself."""

    def __init__(self, content: AsyncGenerator[bytes], ending: Callable[[], Awaitable[None]], **options: Any) -> None:
        super().__init__(content, **options)
        self._ending = ending

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Send all of it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._ending()


def _refused(rejected: Rejected) -> Response:
    code = rejected.errors[0]["extensions"]["code"]
    return _problems(list(rejected.errors), _STATUS.get(code, 400))


def _problems(problems: list[dict[str, Any]], status: int) -> Response:
    return JSONResponse({"errors": json.loads(json.dumps(problems, default=str))}, status_code=status)


def _graph(request: Request) -> Graph:
    graph: Graph = request.app.state.graph
    return graph
