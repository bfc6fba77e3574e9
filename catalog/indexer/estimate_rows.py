"""Turns what is known of a cost into the row of an estimate."""

from __future__ import annotations

from typing import Any

from catalog.indexer.metadata import Cost
from catalog.indexer.redaction import safe
from catalog.store.rows import CostEstimateRow
from catalog.values import SourceLocation, global_id


def estimate_row(
    subject_kind: str, subject_id: str, cost: Cost, location: SourceLocation | None, *, identity: str | None = None
) -> Any:
    """The row of an estimate about something."""
    estimate = cost.estimate
    return CostEstimateRow(
        id=identity or global_id("CostEstimate", subject_id),
        subject_kind=subject_kind,
        subject_id=subject_id,
        status=cost.status.value,
        currency=estimate.currency if estimate else None,
        monthly=estimate.amount if estimate else None,
        low=estimate.low if estimate else None,
        high=estimate.high if estimate else None,
        reason=cost.problem,
        unsupported=[],
        source=cost.source.value,
        file=safe(location.file) if location else None,
        line=location.line if location else None,
        estimated_at=None,
        superseded_at=None,
    )
