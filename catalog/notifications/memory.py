"""The shipped fake: keeps what was sent, for tests and for trying things out."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.notifications.channel import Message


class MemoryChannel:
    """A channel that delivers to a list. Addresses are not looked at."""

    def __init__(self) -> None:
        self.sent: list[tuple[Message, tuple[str, ...]]] = []

    async def send(self, message: Message, addresses: Sequence[str]) -> None:
        """Keep the message with its addresses."""
        self.sent.append((message, tuple(addresses)))
