"""Operations as server-sent events: GraphQL over SSE in its mode of one connection for each operation.

Every event of a subscription has its sequence as the `id`, so that a browser's EventSource resumes by itself when it connects again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from catalog import errors
from catalog.graph import live as graph_live
from catalog.graph.execution import Graph, answered
from catalog.graph.faults import Rejected
from catalog.records import Scope
from catalog.web import authentication
from catalog.web.live import Live, as_rejected

EVENT_STREAM = "text/event-stream"
_ALIVE = 12.0  # seconds after which an idle stream says that it is alive: proxies cut what is silent for half a minute
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_COMPLETE = b"event: complete\ndata:\n\n"


def wanted(request: Request) -> bool:
    """Whether the client takes events, and nothing that it likes better."""
    first = request.headers.get("accept", "").partition(",")[0]
    return first.partition(";")[0].strip().lower() == EVENT_STREAM


def respond(
    request: Request, document: str, variables: Mapping[str, Any] | None, operation_name: str | None, scope: Scope
) -> StreamingResponse:
    """Answer with the events of an operation; what is wrong with it is an event too, since an EventSource reads nothing else."""
    stream = _Stream(request, document, variables, operation_name, scope)
    return StreamingResponse(stream.written(), media_type=EVENT_STREAM, headers=_HEADERS)


class _Stream:
    def __init__(
        self, request: Request, document: str, variables: Mapping[str, Any] | None, operation_name: str | None, scope: Scope
    ) -> None:
        self._graph: Graph = request.app.state.graph
        self._live: Live = request.app.state.live
        self._secret = authentication.secret(request)
        self._asked = (document, variables, operation_name)
        self._resume = _resumed(request)
        self._scope = scope

    async def written(self) -> AsyncGenerator[bytes, None]:
        """The bytes of the stream: events, and signs of life between them."""
        waiting: asyncio.Task[bytes] | None = None
        async with aclosing(self._messages()) as messages:
            try:
                while True:
                    waiting = waiting or asyncio.ensure_future(anext(messages))
                    done, _ = await asyncio.wait({waiting}, timeout=_ALIVE)
                    if not done:
                        yield b":\n\n"
                        continue
                    try:
                        message, waiting = waiting.result(), None
                    except StopAsyncIteration:
                        waiting = None
                        break
                    yield message
            finally:
                if waiting is not None:
                    waiting.cancel()
                    await asyncio.gather(waiting, return_exceptions=True)
        yield _COMPLETE

    async def _messages(self) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(self._events()) as events:
                async for message in events:
                    yield message
        except Rejected as rejected:
            yield _next(_refusal(rejected))
        except errors.CatalogError as error:
            yield _next(_refusal(as_rejected(error)))
        except Exception as error:  # noqa: BLE001 — logged and masked
            yield _next(_refusal(Rejected(graph_live.masked(error))))

    async def _events(self) -> AsyncGenerator[bytes, None]:
        document, variables, operation_name = self._asked
        subscription = graph_live.subscription(
            self._graph, self._live.bells, document, variables, operation_name, self._scope, resume=self._resume
        )
        if subscription is None:
            yield _next((await self._graph.execute(document, variables, operation_name, self._scope)).body)
            return
        with self._live.admitted(self._scope):
            async with aclosing(subscription.events(self._viewer)) as events:
                async for event in events:
                    yield b"id: %d\n" % event.sequence + _next(event.body)

    async def _viewer(self) -> Scope:
        if self._secret is None:
            raise errors.Unauthenticated("the graph answers to signed-in people and programs")
        return await self._live.viewer(self._secret)


def _resumed(request: Request) -> int | None:
    """The sequence that a client read last, where it says so: it wins over what the document says."""
    said = request.headers.get("last-event-id", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else None


def _next(body: bytes) -> bytes:
    return b"event: next\ndata: " + body + b"\n\n"


def _refusal(rejected: Rejected) -> bytes:
    return answered(b"null", list(rejected.errors))
