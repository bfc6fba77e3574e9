"""Rules as data: the small engine that ships with the catalog.

    - {name: owner-is-tagged, path: vars.tags.Team, is: present}
    - {name: cheap-enough, path: cost.after.amount, at_most: 500, severity: WARNING, message: over 500 a month}
    - {name: no-test-in-prod, path: stack, matches: ".*-prod", not: true}

A path leads through maps and, by number, lists of the input document. A rule whose path names nothing doesn't pass (fail closed),
except under `is: absent`, and `not: true`, which turns the answer round.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from catalog.errors import Invalid
from catalog.policy.engine import Verdict
from catalog.values import Severity

_NOTHING = object()


def _number(value: Any) -> Decimal | None:
    try:
        return None if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        return None


def _at_most(value: Any, limit: Any) -> bool:
    number, ceiling = _number(value), _number(limit)
    return number is not None and ceiling is not None and number <= ceiling


def _at_least(value: Any, limit: Any) -> bool:
    number, floor = _number(value), _number(limit)
    return number is not None and floor is not None and number >= floor


# The word of a rule → whether a value that is there satisfies it.
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": lambda value, wanted: type(value) is type(wanted) and value == wanted,
    "in": lambda value, wanted: value in wanted,
    "matches": lambda value, wanted: isinstance(value, str) and re.fullmatch(wanted, value) is not None,
    "at_most": _at_most,
    "at_least": _at_least,
    "has_keys": lambda value, wanted: isinstance(value, Mapping) and all(key in value for key in wanted),
}
_WORDS = {"name", "path", "severity", "message", "not", "is", *_TESTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: the value at `path` must pass the test `word` against `wanted`."""

    name: str
    path: str
    word: str
    wanted: Any
    inverted: bool
    severity: Severity
    message: str | None

    def verdict(self, document: Mapping[str, Any]) -> Verdict:
        """Judge a document."""
        value = _at(document, self.path)
        passed = self._holds(value)
        found = "nothing is there" if value is _NOTHING else f"it is {value!r}"
        said = self.message or f"{self.path} {'must not be' if self.inverted else 'must be'} {self.word} {self.wanted!r}: {found}"
        return Verdict(policy=self.name, passed=passed, severity=self.severity, message=None if passed else said)

    def _holds(self, value: Any) -> bool:
        if self.word == "is":
            return (value is _NOTHING) is (self.wanted == "absent")
        if value is _NOTHING:
            return False
        return _TESTS[self.word](value, self.wanted) is not self.inverted


class Rules:
    """An engine of rules, judged in the order in which they are written."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)

    @classmethod
    def read(cls, written: Any) -> Rules:
        """Read rules from plain data; raises Invalid naming the rule that doesn't hold."""
        if not isinstance(written, list):
            raise Invalid("rules are a list of maps", path=("rules",))
        return cls([_rule(entry, number) for number, entry in enumerate(written, start=1)])

    def evaluate(self, document: Mapping[str, Any]) -> tuple[Verdict, ...]:
        """Return a verdict for each rule."""
        return tuple(rule.verdict(document) for rule in self.rules)


def _rule(entry: Any, number: int) -> Rule:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str):
        raise Invalid(f"rule {number} has no path", hint="write {name: …, path: vars.tags.Team, is: present}", path=("rules",))
    name = str(entry.get("name") or f"rule-{number}")
    words = [word for word in entry if word == "is" or word in _TESTS]
    unknown = [str(word) for word in entry if word not in _WORDS]
    if unknown or len(words) != 1:
        problem = f"doesn't know {', '.join(unknown)}" if unknown else "needs exactly one test"
        raise Invalid(f"rule {name} {problem}", hint=f"one of is, {', '.join(_TESTS)}", path=("rules", name))
    word = words[0]
    _check(name, word, entry[word])
    severity = str(entry.get("severity") or Severity.ERROR).upper()
    if severity not in set(Severity):
        raise Invalid(f"rule {name} has no severity {severity}", hint="ERROR, WARNING or INFO", path=("rules", name))
    return Rule(
        name=name,
        path=entry["path"],
        word=word,
        wanted=entry[word],
        inverted=entry.get("not") is True,
        severity=Severity(severity),
        message=entry.get("message"),
    )


def _check(name: str, word: str, wanted: Any) -> None:
    """Refuse a test that could never mean anything, when the rule is read and not when it judges."""
    try:
        holds = {
            "is": lambda: wanted in {"present", "absent"},
            "matches": lambda: isinstance(wanted, str) and bool(re.compile(wanted)),
            "in": lambda: isinstance(wanted, list),
            "has_keys": lambda: isinstance(wanted, list),
            "at_most": lambda: _number(wanted) is not None,
            "at_least": lambda: _number(wanted) is not None,
        }.get(word, lambda: True)()
    except (re.error, TypeError):
        holds = False
    if not holds:
        raise Invalid(f"rule {name}: {word} can't be {wanted!r}", path=("rules", name))


def _at(document: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(document, Mapping) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        else:
            return _NOTHING
    return document
