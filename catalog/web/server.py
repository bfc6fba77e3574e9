"""Runs the application under uvicorn on a socket that is already ours, so that a taken port is known before anything starts."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import socket
from collections.abc import Generator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from catalog import errors
from catalog.web import envelope
from catalog.web.joining import JoiningProtocol

_GRACE = 5.0  # seconds


def bind(host: str, port: int) -> socket.socket:
    """Listen on host and port; raises Unavailable when another program does, or when the machine won't let us."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit it. Without, the end of an answer waits 40 ms for the client to acknowledge its beginning.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        why = "another program listens there" if error.errno == errno.EADDRINUSE else str(error.strerror or error)
        raise errors.Unavailable(f"can't listen on {host}:{port}: {why}", hint="choose another with CATALOG_PORT") from error
    listener.setblocking(False)
    return listener


async def serve(app: ASGIApp, listener: socket.socket, shutdown: asyncio.Event) -> None:
    """Answer requests until `shutdown` is set, then finish those under way (at most five seconds)."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="on",
        server_header=False,
        http=JoiningProtocol,
        timeout_graceful_shutdown=5,
        ws=_WebSocket,
        ws_max_size=envelope.MAX_BODY,
        ws_per_message_deflate=False,  # a few bytes must not become many in our memory
    )
    # What is there by now stays: looking through it for garbage again and again stops everybody for a tenth of a second.
    gc.collect()
    gc.freeze()
    server = _Server(config)
    stop = asyncio.create_task(_stop(server, shutdown))
    try:
        await server.serve(sockets=[listener])
    finally:
        stop.cancel()


async def _stop(server: uvicorn.Server, shutdown: asyncio.Event) -> None:
    await shutdown.wait()
    server.should_exit = True


class _WebSocket(WebSocketsSansIOProtocol):
    """Cuts a connection off that does not take what was sent before its end: a client that stopped reading would hold it for ever."""

    async def run_asgi(self) -> None:
        """Run the application, then leave the client a moment to take the rest."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(_GRACE, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """A client that doesn't answer is cut off."""
        super().keepalive_timeout()
        self.loop.call_later(_GRACE, self.transport.abort)


class _Server(uvicorn.Server):
    """Signals belong to the command that runs us; it sets `shutdown`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals alone."""
        yield
