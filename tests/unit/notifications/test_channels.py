"""Channels."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from catalog.errors import Invalid, Unavailable
from catalog.notifications import AppriseChannel, MemoryChannel, Message

# One of apprise's hundred plugins imports a module that Python 3.13 drops; it is theirs to mend, and not one that we use.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

MESSAGE = Message(title="Request 7 succeeded", text="vpc in dev")


class _Inbox(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def inbox():
    """A web server that keeps what is posted to it."""
    server = HTTPServer(("127.0.0.1", 0), _Inbox)
    server.received, server.answer = [], 200
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


async def test_apprise_delivers(inbox):
    """A message reaches a real address with its title and its text."""
    await AppriseChannel().send(MESSAGE, [f"json://127.0.0.1:{inbox.server_port}/hook"])
    assert [(one["title"], one["message"]) for one in inbox.received] == [("Request 7 succeeded", "vpc in dev")]


async def test_a_refused_message_is_told_without_its_secrets(inbox):
    """What an address refused is raised, and names only the scheme: addresses hold passwords."""
    inbox.answer = 500
    with pytest.raises(Unavailable) as caught:
        await AppriseChannel().send(MESSAGE, [f"json://user:hunter2@127.0.0.1:{inbox.server_port}/hook"])
    assert "json://…" in str(caught.value)
    assert "hunter2" not in str(caught.value)


async def test_an_address_that_is_none_is_refused():
    """An address that apprise doesn't know is Invalid, and nothing is sent."""
    with pytest.raises(Invalid, match="address 1"):
        await AppriseChannel().send(MESSAGE, ["nonsense"])


async def test_memory_keeps_what_was_sent():
    """The shipped fake remembers messages with their addresses."""
    channel = MemoryChannel()
    await channel.send(MESSAGE, ["json://x"])
    assert channel.sent == [(MESSAGE, ("json://x",))]
