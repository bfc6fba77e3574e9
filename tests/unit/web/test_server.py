"""The socket that the application is served on."""

from __future__ import annotations

import socket

from catalog.web import server


def test_no_answer_waits_for_the_client_to_acknowledge_its_beginning() -> None:
    """What is accepted sends small pieces at once, whichever event loop serves it."""
    with server.bind("127.0.0.1", 0) as listener:
        listener.setblocking(True)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
