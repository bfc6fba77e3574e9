"""Mutations on runs of the indexer: ask for one, decide on one that is held."""

from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from catalog import values
from catalog.errors import NotFound
from catalog.graph import names
from catalog.graph.acting import ERRORS, Acting, done, require_admin, value
from catalog.graph.declarations import given
from catalog.graph.payloads import Reference
from catalog.graph.problems import UserError
from catalog.store import audit, lookups, run_queue
from catalog.store import requests as rows

_Info = Info[Any, Any]


@strawberry.input(description="What to index.")
class IndexEstateInput:
    estate: str = given("The estate's name.")
    revision: str | None = given("A revision; the tip of its branch unless given.")
    idempotency_key: str = given("Chosen by the client: the same key with the same body returns the same run.")


@strawberry.input(description="A decision on a run that is held.")
class ConfirmIndexRunInput:
    id: strawberry.ID = given("The run.")
    accept: bool = given(
        "True: it may remove exactly what it was held for, and is queued again. False: it fails, nothing is removed."
    )
    reason: str | None = given("Why it is refused.")


@strawberry.type(description="The run that was asked for.")
class IndexEstatePayload:
    run: names.IndexRunType | None = strawberry.field(description="The run, QUEUED at first; null when something went wrong.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="The run that was decided on.")
class ConfirmIndexRunPayload:
    run: names.IndexRunType | None = strawberry.field(
        description="The run: QUEUED again, or FAILED; null when something went wrong."
    )
    errors: list[UserError] = strawberry.field(description=ERRORS)


async def index_estate(
    info: _Info,
    input: Annotated[IndexEstateInput, strawberry.argument(description="What to index.")],  # noqa: A002
) -> IndexEstatePayload:
    """Ask for a run of an estate; one that waits for the same estate and revision already is the answer too."""

    async def work(acting: Acting) -> Reference:
        require_admin(acting.scope, "index an estate")
        revision = value(input.revision)
        owner = {"principal_id": acting.scope.principal_id or "", "mutation": "indexEstate", "key": input.idempotency_key}
        async with acting.database.session() as session:
            estate_id = await lookups.estate_id(session, input.estate)
            if estate_id is None:
                raise NotFound(f"there is no estate {input.estate}", hint="`catalog get estates` lists them", path=("estate",))
            body = values.digest({"estate": input.estate, "revision": revision})
            replayed = await rows.claim(session, **owner, body_hash=body)
            if replayed is not None:
                return Reference(id=replayed["run"])
            run = await run_queue.ask(session, estate_id, revision)
            await rows.keep(session, **owner, payload={"run": run})
            await audit.record(session, acting.scope, "indexEstate", run, {"estate": input.estate, "revision": revision})
            await session.commit()
        return Reference(id=run)

    return await done(IndexEstatePayload, "run", work, info)


async def confirm_index_run(
    info: _Info,
    input: Annotated[ConfirmIndexRunInput, strawberry.argument(description="The decision.")],  # noqa: A002
) -> ConfirmIndexRunPayload:
    """Decide on a run that would remove more than its estate's limit."""

    async def work(acting: Acting) -> Reference:
        require_admin(acting.scope, "decide on what a run removes")
        by = acting.scope.email or acting.scope.principal_id or ""
        async with acting.database.session() as session:
            if input.accept:
                decided = await run_queue.confirm(session, str(input.id), by)
            else:
                decided = await run_queue.refuse(session, str(input.id), by, value(input.reason))
            if decided:
                said = {"accept": input.accept, "reason": value(input.reason)}
                await audit.record(session, acting.scope, "confirmIndexRun", str(input.id), said)
            await session.commit()
        return Reference(id=str(input.id))

    return await done(ConfirmIndexRunPayload, "run", work, info)
