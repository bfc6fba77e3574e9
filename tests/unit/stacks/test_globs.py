"""Patterns select what Atmos' patterns select."""

from __future__ import annotations

import pytest

from catalog.stacks import globs
from catalog.stacks.files import Files, extension, join
from catalog.stacks.tree import MemoryTree

PATHS = sorted(
    ["a.yaml", "b.yml", "sub/c.yaml", "sub/deep/d.yaml", "t.yaml.tmpl", ".hid.yaml", ".hd/x.yaml", "n.json", "x1/y.yaml"]
)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.yaml", [".hid.yaml", "a.yaml"]),
        ("**/*.yaml", [".hid.yaml", "a.yaml", ".hd/x.yaml", "sub/c.yaml", "sub/deep/d.yaml", "x1/y.yaml"]),
        ("sub/**.yaml", ["sub/c.yaml"]),
        ("sub/**", ["sub/c.yaml", "sub/deep/d.yaml"]),
        ("**", PATHS),
        ("{a,b}.{yaml,yml}", ["a.yaml", "b.yml"]),
        ("{sub/,}{a,c}.yaml", ["a.yaml", "sub/c.yaml"]),
        ("?.yaml", ["a.yaml"]),
        ("[ab].y*", ["a.yaml", "b.yml"]),
        ("[!a].*", ["b.yml", "n.json", "t.yaml.tmpl"]),
        ("[^b-z].yaml", ["a.yaml"]),
        ("x\\1/y.yaml", ["x1/y.yaml"]),
        ("A.yaml", []),
        ("a.yaml", ["a.yaml"]),
        ("{a", []),
        ("[a", []),
        ("sub/**/**/*.yaml", ["sub/c.yaml", "sub/deep/d.yaml"]),
    ],
)
def test_a_pattern_finds(pattern: str, found: list[str]) -> None:
    """Each pattern finds these paths, a directory's files before its sub-directories; a malformed one finds nothing."""
    assert sorted(globs.find(pattern, PATHS)) == sorted(found)


def test_files_come_before_directories() -> None:
    """The order of a glob is that of a walk which visits files first."""
    assert globs.find("**/*.yaml", sorted(["b/x.yaml", "a/y.yaml", "c.yaml", "a.yaml"])) == [
        "a.yaml",
        "c.yaml",
        "a/y.yaml",
        "b/x.yaml",
    ]


@pytest.mark.parametrize(
    ("pattern", "path", "is_match"),
    [
        ("**/_defaults.yaml", "x/y/_defaults.yaml", True),
        ("**/_defaults.yaml", "_defaults.yaml", True),
        ("**/_defaults", "x/_defaults.yaml", False),
        ("sub/**", "sub/x/y", True),
        ("sub/**", "sub", True),
        ("junk/**", "a/junk/b", False),
    ],
)
def test_a_path_matches_as_a_whole(pattern: str, path: str, is_match: bool) -> None:
    """A pattern has to match the whole path."""
    assert globs.matches(pattern, path) is is_match


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (("", "a/../b"), "b"),
        (("a", "."), "a"),
        (("a", ".."), ""),
        (("a", "../..", "b"), "../b"),
        (("a", "/b"), "a/b"),
        ((".", "x"), "x"),
        ((), ""),
    ],
)
def test_joining_cleans(parts: tuple[str, ...], path: str) -> None:
    """Paths are joined and cleaned as Go does; the tree's root is the empty path."""
    assert join(*parts) == path


@pytest.mark.parametrize(("path", "ending"), [("a/b.yaml", ".yaml"), ("cat/1.2", ".2"), (".hid", ".hid"), ("a.b/c", ""), ("x", "")])
def test_an_extension_is_what_go_says(path: str, ending: str) -> None:
    """From the last dot of the last segment."""
    assert extension(path) == ending


def test_files_answer_about_directories() -> None:
    """A directory exists when something lies below it, and names that merely begin alike don't count."""
    files = Files(MemoryTree({"a/b/c": b"", "ab": b""}))
    assert files.has_directory("a/b")
    assert files.has_directory("")
    assert not files.has_directory("ab")
    assert list(files.below("a")) == ["a/b/c"]
