"""Write `versions/0001_initial.sql` anew from the records: `python -m catalog.store.migrations.draft`.

Only until the first release: from then on a change of the records is a version of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from catalog import records

TARGET = Path(__file__).parent / "versions" / "0001_initial.sql"
_EXTENSIONS = """\
-- Trigram search, where the server has it and lets us.
do $$
begin
    create extension if not exists pg_trgm;
exception when insufficient_privilege or feature_not_supported or undefined_file then
    raise notice 'pg_trgm is not available';
end
$$;
"""


def statements() -> Iterator[str]:
    """Yield the statements that create every table and index of the records, in an order that holds."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in records.metadata.sorted_tables:
        yield str(CreateTable(table).compile(dialect=dialect)).strip().replace("\t", "    ").replace(", \n", ",\n")
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield str(CreateIndex(index).compile(dialect=dialect)).strip()


def text() -> str:
    """Return the whole file."""
    head = "-- Drawn from catalog/records by `python -m catalog.store.migrations.draft`; do not edit by hand.\n"
    return "\n".join((head, _EXTENSIONS, *(f"{statement};\n" for statement in statements())))


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
