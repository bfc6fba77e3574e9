"""Principals and tokens on a real Postgres."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from catalog import errors
from catalog.access import principals, tokens
from catalog.records import GrantScope, Organization, PrincipalKind, Role, Team, Tenant
from catalog.values import global_id

TEAM = global_id("Team", "fnx", "platform")
TENANT = global_id("Tenant", "fnx", "core")


@pytest.fixture(scope="module", autouse=True)
async def organisation(database):
    """An organisation with a team, a tenant and a hidden tenant."""
    async with database.session() as session:
        session.add(Organization(id="org_fnx", name="fnx", currency="USD"))
        await session.flush()
        session.add(Team(id=TEAM, organization_id="org_fnx", slug="platform", title="Platform", platform=True))
        session.add(Tenant(id=TENANT, organization_id="org_fnx", name="core", hidden=False))
        session.add(Tenant(id="ten_hidden", organization_id="org_fnx", name="example", hidden=True))
        await session.commit()


async def add(database, email, role=Role.VIEWER, **options):
    """Add a principal and commit."""
    async with database.session() as session:
        added = await principals.add(session, email, role, **options)
        await session.commit()
    return added


async def token(database, email, **options):
    """Make a token and commit."""
    async with database.session() as session:
        secret = await tokens.create(session, email, name="test", **options)
        await session.commit()
    return secret


async def execute(database, sql, *arguments):
    """Change the database behind everybody's back."""
    async with database.connection() as connection:
        await connection.execute(sql, *arguments)


async def test_a_token_gives_its_principals_scope(database):
    """Authentication answers with who it is, the grants as ids and the memberships."""
    added = await add(
        database, "Ada@Example.org", Role.APPROVER, name="Ada", teams=["platform"], tenants=["fnx/core"], members=["platform"]
    )
    scope = await tokens.authenticate(database, await token(database, "ada@example.org"))
    assert (scope.principal_id, scope.name, scope.email, scope.kind) == (added.id, "Ada", "ada@example.org", PrincipalKind.PERSON)
    assert scope.grants == (GrantScope(role=Role.APPROVER, teams=frozenset({TEAM}), tenants=frozenset({TENANT})),)
    assert scope.member_of == {TEAM}
    assert not scope.is_unrestricted
    assert scope == await principals.scope_of(database, added.id)


async def test_a_grant_without_names_is_for_everything(database):
    """Naming neither teams nor tenants restricts nothing."""
    await add(database, "root@example.org", Role.ADMIN)
    scope = await tokens.authenticate(database, await token(database, "root@example.org"))
    assert scope.is_admin
    assert scope.is_unrestricted


async def test_adding_again_replaces_the_grant(database):
    """A principal has one grant, the last one given, keeps its name and id, and is enabled again."""
    first = await add(database, "bob@example.org", Role.ADMIN, name="Bob")
    async with database.session() as session:
        await principals.disable(session, "bob@example.org")
        await session.commit()
    again = await add(database, "bob@example.org", Role.VIEWER, tenants=["core"])
    assert (again.id, again.name) == (first.id, "Bob")
    scope = await tokens.authenticate(database, await token(database, "bob@example.org"))
    assert [grant.role for grant in scope.grants] == [Role.VIEWER]


async def test_the_local_admin_is_made_once(database):
    """Starting a catalog twice gives one administrator, unrestricted."""
    ids = set()
    for _ in range(2):
        async with database.session() as session:
            ids.add((await principals.local_admin(session)).id)
            await session.commit()
    assert len(ids) == 1
    scope = await tokens.authenticate(database, await token(database, principals.LOCAL_ADMIN))
    assert scope.is_admin


@pytest.mark.parametrize(
    ("options", "hint"), [({"teams": ["platfrom"]}, "platform"), ({"tenants": ["cor"]}, "core"), ({"members": ["x"]}, "platform")]
)
async def test_unknown_teams_and_tenants_are_refused(database, options, hint):
    """A team or tenant that isn't there is refused with what was perhaps meant, and nobody is added."""
    with pytest.raises(errors.NotFound, match=hint):
        await add(database, "nobody@example.org", **options)
    async with database.session() as session:
        with pytest.raises(errors.NotFound):
            await principals.find(session, "nobody@example.org")


async def test_a_hidden_tenant_cannot_be_granted(database):
    """The hidden tenant of an estate answers to no name."""
    with pytest.raises(errors.NotFound, match="'example'"):
        await add(database, "nobody@example.org", tenants=["example"])


async def test_a_token_for_nobody_is_refused(database):
    """A token needs a principal; a misspelt one is guessed."""
    await add(database, "carol@example.org")
    with pytest.raises(errors.NotFound, match=r"did you mean carol@example\.org"):
        await token(database, "karol@example.org")


async def test_the_secret_is_not_stored(database):
    """No column of the database holds the secret."""
    await add(database, "dave@example.org")
    secret = await token(database, "dave@example.org")
    async with database.connection() as connection:
        rows = await connection.fetch("select t::text as row from access_token t")
    assert all(secret[12:] not in row["row"] for row in rows)


