"""Decides where a charge lands: what the charge says of itself and the declared rules in, the parts of it with their reasons out.

    shared      a rule of seeds/allocation.yaml matches: the charge is split, exactly, among what the rule names
    tags        tags name stack and component: the instance
    resource    the resource's id is declared to be of a stack and component: the instance
    place       account, region and service leave one instance
    environment a tag, or account and region, leave one environment
    team        a tag names a team, or a cost centre is a team's
    none        it is unallocated, and the reason tells what was looked for

The first that holds wins. Pure: the same charge, rules and directory give the same parts, whatever else is imported or when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

UNALLOCATED = "unallocated"
# Of how this module decides: with another one, everything that landed is decided again.
REVISION = 1

# The keys of tags that name things, unless the seeds say other ones; case, `-` and `_` don't matter, nor does AWS' `user:`.
TAG_KEYS: Mapping[str, tuple[str, ...]] = {
    "stack": ("atmos:stack", "atmos_stack", "stack"),
    "component": ("atmos:component", "atmos_component", "component"),
    "environment": ("environment", "env", "stage"),
    "team": ("team", "owner"),
    "cost_center": ("cost_center", "costcenter", "cost_centre"),
}
EVEN, ESTIMATE, USAGE, FIXED = "even", "estimate", "usage", "fixed"
SPLITS = (EVEN, ESTIMATE, USAGE, FIXED)
TARGETS = ("team", "environment", "tenant", "instance")
# What a rule may ask of a charge; all but tags by a pattern with * and ?.
MATCHABLE = ("provider", "category", "service", "resource", "region", "account")


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRule:
    """A declared split of the charges that match. `weights` name targets by slug, name or `stack/instance`; none of `even`: all."""

    name: str
    match: Mapping[str, str]
    tags: Mapping[str, str]
    split: str
    among: str
    weights: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRule:
    """Whose a resource is: a pattern of its id, and a stack and a component."""

    id: str
    stack: str
    component: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What `seeds/allocation.yaml` says. `accounts` are accounts by a provider's id; `services` components by a provider's service."""

    tags: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: TAG_KEYS)
    accounts: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    resources: tuple[ResourceRule, ...] = ()
    shared: tuple[SharedRule, ...] = ()


