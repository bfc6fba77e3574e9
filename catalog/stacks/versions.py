"""The version tracker: versions locked in a file beside atmos.yaml, which `!version NAME` and `{{ .version.NAME }}` read.

A lock file holds tracks of names; atmos.yaml says which track counts and which names are pinned to their digests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from catalog.engines.rendering import Reference
from catalog.errors import EstateError
from catalog.stacks import documents
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.files import Files, join
from catalog.stacks.merging import Map

_MENTIONED = re.compile(r"\.version\b")
_DEFAULT_TRACK = "default"
_DEFAULT_FILE = "versions.lock.yaml"
_COORDINATES = ("ecosystem", "datasource", "provider", "package", "group")


def mentioned(text: str) -> bool:
    """Tell whether a text refers to `.version`: only then do templates see the tracker's data."""
    return ".version" in text and _MENTIONED.search(text) is not None


def asserted(manifest: Any) -> str:
    """Return the track that a manifest or stack section asserts (`version.track`), empty when it asserts none."""
    section = manifest.get("version") if isinstance(manifest, dict) else None
    track = section.get("track") if isinstance(section, dict) else None
    return track if isinstance(track, str) else ""


def plain(value: Any) -> Any:
    """Return a value with its `Reference`s written out as maps, as they are where a reference stands alone in YAML."""
    if isinstance(value, Reference):
        return value.entry()
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


class Tracker:
    """The versions of one estate. The lock file is read when it is first asked for; a missing one locks nothing.

    `path` is the lock file's, within the tree.
    """

    def __init__(self, config: AtmosConfig, files: Files) -> None:
        self._config = config
        self._files = files
        self.path = _path(config, files)
        self._locked: Mapping[str, Mapping[str, Map]] | None = None
        self._data: dict[str, dict[str, Reference]] = {}

    @property
    def is_there(self) -> bool:
        """Tell whether there is a lock file."""
        return self._files.has(self.path)

    def data(self, track: str = "") -> dict[str, Reference]:
        """Return what templates see as `.version`; the same object for the same track. Raises EstateError for a broken lock file."""
        track = self._effective(track)
        if track not in self._data:
            entries = self._tracks().get(track, {})
            pins = self._pins(track)
            self._data[track] = {
                name: Reference(entry.get("version", ""), entry.get("digest", ""), pins.get(name, ""))
                for name, entry in entries.items()
            }
        return self._data[track]

    def locked(self, name: str, track: str = "") -> str:
        """Return what `!version NAME` gives; raises EstateError in Atmos' words for what isn't locked."""
        track = self._effective(track)
        entries = self._tracks().get(track)
        if entries is None:
            raise EstateError(f"version not locked: track {track}", code="FUNCTION")
        version: str = entries.get(name, {}).get("version", "")
        if not version:
            raise EstateError(f"version not locked: {name} in track {track}", code="FUNCTION")
        return version

    def _effective(self, track: str) -> str:
        return track or str(self._config.get("version", "track", otherwise="") or _DEFAULT_TRACK)

    def _tracks(self) -> Mapping[str, Mapping[str, Map]]:
        if self._locked is None:
            self._locked = _read(self._files.tree.read(self.path), self.path) if self.is_there else {}
        return self._locked

    def _pins(self, track: str) -> dict[str, str]:
        """How each configured name is pinned: `digest` or `none`; names without configuration are in none."""
        tracks = _map(self._config.get("version", "tracks"))
        own = tracks.get(track)
        if own is None and not self._is_base(track):
            return {}
        entries = self._entries(_map(own), tracks, frozenset())
        if entries is None:
            return {}
        outer = [_pin(_map(self._config.get("version", "defaults"))), _pin(_map(_map(own).get("defaults")))]
        return {name: self._pinned(name, entry, outer) for name, entry in entries.items()}

    def _is_base(self, track: str) -> bool:
        """Tell whether the base catalogue alone serves a track that has no configuration."""
        return bool(self._config.get("version", "dependencies")) and track == self._effective("")

    def _entries(self, track: Map, tracks: Map, seen: frozenset[str]) -> dict[str, dict[str, str]] | None:
        """A track's entries over its parents' and the base catalogue; None where a parent is missing or its own ancestor."""
        extended = track.get("extends")
        if extended:
            if extended in seen or extended not in tracks:
                return None
            entries = self._entries(_map(tracks[extended]), tracks, seen | {extended})
            if entries is None:
                return None
        else:
            entries = {}
            _overlay(entries, _map(self._config.get("version", "dependencies")))
        _overlay(entries, _map(track.get("dependencies")))
        return entries

    def _pinned(self, name: str, entry: Mapping[str, str], outer: list[str]) -> str:
        groups = _map(self._config.get("version", "groups"))
        group = entry.get("group") or next((key for key in sorted(groups) if _matches(_map(groups[key]), name, entry)), "")
        pin = next((pin for pin in (_pin(_map(groups.get(group))), entry.get("pin", ""), *reversed(outer)) if pin), "")
        return "digest" if pin in {"digest", "sha"} else "none"