class TestRefusals:
    """Tokens that don't hold."""

    @pytest.fixture
    async def secret(self, database):
        """A good token of a good principal."""
        await add(database, "eve@example.org")
        return await token(database, "eve@example.org")

    async def refused(self, database, secret, words):
        with pytest.raises(errors.Unauthenticated, match=words) as caught:
            await tokens.authenticate(database, secret)
        assert secret[4:] not in str(caught.value)

    async def test_unknown(self, database):
        """An unknown token and something that is no token at all get the same answer."""
        await self.refused(database, tokens.generate(), "not a token of this catalog")
        await self.refused(database, "hunter2hunter2", "not a token of this catalog")

    async def test_revoked(self, database, secret):
        """A revoked token holds no longer, whether named by its beginning or whole."""
        async with database.session() as session:
            await tokens.revoke(session, secret[:10])
            await session.commit()
        await self.refused(database, secret, "was revoked")
        async with database.session() as session:
            with pytest.raises(errors.NotFound):
                await tokens.revoke(session, secret)

    async def test_expired(self, database, secret):
        """A token ends when it was said to end."""
        await execute(database, "update access_token set expires_at = now() where hash = $1", tokens.hashed(secret))
        await self.refused(database, secret, "has expired")

    async def test_disabled(self, database, secret):
        """A disabled principal's tokens hold no longer."""
        async with database.session() as session:
            await principals.disable(session, "eve@example.org")
            await session.commit()
        await self.refused(database, secret, "is disabled")
        with pytest.raises(errors.Invalid, match="is disabled"):
            await token(database, "eve@example.org")

    async def test_a_link_is_no_token(self, database, secret):
        """The secret of a sign-in link can't be used as a token."""
        async with database.session() as session:
            link = await tokens.sign_in_link(session, "eve@example.org")
            await session.commit()
        await self.refused(database, link, "open the link in a browser")

    async def test_an_end_in_the_past(self, database, secret):
        """A token can't be made that has ended already."""
        with pytest.raises(errors.Invalid, match="would end before it began"):
            await token(database, "eve@example.org", expires_at=datetime.now(UTC) - timedelta(seconds=1))


class TestLinks:
    """One-time sign-in links."""

    async def link(self, database):
        await add(database, "frank@example.org", Role.REQUESTER)
        async with database.session() as session:
            secret = await tokens.sign_in_link(session, "frank@example.org")
            await session.commit()
        return secret

    async def test_a_link_signs_a_browser_in(self, database):
        """Redeeming a link gives a session that authenticates as its principal, until it is ended."""
        session = await tokens.redeem(database, await self.link(database))
        assert (await tokens.authenticate(database, session)).email == "frank@example.org"
        await tokens.end_session(database, session)
        with pytest.raises(errors.Unauthenticated):
            await tokens.authenticate(database, session)

    async def test_a_link_is_spent_once(self, database):
        """Of many that open one link at the same moment exactly one gets in."""
        link = await self.link(database)
        answers = await asyncio.gather(*(tokens.redeem(database, link) for _ in range(8)), return_exceptions=True)
        assert sorted(type(answer).__name__ for answer in answers) == ["Unauthenticated"] * 7 + ["str"]

    async def test_a_link_lives_ten_minutes(self, database):
        """A link that is older than ten minutes doesn't hold."""
        link = await self.link(database)
        async with database.connection() as connection:
            left = await connection.fetchval("select expires_at - now() from access_token where hash = $1", tokens.hashed(link))
        assert timedelta(minutes=9) < left <= timedelta(minutes=10)
        await execute(database, "update access_token set expires_at = now() where hash = $1", tokens.hashed(link))
        with pytest.raises(errors.Unauthenticated, match="older than ten minutes"):
            await tokens.redeem(database, link)

    async def test_only_sessions_end_with_their_browser(self, database):
        """Signing out with an access token as the cookie leaves that token in force."""
        await add(database, "grace@example.org")
        secret = await token(database, "grace@example.org")
        await tokens.end_session(database, secret)
        assert (await tokens.authenticate(database, secret)).email == "grace@example.org"

    async def test_an_access_token_is_no_link(self, database):
        """An ordinary token can't be redeemed."""
        await add(database, "grace@example.org")
        with pytest.raises(errors.Unauthenticated):
            await tokens.redeem(database, await token(database, "grace@example.org"))


async def test_use_is_noted_at_most_once_a_minute(database):
    """The first use is written, the ones that follow within a minute are not, a later one is."""
    await add(database, "heidi@example.org")
    secret = await token(database, "heidi@example.org")
    used = "select last_used_at from access_token where hash = $1"

    async def last_used():
        async with database.connection() as connection:
            return await connection.fetchval(used, tokens.hashed(secret))

    await tokens.authenticate(database, secret)
    first = await last_used()
    await tokens.authenticate(database, secret)
    assert first is not None
    assert await last_used() == first
    await execute(
        database, "update access_token set last_used_at = now() - interval '2 minutes' where hash = $1", tokens.hashed(secret)
    )
    await tokens.authenticate(database, secret)
    assert await last_used() > first


async def test_lists_show_beginnings(database):
    """A list names each token's owner and beginning; asking for one principal's gives only those."""
    await add(database, "ivan@example.org")
    secret = await token(database, "ivan@example.org")
    async with database.session() as session:
        (only,) = await tokens.listed(session, email="ivan@example.org")
        everybody = await tokens.listed(session)
    assert (only.email, only.token.prefix) == ("ivan@example.org", secret[:10])
    assert len(everybody) > 1
