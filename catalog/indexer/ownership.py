"""Finds who owns an instance or a stack, and keeps the evidence: the first source that names a team wins.

    metadata of the instance, then of the stack
    tags of the instance, then of the stack, then of the account
    settings: reviewers, then labels, of the instance, then of the stack
    CODEOWNERS of the stack's manifest, then of the component's folder
    the tenant mapping
    a CODEOWNERS rule for everything
    the organisation's default team

A team that the seeds don't know is made from a name that a person wrote as an owner. Reviewers and code owners are often people:
these make a team only in the form `@organisation/team`. `vars.owner` counts only when it names a known team, since elsewhere it is
a GitHub organisation or an image's owner.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from catalog.indexer.codeowners import Rule
from catalog.indexer.seed_values import TeamSeed
from catalog.records import OwnershipSource
from catalog.values import SourceLocation

# What a tag key may be called once lower-cased, without a prefix up to the last `:` or `/` and without `-_ .`; in this order.
_OWNER_KEYS = (
    "owner", "team", "owners", "maintainedby", "ownedby", "teamname", "squad", "maintainer", "technicalowner", "businessowner",
)  # fmt: skip
_OWNER_RANK = {key: rank for rank, key in enumerate(_OWNER_KEYS)}
_CONTAINER = re.compile(r"(?:.*_)?(?:tags|labels)")
_NO_CONTAINER = re.compile(r".*subnet_tags|.*node_group.*tags")
# Containers of an account's tags, which count after all others.
_ACCOUNT = re.compile(r"account_(?:tags|labels)")
_HANDLE = re.compile(r"@?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+")
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What names an owner: the value as written, its kind of source, and the value's path (which gives its place) or the place."""

    source: OwnershipSource
    value: str
    path: str | None = None
    location: SourceLocation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A team, named (organisation, slug), and the evidence for it."""

    team: tuple[str, str]
    evidence: Evidence


class Teams:
    """The known teams, found by slug, title, e-mail, handle or a member's e-mail; and those made from owners that people wrote."""

    def __init__(self, teams: Sequence[TeamSeed]) -> None:
        self._known: dict[tuple[str, str], str] = {}
        self._anywhere: dict[str, tuple[str, str] | None] = {}
        self.made: dict[tuple[str, str], str] = {}
        for team in teams:
            names = (team.slug, team.title, team.email, *team.aliases, *(member.email for member in team.members))
            for name in {_plain_name(name) for name in names if name}:
                self._add(name, team.organization, team.slug)

    def _add(self, name: str, organization: str, slug: str) -> None:
        self._known.setdefault((organization, name), slug)
        team = organization, slug
        # A name that two organisations use names neither from outside.
        self._anywhere[name] = team if self._anywhere.get(name, team) == team else None

    def find(self, organization: str, value: str) -> tuple[str, str] | None:
        """The known team that a value names, in its own organisation first."""
        name = _plain_name(value)
        slug = self._known.get((organization, name))
        return (organization, slug) if slug else self._anywhere.get(name)

    def find_or_make_handle(self, organization: str, value: str) -> tuple[str, str] | None:
        """The known team that a value names, or the one that a team's handle, `@organisation/team`, names."""
        return self.find_or_make(organization, value) if _HANDLE.fullmatch(value.strip()) else self.find(organization, value)

    def find_or_make(self, organization: str, value: str) -> tuple[str, str] | None:
        """The team that a value names, made when it is a team's name that nobody knows yet; None for a stranger's e-mail."""
        found = self.find(organization, value)
        slug = _plain_name(value)
        if found or not slug or "@" in slug or slug.isdigit():
            return found
        self.made.setdefault((organization, slug), value.strip())
        return organization, slug


