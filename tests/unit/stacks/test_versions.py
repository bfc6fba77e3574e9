"""The version tracker: which version a name has in a track, and how templates and YAML see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.engines.rendering import Reference
from catalog.engines.template import Engine
from catalog.errors import EstateError
from catalog.stacks import atmos_config, versions
from catalog.stacks.files import Files
from catalog.stacks.findings import Findings
from catalog.stacks.tree import DirectoryTree, MemoryTree
from catalog.stacks.versions import Tracker

LOCK = """
version: 1
tracks:
  Main:
    image: {version: 1.10, digest: "sha256:aa"}
    Tool: {version: v2, digest: "sha256:bb"}
    tool: {version: v2l, digest: "sha256:cc"}
    none: {version: }
  dev:
    image: {version: 9, digest: "sha256:dd"}
"""

SECTION: dict[str, Any] = {
    "track": "Main",
    "groups": {"images": {"patterns": ["im*"], "update": {"pin": "sha"}}},
    "dependencies": {"image": {"package": "library/image"}, "Tool": {"update": {"pin": "digest"}}},
    "tracks": {"dev": {"dependencies": {"image": {"desired": "9"}}}},
}


def tracker(section: dict[str, Any] | None = None, lock: str | None = LOCK, path: str = "versions.lock.yaml") -> Tracker:
    files = {"atmos.yaml": json.dumps({"base_path": ".", "version": SECTION if section is None else section})}
    if lock is not None:
        files[path] = lock
    tree = Files(MemoryTree({name: text.encode() for name, text in files.items()}))
    return Tracker(atmos_config.load(tree, "", findings=Findings(strict=True)), tree)


def test_a_name_has_the_version_of_the_asserted_track_or_of_the_configured_one() -> None:
    """As it is written in the lock file, numbers included."""
    assert tracker().locked("image") == "1.10"
    assert tracker().locked("image", "dev") == "9"
    assert tracker({}, "tracks: {default: {x: {version: 1}}}").locked("x") == "1"


@pytest.mark.parametrize(
    ("name", "track", "words"), [("x", "", "x in track Main"), ("none", "", "none in track Main"), ("x", "no", "track no")]
)
def test_what_isn_t_locked_is_told(name: str, track: str, words: str) -> None:
    """A name without version, and a track that the file doesn't have."""
    with pytest.raises(EstateError, match=f"version not locked: {words}$"):
        tracker().locked(name, track)


def test_a_missing_lock_file_locks_nothing_and_a_broken_one_is_an_error() -> None:
    """Templates then see an empty map, or the reader's words."""
    assert tracker(lock=None).data() == {}
    for broken in ("tracks: [1]", "tracks: {Main: 1}", "tracks: ["):
        with pytest.raises(EstateError, match="yaml"):
            tracker(lock=broken).data()


def test_pins_come_from_the_entry_its_group_the_track_and_the_defaults() -> None:
    """The group has the last word; names are compared as the configuration has them, in lower case."""
    found = tracker().data()
    assert {name: (str(item), item.pin) for name, item in found.items()} == {
        "image": ("sha256:aa", "digest"),
        "Tool": ("v2", ""),
        "tool": ("sha256:cc", "digest"),
        "none": ("", ""),
    }
    assert tracker({**SECTION, "groups": {}, "defaults": {"update": {"pin": "sha"}}}).data()["image"].pin == "digest"
    assert tracker({**SECTION, "groups": {}}).data()["image"].pin == "none"
    assert tracker({**SECTION, "track": "dev", "tracks": {"dev": {"extends": "gone"}}}).data()["image"].pin == ""


@pytest.mark.parametrize(
    ("group", "pin"),
    [
        ({"patterns": ["image"]}, "digest"),
        ({"patterns": ["i[l-n]a?e"]}, "digest"),
        ({"patterns": ["library/*"]}, "digest"),
        ({"patterns": ["library*e"]}, "none"),
        ({"patterns": ["brary"]}, "digest"),
        ({"patterns": ["[x"]}, "none"),
        ({"patterns": ["*"], "exclude_patterns": ["im*"]}, "none"),
        ({"exclude_patterns": ["other"]}, "digest"),
        ({"ecosystems": ["github-actions"]}, "digest"),
        ({"ecosystems": ["docker"]}, "none"),
        ({"datasources": ["github/actions"]}, "digest"),
        ({"providers": ["quay"]}, "digest"),
        ({"providers": ["hub", 1]}, "none"),
        ({"patterns": "image"}, "digest"),
    ],
)
def test_a_group_takes_the_entries_that_it_describes(group: dict[str, Any], pin: str) -> None:
    """All its conditions hold: ecosystem, datasource, provider, and a pattern of the name or package that no other excludes."""
    entry = {"package": "library/image", "ecosystem": "github/actions", "provider": "quay"}
    section = {"track": "Main", "groups": {"g": {**group, "update": {"pin": "digest"}}}, "dependencies": {"image": entry}}
    assert tracker(section).data()["image"].pin == pin


