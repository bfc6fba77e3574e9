"""Sources of events. What an event tells is an edge to the thing that it is about: whoever sees the thing sees the event."""

from __future__ import annotations

from catalog.store.compile.source import Source, ToMany, ToOne, number, plain, text, time

_SEQUENCE = number("{a}.e_sequence", nullable=False)

SOURCES = (
    Source(
        name="request_event",
        rows="",
        columns={
            "sequence": _SEQUENCE,
            "at": time("{a}.e_at", nullable=False),
            "kind": plain("{a}.e_kind", nullable=False),
            "step": text("(select x.name from request_step x where x.request_id = {a}.id and x.ordinal = {a}.e_ordinal)"),
        },
        relations={
            "line": ToOne(
                target="log_line",
                on="{b}.request_id = {a}.id and {b}.sequence = {a}.e_sequence and {a}.e_kind = 'LOG'",
                proven=True,
            )
        },
    ),
    Source(
        name="index_run_event",
        rows="",
        columns={
            "sequence": _SEQUENCE,
            "done": number("{a}.e_done", nullable=False),
            "total": number("{a}.e_total"),
        },
    ),
    Source(name="change_event", rows="", columns={"sequence": _SEQUENCE}),
)

_OF_REQUEST = (
    "cross join lateral (select x.sequence, x.at, x.kind, x.ordinal from request_event x where x.request_id = {b}.id"
    " union all select x.sequence, x.at, 'LOG', x.ordinal from step_log x where x.request_id = {b}.id) {e}"
)

ROOTS = {
    "request_events": ToMany(
        target="provisioning_request",
        join=_OF_REQUEST,
        also="{e}.sequence as e_sequence, {e}.at as e_at, {e}.kind as e_kind, {e}.ordinal as e_ordinal",
        edge="request_event",
        order=(("event", False),),
        tie=(),
    ),
    "run_events": ToMany(
        target="index_run",
        join="join index_run_event {e} on {e}.run_id = {b}.id",
        also="{e}.sequence as e_sequence, {e}.done as e_done, {e}.total as e_total",
        edge="index_run_event",
        order=(("event", False),),
        tie=(),
    ),
    # What a run told of the past is no news.
    "change_events": ToMany(
        target="change",
        link="not exists(select from index_run x where x.id = {b}.run_id and x.backfill)",
        also="{b}.number as e_sequence",
        edge="change_event",
        order=(("event", False),),
        tie=(),
    ),
}
