"""GraphQL over HTTP: a request's parameters in, the graph's bytes out, with the statuses and media types of that specification.

GET carries queries only. `application/graphql-response+json` tells a request error (400) from a field error (200);
`application/json`, what older clients ask for, is always 200 once the body could be read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from catalog import errors
from catalog.graph.execution import Graph
from catalog.graph.execution import Response as GraphResponse
from catalog.records import ANONYMOUS, Scope
from catalog.web import authentication, conditional, envelope, event_stream, explorer, failures, pricing

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
SIGN_IN = "open the sign-in link that `catalog up` printed, or send a token: `Authorization: Bearer atc_…`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a client asks: the document, or the id of a trusted one, its variables, and which of its operations."""

    document: str | None
    document_id: str | None
    variables: Mapping[str, Any] | None
    operation_name: str | None


async def endpoint(request: Request) -> Response:
    """Answer /graphql: GraphiQL for a browser that asks for a page, a GraphQL response otherwise."""
    if request.method in {"GET", "HEAD"} and explorer.wanted(request):
        return await explorer.page(request)
    media_type = JSON if event_stream.wanted(request) else accepted(request.headers.get("accept"))
    if media_type is None:
        return _refusal(406, "NOT_ACCEPTABLE", f"the answer is {GRAPHQL} or {JSON}", JSON)
    try:
        scope = await authentication.viewer(request)
        parameters = await read(request)
        return await _execute(request, parameters, scope, media_type)
    except Refused as refusal:
        return _refusal(refusal.status, refusal.code, refusal.message, media_type, refusal.headers)
    except errors.CatalogError as error:
        return failures.respond(error, media_type=media_type)


async def _execute(request: Request, parameters: Parameters, scope: Scope, media_type: str) -> Response:
    if scope == ANONYMOUS:
        raise errors.Unauthenticated("the graph answers to signed-in people and programs", hint=SIGN_IN)
    graph: Graph = request.app.state.graph
    document = document_of(graph, parameters)
    if request.method in {"GET", "HEAD"} and graph.changes_something(document, parameters.operation_name):
        raise Refused(405, "METHOD_NOT_ALLOWED", "a mutation must be sent by POST", {"Allow": "POST"})
    variables = dict(parameters.variables) if parameters.variables is not None else None
    if event_stream.wanted(request):
        return event_stream.respond(request, document, variables, parameters.operation_name, scope)
    request_id = envelope.request_id(request)
    response = await graph.execute(document, variables, parameters.operation_name, scope, request_id=request_id)
    reads = request.method in {"GET", "HEAD"}
    # What is left changes with every request: answers that a client may keep tell it by their headers alone.
    body = response.body if reads or response.budget is None else pricing.with_cost(response.body, response.budget)
    headers = pricing.headers(response)
    answer = Response(body, status_code=_status(response, media_type), headers=headers, media_type=f"{media_type}; charset=utf-8")
    return conditional.answer(request, answer, response.body) if reads and response.ok else answer


def document_of(graph: Graph, parameters: Parameters) -> str:
    """Return the document that is asked for, by itself or by the id of a trusted one; raises Refused."""
    if parameters.document is not None:
        return parameters.document
    found = graph.trusted.find(parameters.document_id or "")
    if found is None:
        raise Refused(404, "PERSISTED_QUERY_NOT_FOUND", "no trusted document has that id: send the document itself as `query`")
    return found


def _status(response: GraphResponse, media_type: str) -> int:
    if response.retry_after is not None and response.is_request_error:
        return 429
    return 400 if response.is_request_error and media_type == GRAPHQL else 200


class Refused(Exception):  # a verdict on the request, not a failure of ours
    """The request is not one that can be executed: its status, its code, and why."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


def _refusal(status: int, code: str, message: str, media_type: str, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})
    return Response(body, status_code=status, media_type=f"{media_type}; charset=utf-8", headers=headers)


def accepted(accept: str | None) -> str | None:
    """The media type of the answer that an Accept header prefers; None when it takes neither of ours.

    Absent, or without a preference, it is JSON: what clients from before the specification expect.
    """
    if not accept:
        return JSON
    best: tuple[float, str] | None = None
    for part in accept.split(","):
        name, quality = _media_range(part)
        for ours in (JSON, GRAPHQL):
            if quality > 0 and name in {ours, "application/*", "*/*"} and (best is None or quality > best[0]):
                best = (quality, ours)
    return best[1] if best else None


def _media_range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return name, float(quality)
    except ValueError:
        return name, 0.0


async def read(request: Request) -> Parameters:
    """Read the parameters from the query string (GET) or the JSON body (POST); refuses what the specification refuses."""
    return _parameters(_query(request) if request.method in {"GET", "HEAD"} else await _body(request))


def _query(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if given.get(name):
            given[name] = _json(given[name], name)
    return given


async def _body(request: Request) -> Any:
    content_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if content_type.strip().lower() != JSON:
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", f"the body must be {JSON}")
    charset = parameters.partition("charset=")[2].strip(' "').lower()
    if charset not in {"", "utf-8", "utf8"}:
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", "the body must be UTF-8")
    return _json(await request.body(), "the body")


def _json(text: str | bytes, what: str) -> Any:
    try:
        return _DECODER.decode(text if isinstance(text, str) else text.decode(json.detect_encoding(text), "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise Refused(400, "BAD_REQUEST", f"{what} is not JSON: {error}") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


# Each parameter's type in JSON, and what a client reads when it is another.
_TYPES = {
    "query": (str, "a string"),
    "documentId": (str, "a string"),
    "operationName": (str, "a string"),
    "variables": (dict, "a map"),
    "extensions": (dict, "a map"),
}


def _parameters(given: Any) -> Parameters:
    if isinstance(given, list):
        raise Refused(400, "BAD_REQUEST", "batching is off: send one operation at a time")
    if not isinstance(given, dict):
        raise Refused(400, "BAD_REQUEST", "the body must be a map with `query`")
    for name, (kind, words) in _TYPES.items():
        if given.get(name) is not None and not isinstance(given[name], kind):
            raise Refused(400, "BAD_REQUEST", f"`{name}` must be {words}")
    document_id = given.get("documentId") or _hash(given.get("extensions") or {})
    if not given.get("query") and not document_id:
        raise Refused(400, "BAD_REQUEST", "`query` is missing")
    return Parameters(
        document=given.get("query") or None,
        document_id=document_id,
        variables=given.get("variables"),
        operation_name=given.get("operationName") or None,
    )


def _hash(extensions: Mapping[str, Any]) -> str | None:
    """The id that clients of Apollo's persisted queries send."""
    named = extensions.get("persistedQuery")
    found = named.get("sha256Hash") if isinstance(named, dict) else None
    return found if isinstance(found, str) else None
