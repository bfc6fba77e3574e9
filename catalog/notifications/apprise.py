"""Delivers messages through apprise: mail, chat, webhooks and some hundred other services, each named by a URL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import apprise

from catalog.errors import Invalid, Unavailable
from catalog.notifications.channel import Message


class AppriseChannel:
    """The real channel. Addresses may hold passwords: only their schemes are ever told."""

    async def send(self, message: Message, addresses: Sequence[str]) -> None:
        """Deliver to every address, off the event loop; one that refuses doesn't keep the others from theirs."""
        refused = await asyncio.to_thread(_deliver, message, list(addresses))
        if refused:
            raise Unavailable(
                f"{len(refused)} of {len(addresses)} addresses did not accept the message: {', '.join(refused)}",
                hint="check the addresses of the workflow's notify step",
            )


def _deliver(message: Message, addresses: list[str]) -> list[str]:
    targets = []
    for number, address in enumerate(addresses, start=1):
        target = apprise.Apprise.instantiate(address)
        if target is None:
            raise Invalid(
                f"notification address {number} is none that apprise knows ({_scheme(address)})", path=("to", str(number))
            )
        targets.append((address, target))
    return [_scheme(address) for address, target in targets if not target.notify(body=message.text, title=message.title)]


def _scheme(address: str) -> str:
    """What may be shown of an address."""
    scheme, separator, _ = address.partition("://")
    return f"{scheme}://…" if separator else "no scheme"
