"""Telling people: a protocol, the real channel (apprise), and the shipped fake (memory).

May import `store`, `stacks` and what lies below; today it needs only `errors`. The decision that shaped it: an address is an
apprise URL, so that mail, chat and webhooks are one list of texts; a message that can't be delivered is told, never swallowed.
"""

from catalog.notifications.apprise import AppriseChannel
from catalog.notifications.channel import Channel, Message
from catalog.notifications.memory import MemoryChannel

__all__ = ["AppriseChannel", "Channel", "MemoryChannel", "Message"]
