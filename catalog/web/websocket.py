"""Operations over a websocket: the protocol graphql-transport-ws, on the path of the graph.

A connection proves who asks before anything else: by the Authorization header or the cookie of its handshake, or by `Authorization` in
the payload of `connection_init`. The older protocol `graphql-ws` is refused. What goes wrong with one operation is that operation's
`error`; what goes wrong with the connection closes it, with a code of the protocol.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from contextlib import aclosing
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from catalog import errors
from catalog.graph import live as graph_live
from catalog.graph.execution import Graph
from catalog.graph.faults import Rejected
from catalog.records import Scope
from catalog.web import authentication
from catalog.web.live import PATIENCE, PER_CONNECTION, Live, as_rejected, too_many

PROTOCOL = "graphql-transport-ws"
INITIALISATION = 10.0  # seconds for `connection_init`

# The protocol's own codes, and of the websocket: try again later.
BAD_MESSAGE, UNAUTHORIZED, FORBIDDEN = 4400, 4401, 4403
PROTOCOL_REFUSED, INITIALISATION_TIMEOUT, DUPLICATE, INITIALISED_TWICE = 4406, 4408, 4409, 4429
TOO_SLOW = 1013
_REASON = 120  # bytes of a reason that a close frame can hold, about


class _Closed(Exception):
    """The connection must end."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


async def endpoint(socket: WebSocket) -> None:
    """Serve one connection until either side ends it."""
    if PROTOCOL not in socket.scope["subprotocols"]:
        await socket.accept()
        await socket.close(PROTOCOL_REFUSED, f"the subprotocol is {PROTOCOL}")
        return
    await socket.accept(subprotocol=PROTOCOL)
    await _Connection(socket).serve()


