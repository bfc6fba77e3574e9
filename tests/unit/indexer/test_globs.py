import re
from functools import lru_cache

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.indexer import globs

SEGMENT = st.text("ab*?", min_size=1, max_size=5).filter(lambda text: text.strip("*") or text == "*")
PATTERN = st.lists(SEGMENT | st.just("**"), min_size=1, max_size=5).map("/".join)
PATH = st.lists(st.text("ab", min_size=1, max_size=5), min_size=1, max_size=5).map("/".join)


def model(pattern, path):
    """Whether a path lies at a pattern, told by trying everything."""

    @lru_cache(None)
    def segment(left, right):
        if not left:
            return not right
        if left[0] == "*":
            return segment(left[1:], right) or (bool(right) and segment(left, right[1:]))
        return bool(right) and left[0] in {"?", right[0]} and segment(left[1:], right[1:])

    @lru_cache(None)
    def segments(left, right):
        if not left:
            return not right
        if left[0] == "**":
            return segments(left[1:], right) or (bool(right) and segments(left, right[1:]))
        return bool(right) and segment(left[0], right[0]) and segments(left[1:], right[1:])

    return segments(tuple(pattern.split("/")), tuple(path.split("/")))


@settings(max_examples=1000, deadline=None)
@given(PATTERN.filter(lambda pattern: pattern.rsplit("/", 1)[-1] != "**"), PATH)
def test_a_glob_matches_what_trying_everything_finds(pattern, path):
    """Whatever stands in a glob, its expression matches exactly the paths that some choice of what the stars skip gives."""
    assert bool(re.fullmatch(globs.expression(pattern), path)) == model(pattern, path)


def test_no_glob_takes_for_ever():
    """Globs made to be tried in ever so many ways are decided at once, within segments and across them."""
    assert re.fullmatch(globs.expression("*a" * 60 + "b"), "a" * 3000) is None
    assert re.fullmatch(globs.expression("**/a/" * 60 + "b"), "/".join("a" * 1500)) is None
