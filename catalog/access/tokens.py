"""Access tokens: `atc_` and 256 random bits, shown once and stored as a hash. One-time links sign a browser in.

The random bits are the whole strength, so a plain SHA-256 is the right hash: there is no dictionary to try, and looking a token up
stays one index read.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import errors
from catalog.access import principals
from catalog.records import SYSTEM, AccessToken, Scope
from catalog.store import access, audit
from catalog.store.access import ListedToken
from catalog.store.database import Database
from catalog.values import global_id

PREFIX = "atc_"
LINK_LIFETIME = timedelta(minutes=10)
SESSION_LIFETIME = timedelta(days=14)
_SHOWN = 10  # characters that lists show: enough to tell tokens apart, far too few to guess one
_SIGN_IN = "sign in again, or ask for a new token (`catalog token create`)"


class TokenKind(StrEnum):
    """What a token is for: a program, one opening of a link, or the browser that opened it."""

    API = "API"
    LINK = "LINK"
    SESSION = "SESSION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A viewer whose token holds, and for how many seconds more; None: until it is revoked."""

    scope: Scope
    left: float | None


async def authenticate(database: Database, secret: str) -> Scope:
    """Return the scope of a token's principal; as `admit`."""
    return (await admit(database, secret)).scope


async def admit(database: Database, secret: str) -> Admission:
    """Look a token up and note that it was used.

    Raises Unauthenticated: to whoever holds a real token it says what is wrong with it, to everybody else nothing.
    """
    viewer = await access.viewer_by_token(database, hashed(secret)) if secret.startswith(PREFIX) else None
    if viewer is None:
        raise errors.Unauthenticated("that is not a token of this catalog", hint=_SIGN_IN)
    token = viewer["token"]
    refusal = _refusal(token, disabled=viewer["disabled"])
    if refusal is not None:
        raise errors.Unauthenticated(refusal, hint=_SIGN_IN)
    if token["stale"]:
        await access.touch(database, token["id"])
    return Admission(scope=principals.scope(viewer), left=token["left"])


async def create(
    session: AsyncSession,
    email: str,
    *,
    name: str,
    expires_at: datetime | None = None,
    kind: TokenKind = TokenKind.API,
    by: Scope = SYSTEM,
) -> str:
    """Make a token for a principal and return its secret, which is not kept; the caller commits at once.

    A token for programs is noted in the audit log, as done by `by`: by the catalog itself unless given. Raises NotFound for an unknown
    principal, Invalid for a disabled one or an end in the past.
    """
    principal = await principals.find(session, email)
    if principal.disabled_at is not None:
        raise errors.Invalid(f"{principal.email} is disabled", hint="add it again with `catalog principal add`", path=("email",))
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise errors.Invalid("the token would end before it began", path=("expiresAt",))
    secret = generate()
    made = AccessToken(
        id=_new_id(),
        principal_id=principal.id,
        kind=kind,
        name=name,
        prefix=secret[:_SHOWN],
        hash=hashed(secret),
        created_at=datetime.now(UTC),
        expires_at=expires_at,
    )
    session.add(made)
    await session.flush()
    if kind is TokenKind.API:
        told = {"principal": principal.email, "name": name, "prefix": made.prefix, "expiresAt": _told(expires_at)}
        await audit.record(session, by, "createAccessToken", made.id, told)
    return secret


async def sign_in_link(session: AsyncSession, email: str) -> str:
    """Return the secret of a link that signs a browser in once, within ten minutes; the caller commits."""
    return await create(session, email, name="sign-in link", expires_at=datetime.now(UTC) + LINK_LIFETIME, kind=TokenKind.LINK)


async def redeem(database: Database, secret: str) -> str:
    """Spend a sign-in link and return the secret of the browser's session; raises Unauthenticated when the link doesn't hold."""
    session_secret = generate()
    redeemed = await access.redeem(
        database,
        hashed(secret),
        token_id=_new_id(),
        prefix=session_secret[:_SHOWN],
        token_hash=hashed(session_secret),
        expires_at=datetime.now(UTC) + SESSION_LIFETIME,
    )
    if not redeemed:
        raise errors.Unauthenticated(
            "this sign-in link doesn't hold: it was used, is older than ten minutes, or was never given out", hint=_SIGN_IN
        )
    return session_secret


async def end_session(database: Database, secret: str) -> None:
    """Let a browser's session end; a token that isn't a session's stays in force."""
    await access.revoke_session(database, hashed(secret))


async def listed(session: AsyncSession, *, email: str | None = None) -> list[ListedToken]:
    """Return every token, or one principal's, with its owner's e-mail address; raises NotFound for an unknown one."""
    return await access.tokens(session, email=(await principals.find(session, email)).email if email else None)


async def revoke(session: AsyncSession, given: str) -> AccessToken:
    """Revoke the token in force that begins as given (a list's prefix, or the whole secret); the caller commits.

    Raises NotFound when there is none, Ambiguous when several begin so.
    """
    found = await access.tokens_with_prefix(session, given[:_SHOWN])
    if len(given) > _SHOWN:
        found = [token for token in found if token.hash == hashed(given)]
    if not found:
        raise errors.NotFound(f"no token in force begins with {given[:_SHOWN]!r}", hint="`catalog token list` shows them")
    if len(found) > 1:
        raise errors.Ambiguous(
            "several tokens begin so", candidates=tuple(token.id for token in found), hint="give the whole token"
        )
    await end(session, found[0].id)
    return found[0]


async def end(session: AsyncSession, token_id: str, *, by: Scope = SYSTEM) -> None:
    """Revoke a token, and note in the audit log who did; one that was revoked before stays so. The caller commits at once."""
    if await access.revoke(session, token_id):
        await audit.record(session, by, "revokeAccessToken", token_id)


def generate() -> str:
    """Return a new secret."""
    return PREFIX + secrets.token_urlsafe(32)


def hashed(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _new_id() -> str:
    return global_id("AccessToken", secrets.token_hex(16))


def _told(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _refusal(token: Mapping[str, Any], *, disabled: bool) -> str | None:
    """Return why a token doesn't hold, or None."""
    reasons = (
        (token["revoked"], "this token was revoked"),
        (token["left"] is not None and token["left"] <= 0, "this token has expired"),
        (disabled, "the principal of this token is disabled"),
        (token["kind"] == TokenKind.LINK, "this is a sign-in link's token: open the link in a browser"),
    )
    return next((reason for holds, reason in reasons if holds), None)
