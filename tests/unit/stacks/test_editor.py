"""The editor changes what it is asked to and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import Invalid
from catalog.stacks import documents, editor, rendering

MANIFEST = b"""\
# top
import:
  - a
  - b   # keep

vars:
  # about tags
  tags: {team: x, 'cost': "y"}   # inline
  name: 'old'  # the name
  empty:
  list:
    - 1
    -   two
  m:
    a: 1
    # c
    b: 2
  lit: |
    hello

    world
"""


def changed(before: bytes, after: bytes) -> tuple[list[str], list[str]]:
    """The lines that went and the lines that came."""
    old, new = before.decode().splitlines(), after.decode().splitlines()
    while old and new and old[0] == new[0]:
        old.pop(0), new.pop(0)
    while old and new and old[-1] == new[-1]:
        old.pop(), new.pop()
    return old, new


@pytest.mark.parametrize(
    ("path", "value", "gone", "come"),
    [
        (
            ["vars", "tags", "team"],
            "z",
            ["""  tags: {team: x, 'cost': "y"}   # inline"""],
            ["""  tags: {team: z, 'cost': "y"}   # inline"""],
        ),
        (
            ["vars", "tags"],
            {"team": "x", "owner": "o"},
            ["""  tags: {team: x, 'cost': "y"}   # inline"""],
            ["  tags: {team: x, owner: o}   # inline"],
        ),
        (["vars", "name"], "it's", ["  name: 'old'  # the name"], ["  name: 'it''s'  # the name"]),
        (["vars", "name"], {"a": [1]}, ["  name: 'old'  # the name"], ["  name:  # the name", "    a:", "      - 1"]),
        (["vars", "empty"], 5, ["  empty:"], ["  empty: 5"]),
        (["vars", "empty", "k"], True, [], ["    k: true"]),
        (["vars", "list", 1], {"a": 1, "b": 2}, ["    -   two"], ["    -   a: 1", "        b: 2"]),
        (["vars", "list", 2], "three", [], ["    - three"]),
        (["vars", "list"], [], ["  list:", "    - 1", "    -   two"], ["  list: []"]),
        (["vars", "m"], {"b": 3}, ["    a: 1", "    # c", "    b: 2"], ["    # c", "    b: 3"]),
        (["vars", "m"], 5, ["  m:", "    a: 1", "    # c", "    b: 2"], ["  m: 5"]),
        (["vars", "lit"], "x\ny", ["  lit: |", "    hello", "", "    world"], [r'  lit: "x\ny"']),
        (["import", 1], "c/d", ["  - b   # keep"], ["  - c/d   # keep"]),
        (["vars", "m", "c"], "2024-01-01", [], ['    c: "2024-01-01"']),
        (["vars", "new", "deep"], {"a": None}, [], ["  new:", "    deep:", "      a: null"]),
    ],
)
def test_an_edit_touches_only_its_lines(path: list[str | int], value: object, gone: list[str], come: list[str]) -> None:
    """Only the lines of the edited value change, with comments, quotes and layout kept."""
    assert changed(MANIFEST, editor.set_value(MANIFEST, path, value)) == (gone, come)


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        (b"", ["a", "b"], 1, b"a:\n  b: 1\n"),
        (b"# c", ["a"], 1, b"# c\na: 1\n"),
        (b"a: 1", ["b"], 1, b"a: 1\nb: 1"),
        (b"a: 1\r\nb: 2\r\n", ["a"], {"k": 1}, b"a:\r\n  k: 1\r\nb: 2\r\n"),
        (b"\xef\xbb\xbfa: 1\n", ["a"], 2, b"\xef\xbb\xbfa: 2\n"),
        (b"x: &a {k: 1}\ny:\n  <<: *a\n  z: 1\n", ["y", "k"], 3, b"x: &a {k: 1}\ny:\n  <<: *a\n  z: 1\n  k: 3\n"),
        (b"x: &a {k: 1}\nw: *a\n", ["w", "k"], 3, b"x: &a {k: 1}\nw:\n  k: 3\n"),
        (b"{a, b: 1}", ["a"], 3, b"{a: 3, b: 1}"),
        (b"a:\n    b:\n        c: 1\n", ["a", "d", "e"], 1, b"a:\n    b:\n        c: 1\n    d:\n        e: 1\n"),
        (b"a:\n  - b: 1\n    c: 2\n", ["a", 0], {"c": 2}, b"a:\n  - c: 2\n"),
        (b"a: {}\n", ["a", "b"], 1, b"a:\n  b: 1\n"),
        (b"a: 1\n", ["b"], "!env HOME", b'a: 1\nb: "!env HOME"\n'),
        (b"a: 1\n---\nb: 2\n", ["a"], 2, b"a: 2\n---\nb: 2\n"),
    ],
)
def test_an_edit_gives_exactly_this_text(before: bytes, path: list[str | int], value: object, after: bytes) -> None:
    """Empty files, line ends, byte order marks, anchors, merge keys and file habits are respected."""
    assert editor.set_value(before, path, value) == after


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        (b"a: 1\n", ["a", "b"], 1),
        (b"a: [1]\n", ["a", 2], 1),
        (b"a: {x: 1}\n", ["a", 0], 1),
        (b"a: &x 1\nb: *x\n", ["a"], 2),
    ],
)
def test_what_cannot_be_edited_is_refused(text: bytes, path: list[str | int], value: object) -> None:
    """An edit that leads through a scalar, or would change an alias elsewhere, is refused with its path."""
    with pytest.raises(Invalid) as refused:
        editor.set_value(text, path, value)
    assert refused.value.path == tuple(map(str, path))


