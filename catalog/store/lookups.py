"""Small look-ups that mutations need before they act: sessions in, ids out."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from catalog.records import AccessToken, Estate


async def estate_id(session: AsyncSession, name: str) -> str | None:
    """Return the id of the estate of that name, None when there is none."""
    return (await session.scalars(select(col(Estate.id)).where(col(Estate.name) == name))).one_or_none()


async def token_owner(session: AsyncSession, token_id: str) -> str | None:
    """Return whose token that is, None when there is none."""
    query = select(col(AccessToken.principal_id)).where(col(AccessToken.id) == token_id)
    return (await session.scalars(query)).one_or_none()


async def token_id(session: AsyncSession, token_hash: bytes) -> str:
    """Return the id of the token with that hash."""
    return (await session.scalars(select(col(AccessToken.id)).where(col(AccessToken.hash) == token_hash))).one()
