from hypothesis import given
from hypothesis import strategies as st

from catalog.indexer import changes
from catalog.indexer.documents import pieces


def test_each_path_that_differs_is_named_with_both_values():
    """Maps are compared key by key and lists item by item; keys with dots are quoted; what one side lacks is null."""
    before = {"vars": {"a": 1, "list": [1, {"x": 1}], "same": {"y": 1}, "a.b": 1, "gone": "g", "kind": {"k": 1}}}
    after = {"vars": {"a": 2, "list": [1, {"x": 2}, 3], "same": {"y": 1}, "a.b": 2, "new": [1], "kind": "text"}}

    assert changes.values(before, after) == [
        {"path": "vars.a", "before": 1, "after": 2},
        {"path": 'vars["a.b"]', "before": 1, "after": 2},
        {"path": "vars.gone", "before": "g", "after": None},
        {"path": "vars.kind", "before": {"k": 1}, "after": "text"},
        {"path": "vars.list[1].x", "before": 1, "after": 2},
        {"path": "vars.list[2]", "before": None, "after": 3},
        {"path": "vars.new", "before": None, "after": [1]},
    ]


def test_a_redacted_value_is_one_value():
    """Nobody looks into a redacted value: its path is the secret's."""
    found = changes.values({"p": {"$redacted": "a"}}, {"p": {"$redacted": "b"}})

    assert found == [{"path": "p", "before": {"$redacted": "a"}, "after": {"$redacted": "b"}}]


def test_true_is_not_one():
    """Values of different types differ even where Python calls them equal."""
    assert changes.values({"a": 1}, {"a": True}) == [{"path": "a", "before": 1, "after": True}]


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(documents, documents)
def test_nothing_changed_means_no_paths_and_the_other_way_round(one, other):
    """A document differs from itself nowhere, and from a different one somewhere, with as many paths in either direction."""
    assert changes.values(one, one) == []
    there, back = changes.values({"x": one}, {"x": other}), changes.values({"x": other}, {"x": one})
    assert [(item["path"], item["after"], item["before"]) for item in back] == [
        (item["path"], item["before"], item["after"]) for item in there
    ]


sections = st.dictionaries(st.text(max_size=3), documents, max_size=4)


@given(sections, sections)
def test_documents_in_pieces_differ_where_the_whole_ones_do(one, other):
    """Comparing documents by their pieces tells the same paths in the same order as comparing them whole."""
    assert changes.between(pieces(one), pieces(other)) == changes.values(one, other)


def test_an_heir_says_the_same_under_another_name_or_in_another_stack():
    """Exactly one instance gone and one come with the same essence are one renamed; where several are in question nobody is."""
    essences = {"new": "e", "old": "e", "moved": "m", "left": "m", "a": "x", "b": "x", "c": "x"}
    added = [("new", ("s", "T", "two")), ("moved", ("t", "T", "vpc")), ("a", ("s", "T", "a")), ("b", ("s", "T", "b"))]
    removed = [("old", ("s", "T", "one")), ("left", ("s", "T", "vpc")), ("c", ("s", "T", "c"))]

    assert changes.renames(added, removed, essences) == {"new": "old", "moved": "left"}
