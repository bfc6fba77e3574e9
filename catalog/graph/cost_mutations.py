"""Mutations on costs."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from catalog import values
from catalog.cost import imports, uploads
from catalog.errors import Invalid
from catalog.graph import enums, names
from catalog.graph.acting import ERRORS, Acting, allow, done, require_admin, value
from catalog.graph.declarations import given
from catalog.graph.payloads import Reference
from catalog.graph.problems import UserError
from catalog.records import CostFormat
from catalog.store import audit
from catalog.store import requests as rows

_MUTATION = "importCosts"
_SECONDS = 900.0  # for a file as large as an upload may be
_LONGEST_KEY = 200


@strawberry.input(description="Costs to import: small files inline, large ones as the answer of the upload endpoint.")
class ImportCostsInput:
    format: enums.CostFormat = given("What is given.")
    content: str | None = given("The file itself.")
    upload: strawberry.ID | None = given("A file that was uploaded before.")
    idempotency_key: str = given("Chosen by the client: the same key with the same body returns the same report.")
    name: str | None = given(
        "What the file is called: a later version of it comes under the same name and replaces what it said of the same billing"
        " periods. Unless given, that of the upload, or one made of the content."
    )
    currency: str | None = given("The currency of a format that doesn't say one (OPENCOST): USD unless given.")


@strawberry.type(description="What became of an import.")
class ImportCostsPayload:
    report: names.ImportReportType | None = strawberry.field(description="The report, null when something went wrong.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


async def import_costs(
    info: Info[Any, Any],
    input: Annotated[ImportCostsInput, strawberry.argument(description="What to import.")],  # noqa: A002
) -> ImportCostsPayload:
    """Import costs: as a whole, in one transaction."""

    async def work(acting: Acting) -> Reference:
        require_admin(acting.scope, "import costs")
        said = _said(input)
        owner = {"principal_id": acting.scope.principal_id or "", "mutation": _MUTATION, "key": input.idempotency_key}
        allow(_SECONDS)
        async with acting.database.session() as session:
            replayed = await rows.claim(session, **owner, body_hash=values.digest(said))
            if replayed is not None:
                return Reference(id=replayed["import"])
            with _file(acting, said) as (path, name):
                report = await imports.take(
                    session,
                    imports.Source(
                        path=path,
                        name=said["name"] or name,
                        format=CostFormat(said["format"]),
                        currency=said["currency"] or "USD",
                        principal_id=acting.scope.principal_id,
                    ),
                )
            await rows.keep(session, **owner, payload={"import": report.id})
            told = {"file": report.name, "format": said["format"], "accepted": report.accepted, "rejected": report.rejected}
            await audit.record(session, acting.scope, _MUTATION, None, told)
            await session.commit()
        if said["upload"]:
            await asyncio.to_thread(uploads.remove, acting.config, said["upload"])
        return Reference(id=report.id)

    return await done(ImportCostsPayload, "report", work, info)


def _said(given_: ImportCostsInput) -> dict[str, Any]:
    """What was given, absent as null; raises Invalid."""
    said = {name: value(getattr(given_, name)) for name in ("content", "upload", "name", "currency")}
    if (said["content"] is None) == (said["upload"] is None):
        raise Invalid("give either the content or an upload", path=("content",))
    if not 0 < len(given_.idempotency_key) <= _LONGEST_KEY:
        raise Invalid(f"an idempotency key has 1 to {_LONGEST_KEY} characters", path=("idempotencyKey",))
    return said | {"format": given_.format.value, "upload": None if said["upload"] is None else str(said["upload"])}


@contextmanager
def _file(acting: Acting, said: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """The file that was given, and what it is called."""
    if said["upload"] is not None:
        found, path = uploads.find(acting.config, said["upload"], acting.scope.principal_id)
        yield path, found.name
        return
    content = said["content"].encode("utf-8", "replace")
    handle, name = tempfile.mkstemp(prefix="catalog-costs-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        yield Path(name), f"content {hashlib.sha256(content).hexdigest()[:16]}"
    finally:
        Path(name).unlink()
