"""Mutations on finished requests and on what was applied: known to the graph, and refused until something does them."""

from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from catalog.errors import Conflict, Unauthenticated
from catalog.graph import names
from catalog.graph.acting import ERRORS, Acting, done
from catalog.graph.declarations import given
from catalog.graph.problems import UserError

_KEY = "Chosen by the client: the same key with the same body returns the same answer."
_Info = Info[Any, Any]


@strawberry.input(description="A request to try again or to revert.")
class RetryRequestInput:
    id: strawberry.ID = given("The request.")
    idempotency_key: str = given(_KEY)


@strawberry.input(description="An instance to compare with reality.")
class CheckDriftInput:
    instance: strawberry.ID = given("The component instance.")
    idempotency_key: str = given(_KEY)


@strawberry.type(description="The new request.")
class RetryRequestPayload:
    provisioning_request: names.ProvisioningRequestType | None = strawberry.field(
        description="The request, null when something went wrong."
    )
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="The instance that was compared.")
class CheckDriftPayload:
    instance: names.ComponentInstanceType | None = strawberry.field(description="The instance, null when something went wrong.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


def _refuse(what: str, hint: str) -> Any:
    async def work(acting: Acting) -> None:
        if acting.scope.principal_id is None:
            raise Unauthenticated("sign in first")
        raise Conflict(f"{what} yet", code="NOT_AVAILABLE", hint=hint)

    return work


async def retry_request(
    info: _Info,
    input: Annotated[RetryRequestInput, strawberry.argument(description="The request.")],  # noqa: A002, ARG001
) -> RetryRequestPayload:
    """Try a failed request again: refused."""
    work = _refuse("requests can't be tried again", "ask for the same with requestProvisioning")
    return await done(RetryRequestPayload, "provisioning_request", work, info)


async def revert_request(
    info: _Info,
    input: Annotated[RetryRequestInput, strawberry.argument(description="The request.")],  # noqa: A002, ARG001
) -> RetryRequestPayload:
    """Revert what a request committed: refused."""
    work = _refuse("requests can't be reverted", "ask for the former values with requestProvisioning")
    return await done(RetryRequestPayload, "provisioning_request", work, info)


async def check_drift(
    info: _Info,
    input: Annotated[CheckDriftInput, strawberry.argument(description="The instance.")],  # noqa: A002, ARG001
) -> CheckDriftPayload:
    """Compare an instance with reality: refused."""
    work = _refuse("drift can't be checked", "a request for the instance plans it and shows what differs")
    return await done(CheckDriftPayload, "instance", work, info)
