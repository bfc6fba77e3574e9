"""Decoding of atmos.yaml: what each type accepts, what it refuses and in which words, and what lenient reading makes of that."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.errors import EstateError
from catalog.stacks import decoding, template_settings
from catalog.stacks.findings import Findings


def nowhere(keys: object) -> None:
    del keys


def decoded(values: dict[str, Any]) -> dict[str, Any]:
    return decoding.decoded(values, Findings(strict=True), nowhere)


@pytest.mark.parametrize(
    ("values", "becomes"),
    [
        ({"templates": {"settings": {"enabled": "T"}}}, {"templates": {"settings": {"enabled": True}}}),
        ({"templates": {"settings": {"enabled": ""}}}, {"templates": {"settings": {"enabled": False}}}),
        ({"templates": {"settings": {"enabled": 2}}}, {"templates": {"settings": {"enabled": True}}}),
        ({"templates": {"settings": {"evaluations": "0x10"}}}, {"templates": {"settings": {"evaluations": 16}}}),
        ({"templates": {"settings": {"evaluations": 2.9}}}, {"templates": {"settings": {"evaluations": 2}}}),
        ({"templates": {"settings": {"evaluations": ""}}}, {"templates": {"settings": {"evaluations": 0}}}),
        ({"base_path": False}, {"base_path": "0"}),
        ({"base_path": 2.5}, {"base_path": "2.5"}),
        ({"import": ""}, {"import": []}),
        ({"import": "a,b"}, {"import": ["a", "b"]}),
        ({"import": 1.0}, {"import": ["1"]}),
        ({"import": ["a", None]}, {"import": ["a", None]}),
        (
            {"commands": [{"name": "x", "steps": ["a", {"command": "b"}]}]},
            {"commands": [{"name": "x", "steps": ["a", {"command": "b"}]}]},
        ),
        ({"commands": [{"name": "x", "steps": {"command": "b"}}]}, {"commands": [{"name": "x", "steps": [{"command": "b"}]}]}),
        ({"unheard_of": {"a": [1]}}, {"unheard_of": {"a": [1]}}),
        ({"settings": {"terminal": {"color": {"a": 1}, "pager": [1]}}}, {"settings": {"terminal": {"color": None, "pager": None}}}),
    ],
)
def test_values_become_what_their_key_wants(values: dict[str, Any], becomes: dict[str, Any]) -> None:
    """Numbers, booleans and texts turn into each other, one item into a list; some keys forgive, and unknown ones stay."""
    assert repr(decoded(values)) == repr(becomes)  # to Python, True equals 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"stacks": [1]}, "'stacks' expected a map or struct, got \"slice\""),
        ({"aliases": "x"}, "'aliases' expected type 'map[string]string', got unconvertible type 'string'"),
        ({"aliases": [1]}, "'aliases[0]' expected type 'map[string]string', got unconvertible type 'int'"),
        ({"commands": [{"steps": ["a", 2.5]}]}, "unexpected task node kind at index 1: got float64 (expected string or map)"),
        ({"commands": [{"steps": [[1]]}]}, "at index 0: got []interface {} (expected string or map)"),
        ({"commands": [{"steps": True}]}, "'commands[0].steps[0]' expected a map or struct, got \"bool\""),
    ],
)
def test_values_of_a_wrong_type_are_refused(values: dict[str, Any], words: str) -> None:
    """The words name the key, the type that it wants and the one that it got."""
    with pytest.raises(EstateError) as raised:
        decoded(values)
    assert words in raised.value.message


def test_lenient_reading_forgets_what_can_t_be_decoded() -> None:
    """Each such value counts as absent, with a warning of its own; everything else stays."""
    findings = Findings(strict=False)
    found = decoding.decoded({"base_path": ["x"], "aliases": {"a": "b"}, "stacks": 1}, findings, nowhere)
    assert found == {"base_path": None, "aliases": {"a": "b"}, "stacks": None}
    assert [(item.severity, item.code) for item in findings.diagnostics] == [("WARNING", "CONFIG")] * 2


def test_an_unknown_strategy_replaces_lists_where_reading_is_lenient() -> None:
    """A diagnostic lists the ones that there are."""
    findings = Findings(strict=False)
    found = decoding.decoded({"settings": {"list_merge_strategy": "mix"}}, findings, nowhere)
    assert found == {"settings": {"list_merge_strategy": "replace"}}
    assert "invalid list merge strategy: 'mix'" in findings.diagnostics[0].message


def test_the_configuration_s_auth_keeps_what_its_struct_has() -> None:
    """Without providers and identities there is none; the realm is written or follows from the directory; empty values go."""
    assert decoding.auth({"auth": {"realm": "r"}}, "d") == {}
    written = {
        "providers": {"p": {"kind": "", "region": "", "url": "u", "unknown": 1}, "odd": "x"},
        "logs": {"level": "Info"},
        "console": {"a": 1},
        "integrations": {},
    }
    found = decoding.auth({"auth": written}, "d")
    assert len(found.pop("realm")) == 16
    assert found == {
        "logs": {"file": "", "level": "Info"},
        "keyring": {},
        "providers": {"p": {"kind": "", "url": "u"}, "odd": "x"},
        "identities": None,
        "console": {"a": 1},
    }
    assert decoding.auth({"auth": written}, "d")["realm"] != decoding.auth({"auth": written}, "e")["realm"]
    assert decoding.auth({"auth": {**written, "realm": "r"}}, "d")["realm"] == "r"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ([], "'templates' expected a map or struct, got \"slice\""),
        ({"settings": {"sprig": True}}, "'templates.settings.sprig' expected a map or struct, got \"bool\""),
        ({"settings": {"Enabled": 1}}, "'templates.settings.enabled' expected type 'bool', got unconvertible type 'int'"),
        (
            {"settings": {"evaluations": True}},
            "'templates.settings.evaluations' expected type 'int', got unconvertible type 'bool'",
        ),
        ({"settings": {"delimiters": "[["}}, "'templates.settings.delimiters' source data must be an array or slice, got string"),
        (
            {"settings": {"delimiters": ["[[", 1]}},
            "'templates.settings.delimiters[1]' expected type 'string', got unconvertible type 'int'",
        ),
        (
            {"settings": {"gomplate": {"datasources": [1]}}},
            (
                "'templates.settings.gomplate.datasources' expected type 'map[string]schema.TemplatesSettingsGomplateDatasource', "
                "got unconvertible type '[]interface {}'"
            ),
        ),
        (
            {"settings": {"gomplate": {"datasources": {"d": {"headers": {"h": {"a": 1}}}}}}},
            "'templates.settings.gomplate.datasources[d].headers[h]' source data must be an array or slice, got map",
        ),
    ],
)
def test_settings_of_templates_that_are_refused(settings: Any, words: str) -> None:
    """Nothing is coerced there, and the words name the path and both types."""
    refused = template_settings.refusal(settings)
    assert refused is not None
    assert refused.message.splitlines()[2:] == [words]


@pytest.mark.parametrize(
    "settings",
    [None, {}, {"settings": None}, {"other": 1}, {"settings": {"evaluations": 1.5, "delimiters": {}, "unknown": []}}],
)
def test_settings_of_templates_that_decode(settings: Any) -> None:
    """Null is nothing, a float is a whole number, an empty map an empty list, and unknown keys are ignored."""
    assert template_settings.refusal(settings) is None
