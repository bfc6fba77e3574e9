"""What can be done: one mutation per business action, one `input`, a payload of its object and `errors`.

Resolvers are a few lines that call one use-case. What they return names the object by its id; how much of it is shown is compiled
like any other reading.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON
from strawberry.types import Info

from catalog.access import tokens
from catalog.errors import Invalid, NotFound
from catalog.graph import cost_mutations, enums, index_mutations, names, request_mutations, service_mutations
from catalog.graph.acting import ERRORS, Acting, allow, done, require_admin, value
from catalog.graph.declarations import given
from catalog.graph.payloads import Document, Reference
from catalog.graph.problems import UserError
from catalog.provisioning import judging, requests
from catalog.store import lookups

_OBJECT = "The request, null when something went wrong."


@strawberry.input(description="An environment to aim at.")
class TargetInput:
    organization: str | None = given("Its organisation's name.")
    tenant: str | None = given("Its tenant's name.")
    account: str | None = given("Its account.")
    environment: str = given("Its name.")
    stage: str | None = given("Its stage.")
    region: str | None = given("Its region.")


@strawberry.input(description="What to preview.")
class PreviewProvisioningInput:
    action: enums.ProvisioningAction = given("What to ask for.")
    estate: str | None = given("The estate's name; needed when several have such a stack.")
    service: str | None = given("The service's slug.")
    workflow: str | None = given("The governed workflow to run it through; the estate's own for this action unless given.")
    workflow_file: str | None = given("The file of that workflow; needed when several have one of that name.")
    stack: str | None = given("The stack's name.")
    component: str | None = given("The component instance's name.")
    component_type: enums.ComponentType | None = given("The component's type.", default=enums.ComponentType.TERRAFORM)
    target: TargetInput | None = given("The environment.")
    team: str = given("The slug of the team that it is for.")
    name: str | None = given("The name of what is to be made.")
    parameters: JSON | None = given("What to set: variable → value. Secret parameters are references, never values.")


@strawberry.input(description="What to ask for.")
class RequestProvisioningInput(PreviewProvisioningInput):
    idempotency_key: str = given(
        "Chosen by the client: the same key with the same body returns the same request, with another body it is a Conflict."
    )
    justification: str | None = given("Why.")


@strawberry.input(description="A decision.")
class DecideRequestInput:
    id: strawberry.ID = given("The request.")
    digest: str = given("The one of the plan (or, without a plan step, of the preview) that was shown.")
    comment: str | None = given("Why.")


@strawberry.input(description="What to call off.")
class CancelRequestInput:
    id: strawberry.ID = given("The request.")
    reason: str | None = given("Why.")


@strawberry.input(description="What became of a step that a worker died in.")
class ResolveUnknownInput:
    id: strawberry.ID = given("The request.")
    outcome: enums.UnknownOutcome = given("What was found.")
    comment: str = given("How it was found out.")


@strawberry.input(description="A token to make.")
class CreateAccessTokenInput:
    principal: str = given("The e-mail address of the principal that it is for.")
    name: str = given("What it is for.")
    expires_at: datetime | None = given("When it ends; never unless given.")


@strawberry.input(description="A token to revoke.")
class RevokeAccessTokenInput:
    id: strawberry.ID = given("The token.")


@strawberry.type(description="What a preview shows.")
class PreviewProvisioningPayload:
    preview: names.ProvisioningPreviewType | None = strawberry.field(description="The preview, null when something went wrong.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="What became of asking.")
class RequestProvisioningPayload:
    provisioning_request: names.ProvisioningRequestType | None = strawberry.field(description=_OBJECT)
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="What became of deciding.")
class DecideRequestPayload:
    provisioning_request: names.ProvisioningRequestType | None = strawberry.field(description=_OBJECT)
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="What became of calling off.")
class CancelRequestPayload:
    provisioning_request: names.ProvisioningRequestType | None = strawberry.field(description=_OBJECT)
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="The request whose outcome is known now.")
class ResolveUnknownPayload:
    provisioning_request: names.ProvisioningRequestType | None = strawberry.field(description=_OBJECT)
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="A token, and its secret.")
class CreateAccessTokenPayload:
    access_token: names.AccessTokenType | None = strawberry.field(description="The token, null when something went wrong.")
    secret: str | None = strawberry.field(description="The secret: shown this once and never stored.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="The token that was revoked.")
class RevokeAccessTokenPayload:
    access_token: names.AccessTokenType | None = strawberry.field(description="The token, null when something went wrong.")
    errors: list[UserError] = strawberry.field(description=ERRORS)


_Info = Info[Any, Any]


async def preview_provisioning(
    info: _Info,
    input: Annotated[PreviewProvisioningInput, strawberry.argument(description="What to preview.")],  # noqa: A002
) -> PreviewProvisioningPayload:
    """Show what a request would do."""

    async def work(acting: Acting) -> Document:
        _await_policies(acting)
        shown = await requests.preview(acting.database, acting.config, acting.scope, _ask(input))
        return Document(source="preview_document", value=shown.document())

    return await done(PreviewProvisioningPayload, "preview", work, info)


def _await_policies(acting: Acting) -> None:
    """Give an operation that may ask policies the time in which their engine is compiled, where that wasn't done yet."""
    if not judging.is_ready(acting.config):
        allow(60.0)


