"""Mutations on costs."""

from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from catalog.errors import Conflict
from catalog.graph import enums, names
from catalog.graph.acting import ERRORS, Acting, done, require_admin
from catalog.graph.declarations import given
from catalog.graph.problems import UserError


@strawberry.input(description="Costs to import: small files inline, large ones as the answer of the upload endpoint.")
class ImportCostsInput:
    format: enums.CostFormat = given("What is given.")
    content: str | None = given("The file itself.")
    upload: strawberry.ID | None = given("A file that was uploaded before.")
    idempotency_key: str = given("Chosen by the client: the same key with the same body returns the same report.")


@strawberry.type(description="What became of an import.")
class ImportCostsPayload:
    report: names.ImportReportType | None = strawberry.field(description="The report, null when something went wrong.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


async def import_costs(
    info: Info[Any, Any],
    input: Annotated[ImportCostsInput, strawberry.argument(description="What to import.")],  # noqa: A002
) -> ImportCostsPayload:
    """Import costs: refused, since nothing reads them yet."""

    async def work(acting: Acting) -> None:
        require_admin(acting.scope, "import costs")
        raise Conflict(f"costs can't be imported from {input.format.value} yet", code="NOT_AVAILABLE")

    return await done(ImportCostsPayload, "report", work, info)
