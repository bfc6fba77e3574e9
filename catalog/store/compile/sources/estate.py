"""Sources of what Git says about estates: runs, diagnostics, changes, manifests and workflows."""

from __future__ import annotations

from catalog import records
from catalog.store.compile.source import (
    Key,
    Source,
    ToMany,
    ToOne,
    columns_of,
    element_source,
    elements,
    json,
    last_good,
    location,
    text,
    time,
)
from catalog.store.compile.sources import ownership, visibility

# The estate of a row: whoever sees the row sees its estate's name.
ESTATE = ToOne(target="estate", on="{b}.id = {a}.estate_id", proven=True, key="estate_id")


_LAST_RUN = "(select r.id from index_run r where r.estate_id = {a}.id order by r.started_at desc, r.id desc limit 1)"

DIAGNOSTICS = "/diagnostics"  # the page that explains every code
_READ_ONLY = (
    "(case when {a}.writable then null when {a}.kind = 'directory' then"
    " 'a plain directory is read as it lies there and never written'"
    " else 'its registration says that nothing is written' end)"
)


def _of_remote(column: str) -> str:
    """What polling knows of an estate's remote."""
    return f"(select x.{column} from estate_remote x where x.estate_id = {{a}}.id)"


SOURCES = (
    Source(
        name="estate",
        rows="estate",
        columns=columns_of(
            records.Estate,
            repository=text("coalesce({a}.url, {a}.path)"),
            revision=text(last_good("revision", "{a}")),
            indexed_at=time(last_good("finished_at", "{a}")),
            read_only_reason=text(_READ_ONLY),
            remote_asked_at=time(_of_remote("asked_at")),
            remote_revision=text(_of_remote("revision")),
            remote_error=text(_of_remote("error")),
        ),
        relations={
            "organization": ToOne(target="organization", on="{b}.id = {a}.organization_id", proven=True, key="organization_id"),
            "last_run": ToOne(target="index_run", on=f"{{b}}.id = {_LAST_RUN}", proven=True),
            "runs": ToMany(target="index_run", link="{b}.estate_id = {a}.id"),
            "diagnostics": ToMany(target="diagnostic", link="{b}.estate_id = {a}.id"),
            "manifests": ToMany(target="manifest", link="{b}.estate_id = {a}.id"),
            "stack_ownership": ownership.coverage("stack", "i.estate_id = {a}.id"),
            "instance_ownership": ownership.coverage("component_instance", "i.estate_id = {a}.id and not i.abstract"),
        },
        orders={"name": (Key(sql="{b}.name", type="text"),)},
        order=(("name", False),),
        visible=visibility.estate,
    ),
    Source(
        name="index_run",
        rows="index_run",
        columns=columns_of(records.IndexRun),
        relations={
            "estate": ESTATE,
            "diagnostics": ToMany(target="diagnostic", link="{b}.run_id = {a}.id"),
            "changes": ToMany(target="change", link="{b}.run_id = {a}.id"),
        },
        orders={
            "started_at": (Key(sql="{b}.started_at", type="timestamptz", descending=True),),
            "event": (Key(sql="{e}.sequence", type="int8"),),
        },
        order=(("started_at", False),),
        visible=visibility.estate_part,
    ),
    Source(
        name="diagnostic",
        rows="diagnostic",
        columns=columns_of(records.DiagnosticRecord, docs_url=text(f"('{DIAGNOSTICS}#' || {{a}}.code)", nullable=False)),
        relations={
            "estate": ESTATE,
            "stack": ToOne(target="stack", on="{b}.id = {a}.stack_id", proven=True, key="stack_id"),
            "location": location("{a}.file", "{a}.line", '{a}."column"', estate="{a}.estate_id"),
        },
        orders={
            "place": (
                Key(sql="({b}.file is null)", type="bool"),
                Key(sql="coalesce({b}.file, '')", type="text"),
                Key(sql="coalesce({b}.line, 0)", type="int4"),
            )
        },
        order=(("place", False),),
        visible=visibility.diagnostic,
    ),
    Source(
        name="change",
        rows='"change"',
        columns=columns_of(records.Change),
        relations={
            "estate": ESTATE,
            "run": ToOne(target="index_run", on="{b}.id = {a}.run_id", proven=True, key="run_id"),
            "instance": ToOne(target="component_instance", on="{b}.id = {a}.instance_id", key="instance_id"),
            "previous": ToOne(target="component_instance", on="{b}.id = {a}.previous_id", key="previous_id"),
            "values": elements("value_change", '{a}."values"'),
        },
        orders={
            "at": (Key(sql="{b}.at", type="timestamptz", descending=True),),
            "event": (Key(sql="{b}.number", type="int8"),),
        },
        order=(("at", False),),
        visible=visibility.change,
    ),
    element_source(
        name="value_change",
        columns={
            "path": text("{a}.v->>'path'", nullable=False),
            "before": json("{a}.v->'before'"),
            "after": json("{a}.v->'after'"),
        },
    ),
    Source(
        name="manifest",
        rows="manifest",
        columns=columns_of(records.Manifest),
        relations={
            "estate": ESTATE,
            "imports": ToMany(
                target="manifest",
                join="join manifest_import {e} on {e}.imported_id = {b}.id",
                link="{e}.manifest_id = {a}.id",
                order=(("ordinal", False),),
                tie=(),
                proven=True,
            ),
            "imported_by": ToMany(
                target="manifest", link="{b}.id in (select x.manifest_id from manifest_import x where x.imported_id = {a}.id)"
            ),
            # Directly or by imports, so that a mixin shows whom it reaches.
            "stacks": ToMany(
                target="stack",
                link="{b}.manifest_id in (with recursive up(id) as (select {a}.id union select x.manifest_id"
                " from manifest_import x join up on x.imported_id = up.id) select id from up)",
            ),
        },
        orders={"path": (Key(sql="{b}.path", type="text"),), "ordinal": (Key(sql="{e}.ordinal", type="int4"),)},
        order=(("path", False),),
        visible=visibility.manifest,
        current="{b}.removed_at is null",
    ),
    Source(
        name="workflow",
        rows="workflow",
        columns=columns_of(records.Workflow),
        relations={"estate": ESTATE, "steps": elements("workflow_step", "{a}.steps")},
        orders={"name": (Key(sql="{b}.name", type="text"), Key(sql="{b}.file", type="text"))},
        order=(("name", False),),
        visible=visibility.estate_part,
    ),
    element_source(
        name="workflow_step",
        columns={
            "name": text("{a}.v->>'name'", nullable=False),
            "kind": text("{a}.v->>'kind'", nullable=False),
            "tool": text("{a}.v->>'tool'"),
            "command": text("{a}.v->>'command'"),
            "stack": text("{a}.v->>'stack'"),
        },
    ),
)