async def _request(
    info: _Info,
    input: Annotated[RequestProvisioningInput, strawberry.argument(description="What to ask for.")],  # noqa: A002
) -> RequestProvisioningPayload:
    async def work(acting: Acting) -> Reference:
        _await_policies(acting)
        ask = _ask(input, justification=input.justification)
        key = input.idempotency_key
        made = await requests.request(acting.database, acting.config, acting.scope, ask, idempotency_key=key)
        return Reference(id=made.id)

    return await done(RequestProvisioningPayload, "provisioning_request", work, info)


async def _approve(
    info: _Info,
    input: Annotated[DecideRequestInput, strawberry.argument(description="The decision.")],  # noqa: A002
) -> DecideRequestPayload:
    return await _decide(requests.approve, info, input)


async def _reject(
    info: _Info,
    input: Annotated[DecideRequestInput, strawberry.argument(description="The decision.")],  # noqa: A002
) -> DecideRequestPayload:
    return await _decide(requests.reject, info, input)


async def _decide(decision: Callable[..., Awaitable[Any]], info: _Info, given_: DecideRequestInput) -> DecideRequestPayload:
    async def work(acting: Acting) -> Reference:
        _await_policies(acting)
        found = await decision(
            acting.database,
            acting.config,
            acting.scope,
            str(given_.id),
            digest=given_.digest,
            comment=value(given_.comment),
        )
        return Reference(id=found.id)

    return await done(DecideRequestPayload, "provisioning_request", work, info)


async def _cancel(
    info: _Info,
    input: Annotated[CancelRequestInput, strawberry.argument(description="What to call off.")],  # noqa: A002
) -> CancelRequestPayload:
    async def work(acting: Acting) -> Reference:
        reason = value(input.reason)
        found = await requests.cancel(acting.database, acting.config, acting.scope, str(input.id), reason=reason)
        return Reference(id=found.id)

    return await done(CancelRequestPayload, "provisioning_request", work, info)


async def _resolve(
    info: _Info,
    input: Annotated[ResolveUnknownInput, strawberry.argument(description="What was found out.")],  # noqa: A002
) -> ResolveUnknownPayload:
    async def work(acting: Acting) -> Reference:
        found = await requests.resolve(
            acting.database, acting.config, acting.scope, str(input.id), outcome=input.outcome, comment=input.comment
        )
        return Reference(id=found.id)

    return await done(ResolveUnknownPayload, "provisioning_request", work, info)


async def _create_token(
    info: _Info,
    input: Annotated[CreateAccessTokenInput, strawberry.argument(description="The token to make.")],  # noqa: A002
) -> CreateAccessTokenPayload:
    secrets: list[str] = []

    async def work(acting: Acting) -> Reference:
        if input.principal != acting.scope.email:
            require_admin(acting.scope, "make tokens for others")
        async with acting.database.session() as session:
            expires_at = value(input.expires_at)
            secret = await tokens.create(session, input.principal, name=input.name, expires_at=expires_at, by=acting.scope)
            made = await lookups.token_id(session, tokens.hashed(secret))
            await session.commit()
        secrets.append(secret)
        return Reference(id=made)

    payload = await done(CreateAccessTokenPayload, "access_token", work, info, secret=None)
    payload.secret = secrets[0] if secrets else None
    return payload


