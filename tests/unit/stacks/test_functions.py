"""The function pass: sharing, what lenient reading does with what fails, and the grammar of arguments."""

from __future__ import annotations

import math
from typing import Any

import pytest
from given import Given

from catalog.engines.template import Engine
from catalog.errors import EstateError, NotGiven, NotProvisioned
from catalog.stacks import arguments, expressions, functions, outputs
from catalog.stacks.functions import Here
from catalog.stacks.lookup import Deferred


def here(**more: Any) -> Here:
    return Here(**{"component": "a", "stack": "dev", **more})


def test_what_holds_no_function_is_the_very_same_object() -> None:
    """Nothing is copied for nothing: an entry, and any part of one, without functions comes back as it is."""
    plain = {"vars": {"a": [1, {"b": "x"}]}}
    assert functions.evaluated(plain, here()) is plain
    mixed = {"vars": {"deep": {"x": [1]}, "j": "!template 1"}, "settings": {"y": 1}}
    found = functions.evaluated(mixed, here())
    assert found["vars"] == {"deep": {"x": [1]}, "j": 1}
    assert found["vars"]["deep"] is mixed["vars"]["deep"]
    assert found["settings"] is mixed["settings"]
    assert mixed["vars"]["j"] == "!template 1"


def test_mocks_and_sources_are_literal() -> None:
    """A mock stands for what must not be reached, so nothing in it is evaluated."""
    entry = {"mocks": {"m": "!template 1"}, "sources": {"s": "!unset"}, "vars": {"v": "!template 1"}}
    assert functions.evaluated(entry, here()) == {**entry, "vars": {"v": 1}}


def test_lenient_reading_keeps_what_fails_and_tells_where() -> None:
    """An error costs its own value only."""
    lost: list[tuple[tuple[str | int, ...], str]] = []
    entry = {"vars": {"l": ["!env a b c", "!template [1]"], "s": "!store s k"}, "env": {"T": "!terraform.state b"}}
    given = here(lookup=Given(), lose=lambda path, error: lost.append((path, error.message)))
    found = functions.evaluated(entry, given)
    assert found == {
        "vars": {"l": ["!env a b c", [1]], "s": "invalid YAML function: !store s k"},
        "env": {"T": "!terraform.state b"},
    }
    assert [path for path, _ in lost] == [("vars", "l", 0), ("env", "T")]
    assert "env function accepts 1 or 2 arguments" in lost[0][1]


@pytest.mark.parametrize(
    "text",
    [
        "!env A",
        "!exec x",
        "!secret S",
        "!git.sha",
        "!repo-root default",
        "!store s c k | default d",
        "!version v",
        "!emulator e url",
        "!aws.region",
        "!terraform.state b x",
        "!terraform.output b .x // 1",
    ],
)
def test_what_nobody_may_answer_is_deferred(text: str) -> None:
    """Without a lookup a function stays as its text, and tells that it was not evaluated."""
    found = functions.value(text, here())
    assert found == text
    assert isinstance(found, Deferred)


def test_a_deferred_text_of_another_component_defers_the_asker() -> None:
    """A value that is itself not known is not handed on as if it were one."""
    static = {
        "remote_state_backend_type": "static",
        "remote_state_backend": {"x": Deferred("!env A"), "y": {"z": Deferred("!env A")}},
    }
    given = here(describe=lambda component, stack, text: static)
    for name in ("x", "y"):
        found = functions.value(f"!terraform.state b {name}", given)
        assert isinstance(found, Deferred)
        assert found == f"!terraform.state b {name}"


def test_the_other_component_is_asked_in_the_stack_that_is_named() -> None:
    """The current stack is the default."""
    asked: list[tuple[str, str, str]] = []

    def describe(component: str, stack: str, text: str) -> dict[str, Any]:
        asked.append((component, stack, text))
        return {"remote_state_backend_type": "static", "remote_state_backend": {"x": 1}}

    given = here(describe=describe)
    for text in ("!terraform.state b x", "!terraform.output b prod x"):
        assert functions.value(text, given) == 1
    assert asked == [("b", "dev", "!terraform.state b x"), ("b", "prod", "!terraform.output b prod x")]


def test_an_unprovisioned_state_below_another_is_told_as_such(template_engine: Engine) -> None:
    """What the asked component lacks is what the asker lacks: computed at the top, an error in strict mode."""

    def describe(component: str, stack: str, text: str) -> dict[str, Any]:
        raise NotProvisioned("terraform state not provisioned for component `c` in stack `dev`")

    entry = {"vars": {"x": "!terraform.state b x", "y": "!terraform.output b x"}}
    assert functions.evaluated(entry, here(describe=describe, error_mode="warn")) == {
        "vars": {"x": "(computed)", "y": "(computed)"}
    }
    defaults = {"vars": {"x": "!terraform.state b '.x // \"d\"'", "y": "!terraform.output b '.x // [1]'"}}
    found = functions.evaluated(defaults, here(describe=describe, query=template_engine.query))
    assert found == {"vars": {"x": "d", "y": [1]}}
    with pytest.raises(NotProvisioned, match="failed to describe component `b`"):
        functions.evaluated(entry, here(describe=describe))


def test_unset_alone_removes() -> None:
    """For those who evaluate single texts, removal is a value of its own."""
    assert functions.value("!unset", here()) is functions.REMOVED
    assert functions.value("plain", here()) == "plain"


