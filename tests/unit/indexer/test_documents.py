import json

from hypothesis import given
from hypothesis import strategies as st

from catalog.config import DEFAULT_SECRET_KEYS
from catalog.indexer.documents import Writer
from catalog.indexer.redaction import Redactor, json_text


def writer():
    return Writer(Redactor(b"k" * 32, DEFAULT_SECRET_KEYS))


def test_what_postgres_and_json_cannot_hold_is_replaced_and_counted():
    """NUL, lone surrogates and infinities, in values and keys, become text that can be stored, and each is counted."""
    cleaner = writer()

    found = cleaner.text({"a": "x\x00y", "b\ud800": ["\udfff", float("inf"), float("nan")], "c": 1.5})

    assert json.loads(found) == {"a": "x\ufffdy", "b\ufffd": ["\ufffd", "inf", "nan"], "c": 1.5}
    assert cleaner.replaced == 5
    found.encode()


def test_equal_parts_of_documents_are_one_text_whatever_stands_beside_them():
    """A section that two instances share is the same object in both documents, so that many documents cost little."""
    shared = {"bucket": "state", "options": {"a": 1}}
    maker = writer()

    one, other = (maker.document({"vars": {"name": name}, "backend": shared})[0] for name in ("a", "b"))

    assert one[0] is other[0]
    assert (one[0], one[1], other[1]) == (
        '"backend":{"bucket":"state","options":{"a":1}}',
        '"vars":{"name":"a"}',
        '"vars":{"name":"b"}',
    )


def scalars(texts):
    return st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts


def nested(leaves, keys):
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys), inner, max_size=3), max_leaves=12
    )


KEYS = ["a", "password", "x_token", "tags", "vars", "b c", "é"]
storable = nested(
    scalars(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5) | st.just("!secret x")), KEYS
)
anything = nested(st.floats() | scalars(st.text(max_size=5) | st.sampled_from(["!secret x", "\x00", "\ud800"])), [*KEYS, "b\x00"])


@given(anything)
def test_anything_can_be_stored(value):
    """Whatever a section holds, what is written is JSON text without NUL that encodes as UTF-8."""
    text = writer().text(value)

    assert "\\u0000" not in text
    text.encode()


@given(st.dictionaries(st.sampled_from(["vars", "settings", "secrets", "env"]), storable), st.sets(st.sampled_from(KEYS)))
def test_a_document_is_the_redacted_sections_to_the_letter(sections, sensitive):
    """A document that is put together from pieces is the canonical JSON of the redacted sections, for a new writer and a used one."""
    maker = writer()
    expected = json_text(Redactor(b"k" * 32, DEFAULT_SECRET_KEYS).sections(sections, sensitive))

    first, again = (maker.document(sections, sensitive)[1] for _ in range(2))

    assert first == again == expected
