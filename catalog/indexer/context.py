"""Derives where a stack is: organisation, tenant, account, environment and region, from its context and the tenant mapping.

In: the variables of the stack and its instances, and what the mapping says. Out: a frozen `Place`. Nothing is guessed
silently: what no rule gives is None. The rules stand in docs and, row by row, in the tests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from catalog.indexer import globs
from catalog.indexer.regions import region_of, region_of_zone
from catalog.indexer.seed_values import TenantMapping
from catalog.records import EnvironmentKind

_ALIASES = {
    EnvironmentKind.DEVELOPMENT: "dev devel development local lab playground sandbox experiments",
    EnvironmentKind.TEST: "test tst qa preview ephemeral",
    EnvironmentKind.STAGING: "stage staging stg uat preprod hml nonprod",
    EnvironmentKind.PRODUCTION: "prod prd production live",
    EnvironmentKind.SHARED: "root mgmt audit security identity network dns auto artifacts log-archive spacelift shared gbl",
}
KINDS: dict[str, EnvironmentKind] = {alias: kind for kind, words in _ALIASES.items() for alias in words.split()}

_ACCOUNTS = ("account_name", "account", "account_id", "project_id", "subscription_id")
_REGIONS = ("region", "aws_region", "location")
# Where the kind is looked for, in order: whole values first, then the last words of compound names.
_WHOLE = ("stage", "environment", "env", "account_class", "account")
_COMPOUND = ("account_name", "account", "project_id", "project", "account_id", "subscription_id")
_KEYS = tuple(dict.fromkeys(("namespace", "tenant", *_WHOLE, *_ACCOUNTS, *_COMPOUND, *_REGIONS, "availability_zone")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a stack is. `tenant` of None is the estate's hidden tenant; `environment` of None: no environment can be told."""

    organization: str
    tenant: str | None
    account: str | None
    environment: str | None
    kind: EnvironmentKind
    region: str | None
    stage: str | None
    namespace: str | None
    team: str | None = None
    mapping: TenantMapping | None = None


def agreed(stack_vars: Mapping[str, Any], instances: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The context of a stack: for each key the value that most instances agree on; without instances, what the stack says."""
    everyone = instances or (stack_vars,)
    return {key: value for key in _KEYS if (value := _most_common(key, everyone)) is not None}


def _most_common(key: str, everyone: Iterable[Mapping[str, Any]]) -> str | None:
    values = [variables.get(key) for variables in everyone]
    if values and values.count(values[0]) == len(values):
        return _usable(values[0])
    counted = Counter(map(_usable, values))
    # A value beats "absent" when they are level; among values the first one written wins.
    return max(counted, key=lambda value: (counted[value], value is not None))


def _usable(value: Any) -> str | None:
    """Text that is a value: not a placeholder of another tool, a template or an Atmos function."""
    if not isinstance(value, str) or not value or not value.isprintable() or "${" in value or "{{" in value or value[0] == "!":
        return None
    return value


def derive(context: Mapping[str, str], *, stack: str, fallback: str, mapping: TenantMapping | None = None) -> Place:
    """Derive a stack's place from its agreed context; `fallback` is the estate's organisation."""
    said = mapping or _SILENT
    named = said.environment or _environment(context, stack)
    return Place(
        organization=said.organization or _organization(context, fallback),
        tenant=said.tenant or context.get("tenant"),
        account=_account(context),
        environment=named,
        kind=_kind(context, stack, said.environment),
        region=said.region or _region(context),
        stage=context.get("stage"),
        namespace=context.get("namespace"),
        team=said.team,
        mapping=mapping,
    )


_SILENT = TenantMapping(atmos_stack="", organization=None, tenant=None, team=None, environment=None, region=None, location=None)


def _organization(context: Mapping[str, str], fallback: str) -> str:
    namespace = context.get("namespace")
    # A namespace that only repeats the environment names no organisation: it counts as none.
    if namespace is None or namespace == context.get("environment"):
        return context.get("tenant", fallback)
    return namespace


def _account(context: Mapping[str, str]) -> str | None:
    for key in _ACCOUNTS:
        if key in context:
            return context[key]
    return "-".join(context[key] for key in ("tenant", "stage") if key in context) or None if "stage" in context else None


def _environment(context: Mapping[str, str], stack: str) -> str | None:
    written = [context[key] for key in ("stage", "environment", "env") if key in context]
    places = [value for value in written if region_of(value) is None]
    if places:
        return places[0]
    alias = _alias(context, stack)
    return alias or (written[0] if written else None)


def _kind(context: Mapping[str, str], stack: str, mapped: str | None) -> EnvironmentKind:
    if mapped is not None and mapped.lower() in KINDS:
        return KINDS[mapped.lower()]
    alias = _alias(context, stack)
    if alias is not None:
        return KINDS[alias.lower()]
    # A global place with no other name is shared by all.
    shared = any(context.get(key, "").lower() == "gbl" for key in _WHOLE)
    return EnvironmentKind.SHARED if shared else EnvironmentKind.OTHER


def _alias(context: Mapping[str, str], stack: str) -> str | None:
    """The first known alias: a whole value that is no region, else the last word of a compound name that is one."""
    for key in _WHOLE:
        value = context.get(key)
        if value is not None and value.lower() in KINDS and region_of(value) is None:
            return value
    for name in (*(context[key] for key in _COMPOUND if key in context), stack):
        found = _last_alias(name)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=4096)
def _last_alias(name: str) -> str | None:
    words = re.split(r"[-_/.\s]", name.lower())
    for end in range(len(words), 0, -1):
        for alias in ("-".join(words[max(0, end - 2) : end]), words[end - 1]):
            if alias in KINDS and region_of(alias) is None:
                return alias
    return None


def _region(context: Mapping[str, str]) -> str | None:
    for key in _REGIONS:
        if key in context:
            return context[key]
    if "availability_zone" in context:
        return region_of_zone(context["availability_zone"])
    codes = (region_of(context[key]) for key in ("environment", "env", "stage") if key in context)
    return next((region for region in codes if region is not None), None)


@dataclass(frozen=True, slots=True)
class Mappings:
    """The tenant mapping, ready to be asked: the most specific entry for a stack wins, the later of equals."""

    entries: tuple[TenantMapping, ...]

    def of(self, *, manifest: str, stack: str) -> TenantMapping | None:
        """The entry for a stack, by its manifest's name (`orgs/acme/dev`) or its own; None when none names it."""
        best: tuple[tuple[int, int], TenantMapping] | None = None
        for entry in self.entries:
            rank = _specificity(entry.atmos_stack, manifest, stack)
            if rank is not None and (best is None or rank >= best[0]):
                best = rank, entry
        return best[1] if best else None


def _specificity(pattern: str, manifest: str, stack: str) -> tuple[int, int] | None:
    if pattern == manifest:
        return 3, 0
    if pattern == stack:
        return 2, 0
    matches = _glob(pattern)
    if matches.fullmatch(manifest) or matches.fullmatch(stack):
        return 1, len(re.sub(r"[*?]|\[.*?\]", "", pattern))
    return None


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(globs.expression(pattern, classes=True) + (".+" if pattern.rsplit("/", 1)[-1] == "**" else ""), re.DOTALL)