@pytest.mark.parametrize(
    ("text", "late"), [("!template x", True), ("!labels.keys", True), ("!storehouse", True), ("!secret s", False)]
)
def test_merged_late_are_texts_that_begin_with_certain_names(text: str, late: bool) -> None:
    """Deferred merging looks at the beginning of a text alone."""
    assert functions.merges_late(text) is late


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 5 ", 5.0),
        ("-0", -0.0),
        ("1e3", 1000.0),
        ('"a"', "a"),
        ("null", None),
        ("", ""),
        ('"\\ud83d\\ude00 \\ud83d"', "\U0001f600 \ufffd"),
        ("Infinity", "Infinity"),
        ("[1,]", "[1,]"),
        ("1e999", "1e999"),
        ("[" * 100000, "[" * 100000),
        ("01", "01"),
    ],
)
def test_json_is_decoded_with_the_numbers_of_go(text: str, value: Any) -> None:
    """Every number is a float; what is no JSON stays text."""
    found = functions.decoded(text)
    assert found == value
    assert type(found) is type(value)
    if text == "-0":
        assert math.copysign(1, found) == -1


@pytest.mark.parametrize(
    ("text", "component", "stack", "expression"),
    [
        ("b x", "b", "", "x"),
        ("b dev x", "b", "dev", "x"),
        ("b .a.b | length", "b", "", ".a.b | length"),
        ("b dev .a[0] // 1", "b", "dev", ".a[0] // 1"),
        ("b '.x // \"d\"'", "b", "", '.x // "d"'),
        ("'b c' \"d e\" x", "b c", "", '"d e" x'),
        ('b ".x // ""none"""', "b", "", '.x // "none"'),
        ('b dev ".x // ""a b"""', "b", "dev", '.x // "a b"'),
        ("b [.a]", "b", "", "[.a]"),
        ("b\n  dev\n  x", "b", "dev", "x"),
        ("b 'it''s'", "b", "", "it's"),
    ],
)
def test_arguments_of_terraform_functions(text: str, component: str, stack: str, expression: str) -> None:
    """Component, perhaps a stack, and an expression to the end of the text."""
    assert arguments.output(text) == arguments.Output(component=component, stack=stack, expression=expression)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("b", "1:1: terraform function requires 2 or 3 arguments"),
        ("b c d e", "1:7: terraform function requires 2 or 3 arguments"),
        ("b\nc 'x", "2:3: unterminated quoted value"),
        ("b ''", "1:3: output expression must not be empty"),
        ("'' x", "1:4: component must not be empty"),
        ("", "1:1: expected arguments"),
    ],
)
def test_arguments_that_are_refused(text: str, words: str) -> None:
    """The place is a line and column within the arguments."""
    with pytest.raises(EstateError) as raised:
        arguments.output(text)
    assert raised.value.message == f"invalid function arguments at {words}"


@pytest.mark.parametrize(
    ("text", "path", "default", "query"),
    [
        ("s k", ("k",), None, ""),
        ("s k | default ''", ("k",), "", ""),
        ("s k | query .a | b | default 'x y'", ("k",), "x y", ".a | b"),
        ("s 'a|b'", ("a|b",), None, ""),
    ],
)
def test_options_follow_a_pipe(text: str, path: tuple[str, ...], default: str | None, query: str) -> None:
    """A query runs to the next option; a default is one value."""
    assert arguments.stored_as_is(text) == arguments.Stored(store="s", path=path, default=default, query=query)


@pytest.mark.parametrize("text", ["s k | other", "s k | default a b", "s k | query", "s k | default x | query ''"])
def test_options_that_are_refused(text: str) -> None:
    """What follows a pipe is an option with its value."""
    with pytest.raises(EstateError):
        arguments.stored_as_is(text)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("a-b", "a-b"),
        ("10.0.0.0/16", "10.0.0.0/16"),
        (1.0, 1),
        (2.5, 2.5),
        (1234567.0, 1234567.0),
        ("", None),
        (True, True),
        ({"k": "01"}, {"k": "01"}),
        ([1.0, "x"], [1, "x"]),
        (None, None),
    ],
)
def test_plain_paths_need_no_engine_and_give_what_yq_would(value: Any, printed: Any, template_engine: Engine) -> None:
    """What yq prints is read as YAML again; so do plain paths, without it."""
    data = {"a": {"b-c": [0, value]}}
    found = expressions.select(".a.b-c[1]", data, None)
    assert found == printed
    assert template_engine.query(".a.b-c[1]", data) == printed


@pytest.mark.parametrize("value", ["0123", "true", "1.10", "a: b", "x #y", "2024-01-02", "a\nb", "~"])
def test_text_that_yaml_reads_otherwise_is_left_to_yq(value: str) -> None:
    """Only yq can tell, and without it the answer is refused, not guessed."""
    with pytest.raises(NotGiven):
        expressions.select(".a", {"a": value}, None)


def test_states_are_read_as_go_decodes_them() -> None:
    """Outputs by name; a file without any has none, an empty one is no state, anything else is an error."""
    content = b'{"version": 4, "outputs": {"n": {"value": 5, "type": "number"}, "s": {"value": "x", "sensitive": true}}}'
    assert outputs.read_state(content) == {"n": 5.0, "s": "x"}
    assert outputs.read_sensitive(content) == ["x"]
    assert outputs.read_state(b"{}") == {}
    assert outputs.read_state(b"") is None
    for broken in (b"[1]", b"{", b'{"outputs": [1]}'):
        with pytest.raises(EstateError, match="error processing terraform state file"):
            outputs.read_state(broken)