def test_an_entry_may_name_its_group() -> None:
    """Then no other group's description counts."""
    groups = {"a": {"patterns": ["*"], "update": {"pin": "digest"}}, "b": {"patterns": ["x"], "update": {"pin": "none"}}}
    section = {"track": "Main", "groups": groups, "dependencies": {"image": {"group": "b"}}}
    assert tracker(section).data()["image"].pin == "none"


@pytest.mark.parametrize(
    ("tracks", "pin"),
    [
        ({"main": {"extends": "up"}, "up": {"dependencies": {"image": {"update": {"pin": "sha"}}}}}, "digest"),
        (
            {"main": {"extends": "up", "defaults": {"update": {"pin": "digest"}}}, "up": {"dependencies": {"x": {"package": "p"}}}},
            "digest",
        ),
        ({"main": {"extends": "up"}, "up": {"extends": "up"}}, ""),
        ({"main": {"extends": "up"}, "up": {"extends": "gone"}}, ""),
        ({"other": {"extends": "gone"}}, "none"),
    ],
)
def test_a_track_stands_on_those_that_it_extends(tracks: dict[str, Any], pin: str) -> None:
    """Down to the base catalogue; one that is missing or its own ancestor leaves nothing pinned."""
    assert (
        tracker({"track": "main", "dependencies": {"image": {"package": "p"}}, "tracks": tracks}, LOCK.replace("Main", "main"))
        .data()["image"]
        .pin
        == pin
    )


def test_an_absolute_lock_file_is_read_within_the_estate_alone(tmp_path: Path) -> None:
    """One that lies elsewhere leaves the tree, where nothing is read."""
    estate = tmp_path / "estate"
    for directory in (estate, tmp_path):
        (directory / "locks").mkdir(parents=True)
        (directory / "locks" / "v.yaml").write_text("tracks: {default: {x: {version: v1}}}")
    for directory, path, is_there in ((estate, "locks/v.yaml", True), (tmp_path, f"..{tmp_path}/locks/v.yaml", False)):
        section = {"lock_file": str(directory / "locks" / "v.yaml")}
        (estate / "atmos.yaml").write_text(json.dumps({"base_path": ".", "version": section}))
        tree = Files(DirectoryTree(estate))
        found = Tracker(atmos_config.load(tree, "", findings=Findings(strict=True)), tree)
        assert (found.path, found.is_there) == (path, is_there)


def test_the_lock_file_s_path_is_relative_to_the_estate() -> None:
    """`version.lock_file` names it."""
    found = tracker({"lock_file": "locks/v.yaml"}, "tracks: {default: {x: {version: v1}}}", "locks/v.yaml")
    assert found.path == "locks/v.yaml"
    assert found.locked("x") == "v1"


def test_templates_print_the_reference_and_read_its_parts(template_engine: Engine) -> None:
    """In text a digest where it is pinned; standing alone in YAML, a map."""
    data = {"version": tracker().data()}
    text = "{{ .version.image }} {{ .version.image.Version }} {{ .version.image.Pin }} {{ toJson .version.tool }} {{ .version }}"
    assert template_engine.render(text, "t", data) == (
        'sha256:aa 1.10 digest {"version":"v2l","digest":"sha256:cc","pin":"digest"} map[Tool:v2 image:sha256:aa none: tool:sha256:cc]'
    )
    with pytest.raises(EstateError, match='map has no entry for key "gone"'):
        template_engine.render("{{ .version.gone }}", "t", data)
    assert versions.plain(data) == {
        "version": {
            "image": {"version": "1.10", "digest": "sha256:aa", "pin": "digest"},
            "Tool": {"version": "v2", "digest": "sha256:bb"},
            "tool": {"version": "v2l", "digest": "sha256:cc", "pin": "digest"},
            "none": {"version": ""},
        }
    }


def test_only_the_word_itself_mentions_versions() -> None:
    """`.versioning` doesn't; a stack asserts its track in `version.track`."""
    assert versions.mentioned("{{ .version.x }}")
    assert not versions.mentioned("{{ .versioning }} {{ version }}")
    assert versions.asserted({"version": {"track": "dev"}}) == "dev"
    assert versions.asserted({"version": "x"}) == versions.asserted(None) == ""
    assert str(Reference("1", "d", "none")) == "1"