def test_an_edit_that_changes_nothing_gives_the_same_bytes() -> None:
    """Setting the value that is there already returns the text untouched."""
    assert editor.set_value(MANIFEST, ["vars", "name"], "old") == MANIFEST


def test_an_entry_can_be_taken_out() -> None:
    """Removing an entry removes its lines and no others; removing what isn't there changes nothing."""
    assert changed(MANIFEST, editor.unset_value(MANIFEST, ["vars", "name"])) == (["  name: 'old'  # the name"], [])
    assert editor.unset_value(MANIFEST, ["vars", "nothing"]) == MANIFEST


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
KEYS = st.one_of(st.sampled_from(["a", "b", "yes", "1", "null", "with space", "x:y", "#", "- "]), TEXT)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    TEXT,
    st.sampled_from(
        ["yes", "0755", "08", "1e3", "12:30", "2024-01-01", "!env X", "it's", 'say "x"', "a: b", "a #b", "{{ .x }}", ""]
    ),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)), max_leaves=10
)
MAPS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


def written(
    value: object, draw: st.DrawFn, indent: int, marks: dict[str, tuple[str | int, ...]], path: tuple[str | int, ...]
) -> str:
    """Write a value as a person might: block or flow, with comments that say where they stand."""
    is_flow = not isinstance(value, (dict, list)) or not value or draw(st.integers(0, 3)) == 0
    if is_flow:
        return " " + flow_text(value) + comment(draw, marks, path)
    pad = " " * indent
    lines = [comment(draw, marks, path)]
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in entries:
        lead = flow_text(key) + ":" if isinstance(value, dict) else "-"
        if draw(st.integers(0, 3)) == 0:
            lines.append(pad + comment(draw, marks, path).strip())
        lines.append(pad + lead + written(item, draw, indent + 2, marks, (*path, key)))
    return "\n".join(lines)


def flow_text(value: object) -> str:
    return rendering.flow(value)


def comment(draw: st.DrawFn, marks: dict[str, tuple[str | int, ...]], path: tuple[str | int, ...]) -> str:
    if draw(st.booleans()):
        return ""
    mark = f"# mark {len(marks)};"
    marks[mark] = path
    return "  " + mark


@st.composite
def edits(draw: st.DrawFn):
    value = draw(MAPS)
    marks: dict[str, tuple[str | int, ...]] = {}
    text = written(value, draw, 0, marks, ()).lstrip() + "\n"
    path: list[str | int] = []
    here: object = value
    while isinstance(here, (dict, list)) and here and (not path or draw(st.booleans())):
        step = draw(st.sampled_from(sorted(here))) if isinstance(here, dict) else draw(st.integers(0, len(here) - 1))
        path.append(step)
        here = here[step]
    if isinstance(here, dict) and draw(st.booleans()):
        path.append(draw(KEYS))
    return value, text.encode(), path, draw(VALUES), marks


def expected(value: object, path: list[str | int], new: object) -> object:
    if not path:
        return new
    if isinstance(value, list):
        return [expected(item, path[1:], new) if number == path[0] else item for number, item in enumerate(value)]
    return {**value, path[0]: expected(value.get(path[0]), path[1:], new)}


@given(edits())
def test_only_the_edited_value_changes(edit) -> None:
    """Whatever the layout, loading the edited text gives the old value with that one change, and comments elsewhere stay."""
    value, text, path, new, marks = edit
    assert documents.load(text, "x").value == value
    after = editor.set_value(text, path, new)
    assert documents.load(after, "x").value == expected(value, path, new)
    elsewhere = [mark for mark, place in marks.items() if place[: len(path)] != tuple(path)]
    assert [mark for mark in elsewhere if mark.encode() not in after] == []