async def _revoke_token(
    info: _Info,
    input: Annotated[RevokeAccessTokenInput, strawberry.argument(description="The token to revoke.")],  # noqa: A002
) -> RevokeAccessTokenPayload:
    async def work(acting: Acting) -> Reference:
        async with acting.database.session() as session:
            owner = await lookups.token_owner(session, str(input.id))
            if owner is None or (owner != acting.scope.principal_id and not acting.scope.is_admin):
                raise NotFound(f"there is no token {input.id}", path=("id",))
            await tokens.end(session, str(input.id), by=acting.scope)
            await session.commit()
        return Reference(id=str(input.id))

    return await done(RevokeAccessTokenPayload, "access_token", work, info)


@strawberry.type(
    description="What can be done. Expected failures are in each payload's `errors`; one mutation with effects per request."
)
class Mutation:
    request_provisioning: RequestProvisioningPayload = strawberry.field(resolver=_request, description="Ask for a change.")
    approve_request: DecideRequestPayload = strawberry.field(
        resolver=_approve, description="Approve a request of somebody else: exactly the content that the digest names."
    )
    reject_request: DecideRequestPayload = strawberry.field(resolver=_reject, description="Reject a request of somebody else.")
    cancel_request: CancelRequestPayload = strawberry.field(
        resolver=_cancel, description="Call off a request that is not being applied yet."
    )
    retry_request: request_mutations.RetryRequestPayload = strawberry.field(
        resolver=request_mutations.retry_request, description="Try a failed request again. Refused with NOT_AVAILABLE so far."
    )
    revert_request: request_mutations.RetryRequestPayload = strawberry.field(
        resolver=request_mutations.revert_request,
        description="Make a new request that reverts the commit of a finished or failed one. Refused with NOT_AVAILABLE so far.",
    )
    check_drift: request_mutations.CheckDriftPayload = strawberry.field(
        resolver=request_mutations.check_drift,
        description="Compare an instance with reality. Refused with NOT_AVAILABLE so far.",
    )
    resolve_unknown: ResolveUnknownPayload = strawberry.field(
        resolver=_resolve, description="For APPLY_UNKNOWN: what the operator found out."
    )
    index_estate: index_mutations.IndexEstatePayload = strawberry.field(
        resolver=index_mutations.index_estate, description="Read an estate again; for admins."
    )
    confirm_index_run: index_mutations.ConfirmIndexRunPayload = strawberry.field(
        resolver=index_mutations.confirm_index_run,
        description="Let a held run remove what it was held for, or refuse it; for admins.",
    )
    register_service: service_mutations.RegisterServicePayload = strawberry.field(
        resolver=service_mutations.register_service,
        description="Register a service; for who may ask for changes of all that the owning team has.",
    )
    update_service: service_mutations.UpdateServicePayload = strawberry.field(
        resolver=service_mutations.update_service,
        description="Change a registered service. What the seeds define is a Conflict that names file and line.",
    )
    retire_service: service_mutations.RetireServicePayload = strawberry.field(
        resolver=service_mutations.retire_service,
        description="Retire a registered service: it stays, with lifecycle RETIRED. One that the seeds define is a Conflict.",
    )
    import_costs: cost_mutations.ImportCostsPayload = strawberry.field(
        resolver=cost_mutations.import_costs, description="Import estimates or charges, whole or not at all; for admins."
    )
    create_access_token: CreateAccessTokenPayload = strawberry.field(
        resolver=_create_token, description="Make a token for oneself, or, as an admin, for another principal."
    )
    revoke_access_token: RevokeAccessTokenPayload = strawberry.field(
        resolver=_revoke_token, description="Revoke a token of one's own, or, as an admin, any."
    )


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _ask(given_: PreviewProvisioningInput, **more: Any) -> requests.Ask:
    for name in ("service", "target", "name"):
        if value(getattr(given_, name)) is not None:
            raise Invalid(f"{name} is not used by {given_.action}", path=("input", name))
    return requests.Ask(
        action=given_.action,
        estate=value(given_.estate),
        stack=value(given_.stack),
        component=value(given_.component),
        component_type=value(given_.component_type) or enums.ComponentType.TERRAFORM,
        team=given_.team,
        parameters=value(given_.parameters) or {},
        workflow=value(given_.workflow),
        workflow_file=value(given_.workflow_file),
        **{name: value(said) for name, said in more.items()},
    )
