"""The promises that Postgres itself keeps, recognised by the names of their constraints."""

from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

_ROWS = """
insert into organization (id, name, currency) values ('org', 'fnx', 'USD');
insert into tenant (id, organization_id, name, hidden) values ('ten', 'org', 'core', false);
insert into team (id, organization_id, slug, title, platform, aliases) values ('tea', 'org', 'platform', 'Platform', true, '{}');
insert into estate (id, name, organization_id, kind, ref, directory, writable, executor, workflows, removal_limit)
    values ('est', 'example', 'org', 'git', 'main', '.', true, 'dry_run', '{}', 50);
insert into principal (id, name, email, kind, created_at)
    values ('ada', 'Ada', 'ada@example.org', 'PERSON', now()), ('bob', 'Bob', 'bob@example.org', 'PERSON', now());
"""
_REQUEST = """
insert into provisioning_request (id, estate_id, tenant_id, action, state, target, team_id, requester_id, parameters, executor,
    required_approvals, may_approve, created_at, updated_at)
values ($1, 'est', 'ten', 'APPLY_COMPONENT', 'AWAITING_APPROVAL', $2, 'tea', 'ada', '{}', 'dry_run', 1, '{}', now(), now())
"""
_APPROVAL = """
insert into approval (request_id, requester_id, principal_id, decision, digest, void, at)
values ($1, $2, $3, 'APPROVED', 'digest', false, now())
"""


@pytest.fixture(scope="module", autouse=True)
async def rows(database):
    """An organisation, an estate and two principals."""
    async with database.connection() as connection:
        await connection.execute(_ROWS)


async def execute(database, sql, *arguments):
    """Run a statement."""
    async with database.connection() as connection:
        await connection.execute(sql, *arguments)


async def test_the_requester_cannot_approve(database):
    """An approval by the request's requester is refused, and so is one that names another requester than the request's."""
    await execute(database, _REQUEST, "mine", "stack/eks")
    with pytest.raises(asyncpg.CheckViolationError) as own:
        await execute(database, _APPROVAL, "mine", "ada", "ada")
    assert own.value.constraint_name == "approver_is_not_requester"
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await execute(database, _APPROVAL, "mine", "bob", "ada")
    await execute(database, _APPROVAL, "mine", "ada", "bob")


async def test_a_principal_decides_once(database):
    """A second decision of the same principal is refused while the first counts."""
    await execute(database, _REQUEST, "once", "stack/rds")
    await execute(database, _APPROVAL, "once", "ada", "bob")
    with pytest.raises(asyncpg.UniqueViolationError) as again:
        await execute(database, _APPROVAL, "once", "ada", "bob")
    assert again.value.constraint_name == "approval_once"
    await execute(database, "update approval set void = true where request_id = 'once'")
    await execute(database, _APPROVAL, "once", "ada", "bob")


async def test_a_target_has_one_active_request(database):
    """A second active request for a target is refused, and allowed once the first has ended."""
    await execute(database, _REQUEST, "first", "stack/vpc")
    with pytest.raises(asyncpg.UniqueViolationError) as second:
        await execute(database, _REQUEST, "second", "stack/vpc")
    assert second.value.constraint_name == "provisioning_request_active"
    await execute(database, "update provisioning_request set state = 'REJECTED' where id = 'first'")
    await execute(database, _REQUEST, "second", "stack/vpc")


async def test_a_request_runs_one_step(database):
    """A second running step of one request is refused."""
    await execute(database, _REQUEST, "stepwise", "stack/iam")
    step = "insert into request_step (request_id, ordinal, name, kind, options, state, attempt) values ('stepwise', $1, 'x', 'PLAN', '{}', 'RUNNING', 1)"
    await execute(database, step, 1)
    with pytest.raises(asyncpg.UniqueViolationError) as second:
        await execute(database, step, 2)
    assert second.value.constraint_name == "request_step_running"


async def test_a_session_sees_the_constraint_by_name(database):
    """Through SQLAlchemy too, a conflict is recognised by the name of its constraint."""
    async with database.session() as session:
        with pytest.raises(IntegrityError) as caught:
            await session.execute(text("insert into organization (id, name, currency) values ('other', 'fnx', 'USD')"))
    assert caught.value.orig.__cause__.constraint_name == "organization_name_key"
