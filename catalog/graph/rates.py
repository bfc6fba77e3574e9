"""How much a viewer may ask for in a minute: one bucket of points for each, filled all the time, in the memory of one process.

A bucket holds what a minute brings. Work is paid before it is done, by its computed cost. What was spent on a document that is then
refused is taken afterwards, even where that leaves a debt: who sends nothing but nonsense isn't read any more until it is paid.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catalog.errors import RateLimited
from catalog.graph.kept import Kept
from catalog.graph.limits import Limits

_VIEWERS = 10_000  # whoever wasn't heard of for longest starts anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What an operation cost and what is left: points, and when the bucket will be full again."""

    limit: int
    cost: int
    remaining: int
    reset_at: datetime

    def told(self) -> str:
        """Return it as JSON: what the root field `rateLimit` shows."""
        return json.dumps(
            {"limit": self.limit, "cost": self.cost, "remaining": self.remaining, "resetAt": self.reset_at.isoformat()}
        )


@dataclass(slots=True, kw_only=True)
class _Bucket:
    level: float
    at: float


class Rates:
    """The buckets of a process. `factor` multiplies what a minute brings; None: nothing is ever refused."""

    def __init__(self, factor: float | None = 1.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._factor = factor
        self._clock = clock
        self._buckets: Kept[str | None, _Bucket] = Kept(_VIEWERS)

    def admit(self, who: str | None, limits: Limits) -> None:
        """Raise RateLimited while a viewer has nothing left, before anything of a request is read."""
        self._afford(self._bucket(who, limits), 1, limits)

    def pay(self, who: str | None, limits: Limits, cost: int) -> Budget:
        """Take what an operation costs and tell what is left; raises RateLimited and takes nothing when there isn't as much."""
        bucket = self._bucket(who, limits)
        self._afford(bucket, cost, limits)
        bucket.level -= cost
        return self._told(bucket, limits, cost)

    def take(self, who: str | None, limits: Limits, cost: int) -> None:
        """Take what was spent already."""
        self._bucket(who, limits).level -= cost

    def tell(self, who: str | None, limits: Limits, cost: int = 0) -> Budget:
        """Tell what is left, and take nothing."""
        return self._told(self._bucket(who, limits), limits, cost)

    def _bucket(self, who: str | None, limits: Limits) -> _Bucket:
        now, most = self._clock(), self._most(limits)
        bucket = self._buckets.get(who)
        if bucket is None:
            bucket = _Bucket(level=most, at=now)
            self._buckets.put(who, bucket)
        bucket.level = min(most, bucket.level + (now - bucket.at) * most / 60)
        bucket.at = now
        return bucket

    def _most(self, limits: Limits) -> float:
        return limits.per_minute * (1.0 if self._factor is None else self._factor)

    def _afford(self, bucket: _Bucket, cost: int, limits: Limits) -> None:
        if self._factor is None or bucket.level >= cost:
            return
        most = self._most(limits)
        wait = max(1, math.ceil((min(cost, most) - bucket.level) * 60 / most))
        raise RateLimited(f"asked for more than {most:.0f} points in a minute", retry_after=wait)

    def _told(self, bucket: _Bucket, limits: Limits, cost: int) -> Budget:
        most = self._most(limits)
        missing = 0.0 if self._factor is None else most - bucket.level
        return Budget(
            limit=int(most),
            cost=cost,
            remaining=max(0, int(most - missing)),
            reset_at=datetime.now(UTC) + timedelta(seconds=missing * 60 / most),
        )
