"""Rows of governed provisioning: requests, steps, log lines, approvals, replayable mutations, and the locks around them.

Sessions in, records out; nothing here commits except the log, whose lines are worth seeing while a step still runs. Which move is
allowed is `provisioning.lifecycle`'s to say; what the constraints say is translated here, by constraint name.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from catalog import errors
from catalog.records import (
    FINAL_STATES,
    Approval,
    Component,
    ComponentInstance,
    Estate,
    Grant,
    Idempotency,
    Organization,
    Principal,
    ProvisioningRequest,
    RequestState,
    RequestStep,
    Role,
    Stack,
    StepState,
    Team,
    TeamMember,
    Workflow,
)
from catalog.store import live, notify
from catalog.store.database import Database

KEPT = timedelta(days=30)  # how long an idempotency key is remembered
_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
_BUSY_TRIES = 10
_BUSY_PAUSE = 0.1  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a request is about: an instance with its stack, its estate and its code (None where there is none)."""

    estate: Estate
    stack: Stack
    instance: ComponentInstance
    component: Component | None


# ── what requests are about ──────────────────────────────────────────────────────────────────────────────────────────────


async def targets(session: AsyncSession, *, estate: str | None, stack: str, component: str, component_type: str) -> list[Target]:
    """Return the instances that a human reference names: one an estate that has such a stack."""
    query = (
        select(Estate, Stack, ComponentInstance, Component)
        .join(Stack, col(Stack.estate_id) == col(Estate.id))
        .join(ComponentInstance, col(ComponentInstance.stack_id) == col(Stack.id))
        .outerjoin(Component, col(Component.id) == col(ComponentInstance.component_id))
        .where(
            col(Stack.name) == stack,
            col(ComponentInstance.name) == component,
            col(ComponentInstance.type) == component_type,
            col(ComponentInstance.removed_at).is_(None),
            *([col(Estate.name) == estate] if estate else []),
        )
        .order_by(col(Estate.name))
    )
    rows = (await session.execute(query)).all()
    return [Target(estate=row[0], stack=row[1], instance=row[2], component=row[3]) for row in rows]


async def estate(session: AsyncSession, estate_id: str) -> Estate | None:
    """Return the estate, if it is still there."""
    return await session.get(Estate, estate_id, populate_existing=True)


async def instances(session: AsyncSession, ids: Iterable[str]) -> dict[str, ComponentInstance]:
    """Return the instances of these ids that are there, by id."""
    rows = await session.scalars(select(ComponentInstance).where(col(ComponentInstance.id).in_(list(ids))))
    return {row.id: row for row in rows}


async def currency(session: AsyncSession, organization_id: str) -> str:
    """Return the organisation's currency."""
    return await session.scalar(select(col(Organization.currency)).where(col(Organization.id) == organization_id)) or "USD"


async def team(session: AsyncSession, slug: str, organization_id: str) -> Team | None:
    """Return the organisation's team of that slug."""
    return await session.scalar(select(Team).where(col(Team.slug) == slug, col(Team.organization_id) == organization_id))


async def team_of(session: AsyncSession, team_id: str | None) -> Team | None:
    """Return the team of that id."""
    return await session.get(Team, team_id) if team_id else None


async def has_workflow(session: AsyncSession, workflow_id: str) -> bool:
    """Whether the workflow is indexed, so that a request may refer to it."""
    return await session.get(Workflow, workflow_id) is not None


async def approvers(
    session: AsyncSession, *, tenant_id: str, team_id: str | None, organization_id: str, named: Sequence[str] | None
) -> list[Principal]:
    """Return who may decide about a target: principals whose approver grant admits it and whom the gate names.

    `named` holds `team:slug` (its members) and e-mail addresses; None names everybody.
    """
    admits: list[ColumnElement[bool]] = [
        col(Grant.principal_id) == col(Principal.id),
        col(Grant.role).in_([Role.APPROVER, Role.ADMIN]),
        or_(col(Grant.tenants).is_(None), func.array_position(col(Grant.tenants), tenant_id).is_not(None)),
    ]
    if team_id is not None:
        admits.append(or_(col(Grant.teams).is_(None), func.array_position(col(Grant.teams), team_id).is_not(None)))
    query = select(Principal).where(col(Principal.disabled_at).is_(None), select(1).where(*admits).exists())
    if named is not None:
        query = query.where(_is_named(named, organization_id))
    return list(await session.scalars(query.order_by(col(Principal.email))))


async def principals(session: AsyncSession, ids: Iterable[str]) -> dict[str, Principal]:
    """Return the principals of these ids, by id."""
    rows = await session.scalars(select(Principal).where(col(Principal.id).in_(list(ids))))
    return {row.id: row for row in rows}