def _path(config: AtmosConfig, files: Files) -> str:
    written = str(config.get("version", "lock_file", otherwise="") or _DEFAULT_FILE)
    if written.startswith("/"):
        root = f"{getattr(files.tree, 'root', '')}/"
        return join(written[len(root) :]) if written.startswith(root) else join("..", written)
    return join(config.base_path, written)


def _read(content: bytes, file: str) -> dict[str, dict[str, dict[str, str]]]:
    value = documents.load(content, file).value
    written = next(iter(yaml.load_all(content, Loader=yaml.CBaseLoader)), None)
    tracks = _section(value, "tracks", file)
    texts = _map(_map(written).get("tracks"))
    return {
        track: {
            name: {
                key: item if isinstance(item, str) else str(_map(_map(_map(texts.get(track)).get(name))).get(key, item))
                for key, item in _map(entry).items()
                if key in {"version", "digest"} and item is not None
            }
            for name, entry in _section(tracks, track, file).items()
        }
        for track in tracks
    }


def _section(value: Any, key: str, file: str) -> Map:
    """Return the map under a key; null counts as empty. Raises EstateError for anything else."""
    if value is not None and not isinstance(value, dict):
        raise EstateError(f"yaml: unmarshal errors: {file} is not a map of tracks", code="YAML")
    found = (value or {}).get(key)
    if found is not None and not isinstance(found, dict):
        raise EstateError(f"yaml: unmarshal errors: {key} in {file} is not a map", code="YAML")
    return found or {}


def _overlay(entries: dict[str, dict[str, str]], over: Map) -> None:
    for name, entry in over.items():
        found = _map(entry)
        texts = {key: str(found[key]) for key in _COORDINATES if found.get(key)}
        pin = _pin(found)
        entries[name] = {**entries.get(name, {}), **texts, **({"pin": pin} if pin else {})}


def _matches(group: Map, name: str, entry: Mapping[str, str]) -> bool:
    ecosystem = _canonical(entry.get("ecosystem", ""))
    package = entry.get("package") or name
    for key, actual in (
        ("ecosystems", ecosystem),
        ("datasources", entry.get("datasource") or ecosystem),
        ("providers", entry.get("provider", "")),
    ):
        wanted = [_canonical(text) if key == "ecosystems" else text for text in _texts(group.get(key))]
        if wanted and actual not in wanted:
            return False
    patterns = _texts(group.get("patterns"))
    if any(_names(pattern, name, package) for pattern in _texts(group.get("exclude_patterns"))):
        return False
    return not patterns or any(_names(pattern, name, package) for pattern in patterns)


def _names(pattern: str, name: str, package: str) -> bool:
    """Tell whether a pattern names either text: as part of it, or as a whole with `*`, `?` and `[…]` within a segment."""
    expression = _expression(pattern)
    return any(pattern in text or (expression is not None and expression.fullmatch(text) is not None) for text in (name, package))


def _expression(pattern: str) -> re.Pattern[str] | None:
    translated = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]").replace(r"\[", "[").replace(r"\]", "]")
    try:
        return re.compile(translated.replace(r"\-", "-"), re.DOTALL)
    except re.error:
        return None


def _canonical(ecosystem: str) -> str:
    return "github/actions" if ecosystem == "github-actions" else ecosystem


def _pin(section: Map) -> str:
    return str(_map(section.get("update")).get("pin") or "")


def _map(value: Any) -> Map:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
