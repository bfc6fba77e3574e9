"""What every policy engine does: an input document in, verdicts out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from catalog.values import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one policy says: ERROR that didn't pass denies, anything less only warns."""

    policy: str
    passed: bool
    severity: Severity
    message: str | None = None

    @property
    def denies(self) -> bool:
        """Whether this stops a request."""
        return not self.passed and self.severity is Severity.ERROR

    def document(self) -> dict[str, Any]:
        """The verdict as plain JSON with the graph's own names."""
        return {"policy": self.policy, "passed": self.passed, "severity": str(self.severity), "message": self.message}


class Engine(Protocol):
    """Evaluates every policy it holds, in a stable order."""

    def evaluate(self, document: Mapping[str, Any]) -> tuple[Verdict, ...]:
        """Return a verdict for each policy; never raises for what the document holds."""
        ...
