"""What every policy engine does: an input document in, verdicts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def summed(verdicts: Sequence[Verdict], policy: str) -> Verdict:
    """Return what one policy says in all: it passes unless a verdict denies; every message, warnings among them, is kept."""
    denies = any(verdict.denies for verdict in verdicts)
    messages = "; ".join(verdict.message for verdict in verdicts if verdict.message)
    severity = Severity.ERROR if denies or not messages else Severity.WARNING
    return Verdict(policy=policy, passed=not denies, severity=severity, message=messages or None)


class Engine(Protocol):
    """Evaluates every policy it holds, in a stable order."""

    def evaluate(self, document: Mapping[str, Any]) -> tuple[Verdict, ...]:
        """Return a verdict for each policy; never raises for what the document holds."""
        ...
