"""Finds the owners of one stack: its own and those of its instances, as columns of their rows, with what names nobody told.

What names nobody is kept as the row's evidence where nothing else names a team, so that each unowned row says why it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from catalog.indexer import ownership
from catalog.indexer.codeowners import NONE, CodeOwners
from catalog.indexer.context import Place
from catalog.indexer.ownership import Evidence, Owner, Teams
from catalog.indexer.redaction import safe
from catalog.records import OwnershipSource
from catalog.stacks.resolved import ProvenanceEntry, ResolvedEstate, ResolvedInstance, ResolvedStack
from catalog.values import Diagnostic, Severity, SourceLocation, global_id

Accounts = Mapping[str, tuple[Evidence, ...]]  # account → what its tags say, with places


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """What names owners beside the stacks themselves: teams, defaults of organisations, CODEOWNERS, tags of accounts."""

    teams: Teams
    default_teams: Mapping[str, Evidence] = field(default_factory=dict)  # organisation → the evidence that names its team
    codeowners: CodeOwners = NONE
    accounts: Accounts = field(default_factory=dict)
    # What sections say that many instances share, by organisation, name and identity; the section is kept, so that its identity lives.
    remembered: dict[tuple[str, str, int], tuple[Any, _Found]] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What one kind of source says: the owner, if it names one, and what names nobody; `own` tells an instance's own word."""

    owner: Owner | None
    strangers: Sequence[Evidence] = ()
    own: bool = False

    def repeats(self, other: _Found) -> bool:
        """Whether it says nothing but what another one says."""
        return [piece.value for piece in self._pieces()] == [piece.value for piece in other._pieces()]

    def _pieces(self) -> Sequence[Evidence]:
        return self.strangers if self.owner is None else (*self.strangers, self.owner.evidence)


class StackOwners:
    """The owners in one stack. `diagnostics` grows with what names nobody."""

    def __init__(self, stack: ResolvedStack, place: Place, authorities: Authorities, resolved: ResolvedEstate) -> None:
        self._stack, self._place, self._authorities, self._resolved = stack, place, authorities, resolved
        sections = {"vars": stack.vars, "settings": stack.settings, "metadata": stack.metadata}
        rules = authorities.codeowners.of(stack.manifest)
        self._metadata = self._find(ownership.in_metadata(sections, OwnershipSource.STACK_METADATA))
        self._tags = self._find(chain(ownership.in_tags(sections), ownership.known_variable(sections)))
        of_account = chain(ownership.in_account_tags(sections), authorities.accounts.get(place.account or "", ()))
        self._account = self._find(of_account)
        self._settings = self._find(ownership.in_settings(sections))
        self._rules = self._find(ownership.in_rules(rules, everything=False))
        self._mapping = self._find(_from_mapping(place))
        self._weak = self._find(ownership.in_rules(rules, everything=True))
        default = authorities.default_teams.get(place.organization)
        self._default = self._find(() if default is None else (default,))
        self._told: set[tuple[Evidence, bool]] = set()
        self.diagnostics: list[Diagnostic] = []

    def of_stack(self) -> dict[str, Any]:
        """The columns of the stack's own row."""
        said = (self._metadata, self._tags, self._account, self._settings, self._rules, self._mapping, self._weak, self._default)
        return self._columns(None, said)

    def of_instance(self, instance: ResolvedInstance, folder: str | None) -> dict[str, Any]:
        """The columns of an instance's row; `folder` is where its component's code lies."""
        return self._columns(instance, self._levels(instance, folder))

    def _levels(self, instance: ResolvedInstance, folder: str | None) -> Iterator[_Found]:
        """What each kind of source says of an instance, in the documented order; asked for only while nobody is found."""
        sections = instance.sections
        rules = self._authorities.codeowners.of_folder(folder) if folder else ()
        said = self._shared("metadata", sections, ownership.in_metadata(sections, OwnershipSource.INSTANCE_METADATA))
        # Instances inherit the stack's metadata: what only repeats these is the stack's word.
        if said is not _NOBODY and not said.repeats(self._metadata):
            yield said
        yield self._metadata
        yield self._find(chain(ownership.in_tags(sections), ownership.known_variable(sections)), own=True)
        yield self._tags
        yield self._find(ownership.in_account_tags(sections), own=True)
        yield self._account
        yield self._shared("settings", sections, ownership.in_settings(sections))
        yield self._settings
        yield self._rules
        yield self._find(ownership.in_rules(rules, everything=False)) if rules else _NOBODY
        yield self._mapping
        yield self._weak
        yield self._find(ownership.in_rules(rules, everything=True)) if rules else _NOBODY
        yield self._default

    def _shared(self, name: str, sections: Mapping[str, Any], evidence: Iterable[Evidence]) -> _Found:
        """What one of an instance's own sections says, looked into once for all instances that share it."""
        section = sections.get(name)
        key = self._place.organization, name, id(section)
        known = self._authorities.remembered.get(key)
        if known is None:
            known = self._authorities.remembered[key] = section, self._find(evidence, own=True)
        return known[1]

    def _find(self, evidence: Iterable[Evidence], *, own: bool = False) -> _Found:
        strangers: list[Evidence] = []
        owner = ownership.first(self._place.organization, evidence, self._authorities.teams, strangers)
        return _NOBODY if owner is None and not strangers else _Found(owner=owner, strangers=strangers, own=own)

    def _columns(self, instance: ResolvedInstance | None, levels: Iterable[_Found]) -> dict[str, Any]:
        named: tuple[str, str] | None = None
        evidence: Evidence | None = None
        writer: ResolvedInstance | None = None
        for level in levels:
            if level is _NOBODY:
                continue
            speaker = instance if level.own else None
            self._tell(level.strangers, speaker)
            if level.owner is not None:
                named, evidence, writer = level.owner.team, level.owner.evidence, speaker
                break
            if evidence is None and level.strangers:
                evidence, writer = level.strangers[0], speaker
        location = None if evidence is None else self._place_of(evidence, writer)
        return {
            "team_id": None if named is None else global_id("Team", *named),
            "owner_source": None if evidence is None else evidence.source.value,
            "owner_value": None if evidence is None else safe(evidence.value),
            "owner_file": None if location is None else safe(location.file),
            "owner_line": None if location is None else location.line,
        }

    def _tell(self, strangers: Iterable[Evidence], instance: ResolvedInstance | None) -> None:
        """Report what names nobody; the same words at the same path of a stack are looked up once."""
        for evidence in strangers:
            key = evidence, instance is None
            if key not in self._told:
                self._told.add(key)
                self.diagnostics.append(
                    Diagnostic(
                        severity=Severity.INFO,
                        code="OWNER_UNKNOWN",
                        message=f"{evidence.value} owns something by {_WORDS[evidence.source]}, but is nobody whom the seeds know",
                        hint="name it among the aliases or members of a team in seeds/teams.yaml",
                        location=self._place_of(evidence, instance),
                    )
                )

    def _place_of(self, evidence: Evidence, instance: ResolvedInstance | None) -> SourceLocation | None:
        """Where evidence is written: known outside the stacks; else by provenance, of the stack's own through an instance."""
        if evidence.location is not None or evidence.path is None:
            return evidence.location
        if instance is not None:
            return next(filter(None, (self._origin(instance, path) for path in _written_at(evidence.path))), None)
        first = next(iter(self._stack.instances), None)
        entries = [entry for entry in self._said(first, evidence.path) if entry.location is not None] if first is not None else []
        # The instance may have overridden what the stack says.
        entries.sort(key=lambda entry: entry.layer != "global")
        return entries[0].location if entries else SourceLocation(file=self._stack.manifest)

    def _origin(self, instance: ResolvedInstance, path: str) -> SourceLocation | None:
        return self._resolved.origin(instance.stack, instance.type, instance.name, path)

    def _said(self, instance: ResolvedInstance, path: str) -> Sequence[ProvenanceEntry]:
        return self._resolved.provenance(instance.stack, instance.type, instance.name, path)