@lru_cache(maxsize=8192)
def _plain_name(value: str) -> str:
    """`@org/team`, `team-x`, `X team` and `X` are the same name; an e-mail address stays one."""
    name = value.strip().lower()
    if "@" in name[1:]:
        return name
    name = name.lstrip("@").rsplit("/", 1)[-1]
    name = re.sub(r"^team[-_: ]+|[-_: ]+team$", "", name)
    return re.sub(r"[^a-z0-9.]+", "-", name).strip("-")


@lru_cache(maxsize=8192)
def plain_key(key: str) -> str:
    """A tag's key as it is compared: lower case, no prefix up to the last `:` or `/`, none of `-_ .`."""
    return re.sub(r"[-_ .]", "", re.split(r"[:/]", key.lower())[-1])


def usable(value: Any) -> str | None:
    """A text that can name somebody: short, and no placeholder, template or function."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > _LONGEST_NAME:
        return None
    return None if "${" in value or "{{" in value or value[0] == "!" else value


Sections = Mapping[str, Any]


def in_metadata(sections: Sections, source: OwnershipSource) -> Iterator[Evidence]:
    """What metadata says: `custom.owner`, `owner`, then labels."""
    metadata = sections.get("metadata")
    if not isinstance(metadata, Mapping):
        return
    custom = metadata.get("custom")
    if isinstance(custom, Mapping):
        yield from _named(custom, "owner", "metadata.custom.owner", source)
    yield from _named(metadata, "owner", "metadata.owner", source)
    yield from _tagged(metadata.get("labels"), "metadata.labels", source)


def in_tags(sections: Sections) -> Iterator[Evidence]:
    """What tags say: every container of tags among the variables, `tags` itself first."""
    variables = sections.get("vars")
    if not isinstance(variables, Mapping):
        return
    for key in _containers(tuple(variables)):
        yield from _tagged(variables[key], f"vars.{key}", OwnershipSource.TAG)


def in_account_tags(sections: Sections) -> Iterator[Evidence]:
    """What tags of the account say, where variables hold them: `account_tags`, `account_labels`."""
    variables = sections.get("vars")
    if isinstance(variables, Mapping):
        for key in ("account_tags", "account_labels"):
            if key in variables:
                yield from _tagged(variables[key], f"vars.{key}", OwnershipSource.TAG)


def of_accounts(variables: Any) -> Iterator[tuple[str, Evidence]]:
    """Accounts by name with what their tags say, where an instance creates them: Cloud Posse's `organization_config`."""
    configuration = variables.get("organization_config") if isinstance(variables, Mapping) else None
    if not isinstance(configuration, Mapping):
        return
    root = "vars.organization_config"
    units = [(root, configuration), (f"{root}.organization", configuration.get("organization"))]
    units += _listed(configuration.get("organizational_units"), f"{root}.organizational_units")
    accounts = [(f"{root}.root_account", configuration.get("root_account"))]
    for path, unit in units:
        accounts += _listed(unit.get("accounts") if isinstance(unit, Mapping) else None, f"{path}.accounts")
    for path, account in accounts:
        if isinstance(account, Mapping) and isinstance(name := account.get("name"), str):
            yield from ((name, evidence) for evidence in _tagged(account.get("tags"), f"{path}.tags", OwnershipSource.TAG))


def in_rules(rules: Iterable[Rule], *, everything: bool) -> Iterator[Evidence]:
    """What rules of CODEOWNERS say: those for `everything`, which are weak, or the others."""
    source = OwnershipSource.CODEOWNERS_WILDCARD if everything else OwnershipSource.CODEOWNERS
    for rule in rules:
        if rule.everything is everything:
            for owner in rule.owners:
                yield Evidence(source=source, value=owner, location=rule.location)


