"""Policies in Rego: which packages judge at a decision point, and what their answers mean.

A policy is a package with rules named `deny`, `warn` or `allow`, other than a test's. It says in the annotations of its package
when it is asked (`custom: {points: [REQUEST, INDEX]}`; without, when somebody requests):

    # METADATA
    # title: An owner is tagged
    # custom: {points: [REQUEST, INDEX]}
    package governance.owner
    deny contains "vars.tags.Team is missing" if not input.vars.tags.Team

`deny` and `warn` are collections of texts, or of objects with a `msg`; `allow` must be true. Everything else fails closed: a
package that doesn't compile, an error, no answer in time, and a value of another shape deny. The input holds, beside what is
judged, the `point` and the moment (`now`, RFC 3339), which `time.now_ns()` of the embedded engine equals.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from catalog.engines.rego import BrokenBundle, Found, Package, RegoEngine
from catalog.errors import CatalogError
from catalog.policy.bundle import Bundle
from catalog.policy.engine import Verdict
from catalog.records import DecisionPoint
from catalog.values import Severity

# What evaluates paths for an input.
Evaluate = Callable[[Sequence[str], Mapping[str, Any]], Mapping[str, Found]]

# The name of the verdict on what concerns no policy alone.
ALL = "policies"

_JUDGING = ("deny", "warn", "allow")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegoPolicy:
    """One policy: its package, the points at which it is asked, and how heavy its word is at most."""

    package: str
    title: str | None
    description: str | None
    points: frozenset[DecisionPoint]
    severity: Severity
    allows: bool  # it has a rule `allow`, which must be true
    source: str

    @property
    def name(self) -> str:
        """The last part of the package's path."""
        return self.package.rpartition(".")[2]


class Rego:
    """An engine that asks the policies of one bundle at one decision point.

    `remote` evaluates in place of the embedded engine, which then only reads which policies there are, unless they are `known`.
    """

    def __init__(
        self,
        engine: RegoEngine,
        bundle: Bundle,
        point: DecisionPoint,
        *,
        now: datetime | None = None,
        remote: Evaluate | None = None,
        known: Sequence[RegoPolicy] | None = None,
    ) -> None:
        self.bundle = bundle
        self.point = point
        self.now = now or datetime.now(UTC)
        self._engine = engine
        self._known = known
        self._evaluate = remote or self._embedded

    def evaluate(self, document: Mapping[str, Any]) -> tuple[Verdict, ...]:
        """Return the verdicts of each policy of the point, by package; what can't be evaluated denies."""
        try:
            if self._known is None:
                self._known = policies(self._engine, self.bundle)
        except (BrokenBundle, CatalogError) as error:
            return (failed_closed(ALL, str(error)),)
        asked = [policy for policy in self._known if self.point in policy.points]
        if not asked:
            return ()
        paths = {policy.package: f"data.{policy.package}" for policy in asked}
        try:
            found = self._evaluate(list(paths.values()), {**document, "point": str(self.point), "now": self.now.isoformat()})
        except CatalogError as error:
            return tuple(failed_closed(policy.package, error.message) for policy in asked)
        return tuple(verdict for policy in asked for verdict in _verdicts(policy, found.get(paths[policy.package], Found())))

    def _embedded(self, paths: Sequence[str], document: Mapping[str, Any]) -> Mapping[str, Found]:
        bundle = self.bundle
        return self._engine.evaluate(bundle.digest, bundle.files, bundle.data, paths=paths, document=document, now=self.now)


def policies(engine: RegoEngine, bundle: Bundle) -> tuple[RegoPolicy, ...]:
    """Return the policies of a bundle by package; raises BrokenBundle, or Unavailable when the engine fails."""
    packages = engine.packages(bundle.digest, bundle.files, bundle.data) if bundle.files else ()
    return tuple(_policy(package, bundle) for package in packages if _judges(package))


def _judges(package: Package) -> bool:
    return not package.path.endswith("_test") and any(rule in package.rules for rule in _JUDGING)


def _policy(package: Package, bundle: Bundle) -> RegoPolicy:
    written = package.custom.get("points", [DecisionPoint.REQUEST])
    named = [written] if isinstance(written, str) else written if isinstance(written, list) else []
    known = {str(point) for point in DecisionPoint}
    points = {DecisionPoint(str(point).upper()) for point in named if str(point).upper() in known}
    return RegoPolicy(
        package=package.path,
        title=package.title,
        description=package.description,
        # A policy whose points nobody understands is asked at each: it must not fall silent over a slip of the pen.
        points=frozenset(points) if points and len(points) == len(named) else frozenset(DecisionPoint),
        allows="allow" in package.rules,
        severity=Severity.WARNING if set(package.rules).isdisjoint({"deny", "allow"}) else Severity.ERROR,
        source="\n".join(bundle.files[file] for file in package.files),
    )


def _verdicts(policy: RegoPolicy, found: Found) -> tuple[Verdict, ...]:
    if found.error is not None:
        return (failed_closed(policy.package, found.error),)
    if not found.defined or not isinstance(found.value, Mapping):
        return (failed_closed(policy.package, "the policy gives no answer"),)
    failed = tuple(_failed(policy, found.value))
    return failed or (Verdict(policy=policy.package, passed=True, severity=policy.severity),)


def _failed(policy: RegoPolicy, answer: Mapping[str, Any]) -> Iterator[Verdict]:
    if policy.allows and answer.get("allow") is not True:
        yield failed_closed(policy.package, "it is not allowed")
    for rule, severity in (("deny", Severity.ERROR), ("warn", Severity.WARNING)):
        said = answer.get(rule, [])
        if not isinstance(said, list):
            if said is not False:
                yield failed_closed(policy.package, f"{rule} is no collection of messages: {json.dumps(said)[:200]}")
            continue
        for entry in said:
            yield Verdict(policy=policy.package, passed=False, severity=severity, message=_message(entry))


def _message(entry: Any) -> str:
    if isinstance(entry, Mapping):
        entry = entry.get("msg", entry.get("message", entry))
    return entry if isinstance(entry, str) else json.dumps(entry, sort_keys=True)


def failed_closed(package: str, message: str) -> Verdict:
    """Return the verdict on a policy that couldn't be asked, or gave no clear answer: it denies."""
    return Verdict(policy=package, passed=False, severity=Severity.ERROR, message=message)