def _written_at(path: str) -> tuple[str, ...]:
    """The paths at which a value may be written: plain metadata are read as custom ones."""
    plain = path.removeprefix("metadata.custom.")
    return (path,) if plain == path else (path, f"metadata.{plain}")


_NOBODY = _Found(owner=None)
_WORDS = {
    OwnershipSource.INSTANCE_METADATA: "metadata",
    OwnershipSource.STACK_METADATA: "metadata",
    OwnershipSource.TAG: "a tag",
    OwnershipSource.REVIEWERS: "review",
    OwnershipSource.LABEL: "a label",
    OwnershipSource.CODEOWNERS: "CODEOWNERS",
    OwnershipSource.CODEOWNERS_WILDCARD: "CODEOWNERS of everything",
    OwnershipSource.TENANT_MAPPING: "the tenant mapping",
    OwnershipSource.ORGANIZATION_DEFAULT: "the organisation's default",
}


def _from_mapping(place: Place) -> Iterator[Evidence]:
    if place.team is not None and place.mapping is not None:
        yield Evidence(source=OwnershipSource.TENANT_MAPPING, value=place.team, location=place.mapping.location)


Declared = dict[str, tuple[ResolvedStack, tuple[tuple[str, Evidence], ...]]]


def accounts(resolved: ResolvedEstate, known: Declared) -> tuple[Accounts, Declared]:
    """What the tags of accounts say, by account, where components of the estate create accounts.

    `known` is what the last reading found, stack by stack: a stack that is the same isn't read again.
    """
    declared: Declared = {}
    found: dict[str, list[Evidence]] = {}
    for stack in resolved.stacks:
        before = known.get(stack.name)
        if before is None or before[0] is not stack:
            before = stack, tuple(_declared(stack, resolved))
        declared[stack.name] = before
        for name, evidence in before[1]:
            found.setdefault(name, []).append(evidence)
    return {name: tuple(pieces) for name, pieces in found.items()}, declared


def _declared(stack: ResolvedStack, resolved: ResolvedEstate) -> Iterator[tuple[str, Evidence]]:
    for instance in stack.instances:
        for name, evidence in ownership.of_accounts(instance.sections.get("vars")):
            entries = resolved.provenance(instance.stack, instance.type, instance.name, evidence.path or "")
            location = next((entry.location for entry in entries if entry.location is not None), instance.location)
            yield name, Evidence(source=evidence.source, value=evidence.value, location=location)
