"""Rules as data."""

import pytest

from catalog.errors import Invalid
from catalog.policy import Rules
from catalog.values import Severity

DOCUMENT = {
    "stack": "core-uw2-prod",
    "vars": {"tags": {"Team": "web"}, "ports": [80, 443]},
    "cost": {"after": {"amount": "500.01"}},
}


def passes(**rule):
    (verdict,) = Rules.read([rule]).evaluate(DOCUMENT)
    return verdict.passed


@pytest.mark.parametrize(
    ("rule", "passed"),
    [
        ({"path": "vars.tags.Team", "is": "present"}, True),
        ({"path": "vars.tags.Owner", "is": "present"}, False),
        ({"path": "vars.tags.Owner", "is": "absent"}, True),
        ({"path": "cost.after.amount", "at_most": 500}, False),
        ({"path": "cost.after.amount", "at_most": "500.01"}, True),
        ({"path": "cost.before.amount", "at_most": 500}, False),
        ({"path": "vars.ports.1", "equals": 443}, True),
        ({"path": "vars.ports.7", "equals": 443}, False),
        ({"path": "vars.ports.1", "equals": True}, False),
        ({"path": "vars.ports.0", "at_least": 100}, False),
        ({"path": "stack", "matches": ".*-prod"}, True),
        ({"path": "stack", "matches": ".*-prod", "not": True}, False),
        ({"path": "nothing", "matches": ".*-prod", "not": True}, False),
        ({"path": "stack", "in": ["a", "b"]}, False),
        ({"path": "vars.tags", "has_keys": ["Team"]}, True),
        ({"path": "vars.tags", "has_keys": ["Team", "CostCenter"]}, False),
    ],
)
def test_rules_judge(rule, passed):
    """Each test of the vocabulary holds or not; what is missing doesn't pass, whichever way a rule is turned."""
    assert passes(**rule) is passed


def test_a_verdict_says_why():
    """A verdict that didn't pass names the path, what was wanted and what was there."""
    (verdict,) = Rules.read([{"name": "prod", "path": "stack", "equals": "x", "severity": "warning"}]).evaluate(DOCUMENT)
    assert verdict.message == "stack must be equals 'x': it is 'core-uw2-prod'"
    assert verdict.severity is Severity.WARNING
    assert not verdict.denies


def test_only_errors_deny():
    """A rule of severity ERROR, the default, denies when it doesn't pass."""
    (verdict,) = Rules.read([{"path": "stack", "equals": "x"}]).evaluate(DOCUMENT)
    assert verdict.denies


@pytest.mark.parametrize(
    "rules",
    [
        "rules",
        [{"is": "present"}],
        [{"path": "a"}],
        [{"path": "a", "is": "present", "equals": 1}],
        [{"path": "a", "is": "there"}],
        [{"path": "a", "matches": "("}],
        [{"path": "a", "in": "abc"}],
        [{"path": "a", "at_most": "much"}],
        [{"path": "a", "is": "present", "severty": "INFO"}],
        [{"path": "a", "is": "present", "severity": "BAD"}],
    ],
)
def test_a_rule_that_means_nothing_is_refused(rules):
    """A rule that could never judge is refused when it is read, not when it matters."""
    with pytest.raises(Invalid):
        Rules.read(rules)
