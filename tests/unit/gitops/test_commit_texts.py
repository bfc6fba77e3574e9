"""Messages, trailers, signatures and diffs: what is text before git sees it."""

from __future__ import annotations

import pytest

from catalog.errors import Invalid
from catalog.gitops import diffs, remotes
from catalog.gitops.commits import Signature, compose, parse_trailers
from catalog.stacks.tree import MemoryTree


def test_message_and_trailers_are_two_paragraphs():
    """Trailers form the last paragraph, where git looks for them."""
    assert compose("Change tags\n", {"Request": "7"}) == "Change tags\n\nRequest: 7\n"


def test_value_writes_no_trailer_of_its_own():
    """A line break in a value can't forge another trailer."""
    assert compose("x", [("Reason", "cheap\nApproved-By: boss")]) == "x\n\nReason: cheap Approved-By: boss\n"


def test_key_must_read_back():
    """A trailer key that git would not read back is refused."""
    with pytest.raises(Invalid):
        compose("x", {"Approved By": "somebody"})


def test_trailers_keep_their_order_and_repeat():
    """Two approvals are two trailers."""
    assert parse_trailers("Approved-By: a\nApproved-By: b\n") == (("Approved-By", "a"), ("Approved-By", "b"))


def test_signature_holds_no_line_break_or_bracket():
    """A name can't end the author line."""
    assert Signature(name="Eve\n<root>", email="e@x>\n").environment("AUTHOR") == {
        "GIT_AUTHOR_NAME": "Eve root",
        "GIT_AUTHOR_EMAIL": "e@x",
    }


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"a\n", b"a\n", ""),
        (None, None, ""),
        (None, b"a\n", "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n"),
        (b"a\n", None, "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"),
        (b"a", b"b\n", "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n"),
        (b"a\x0cb\n", b"a\x0cc\n", "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\x0cb\n+a\x0cc\n"),
        (b"\0", b"x", "Binary files a/f and b/f differ\n"),
    ],
)
def test_diff_is_as_git_prints_it(before: bytes | None, after: bytes | None, expected: str):
    """A diff names the files as git does, marks a missing last line break, and splits lines where git does."""
    assert diffs.unified("f", before, after) == expected


def test_only_what_differs_has_a_diff():
    """A change that writes what is there already shows nothing."""
    tree = MemoryTree({"same": b"1\n", "other": b"1\n"})

    assert list(diffs.of_changes(tree, {"same": b"1\n", "other": b"2\n", "nowhere": None})) == ["other"]


@pytest.mark.parametrize(
    ("url", "address", "secret"),
    [
        ("https://user:p%40ss@host/x.git", "https://host/x.git", "user:p@ss"),
        ("https://host/x.git", "https://host/x.git", None),
        ("ssh://git@host/x.git", "ssh://git@host/x.git", None),
        ("git@host:x.git", "git@host:x.git", None),
    ],
)
def test_http_credentials_leave_the_address(url: str, address: str, secret: str | None):
    """Credentials of an http address are split off; the user of an ssh address is part of it."""
    assert remotes.split(url) == (address, secret)
