"""The source of what an operation costs: a document that is handed in with the statement, since only the process knows it."""

from __future__ import annotations

from catalog.store.compile.source import Source, number, time

SOURCES = (
    Source(
        name="rate_limit",
        rows="",
        columns={
            "limit": number("({a}.preview->>'limit')::int", nullable=False),
            "cost": number("({a}.preview->>'cost')::int", nullable=False),
            "remaining": number("({a}.preview->>'remaining')::int", nullable=False),
            "reset_at": time("({a}.preview->>'resetAt')::timestamptz", nullable=False),
        },
    ),
)