class _Connection:
    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._graph: Graph = socket.app.state.graph
        self._live: Live = socket.app.state.live
        self._secret: str | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()
        self._ended: asyncio.Future[_Closed] = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Read messages until the client goes or something ends the connection."""
        conversation = asyncio.create_task(self._converse())
        try:
            either: set[asyncio.Future[Any]] = {conversation, self._ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            end = conversation.exception() if conversation.done() else self._ended.result()
        finally:
            tasks = [conversation, *self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(end, _Closed):
            await self._close(end)
        elif end is not None and not isinstance(end, WebSocketDisconnect):
            raise end

    async def _close(self, end: _Closed) -> None:
        try:
            async with asyncio.timeout(1):
                await self._socket.close(end.code, end.reason.encode()[:_REASON].decode(errors="ignore"))
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            pass  # whoever doesn't read is cut off when this ends

    # ── the conversation ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _converse(self) -> None:
        await self._begin()
        while True:
            message = await self._receive()
            await _HANDLERS.get(message["type"], _Connection._unknown)(self, message)

    async def _begin(self) -> None:
        try:
            async with asyncio.timeout(INITIALISATION):
                message = await self._receive()
                while message["type"] in {"ping", "pong"}:
                    await _HANDLERS[message["type"]](self, message)
                    message = await self._receive()
        except TimeoutError:
            raise _Closed(INITIALISATION_TIMEOUT, "Connection initialisation timeout") from None
        if message["type"] != "connection_init":
            raise _Closed(UNAUTHORIZED, "Unauthorized")
        try:
            self._secret = authentication.of_handshake(self._socket, _payload(message))
            await self._viewer()
        except (errors.Unauthenticated, errors.Forbidden) as error:
            raise _Closed(FORBIDDEN, f"Forbidden: {error.message}") from error
        except errors.Unavailable as error:
            raise _Closed(TOO_SLOW, error.message) from error
        await self._send({"type": "connection_ack"})

    async def _receive(self) -> dict[str, Any]:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        try:
            message = json.loads(received["text"])
        except (KeyError, TypeError, ValueError, RecursionError):
            raise _Closed(BAD_MESSAGE, "the message is not JSON text") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise _Closed(BAD_MESSAGE, "the message has no `type`")
        return message

    async def _unknown(self, message: dict[str, Any]) -> None:
        raise _Closed(BAD_MESSAGE, f"there is no message {message['type']!r} from a client")

    async def _again(self, _message: dict[str, Any]) -> None:
        raise _Closed(INITIALISED_TWICE, "Too many initialisation requests")

    async def _ping(self, message: dict[str, Any]) -> None:
        payload = _payload(message)
        await self._send({"type": "pong"} | ({"payload": payload} if payload is not None else {}))

    async def _pong(self, message: dict[str, Any]) -> None:
        _payload(message)

    async def _complete(self, message: dict[str, Any]) -> None:
        task = self._running.pop(_id(message), None)
        if task is not None:
            task.cancel()

    async def _subscribe(self, message: dict[str, Any]) -> None:
        name = _id(message)
        if name in self._running:
            raise _Closed(DUPLICATE, f"Subscriber for {name} already exists")
        asked = _asked(message)
        if len(self._running) >= PER_CONNECTION:
            await self._fail(name, too_many(f"{PER_CONNECTION} operations run over this connection", PER_CONNECTION).errors)
            return
        self._running[name] = asyncio.create_task(self._operate(name, asked))

    # ── one operation ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _operate(self, name: str, asked: Mapping[str, Any]) -> None:
        try:
            try:
                complete = await self._run(name, asked)
            except Rejected as rejected:
                complete = await self._fail(name, rejected.errors)
            except errors.Unauthenticated as error:
                raise _Closed(FORBIDDEN, f"Forbidden: {error.message}") from error
            except errors.CatalogError as error:
                complete = await self._fail(name, as_rejected(error).errors)
            if complete:
                await self._send({"id": name, "type": "complete"})
        except (_Closed, WebSocketDisconnect, RuntimeError) as end:
            self._end(end if isinstance(end, _Closed) else _Closed(1001, "gone"))
        except Exception as error:  # noqa: BLE001 — logged and masked
            await self._fail(name, [graph_live.masked(error)])
        finally:
            if self._running.get(name) is asyncio.current_task():
                del self._running[name]

    async def _run(self, name: str, asked: Mapping[str, Any]) -> bool:
        """Run an operation; whether the client is to hear that it is complete."""
        scope = await self._viewer()
        document, variables, operation = asked["query"], asked.get("variables"), asked.get("operationName")
        subscription = graph_live.subscription(self._graph, self._live.bells, document, variables, operation, scope)
        if subscription is None:
            response = await self._graph.execute(document, variables, operation, scope)
            if response.is_request_error:
                return await self._fail(name, json.loads(response.body)["errors"])
            await self._next(name, response.body)
            return True
        with self._live.admitted(scope):
            async with aclosing(subscription.events(self._viewer)) as events:
                async for event in events:
                    await self._next(name, event.body)
        return True

    async def _viewer(self) -> Scope:
        if self._secret is None:
            raise errors.Unauthenticated("the graph answers to signed-in people and programs")
        return await self._live.viewer(self._secret)

    async def _next(self, name: str, body: bytes) -> None:
        await self._send_text(f'{{"id":{json.dumps(name)},"type":"next","payload":{body.decode("utf-8", "replace")}}}')

    async def _fail(self, name: str, found: Any) -> bool:
        await self._send({"id": name, "type": "error", "payload": list(found)})
        return False

    async def _send(self, message: dict[str, Any]) -> None:
        await self._send_text(json.dumps(message, default=str))

    async def _send_text(self, text: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE), self._sending:
                await self._socket.send_text(text)
        except TimeoutError:
            raise _Closed(TOO_SLOW, "events are read too slowly: resume behind the last sequence") from None

    def _end(self, end: _Closed) -> None:
        if not self._ended.done():
            self._ended.set_result(end)


_Handler = Callable[[_Connection, dict[str, Any]], Coroutine[Any, Any, None]]
_HANDLERS: dict[str, _Handler] = {
    "connection_init": _Connection._again,  # noqa: SLF001 — the class's own table
    "ping": _Connection._ping,  # noqa: SLF001
    "pong": _Connection._pong,  # noqa: SLF001
    "subscribe": _Connection._subscribe,  # noqa: SLF001
    "complete": _Connection._complete,  # noqa: SLF001
}


def _payload(message: dict[str, Any]) -> dict[str, Any] | None:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise _Closed(BAD_MESSAGE, "the `payload` must be a map")
    return payload


def _id(message: dict[str, Any]) -> str:
    name = message.get("id")
    if not isinstance(name, str) or not name:
        raise _Closed(BAD_MESSAGE, "the message has no `id`")
    return name


def _asked(message: dict[str, Any]) -> dict[str, Any]:
    payload = _payload(message) or {}
    kinds = {"query": str, "variables": dict, "operationName": str, "extensions": dict}
    if not payload.get("query") or any(
        payload.get(name) is not None and not isinstance(payload[name], kind) for name, kind in kinds.items()
    ):
        raise _Closed(BAD_MESSAGE, "the `payload` must be a map with `query`, perhaps `variables` and `operationName`")
    return payload
