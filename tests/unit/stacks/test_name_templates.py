"""Templates that name things: what they see, what their result depends on, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from catalog.engines.rendering import PLAIN, Options
from catalog.engines.template import Engine
from catalog.errors import EstateError
from catalog.stacks.name_templates import NameTemplate, chains
from catalog.stacks.templates import Templates

KEYS = ("vars", "settings", "backend_type")


def naming(text: str, engine: Engine | None, options: Options = PLAIN) -> NameTemplate:
    return NameTemplate(text, "name", KEYS, Templates(engine), options)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ .vars.stage | upper }}-{{ $.vars.name }}", (("vars", "stage"), ("vars", "name"))),
        ('{{ printf "%s .not.this" .vars.stage }}', (("vars", "stage"),)),
        ("{{ with .vars }}{{ .stage }}{{ end }}", (("vars",), ("stage",))),
        ("{{ (index .vars.list 0).name }}", (("vars", "list"),)),
        ("{{/* .vars.gone */}}plain", ()),
        ("{{ toJson . }}", None),
        ("{{ $ }}", None),
        ("{{ index $ `vars` }}", None),
        ("{{ 1.5 }}", ()),
    ],
)
def test_what_a_result_depends_on(text: str, found: tuple[tuple[str, ...], ...] | None) -> None:
    """Every path of fields in an action counts, quoted text doesn't; whoever takes the whole data may depend on all of it."""
    assert chains(text) == found


@pytest.mark.parametrize(
    ("text", "entry", "rendered"),
    [
        ("{{ .vars.stage }}", {"vars": {"stage": "dev"}}, "dev"),
        ("x{{ .backend_type }}", {"vars": {}}, "x"),
        ("{{ .settings }}", {}, "map[]"),
        ("{{ upper .vars.stage }}", {"vars": {"stage": "dev"}}, "DEV"),
        ("{{ len . }}", {}, "3"),
    ],
)
def test_a_section_that_a_component_lacks_is_empty(
    text: str, entry: dict[str, Any], rendered: str, template_engine: Engine
) -> None:
    """A map, but for the kind of backend, which is a text; nothing else is seen."""
    assert naming(text, template_engine).render({**entry, "unseen": 1}) == rendered


def test_equal_values_give_the_same_and_others_their_own(template_engine: Engine) -> None:
    """What is remembered is remembered by value and type, and for maps by identity: no component gets another one's name."""
    template = naming("{{ toJson .vars.x }}", template_engine)
    same: Mapping[str, Any] = {"a": 1}
    for value, shown in (
        (1, "1"),
        (True, "true"),
        ("1", '"1"'),
        (1, "1"),
        (same, '{"a":1}'),
        (same, '{"a":1}'),
        ({"a": 2}, '{"a":2}'),
    ):
        assert template.render({"vars": {"x": value}}) == shown


def test_failures_are_told_for_every_component(template_engine: Engine) -> None:
    """A remembered error is raised anew each time, in the same words, and costs no other component anything."""
    template = naming("{{ upper .vars.stage }}", template_engine)
    words = []
    for _ in range(2):
        with pytest.raises(EstateError) as raised:
            template.render({"vars": {}})
        words.append(raised.value.message)
    assert words[0] == words[1]
    assert 'map has no entry for key "stage"' in words[0]
    assert template.render({"vars": {"stage": "dev"}}) == "DEV"


@pytest.mark.parametrize("text", ["{{ .vars.stage }}", "a-{{ .vars.deep.er }}", "{{ .gone }}"])
def test_a_missing_key_is_told_alike_with_and_without_engine(text: str, template_engine: Engine) -> None:
    """In Go's words, with the column."""
    told = []
    for engine in (template_engine, None):
        with pytest.raises(EstateError) as raised:
            naming(text, engine).render({"vars": {}})
        told.append(raised.value.message)
    assert told[0] == told[1]


def test_a_missing_key_prints_nothing_where_that_is_allowed() -> None:
    """As Go's option has it: `<no value>`."""
    assert naming("{{ .vars.stage }}", None, Options(missing="default")).render({"vars": {}}) == "<no value>"
