"""A worker of one request, to be killed: `python advancing.py HOME DATABASE_URL REQUEST_ID`."""

import asyncio
import sys
from pathlib import Path

from catalog import executors
from catalog.config import Config
from catalog.notifications import MemoryChannel
from catalog.provisioning.advance import advance
from catalog.provisioning.context import Context
from catalog.store.database import Database


async def main(home: str, url: str, request_id: str) -> None:
    config = Config(home=Path(home), database_url=url)
    database = await Database.open(config)

    async def reindex(estate: str, revision: str | None) -> None:
        pass

    context = Context(
        database=database,
        config=config,
        executor_for=executors.choose,
        reindex=reindex,
        channel=MemoryChannel(),
        redaction_key=b"k" * 32,
    )
    await advance(context, request_id)
    await database.close()


asyncio.run(main(*sys.argv[1:]))
