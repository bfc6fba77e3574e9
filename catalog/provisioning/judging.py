"""Asks the policies of a request's workflow at a decision point, and keeps what is needed to make each decision again.

A workflow asks policies by its `policy_check` steps: `rules` judge when somebody requests; `opa eval` asks the estate's bundle then and
at every later point. Blocking (the engine, or a server): call from a thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import values
from catalog.config import Config
from catalog.engines import cache as compiled
from catalog.engines.rego import NAME, BrokenBundle, RegoEngine
from catalog.errors import CatalogError, Unavailable
from catalog.executors.planning import Redactor
from catalog.policy import Rego, RemoteOpa, Rules, Verdict, bundle, policies
from catalog.policy.engine import summed
from catalog.policy.rego import ALL, failed_closed
from catalog.provisioning.head import Drawn
from catalog.provisioning.workflow import PlannedStep
from catalog.records import DecisionPoint, Estate, ProvisioningRequest, StepKind
from catalog.store import policies as rows
from catalog.values import Severity

_HIDDEN = {"$redacted": "hidden"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A policy that was asked: how it is stored."""

    package: str
    name: str
    title: str | None = None
    description: str | None = None
    severity: Severity
    source: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdicts of one bundle at one point, with the input, the bundle and the moment: enough to decide again."""

    point: DecisionPoint
    document: Mapping[str, Any] = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)
    digest: str
    asked: tuple[Asked, ...]
    verdicts: tuple[Verdict, ...]
    at: datetime
    milliseconds: float


def decide(
    config: Config,
    drawn: Drawn,
    steps: Sequence[PlannedStep],
    point: DecisionPoint,
    document: Mapping[str, Any],
) -> tuple[Decision, ...]:
    """Ask every bundle of the workflow's policy_check steps; never raises for what a policy or a server does."""
    return tuple(_decided(config, drawn, step, point, document) for step in _asking(steps, point))


async def keep(session: AsyncSession, estate: Estate, request: ProvisioningRequest, decisions: Sequence[Decision]) -> None:
    """Write decisions on a request, in the caller's transaction."""
    for decision in decisions:
        said = rows.Decided(
            point=decision.point,
            content=decision.content,
            bundle_digest=decision.digest,
            document=decision.document,
            at=decision.at,
            milliseconds=decision.milliseconds,
            judgements=[_judgement(one, decision.verdicts) for one in _all(decision)],
        )
        await rows.keep(session, said, estate=(estate.id, estate.name), tenant_id=request.tenant_id, request_id=request.id)


def asks(steps: Sequence[PlannedStep], point: DecisionPoint) -> bool:
    """Whether the workflow asks policies at that point."""
    return next(_asking(steps, point), None) is not None


def denials(decisions: Sequence[Decision]) -> tuple[Verdict, ...]:
    """Return the verdicts that stop a request."""
    return tuple(verdict for decision in decisions for verdict in decision.verdicts if verdict.denies)


def again(
    config: Config, content: Mapping[str, Any], point: DecisionPoint, document: Mapping[str, Any], at: datetime
) -> tuple[Verdict, ...]:
    """Make a stored decision again, with the embedded engine; the same bundle, input and moment give the same verdicts."""
    if "rules" in content:
        return Rules.read(content["rules"]).evaluate(document)
    return Rego(engine(config.cache), bundle.from_document(content), point, now=at).evaluate(document)


def is_ready(config: Config) -> bool:
    """Whether policies can be asked at once; else their engine is compiled first, which takes seconds, once a machine."""
    return compiled.ready(NAME, config.cache)


@cache
def engine(directory: Path) -> RegoEngine:
    """The engine of this process: one for each cache."""
    return RegoEngine(directory)


def redacted(variables: Mapping[str, Any], sensitive: Sequence[str], secret_keys: str) -> Any:
    """Return variables with what is secret hidden: what the code marks sensitive, and what stands under a key that names a secret."""
    return _Hiding(b"", secret_keys).value(variables, dict.fromkeys(sensitive, True))


