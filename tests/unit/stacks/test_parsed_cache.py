"""What was parsed once is read back as it was, and only from files that nobody else can have written."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from catalog.stacks import documents, estate, parsed_cache
from catalog.stacks.parsed_cache import DiskCache
from catalog.stacks.tree import MemoryTree

TEXT = b"""\
base: &base {size: 1.5, names: [a, "1", null, true]}
vars:
  <<: *base
  run: !exec echo
  list: !append [x]
"""
FILES = {
    "atmos.yaml": b"stacks: {base_path: stacks, included_paths: ['deploy/*'], name_pattern: '{stage}'}\n",
    "stacks/catalog/vpc.yaml": b"components: {terraform: {vpc: {vars: {day: 2024-01-02, size: 0x10}}}}\n",
    "stacks/deploy/dev.yaml": b"import: [catalog/vpc]\nvars: {stage: dev, more: !include ./more.json}\n",
    "stacks/deploy/more.json": b'{"a": 1}',
}


def kept(place: Path, key: str = "key") -> documents.Document | None:
    return DiskCache(place, "estate").get(key)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A cache directory in which one document is kept."""
    cache = DiskCache(tmp_path, "estate")
    cache.put("key", documents.load(TEXT, "a.yaml"))
    cache.save()
    return tmp_path


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    )
)
def test_a_document_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    """Values, places and all that is told of a document are the same after a round through the file."""
    directory = tmp_path_factory.mktemp("cache")
    document = documents.load(yaml.safe_dump(value, allow_unicode=True).encode(), "a.yaml")
    cache = DiskCache(directory, "estate")
    cache.put("key", document)
    cache.save()
    assert kept(directory) == (None if document.has_timestamps else document)


def test_places_and_functions_come_back(place: Path) -> None:
    """What locations are told from is kept too, and maps that were one are one again."""
    found = kept(place)
    assert found == documents.load(TEXT, "a.yaml")
    assert found.location(("vars", "names", 1)) is not None
    assert found.value["base"]["names"] is found.value["vars"]["names"]


def test_resolving_with_it_changes_nothing(tmp_path: Path) -> None:
    """An estate is the same with an empty cache, with a full one, and without any, dates and includes among its values."""
    plain = estate.resolve(MemoryTree(FILES))
    for _ in range(2):
        cache = DiskCache(tmp_path, "estate")
        assert estate.resolve(MemoryTree(FILES), cache=cache).stacks == plain.stacks
        cache.save()


@pytest.mark.parametrize("what", ["file", "directory"])
def test_what_others_could_write_is_not_read(place: Path, what: str) -> None:
    """A file or directory that others may write to is as good as absent."""
    file = next((place / "parsed").iterdir())
    (file if what == "file" else file.parent).chmod(0o722)
    assert kept(place) is None


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-1], lambda content: b"", lambda content: content[:40] + b"\x00" + content[41:]]
)
def test_a_damaged_file_is_not_read(place: Path, damage) -> None:
    """What isn't whole is as good as absent, and is replaced by the next that is kept."""
    file = next((place / "parsed").iterdir())
    file.write_bytes(damage(file.read_bytes()))
    cache = DiskCache(place, "estate")
    assert cache.get("key") is None
    cache.put("key", documents.load(TEXT, "a.yaml"))
    cache.save()
    assert kept(place) is not None


def test_another_parser_means_another_cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of the code has parsed isn't read."""
    monkeypatch.setattr(parsed_cache, "_CODE", b"another")
    assert kept(place) is None


def test_what_is_kept_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The documents used last stay, and so do the estates."""
    monkeypatch.setattr(parsed_cache, "_SIZE", 2_000)
    monkeypatch.setattr(parsed_cache, "_ESTATES", 2)
    cache = DiskCache(tmp_path, "estate")
    for number in range(100):
        cache.put(str(number), documents.load(TEXT, "a.yaml"))
        cache.get("0")
    cache.save()
    assert kept(tmp_path, "0") is not None
    assert kept(tmp_path, "1") is None
    assert next((tmp_path / "parsed").iterdir()).stat().st_size < 3_000
    for name in "abc":
        other = DiskCache(tmp_path, name)
        other.put("key", documents.load(TEXT, "a.yaml"))
        other.save()
    assert len(list((tmp_path / "parsed").iterdir())) == 2


def test_a_directory_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    """Without a place to keep them, documents are parsed again."""
    (tmp_path / "parsed").write_text("in the way")
    cache = DiskCache(tmp_path, "estate")
    cache.put("key", documents.load(TEXT, "a.yaml"))
    cache.save()
    assert cache.get("key") is not None
    assert kept(tmp_path) is None
