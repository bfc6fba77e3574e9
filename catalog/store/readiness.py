"""What is there at all: the counts that say whether a first index is in, and what a visitor who isn't signed in may know."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.store.database import Database

_COUNTS = """
select exists (select from index_run where state = 'SUCCEEDED') as indexed,
       (select count(*) from estate) as estates,
       (select count(*) from stack where removed_at is null) as stacks,
       (select count(*) from component_instance where removed_at is null) as instances
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much the catalog holds; `indexed` once a run has succeeded."""

    indexed: bool
    estates: int
    stacks: int
    instances: int


async def read(database: Database) -> Counts:
    """Count; raises Unavailable when the database doesn't answer."""
    async with database.connection() as connection:
        return Counts(**dict(await connection.fetchrow(_COUNTS)))


async def is_indexed(database: Database, estate: str) -> bool:
    """Whether an estate of that name has a succeeded run."""
    async with database.connection() as connection:
        found: bool = await connection.fetchval(
            "select exists (select from index_run run join estate on estate.id = run.estate_id"
            " where estate.name = $1 and run.state = 'SUCCEEDED')",
            estate,
        )
        return found