def planned(plan: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a canonical plan in the shape of `terraform show -json`, as policies know it; its secrets are hidden already."""
    if plan is None:
        return None
    changes = [change for level in plan["levels"] for change in level["changes"]]
    return {"resource_changes": [_change(change) for change in changes if not change["address"].startswith("output.")]}


class _Hiding(Redactor):
    """Hides a secret without a hash: what policies see is stored."""

    def hidden(self, value: Any) -> dict[str, str]:
        """The same mark for every secret."""
        del value
        return dict(_HIDDEN)


# What concerns the policies as a whole is stored under one that stands for them.
_EVERYTHING = Asked(package=ALL, name=ALL, title="The policies as a whole", severity=Severity.ERROR, source="")


def _all(decision: Decision) -> tuple[Asked, ...]:
    whole = any(verdict.policy == ALL for verdict in decision.verdicts)
    return (*decision.asked, _EVERYTHING) if whole else decision.asked


def _judgement(one: Asked, verdicts: Sequence[Verdict]) -> rows.Judgement:
    verdict = summed([verdict for verdict in verdicts if verdict.policy in {one.package, one.name}], one.name)
    return rows.Judgement(
        package=one.package,
        name=one.name,
        title=one.title,
        description=one.description,
        severity=one.severity,
        source=one.source,
        passed=verdict.passed,
        message=verdict.message,
    )


_ACTIONS = {"replace": ["delete", "create"]}


def _change(change: Mapping[str, Any]) -> dict[str, Any]:
    address = str(change["address"])
    parts = address.partition(" ")[0].partition("[")[0].split(".")
    kind = parts[-2] if len(parts) > 1 else parts[0]
    actions = _ACTIONS.get(change["action"], [change["action"]])
    return {
        "address": address,
        "type": kind,
        "instance": change.get("instance"),
        "change": {"actions": actions, "before": change.get("before"), "after": change.get("after")},
    }


def _asking(steps: Sequence[PlannedStep], point: DecisionPoint) -> Iterator[PlannedStep]:
    for step in steps:
        if step.kind is StepKind.POLICY_CHECK and step.skip is None and (step.tool == "opa eval" or point is DecisionPoint.REQUEST):
            yield step


def _decided(config: Config, drawn: Drawn, step: PlannedStep, point: DecisionPoint, document: Mapping[str, Any]) -> Decision:
    now = datetime.now(UTC)
    begun = time.perf_counter()
    judge = _opa if step.tool == "opa eval" else _rules
    content, asked, verdicts = judge(config, drawn, step, point, document, now)
    return Decision(
        point=point,
        document=document,
        content=content,
        digest=values.digest(content),
        asked=asked,
        verdicts=verdicts,
        at=now,
        milliseconds=round((time.perf_counter() - begun) * 1000, 3),
    )


_Judged = tuple[Mapping[str, Any], tuple[Asked, ...], tuple[Verdict, ...]]


def _rules(
    config: Config, drawn: Drawn, step: PlannedStep, point: DecisionPoint, document: Mapping[str, Any], now: datetime
) -> _Judged:
    del config, drawn, point, now
    written = step.options.get("rules", [])
    rules = Rules.read(written)
    asked = tuple(
        Asked(package=f"rules.{step.name}", name=rule.name, severity=rule.severity, source=values.canonical_json(entry))
        for rule, entry in zip(rules.rules, written, strict=True)
    )
    return {"rules": written}, asked, rules.evaluate(document)


def _opa(
    config: Config, drawn: Drawn, step: PlannedStep, point: DecisionPoint, document: Mapping[str, Any], now: datetime
) -> _Judged:
    try:
        overlay = drawn.overlay
        held = bundle.of(overlay.tree, _configuration(drawn), base=step.options.get("bundle"))
        known = policies(engine(config.cache), held)
        remote = _server(config, step.options.get("url"))
    except (CatalogError, BrokenBundle) as error:
        return {"files": {}, "data": {}}, (), (failed_closed(ALL, str(error)),)
    if not known:
        missing = failed_closed(ALL, "the workflow asks policies, and the estate has none")
        return held.document(), (), (missing,)
    verdicts = Rego(engine(config.cache), held, point, now=now, remote=remote).evaluate(document)
    asked = tuple(
        Asked(
            package=one.package,
            name=one.name,
            title=one.title,
            description=one.description,
            severity=one.severity,
            source=one.source,
        )
        for one in known
        if point in one.points
    )
    return held.document(), asked, verdicts


def _configuration(drawn: Drawn) -> Any:
    config = drawn.overlay.after.config
    if config is None:
        raise Unavailable("the estate's configuration can't be read, so nobody knows where its policies are")
    return config


def _server(config: Config, url: str | None) -> RemoteOpa | None:
    """The server that a workflow names, where this catalog may ask it: the estate alone doesn't decide where its data goes."""
    if url is None:
        return None
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if origin not in config.policy_servers:
        raise Unavailable(f"this catalog may not ask the policy server {origin}", hint=f"CATALOG_POLICY_SERVERS={origin} lets it")
    return RemoteOpa(url)
