"""Sources of imports of costs: what became of one, and the rows of it that were not taken."""

from __future__ import annotations

from catalog import records
from catalog.store.compile.source import Key, Source, ToMany, columns_of
from catalog.store.compile.sources import visibility

SOURCES = (
    Source(
        name="cost_import",
        rows="cost_import",
        columns=columns_of(records.CostImport),
        relations={"rejected": ToMany(target="rejected_row", link="{b}.import_id = {a}.id", tie=())},
        visible=visibility.admins,
    ),
    Source(
        name="rejected_row",
        rows="rejected_row",
        columns=columns_of(records.RejectedRow),
        orders={"ordinal": (Key(sql="{b}.ordinal", type="int4"),)},
        order=(("ordinal", False),),
        visible=visibility.admins,
    ),
)