def rules_of(document: Mapping[str, Any]) -> Rules:
    """The rules that a document (as `seeds` keep it, checked already) means; an empty one means the defaults."""
    tags = {name: tuple(document.get("tags", {}).get(name, keys)) for name, keys in TAG_KEYS.items()}
    shared = [
        SharedRule(**(item | {"weights": tuple((name, Decimal(weight)) for name, weight in item["weights"])}))
        for item in document.get("shared", ())
    ]
    return Rules(
        tags=tags,
        accounts=document.get("accounts", {}),
        services=document.get("services", {}),
        resources=tuple(ResourceRule(**item) for item in document.get("resources", ())),
        shared=tuple(shared),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a charge says of itself: charges that say the same land at the same places."""

    provider: str | None = None
    category: str | None = None
    service: str | None = None
    resource: str | None = None
    region: str | None = None
    account: str | None = None
    account_name: str | None = None
    billing_account: str | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An instance that may cause costs. `monthly` is its estimate in the organisation's currency, where that is known."""

    id: str
    name: str
    component: str | None
    stack: str
    stack_id: str
    tenant_id: str
    environment_id: str | None = None
    team_id: str | None = None
    service_id: str | None = None
    account: str | None = None
    region: str | None = None
    monthly: Decimal | None = None
    live: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment: where costs land that no instance is known to cause."""

    id: str
    name: str
    tenant_id: str
    account: str | None = None
    region: str | None = None
    team_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team, with the other names that it goes by; `tenant_id` is where most of its instances are, None when nothing tells."""

    id: str
    slug: str
    cost_center: str | None = None
    names: tuple[str, ...] = ()
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Directory:
    """What costs can land on, with the ways to find it."""

    instances: Sequence[Instance] = ()
    environments: Sequence[Environment] = ()
    teams: Sequence[Team] = ()
    tenants: Sequence[Tenant] = ()

    @cached_property
    def by_name(self) -> Mapping[tuple[str, str], Sequence[Instance]]:
        """Instances by stack and name; by stack and component where no instance is called that."""
        named = _grouped(((one.stack, one.name), one) for one in self.instances)
        made = _grouped(((one.stack, one.component), one) for one in self.instances if one.component)
        return {**made, **named}

    @cached_property
    def by_account(self) -> Mapping[str, Sequence[Instance]]:
        """Instances that are there by their account."""
        return _grouped((one.account, one) for one in self.instances if one.account and one.live)

    @cached_property
    def environments_by_account(self) -> Mapping[str, Sequence[Environment]]:
        """Environments by their account."""
        return _grouped((one.account, one) for one in self.environments if one.account)

    @cached_property
    def environments_by_name(self) -> Mapping[str, Sequence[Environment]]:
        """Environments by their name."""
        return _grouped((one.name, one) for one in self.environments)

    @cached_property
    def team_names(self) -> Mapping[str, Sequence[Team]]:
        """Teams by slug and every other name, in small letters."""
        return _grouped((name, one) for one in self.teams for name in sorted({said.lower() for said in (one.slug, *one.names)}))

    @cached_property
    def cost_centers(self) -> Mapping[str, Sequence[Team]]:
        """Teams by their cost centre."""
        return _grouped((one.cost_center.lower(), one) for one in self.teams if one.cost_center)

    @cached_property
    def by_id(self) -> Mapping[str, Any]:
        """Everything by its id."""
        things: list[Any] = [*self.instances, *self.environments, *self.teams, *self.tenants]
        return {one.id: one for one in things}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Where a part of a charge lands, and why. It is `weight` of the sum of the parts' weights; what names nothing is unallocated."""

    rule: str
    reason: str
    weight: Decimal = Decimal(1)
    tenant_id: str | None = None
    team_id: str | None = None
    environment_id: str | None = None
    stack_id: str | None = None
    instance_id: str | None = None
    service_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The parts of a charge, and what was looked at on the way, in order: each way with what it came to."""

    parts: tuple[Part, ...]
    trail: tuple[tuple[str, str], ...]


Found = tuple[tuple[Part, ...], str]


def decide(subject: Subject, rules: Rules, directory: Directory) -> Decision:
    """Decide where charges that say this land: one part at least, and only parts of a positive weight."""
    trail: list[tuple[str, str]] = []
    for name, way in _WAYS:
        parts, said = way(subject, rules, directory)
        trail.append((name, said))
        if parts:
            return Decision(parts=parts, trail=tuple(trail))
    reason = "; ".join(said for _, said in trail if said)
    return Decision(parts=(Part(rule=UNALLOCATED, reason=reason),), trail=tuple(trail))


def whole_weights(weights: Sequence[Decimal]) -> list[int]:
    """Weights as whole numbers: all of them times the same."""
    deepest = max(0, *(-int(one.as_tuple().exponent) for one in weights), 0)
    return [int(one.scaleb(deepest)) for one in weights]


def _shared(subject: Subject, rules: Rules, directory: Directory) -> Found:
    for rule in rules.shared:
        if _matches(rule, subject, rules):
            parts = _parts(rule, directory)
            if parts:
                return parts, f"the rule {rule.name} matches"
            return (), f"the rule {rule.name} matches but finds nothing to split among"
    return (), "no rule for shared costs matches" if rules.shared else ""


def _matches(rule: SharedRule, subject: Subject, rules: Rules) -> bool:
    said = {name: getattr(subject, name) for name in MATCHABLE}
    accounts = {subject.account, subject.account_name, subject.billing_account, _account(subject, rules)} - {None}
    for name, pattern in rule.match.items():
        values = accounts if name == "account" else {said[name]} - {None}
        if not any(fnmatchcase(str(value), pattern) for value in values):
            return False
    tags = _tags(subject)
    return all(_key(key) in tags and fnmatchcase(tags[_key(key)], pattern) for key, pattern in rule.tags.items())


def _parts(rule: SharedRule, directory: Directory) -> tuple[Part, ...]:
    reasons = {EVEN: "in equal parts", ESTIMATE: "by what is expected to cost", USAGE: "by usage", FIXED: "in fixed parts"}
    reason = f"shared among {rule.among}s {reasons[rule.split]}"
    return tuple(
        _part(directory.by_id[identity], f"shared:{rule.name}", reason, weight=weight)
        for identity, weight in _targets(rule, directory)
        if weight > 0
    )


def _targets(rule: SharedRule, directory: Directory) -> list[tuple[str, Decimal]]:
    named = _named(rule.among, directory)
    if rule.weights:
        chosen = [(identity, weight) for name, weight in rule.weights for identity in named.get(name, ())[:1]]
    else:
        chosen = [(identity, Decimal(1)) for name in sorted(named) for identity in named[name]]
    if rule.split != ESTIMATE:
        return chosen
    costs = _expected(rule.among, directory)
    return [(identity, costs.get(identity, Decimal(0))) for identity, _ in chosen]


def _named(among: str, directory: Directory) -> dict[str, list[str]]:
    """What can be split among, by the name that rules use; teams only where a tenant can be told, instances only where they are."""
    found: dict[str, list[str]] = {}
    if among == "team":
        pairs: Iterable[tuple[str, str]] = ((one.slug, one.id) for one in directory.teams if one.tenant_id)
    elif among == "environment":
        pairs = ((one.name, one.id) for one in directory.environments)
    elif among == "tenant":
        pairs = ((one.name, one.id) for one in directory.tenants)
    else:
        pairs = ((f"{one.stack}/{one.name}", one.id) for one in directory.instances if one.live)
    for name, identity in pairs:
        found.setdefault(name, []).append(identity)
    return {name: sorted(ids) for name, ids in found.items()}


def _expected(among: str, directory: Directory) -> dict[str, Decimal]:
    """What is expected to cost a month, by what is split among; what isn't known weighs nothing."""
    key = "id" if among == "instance" else f"{among}_id"
    found: dict[str, Decimal] = {}
    for one in directory.instances:
        target = getattr(one, key)
        if one.live and one.monthly is not None and target is not None:
            found[target] = found.get(target, Decimal(0)) + one.monthly
    return found


def _part(target: Any, rule: str, reason: str, *, weight: Decimal = Decimal(1), team_id: str | None = None) -> Part:
    """The part that lands on something, with its team unless another one is told."""
    said: dict[str, Any] = {"rule": rule, "reason": reason, "weight": weight}
    match target:
        case Instance():
            return Part(
                **said,
                tenant_id=target.tenant_id,
                team_id=team_id or target.team_id,
                environment_id=target.environment_id,
                stack_id=target.stack_id,
                instance_id=target.id,
                service_id=target.service_id,
            )
        case Environment():
            return Part(**said, tenant_id=target.tenant_id, environment_id=target.id, team_id=team_id or target.team_id)
        case Team():
            return Part(**said, tenant_id=target.tenant_id, team_id=target.id)
        case _:
            return Part(**said, tenant_id=target.id)


def _by_tags(subject: Subject, rules: Rules, directory: Directory) -> Found:
    stack, component = _tag(subject, rules, "stack"), _tag(subject, rules, "component")
    if stack is None or component is None:
        return (), "no tags name a stack and a component"
    return _one(
        directory.by_name.get((stack, component), ()), "tags", f"its tags name {component} in {stack}", subject, rules, directory
    )


def _by_resource(subject: Subject, rules: Rules, directory: Directory) -> Found:
    if subject.resource is None:
        return (), "it names no resource" if rules.resources else ""
    for rule in rules.resources:
        if fnmatchcase(subject.resource, rule.id):
            found = directory.by_name.get((rule.stack, rule.component), ())
            return _one(
                found, "resource", f"its resource is declared to be of {rule.component} in {rule.stack}", subject, rules, directory
            )
    return (), "nobody declares whose its resource is" if rules.resources else ""


def _by_place(subject: Subject, rules: Rules, directory: Directory) -> Found:
    account, component = _account(subject, rules), rules.services.get(subject.service or "")
    if component is None:
        return (), f"nothing says which component is the service {subject.service}" if rules.services and subject.service else ""
    if account is None:
        return (), "it names no account"
    here = [
        one
        for one in directory.by_account.get(account, ())
        if component in (one.name, one.component) and (subject.region is None or one.region == subject.region)
    ]
    where = f"{component} in the account {account}" + (f" and the region {subject.region}" if subject.region else "")
    return _one(here, "place", f"account, region and service leave {where}", subject, rules, directory)


def _one(found: Sequence[Instance], rule: str, reason: str, subject: Subject, rules: Rules, directory: Directory) -> Found:
    if len(found) != 1:
        return (), f"{reason}, which is {'nothing here' if not found else f'one of {len(found)} instances'}"
    team, how = _team(subject, rules, directory) if found[0].team_id is None else (None, "")
    if team is not None:
        reason = f"{reason}; {how}"
    return (_part(found[0], rule, reason, team_id=None if team is None else team.id),), reason


def _by_environment(subject: Subject, rules: Rules, directory: Directory) -> Found:
    account, tag = _account(subject, rules), _tag(subject, rules, "environment")
    stack = _tag(subject, rules, "stack")
    ways = (
        (f"its tags name the stack {stack}", _of_stack(stack, directory)),
        (f"it is of the account {account} and the region {subject.region}", _here(account, subject.region, tag, directory)),
        (f"it is of the account {account}", _here(account, None, tag, directory)),
        (f"its tags name the environment {tag}", directory.environments_by_name.get(tag or "", ())),
    )
    for reason, found in ways:
        if len(found) == 1:
            team, how = _team(subject, rules, directory)
            told = reason if team is None else f"{reason}; {how}"
            return (_part(found[0], "environment", told, team_id=None if team is None else team.id),), told
    most = max((len(found) for _, found in ways), default=0)
    if most:
        return (), f"account, region and tags leave {most} environments"
    return (), "no environment is known by its account, region or tags"


def _of_stack(stack: str | None, directory: Directory) -> Sequence[Environment]:
    if stack is None:
        return ()
    ids = {one.environment_id for one in directory.instances if one.stack == stack and one.environment_id}
    return [directory.by_id[identity] for identity in sorted(ids) if identity in directory.by_id]


def _here(account: str | None, region: str | None, tag: str | None, directory: Directory) -> Sequence[Environment]:
    found = directory.environments_by_account.get(account or "", ())
    if region is not None:
        found = [one for one in found if one.region == region]
    named = [one for one in found if one.name == tag]
    return named or found


def _by_team(subject: Subject, rules: Rules, directory: Directory) -> Found:
    team, how = _team(subject, rules, directory)
    if team is None:
        return (), how
    if team.tenant_id is None:
        return (), f"{how}, but {team.slug} runs nothing, so that no tenant can be told"
    return (_part(team, "team", how),), how


def _team(subject: Subject, rules: Rules, directory: Directory) -> tuple[Team | None, str]:
    name, center = _tag(subject, rules, "team"), _tag(subject, rules, "cost_center")
    if name is not None:
        found = directory.team_names.get(name.lower(), ())
        if len(found) == 1:
            return found[0], f"its tags name the team {found[0].slug}"
    if center is not None:
        found = directory.cost_centers.get(center.lower(), ())
        if len(found) == 1:
            return found[0], f"the cost centre {center} is that of {found[0].slug}"
    if name is None and center is None:
        return None, "no tags name a team or a cost centre"
    return None, f"no team is known as {name or center}"


_WAYS = (
    ("shared", _shared),
    ("tags", _by_tags),
    ("resource", _by_resource),
    ("place", _by_place),
    ("environment", _by_environment),
    ("team", _by_team),
)


def _account(subject: Subject, rules: Rules) -> str | None:
    """The account as the catalog calls it: declared for one of its ids, else the charge's own word for it."""
    for said in (subject.account, subject.account_name, subject.billing_account):
        if said is not None and said in rules.accounts:
            return rules.accounts[said]
    return subject.account_name or subject.account


def _tag(subject: Subject, rules: Rules, name: str) -> str | None:
    tags = _tags(subject)
    return next((tags[key] for key in map(_key, rules.tags[name]) if key in tags), None)


def _tags(subject: Subject) -> dict[str, str]:
    return {_key(key): str(value) for key, value in subject.tags.items() if isinstance(value, (str, int)) and value != ""}


def _key(key: str) -> str:
    return key.lower().removeprefix("user:").replace("-", "_")


def _grouped(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