def _is_named(named: Sequence[str], organization_id: str) -> ColumnElement[bool]:
    slugs = [name.removeprefix("team:") for name in named if name.startswith("team:")]
    emails = [name for name in named if not name.startswith("team:")]
    members = (
        select(col(TeamMember.principal_id))
        .join(Team, col(Team.id) == col(TeamMember.team_id))
        .where(col(Team.slug).in_(slugs), col(Team.organization_id) == organization_id)
    )
    return or_(col(Principal.email).in_(emails), col(Principal.id).in_(members))


# ── requests and their steps ─────────────────────────────────────────────────────────────────────────────────────────────


async def add(session: AsyncSession, request: ProvisioningRequest, steps: Sequence[RequestStep]) -> None:
    """Write a request with its steps; raises Conflict naming the request that already holds the target."""
    try:
        async with session.begin_nested():
            session.add(request)
            await session.flush()
    except IntegrityError as error:
        if _constraint(error) != "provisioning_request_active":
            raise
        holder = await active(session, request.estate_id, request.target)
        number = f"#{holder.number} ({holder.state})" if holder else "another one, just finished"
        raise errors.Conflict(
            f"{request.component_name} in {request.stack_name} is held by request {number}",
            code="TARGET_BUSY",
            hint=f"wait for it, or cancel it: catalog cancel {holder.number}" if holder else "try again",
        ) from error
    session.add_all(steps)
    await session.flush()


async def active(session: AsyncSession, estate_id: str, target: str) -> ProvisioningRequest | None:
    """Return the request that holds a target."""
    return await session.scalar(
        select(ProvisioningRequest).where(
            col(ProvisioningRequest.estate_id) == estate_id,
            col(ProvisioningRequest.target) == target,
            col(ProvisioningRequest.state).not_in(FINAL_STATES),
        )
    )


async def get(session: AsyncSession, request_id: str) -> ProvisioningRequest | None:
    """Return a request as it stands."""
    return await session.get(ProvisioningRequest, request_id, populate_existing=True)


async def lock(session: AsyncSession, request_id: str) -> ProvisioningRequest | None:
    """Return a request with its row locked until the session commits: moves are decided one after the other."""
    query = select(ProvisioningRequest).where(col(ProvisioningRequest.id) == request_id).with_for_update(key_share=True)
    return await session.scalar(query.execution_options(populate_existing=True))


async def id_of(session: AsyncSession, number: int) -> str | None:
    """Return the id of the request with that number."""
    return await session.scalar(select(col(ProvisioningRequest.id)).where(col(ProvisioningRequest.number) == number))


async def steps(session: AsyncSession, request_id: str) -> list[RequestStep]:
    """Return a request's steps in order, as they stand."""
    query = select(RequestStep).where(col(RequestStep.request_id) == request_id).order_by(col(RequestStep.ordinal))
    return list(await session.scalars(query.execution_options(populate_existing=True)))


async def step(session: AsyncSession, request_id: str, ordinal: int) -> RequestStep | None:
    """Return one step as it stands, its row locked until the session commits."""
    return await session.get(RequestStep, (request_id, ordinal), populate_existing=True, with_for_update={"key_share": True})


async def due(session: AsyncSession) -> list[str]:
    """Return the ids of requests that a worker has to look at, whoever forgot to say so.

    Those on their way, those whose time to decide is over, and those of unknown outcome that nobody examined yet (who
    did, and could not tell, left an error).
    """
    state = col(ProvisioningRequest.state)
    moving = (
        RequestState.PENDING,
        RequestState.PREVIEWING,
        RequestState.PLANNING,
        RequestState.APPROVED,
        RequestState.PROVISIONING,
        RequestState.DEPLOYING,
    )
    unexamined = (
        select(1)
        .where(
            col(RequestStep.request_id) == col(ProvisioningRequest.id),
            col(RequestStep.state) == StepState.UNKNOWN,
            col(RequestStep.error).is_(None),
        )
        .exists()
    )
    query = select(col(ProvisioningRequest.id)).where(
        or_(
            state.in_(moving),
            and_(state == RequestState.AWAITING_APPROVAL, col(ProvisioningRequest.expires_at) <= func.now()),
            and_(state == RequestState.APPLY_UNKNOWN, unexamined),
        )
    )
    return list(await session.scalars(query.order_by(col(ProvisioningRequest.number))))


# ── approvals ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def approvals(session: AsyncSession, request_id: str) -> list[Approval]:
    """Return every decision on a request, the first first, void ones too."""
    query = select(Approval).where(col(Approval.request_id) == request_id).order_by(col(Approval.at), col(Approval.id))
    return list(await session.scalars(query))


async def decide(session: AsyncSession, approval: Approval) -> None:
    """Write a decision; raises Forbidden for the requester's own and Conflict for a second one."""
    try:
        async with session.begin_nested():
            session.add(approval)
            await session.flush()
    except IntegrityError as error:
        refusal = _REFUSALS.get(_constraint(error) or "")
        if refusal is None:
            raise
        raise refusal() from error


def own_request() -> errors.Forbidden:
    """Say that nobody decides on a request of their own."""
    return errors.Forbidden("nobody decides on a request of their own", hint="ask another approver")


