"""Finds who owns an instance or a stack, and keeps the evidence: the first source that names a team wins.

The order is that of `OwnershipSource`. A team that the seeds don't know is made from a name that a person wrote as an owner;
`vars.owner` counts only when it names a known team, since elsewhere it is a GitHub organisation or an image's owner.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

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
    containers = [key for key in variables if _is_container(key)]
    for key in sorted(containers, key=lambda name: (name != "tags", name)):
        yield from _tagged(variables[key], f"vars.{key}", OwnershipSource.TAG)


def in_settings(sections: Sections) -> Iterator[Evidence]:
    """What `settings.github.reviewers` and `settings.spacelift.labels` (`team:x`, `owner:x`) say."""
    settings = sections.get("settings")
    if not isinstance(settings, Mapping):
        return
    reviewers = _below(settings, "github", "reviewers")
    for reviewer in reviewers if isinstance(reviewers, list) else [reviewers]:
        if (value := usable(reviewer)) is not None:
            yield Evidence(source=OwnershipSource.REVIEWERS, value=value, path="settings.github.reviewers")
    labels = _below(settings, "spacelift", "labels")
    for label in labels if isinstance(labels, list) else []:
        kind, _, name = label.partition(":") if isinstance(label, str) else ("", "", "")
        if kind in {"team", "owner"} and (value := usable(name)) is not None:
            yield Evidence(source=OwnershipSource.LABEL, value=value, path="settings.spacelift.labels")


@lru_cache(maxsize=8192)
def _is_container(key: str) -> bool:
    return _CONTAINER.fullmatch(key) is not None and _NO_CONTAINER.fullmatch(key) is None


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
    for key, written in _pairs(container):
        rank = _OWNER_RANK.get(plain_key(key))
        if rank is not None and (value := usable(written)) is not None:
            found.append((rank, Evidence(source=source, value=value, path=f"{path}.{key}")))
    yield from (evidence for _, evidence in sorted(found, key=lambda item: item[0]))


def _pairs(container: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(container, Mapping):
        yield from container.items()
    elif isinstance(container, list):
        for item in container:
            if isinstance(item, Mapping) and "key" in item and "value" in item:
                yield str(item["key"]), item["value"]


def first(organization: str, evidence: Iterable[Evidence], teams: Teams) -> Owner | None:
    """The first piece of evidence that names a team."""
    for piece in evidence:
        # Reviewers are often people, and `vars.owner` often something else: these count only when they name a known team.
        careful = piece.path == "vars.owner" or piece.source is OwnershipSource.REVIEWERS
        named = teams.find if careful else teams.find_or_make
        team = named(organization, piece.value)
        if team is not None:
            return Owner(team=team, evidence=piece)
    return None


def known_variable(sections: Sections) -> Iterator[Evidence]:
    """`vars.owner`, which counts only when it names a known team."""
    variables = sections.get("vars")
    if isinstance(variables, Mapping):
        yield from _named(variables, "owner", "vars.owner", OwnershipSource.TAG)
