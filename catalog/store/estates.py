"""Registered estates as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from catalog.records import Estate, Organization

# What a registration says anew each time: all but the estate's identity.
_SAID = tuple(name for name in Estate.model_fields if name not in {"id", "name"})


async def find(session: AsyncSession, name: str) -> Estate | None:
    """The estate of that name."""
    return (await session.scalars(select(Estate).where(Estate.name == name))).first()


async def all_of_them(session: AsyncSession) -> Sequence[Estate]:
    """Every registered estate, by name."""
    return (await session.scalars(select(Estate).order_by(Estate.name))).all()


async def register(session: AsyncSession, estate: Estate, organization: Organization) -> bool:
    """Write an estate and, unless it is there, its organisation; say whether anything was new. The caller commits."""
    await session.execute(insert(Organization).values(organization.model_dump()).on_conflict_do_nothing())
    known = await find(session, estate.name)
    if known is not None and all(getattr(known, name) == getattr(estate, name) for name in _SAID):
        return False
    said: dict[str, Any] = {name: getattr(estate, name) for name in _SAID}
    await session.execute(insert(Estate).values(estate.model_dump()).on_conflict_do_update(index_elements=["id"], set_=said))
    return True
