"""What several verdicts of one policy come to."""

from catalog.policy import Verdict
from catalog.policy.engine import summed
from catalog.values import Severity


def said(severity: Severity, message: str | None, *, passed: bool = False) -> Verdict:
    return Verdict(policy="p", passed=passed, severity=severity, message=message)


def test_one_denial_denies_and_every_message_is_kept() -> None:
    """A warning alone passes; without verdicts nothing is wrong."""
    denial, warning = said(Severity.ERROR, "no"), said(Severity.WARNING, "hm")

    assert summed([warning, denial], "p") == said(Severity.ERROR, "hm; no")
    assert summed([warning], "p") == said(Severity.WARNING, "hm", passed=True)
    assert summed([], "p") == said(Severity.ERROR, None, passed=True)
    assert summed([denial], "p").document() == {"policy": "p", "passed": False, "severity": "ERROR", "message": "no"}
    assert [one.denies for one in (denial, warning)] == [True, False]
