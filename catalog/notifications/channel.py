"""What every channel does: deliver one message to some addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A short title and a text of a few lines, both plain."""

    title: str
    text: str


class Channel(Protocol):
    """Delivers messages to apprise addresses such as `mailto://…`, `slack://…`, `json://…`."""

    async def send(self, message: Message, addresses: Sequence[str]) -> None:
        """Deliver to every address; raises Invalid for an address that is none, Unavailable when one didn't accept it."""
        ...