_REFUSALS: Mapping[str, Callable[[], errors.CatalogError]] = {
    "approver_is_not_requester": own_request,
    "approval_once": lambda: errors.Conflict("you have decided on this already", code="ALREADY_DECIDED"),
}


async def void_approvals(session: AsyncSession, request_id: str) -> None:
    """Let no decision so far count any more: what was decided on is no longer what would happen."""
    await session.execute(update(Approval).where(col(Approval.request_id) == request_id).values(void=True))


# ── mutations that can be replayed ───────────────────────────────────────────────────────────────────────────────────────


async def claim(session: AsyncSession, *, principal_id: str, mutation: str, key: str, body_hash: str) -> dict[str, Any] | None:
    """Claim an idempotency key in this transaction: None when it is new, else the payload that was stored under it.

    A concurrent duplicate waits here until the first commits (the unique row makes it) or gives up. Raises Conflict when the key
    was used with another body.
    """
    where = (
        col(Idempotency.principal_id) == principal_id,
        col(Idempotency.mutation) == mutation,
        col(Idempotency.key) == key,
    )
    await session.execute(delete(Idempotency).where(*where, col(Idempotency.created_at) < datetime.now(UTC) - KEPT))
    row = {"principal_id": principal_id, "mutation": mutation, "key": key, "body_hash": body_hash, "created_at": datetime.now(UTC)}
    claimed = insert(Idempotency).values(**row).on_conflict_do_nothing().returning(col(Idempotency.key))
    if (await session.execute(claimed)).first() is not None:
        return None
    kept = await session.scalar(select(Idempotency).where(*where).execution_options(populate_existing=True))
    if kept is None or kept.body_hash != body_hash:
        raise errors.Conflict(
            f"the idempotency key {key!r} was used for something else", code="IDEMPOTENCY_KEY_REUSED", path=("idempotencyKey",)
        )
    return kept.payload or {}


async def keep(session: AsyncSession, *, principal_id: str, mutation: str, key: str, payload: dict[str, Any]) -> None:
    """Store the payload that a replay of the key returns."""
    await session.execute(
        update(Idempotency)
        .where(col(Idempotency.principal_id) == principal_id, col(Idempotency.mutation) == mutation, col(Idempotency.key) == key)
        .values(payload=payload)
    )


# ── the log ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

# The sequence counts within the request, other events of it included: nobody adds some at the same time (0001_events.sql).
_APPEND = """
    insert into step_log (request_id, sequence, ordinal, at, stream, text)
    select $1, (select catalog_last_event($1)) + line.number, $2, line.at, line.stream, line.text
    from unnest($3::timestamptz[], $4::text[], $5::text[]) with ordinality as line(at, stream, text, number)
"""


async def append_log(database: Database, request_id: str, ordinal: int, lines: Sequence[tuple[datetime, str, str]]) -> None:
    """Write lines (time, stream, text) of a step at once, commit them and wake who follows."""
    times, streams, texts = zip(*lines, strict=True)
    async with database.transaction() as connection:
        await connection.execute("select catalog_hold_events($1)", request_id)
        await connection.execute(_APPEND, request_id, ordinal, times, streams, [_storable(text) for text in texts])
        await notify.send(connection, live.CHANNEL, live.of_request(request_id))


async def wake(session: AsyncSession, request_id: str) -> None:
    """Wake who follows a request, when the session commits."""
    await notify.send(session, live.CHANNEL, live.of_request(request_id))


def _storable(text: str) -> str:
    """Postgres holds neither NUL nor lone surrogates."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


# ── locks ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Hold:
    """A request held by this process, for as long as the connection lives: a killed worker lets go by dying."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def estate(self, estate_id: str) -> AsyncIterator[None]:
        """Hold an estate, waiting for whoever holds it: one request commits and applies at a time."""
        await self._connection.execute("select pg_advisory_lock(hashtextextended($1, 0))", f"estate:{estate_id}")
        try:
            yield
        finally:
            # With the connection the lock is gone too; what was done under it keeps its outcome.
            with suppress(*_LOST):
                await self._connection.execute("select pg_advisory_unlock(hashtextextended($1, 0))", f"estate:{estate_id}")


@asynccontextmanager
async def hold(database: Database, request_id: str) -> AsyncIterator[Hold | None]:
    """Hold a request on a connection of its own; gives None when another worker has it after a second of asking."""
    connection = await database.direct_connection()
    try:
        held = await _try_lock(connection, f"request:{request_id}")
        yield Hold(connection) if held else None
    finally:
        with suppress(*_LOST):
            await connection.close(timeout=5)


async def _try_lock(connection: asyncpg.Connection, name: str) -> bool:
    for _ in range(_BUSY_TRIES):
        if await connection.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", name):
            return True
        await asyncio.sleep(_BUSY_PAUSE)
    return False


def _constraint(error: IntegrityError) -> str | None:
    cause = error.orig.__cause__ if error.orig is not None else None
    return getattr(cause, "constraint_name", None)
