"""Mutations on services: register one, change one, retire one. What the seeds define is changed there."""

from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from catalog.graph import enums, names
from catalog.graph.acting import ERRORS, Acting, done, value
from catalog.graph.declarations import given
from catalog.graph.payloads import Reference
from catalog.graph.problems import UserError
from catalog.provisioning import services
from catalog.provisioning.services import Definition, Link, Part

_Info = Info[Any, Any]
_SERVICE = "The service, null when something went wrong."
_SLUG = "Its short name: lower-case letters, digits and hyphens, 63 at most."
_ORGANIZATION = "Its organisation's name; needed when several have one of that name."


@strawberry.input(description="A link to read more.")
class LinkInput:
    title: str = given("What it leads to.")
    url: str = given("Where it leads: https://… or http://….")


@strawberry.input(description="A component of a service.")
class ServiceComponentInput:
    name: str = given("The name of an instance or of a component.")
    layer: enums.ServiceLayer = given("Which half of the service it belongs to.")
    role: str | None = given("What it does there.")


@strawberry.input(description="A service to register.")
class RegisterServiceInput:
    idempotency_key: str = given(
        "Chosen by the client: the same key with the same body returns the same service, with another body it is a Conflict."
    )
    slug: str = given(_SLUG)
    title: str = given("Its title.")
    organization: str | None = given("The organisation's name; needed when several have a team of the owner's name.")
    owner: str = given("The slug of the team that owns it.")
    description: str | None = given("What it is for.")
    category: str | None = given("Its category.")
    lifecycle: enums.Lifecycle | None = given("Where it is in its life: PRODUCTION unless given.")
    tier: int | None = given("How critical it is: 1 is the most.")
    tags: list[str] | None = given("Its tags, 50 at most.")
    links: list[LinkInput] | None = given("Where to read more, 20 at most.")
    components: list[ServiceComponentInput] = given("Its parts, in order, 100 at most.")


@strawberry.input(description="What to change of a registered service: what is absent stays, null clears what may be empty.")
class UpdateServiceInput:
    slug: str = given("Its short name.")
    organization: str | None = given(_ORGANIZATION)
    expected_version: int | None = given("The version that was looked at: if it is another one by now, that is a Conflict.")
    title: str | None = given("Its title.")
    owner: str | None = given("The slug of the team that owns it.")
    description: str | None = given("What it is for.")
    category: str | None = given("Its category.")
    lifecycle: enums.Lifecycle | None = given("Where it is in its life.")
    tier: int | None = given("How critical it is: 1 is the most.")
    tags: list[str] | None = given("All its tags, 50 at most.")
    links: list[LinkInput] | None = given("All its links, 20 at most.")
    components: list[ServiceComponentInput] | None = given("All its parts, in order, 100 at most.")


@strawberry.input(description="A service to retire.")
class RetireServiceInput:
    slug: str = given("Its short name.")
    organization: str | None = given(_ORGANIZATION)
    reason: str | None = given("Why.")


@strawberry.type(description="The service that was registered.")
class RegisterServicePayload:
    service: names.ServiceType | None = strawberry.field(description=_SERVICE)
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="The service that was changed.")
class UpdateServicePayload:
    service: names.ServiceType | None = strawberry.field(description=_SERVICE)
    errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="The service that was retired.")
class RetireServicePayload:
    service: names.ServiceType | None = strawberry.field(description=_SERVICE)
    errors: list[UserError] = strawberry.field(description=ERRORS)


async def register_service(
    info: _Info,
    input: Annotated[RegisterServiceInput, strawberry.argument(description="The service.")],  # noqa: A002
) -> RegisterServicePayload:
    """Register a service."""

    async def work(acting: Acting) -> Reference:
        said = _said(input, "idempotency_key")
        made = Definition(**{name: item for name, item in said.items() if item is not None})
        identity = await services.register(acting.database, acting.scope, made, idempotency_key=input.idempotency_key)
        return Reference(id=identity)

    return await done(RegisterServicePayload, "service", work, info)


async def update_service(
    info: _Info,
    input: Annotated[UpdateServiceInput, strawberry.argument(description="What to change.")],  # noqa: A002
) -> UpdateServicePayload:
    """Change a registered service."""

    async def work(acting: Acting) -> Reference:
        changes = _said(input, "slug", "organization", "expected_version")
        identity = await services.update(
            acting.database,
            acting.scope,
            input.slug,
            changes,
            organization=value(input.organization),
            expected_version=value(input.expected_version),
        )
        return Reference(id=identity)

    return await done(UpdateServicePayload, "service", work, info)


async def retire_service(
    info: _Info,
    input: Annotated[RetireServiceInput, strawberry.argument(description="The service.")],  # noqa: A002
) -> RetireServicePayload:
    """Retire a registered service."""

    async def work(acting: Acting) -> Reference:
        identity = await services.retire(
            acting.database, acting.scope, input.slug, organization=value(input.organization), reason=value(input.reason)
        )
        return Reference(id=identity)

    return await done(RetireServicePayload, "service", work, info)


def _said(given_: Any, *beside: str) -> dict[str, Any]:
    """What was given of a definition, by its attributes; what is absent is left out, null is None."""
    said = {name: item for name, item in vars(given_).items() if item is not strawberry.UNSET and name not in beside}
    if said.get("links") is not None:
        said["links"] = tuple(Link(title=link.title, url=link.url) for link in said["links"])
    if said.get("components") is not None:
        said["components"] = tuple(
            Part(name=part.name, layer=part.layer.value, role=value(part.role)) for part in said["components"]
        )
    if said.get("tags") is not None:
        said["tags"] = tuple(said["tags"])
    if said.get("lifecycle") is not None:
        said["lifecycle"] = said["lifecycle"].value
    return said
