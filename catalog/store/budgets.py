"""What a team's budget still admits: what its instances are expected to cost, and what requests under way would add."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.records import FINAL_STATES
from catalog.values import Money

_TODAY = "(now() at time zone 'UTC')::date"
# The team is locked, so that of two requests at once the second sees the first.
_LOCK = text("select budget is not null from team where id = :team for no key update")
_STANDING = text(f"""
select t.budget, t.budget_currency as currency,
    (select case when bool_and(w.worth is not null) is not false then coalesce(sum(w.worth), 0) end from (
        select e.amount * catalog_rate(e.currency, t.budget_currency, {_TODAY}) as worth
        from team_estimate e where e.team_id = t.id and e.known > 0) w) as expected,
    (select case when bool_and(w.worth is not null) is not false then coalesce(sum(w.worth), 0) end from (
        select greatest((r.preview->'costDelta'->>'amount')::numeric, 0)
            * catalog_rate(r.preview->'costDelta'->>'currency', t.budget_currency, {_TODAY}) as worth
        from provisioning_request r
        where r.team_id = t.id and r.id is distinct from :but
            and r.state not in ({", ".join(f"'{state}'" for state in FINAL_STATES)})) w) as committed,
    cast(:amount as numeric) * catalog_rate(:currency, t.budget_currency, {_TODAY}) as requested
from team t where t.id = :team
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A team's budget of a month, and what counts against it in the same currency; None is unknown, never zero."""

    budget: Money
    expected: Decimal | None
    committed: Decimal | None
    requested: Decimal | None


async def standing(session: AsyncSession, team_id: str, adds: Money | None) -> Standing | None:
    """Return how a team's budget stands beside what a request would add, None without a budget; others wait until the caller's end."""
    if not (await session.execute(_LOCK, {"team": team_id})).scalar():
        return None
    return await look(session, team_id, adds)


async def look(session: AsyncSession, team_id: str, adds: Money | None, *, but: str | None = None) -> Standing | None:
    """The same without waiting or being waited for; `but` is a request that doesn't count as being under way."""
    given = {"amount": None if adds is None else str(adds.amount), "currency": None if adds is None else adds.currency}
    row = (await session.execute(_STANDING, {"team": team_id, "but": but, **given})).one()
    if row.budget is None:
        return None
    return Standing(
        budget=Money(amount=row.budget, currency=row.currency),
        expected=row.expected,
        committed=row.committed,
        requested=row.requested,
    )