def in_settings(sections: Sections) -> Iterator[Evidence]:
    """What `settings.github.reviewers` and `settings.spacelift.labels` (`team:x`, `owner:x`) say."""
    settings = sections.get("settings")
    if not isinstance(settings, Mapping):
        return
    for path, reviewer in _listed(_below(settings, "github", "reviewers"), "settings.github.reviewers"):
        if (value := usable(reviewer)) is not None:
            yield Evidence(source=OwnershipSource.REVIEWERS, value=value, path=path)
    for path, label in _listed(_below(settings, "spacelift", "labels"), "settings.spacelift.labels"):
        kind, _, name = label.partition(":") if isinstance(label, str) else ("", "", "")
        if kind.strip().lower() in {"team", "owner"} and (value := usable(name)) is not None:
            yield Evidence(source=OwnershipSource.LABEL, value=value.strip(), path=path)


def _listed(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The elements of a list with their paths; a single value is a list of one."""
    if isinstance(value, list):
        yield from ((f"{path}[{number}]", item) for number, item in enumerate(value))
    elif value is not None:
        yield path, value


# Thousands of instances have variables of the same names.
@lru_cache(maxsize=8192)
def _containers(names: tuple[str, ...]) -> tuple[str, ...]:
    """The variables that hold tags, `tags` itself first."""
    return tuple(sorted(filter(_is_container, names), key=lambda name: (name != "tags", name)))


def _is_container(key: str) -> bool:
    return all(pattern.fullmatch(key) is None for pattern in (_NO_CONTAINER, _ACCOUNT)) and _CONTAINER.fullmatch(key) is not None


def _below(value: Mapping[str, Any], *keys: str) -> Any:
    found: Any = value
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _named(values: Mapping[str, Any], key: str, path: str, source: OwnershipSource) -> Iterator[Evidence]:
    if (value := usable(values.get(key))) is not None:
        yield Evidence(source=source, value=value, path=path)


def _tagged(container: Any, path: str, source: OwnershipSource) -> Iterator[Evidence]:
    found = []
    for key, place, written in _pairs(container):
        rank = _OWNER_RANK.get(plain_key(key))
        if rank is not None and (value := usable(written)) is not None:
            found.append((rank, Evidence(source=source, value=value, path=f"{path}{place}")))
    yield from (evidence for _, evidence in sorted(found, key=lambda item: item[0]))


def _pairs(container: Any) -> Iterator[tuple[str, str, Any]]:
    """Keys with the place of their values and the values: of a map, or of a list of pairs in one of the two usual spellings."""
    if isinstance(container, Mapping):
        yield from ((key, f".{key}", value) for key, value in container.items() if isinstance(key, str))
    elif isinstance(container, list):
        for number, item in enumerate(container):
            for key, value in (("key", "value"), ("Key", "Value"), ("name", "value")):
                if isinstance(item, Mapping) and key in item and value in item:
                    yield str(item[key]), f"[{number}].{value}", item[value]
                    break


def first(organization: str, evidence: Iterable[Evidence], teams: Teams, strangers: list[Evidence] | None = None) -> Owner | None:
    """The first piece of evidence that names a team; what names nobody on the way there is added to `strangers`."""
    for piece in evidence:
        named = _ACCEPTED[piece.source] if piece.path != "vars.owner" else Teams.find
        team = named(teams, organization, piece.value)
        if team is not None:
            return Owner(team=team, evidence=piece)
        if strangers is not None and piece.path != "vars.owner":
            strangers.append(piece)
    return None


# What each kind of source must name to count: reviewers and code owners are often people.
_ACCEPTED: Mapping[OwnershipSource, Callable[[Teams, str, str], tuple[str, str] | None]] = {
    source: Teams.find_or_make_handle
    if source in {OwnershipSource.REVIEWERS, OwnershipSource.CODEOWNERS, OwnershipSource.CODEOWNERS_WILDCARD}
    else Teams.find_or_make
    for source in OwnershipSource
}


def known_variable(sections: Sections) -> Iterator[Evidence]:
    """`vars.owner`, which counts only when it names a known team."""
    variables = sections.get("vars")
    if isinstance(variables, Mapping):
        yield from _named(variables, "owner", "vars.owner", OwnershipSource.TAG)
