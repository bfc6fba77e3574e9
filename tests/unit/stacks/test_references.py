"""Plain references are rendered without the engine, and to the letter as the engine renders them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.engines.rendering import Options
from catalog.engines.template import Engine
from catalog.errors import EstateError
from catalog.stacks import references, replacement
from catalog.stacks.templates import Templates

DATA: dict[str, Any] = {
    "s": "text",
    "n": 5,
    "big": 2**64 - 1,
    "f": [1e5, 1e6, 1.5, -0.0, 1e20, 1e21, 1.5e-7, 0.0001, 100.0],
    "t": True,
    "z": None,
    "m": {"b": [1, "x", None], "a": {"é": "y", "e": 1.0}},
    "none": {},
    "empty": [],
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain", ("plain",)),
        ("{{ .a.b }}", (("a", "b"),)),
        ("{{.a}}", (("a",),)),
        ("{{\n .a\t}}", (("a",),)),
        ("x  {{- .a -}}  y", ("x", ("a",), "y")),
        ("{{ .a }} {{- .b }}", (("a",), ("b",))),
        ("{{ .a }}}", (("a",), "}")),
        ("}} {{ .a }}", ("}} ", ("a",))),
        ("{{{ .a }}", None),
        ("{{-.a }}", None),
        ("{{ .a -}}{{", None),
        ("{{ .a-b }}", None),
        ("{{ . }}", None),
        ("{{ .a | upper }}", None),
        ("{{ $.a }}", None),
        ("{{/* .a */}}", None),
        ("{{ .a", None),
    ],
)
def test_only_plain_references_are_taken(text: str, wanted: object) -> None:
    """Field paths with blanks and trim marks are; anything more is the engine's."""
    assert references.parts(text) == wanted


def test_other_delimiters_have_references_too() -> None:
    """The first place where the left delimiter stands begins the action."""
    assert references.parts("x ${ .a } {{ .b }}", "${", "}") == ("x ", ("a",), " {{ .b }}")
    assert references.parts("<<<.a>>", "<<", ">>") is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{{ .a.b }}", ("a", "b")),
        ("  {{- .a.b -}}\n", ("a", "b")),
        ("{{/* why */}}{{ .a }} {{- /* and\nhow */ -}} ", ("a",)),
        ("{{ .größe._1 }}", ("größe", "_1")),
        ("{{ .a² }}", None),
        ("{{ .1a }}", None),
        ("x{{ .a }}", None),
        ("{{ .a }}{{ .b }}", None),
        ("a", None),
    ],
)
def test_a_single_reference_may_have_blanks_around_it(text: str, wanted: object) -> None:
    """Nothing else may stand beside it."""
    assert references.single(text) == wanted


def test_a_single_reference_becomes_the_value_with_its_type() -> None:
    """The same objects come back where nothing is replaced, and what the data doesn't have stays text."""
    kept = {"k": ["{{ .nope }}", "x {{ .n }}"]}
    value = {"map": "{{ .m }}", "list": ["{{ .n }}", " {{ .z }} "], "kept": kept}
    assert replacement.replaced(value, DATA) == {"map": DATA["m"], "list": [5, None], "kept": kept}
    assert replacement.replaced(kept, DATA) is kept


paths = st.sampled_from(
    [
        ".s",
        ".n",
        ".big",
        ".f",
        ".t",
        ".z",
        ".m",
        ".m.a",
        ".m.b",
        ".m.a.e",
        ".none",
        ".empty",
        ".nope",
        ".nope.x",
        ".m.x.y",
        ".s.x",
        ".z.x",
    ]
)
pieces = st.one_of(
    st.sampled_from(["", " ", "x", "\n", "{", "}", "}}"]),
    st.builds(
        "{}{}{}".format, st.sampled_from(["{{ ", "{{", "{{- ", "{{-\t "]), paths, st.sampled_from([" }}", "}}", " -}}", "  -}}"])
    ),
)


@given(st.lists(pieces, max_size=5), st.sampled_from(["error", "default"]))
@settings(max_examples=300)
def test_references_print_what_go_prints(template_engine: Engine, found: list[str], missing: str) -> None:
    """Numbers, nil, maps in key order, lists, missing keys: with or without the engine the text is the same, or the error is."""
    text, options = "".join(found), Options(missing=missing)
    assert _outcome(Templates(template_engine), text, options) == _outcome(template_engine, text, options)


def _outcome(renderer: Templates | Engine, text: str, options: Options) -> tuple[str, str]:
    try:
        return "text", renderer.render(text, "a/b.yaml", DATA, options)
    except EstateError as error:
        return "error", error.message


def test_without_an_engine_only_references_are_rendered() -> None:
    """What would need it is refused with a hint."""
    assert Templates().render("{{ .s }}-{{ .nope }}", "t", DATA, Options(missing="default")) == "text-<no value>"
    with pytest.raises(EstateError) as raised:
        Templates().render("{{ .s | upper }}", "t", DATA)
    assert raised.value.code == "TEMPLATE"
    assert raised.value.hint


def test_paths_that_a_template_mentions_are_known(template_engine: Engine) -> None:
    """Plain references without the engine, Go's own functions with it; others' functions hide the paths."""
    assert Templates().references("{{ .a.b }}-{{ .c }}", "t") == (("a", "b"), ("c",))
    assert Templates().references('{{ printf "%s" .a.b }}', "t") is None
    assert Templates(template_engine).references('{{ printf "%s" .a.b }}', "t") == (("a", "b"),)
    assert Templates(template_engine).references("{{ .a | upper }}", "t") is None
