"""The component pass: what templates become in the YAML text that Atmos writes, and what stays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.engines.rendering import Options
from catalog.engines.template import Engine
from catalog.errors import EstateError, NotGiven
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.component_pass import ComponentPass, round_trip
from catalog.stacks.scalar_rendering import Renderer
from catalog.stacks.scalars import Timestamp
from catalog.stacks.templates import Settings, Templates
from catalog.stacks.texts import Texts

VARS: dict[str, Any] = {
    "n": 5,
    "s": "abc",
    "it": "it's",
    "co": "a: b",
    "nl": "x\ny",
    "indented": "x\n    y\n",
    "em": "",
    "sp": " x ",
    "tab": "\tx",
    "ha": "x #y",
    "odd": "é\x85\U0001f600",
    "m": {"a": 1, "b": [1, 2]},
    "l": ["x", "y"],
    "t": "{{ .vars.n }}",
}


def passed(engine: Engine | None, **options: Any) -> ComponentPass:
    given_settings = Settings(**{"enabled": True, "sprig": True, "gomplate": True, **options})
    return ComponentPass(
        templates=Templates(engine),
        settings=given_settings,
        texts=Texts(given_settings.left),
        environment={"HOST": "h"},
        pure=False,
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # Text that must be quoted stays text; plain text means what it then spells.
        ("{{ .vars.n }}", "5"),
        ("{{ true }}", "true"),
        ("1{{ .vars.n }}", 15),
        ("-{{ .vars.n }}", -5),
        ("1.{{ .vars.n }}", 1.5),
        ('tru{{ "e" }}', True),
        ('nul{{ "l" }}', None),
        ('2024-01{{ "-02" }}', "2024-01-02T00:00:00Z"),
        ('2024-01{{ "-02T03:04:05.5+02:00" }}', "2024-01-02T03:04:05.5+02:00"),
        ("x {{ .vars.it }}", "x it's"),
        ("{{ .vars.m }}", "map[a:1 b:[1 2]]"),
        ("{{ .vars.l }}", "[x y]"),
        ("{{ .vars.nope }} {{ .vars.nope.x }}", "<no value> <no value>"),
        ("{{ .vars.t }}", "{{ .vars.n }}"),
        ("{{ .vars.nl }}", "x y"),
        ("x {{ .vars.ha }}", "x x"),
        ("'{{ .vars.s }}'", "'abc'"),
        ("\t{{ .vars.s }}\\", "\tabc\\"),
        ("{{ .vars.s | upper }}{{- /* no */ -}} !", "ABC!"),
        ('{{ getenv "HOST" }}-{{ env "HOST" }}', "h-h"),
        ("line\n{{ .vars.n }}\n  {{ .vars.s | upper }}\n", "line\n5\n  ABC\n"),
        ("line\n{{ .vars.em }}", "line"),
        ("line {{ .vars.nl }}\nend", None),
        ("{{ if .vars.n }}\n  yes\n{{- end }}\n", "\nyes\n"),
        ("{{ .component_info.component_path }}", "components/terraform/c"),
    ],
)
def test_the_quotes_decide_the_type(template_engine: Engine, text: str, wanted: Any) -> None:
    """The result is what yaml.v3 reads in the place of the scalar."""
    entry = {"vars": {**VARS, "text": text}, "component_info": {"component_path": "components/terraform/c"}}
    if wanted is None and "\n" in text:
        with pytest.raises(EstateError, match="yaml: line"):
            passed(template_engine).rendered(entry)
        return
    assert passed(template_engine).rendered(entry)["vars"]["text"] == wanted


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("x {{ .vars.co }}", "yaml: line 26: mapping values are not allowed in this context"),
        ("{{ .vars.it }}", "yaml: line"),
        ("{{ .vars.s.x }}", "can't evaluate field x in type interface {}"),
        ("{{ toYaml .vars }}", 'template: describe-stacks-all-sections:26: function "toYaml" not defined'),
    ],
)
def test_one_scalar_breaks_the_entry(template_engine: Engine, text: str, error: str) -> None:
    """In strict reading the entry fails, in the words and with the line that the whole document has."""
    with pytest.raises(EstateError) as raised:
        passed(template_engine).rendered({"vars": {**VARS, "text": text}})
    assert error in raised.value.message


def test_lenient_reading_loses_only_what_cannot_be_rendered(template_engine: Engine) -> None:
    """Each scalar that fails stays as it is written and is told with its path; the others render."""
    lost: dict[tuple[str | int, ...], str] = {}
    entry = {
        "vars": {
            **VARS,
            "bad": ["x {{ .vars.co }}", {"u": "{{ .vars.s.x }}"}],
            "good": "{{ .vars.s }}",
            "breaks": "{{ .vars.it }}",
        },
        "env": {"{{ .vars.s.x }}": "1{{ .vars.n }}"},
    }
    found = passed(template_engine).rendered(entry, lose=lambda path, error: lost.update({path: error.message}))
    assert found["vars"]["bad"] == entry["vars"]["bad"]
    assert found["vars"]["good"] == "abc"
    assert found["vars"]["breaks"] == "{{ .vars.it }}"
    assert found["env"] == {"{{ .vars.s.x }}": 15}
    assert set(lost) == {("vars", "bad", 0), ("vars", "bad", 1, "u"), ("vars", "breaks"), ("env", "{{ .vars.s.x }}")}
    assert "can't evaluate field x" in lost["vars", "bad", 1, "u"]


def test_what_nobody_may_answer_is_deferred(template_engine: Engine) -> None:
    """In lenient reading the text stays and the error says which function asked; in strict reading it is raised."""
    rules = ComponentPass(
        templates=Templates(template_engine),
        settings=Settings(enabled=True, sprig=True),
        texts=Texts(),
        environment=None,
        pure=True,
    )
    entry: dict[str, Any] = {"vars": {"home": '{{ env "HOME" }}', "now": "{{ now }}", "s": '{{ .vars.x | default "d" }}'}}
    lost: dict[tuple[str | int, ...], EstateError] = {}
    found = rules.rendered(entry, lose=lambda path, error: lost.update({path: error}))
    assert found == {"vars": {**entry["vars"], "s": "d"}}
    assert set(lost) == {("vars", "home"), ("vars", "now")}
    assert all(isinstance(error, NotGiven) for error in lost.values())
    with pytest.raises(NotGiven):
        rules.rendered(entry)
    lost.clear()
    entry = {"vars": {**entry["vars"], "bad": "x {{ .vars.home.y }}"}}
    assert rules.rendered(entry, lose=lambda path, error: lost.update({path: error})) == {"vars": {**entry["vars"], "s": "d"}}
    assert set(lost) == {("vars", "home"), ("vars", "now"), ("vars", "bad")}


def test_actions_may_span_scalars(template_engine: Engine) -> None:
    """What is opened in one value and closed in another works in the whole document, in lenient reading too."""
    entry = {"vars": {"a": "x {{ if false }}", "b": "hidden", "c": "y {{ end }}z", "d": "{{ $v := 1 }}", "e": "{{ $v }}"}}
    assert passed(template_engine).rendered(entry) == {"vars": {"a": "x z", "d": "", "e": "1"}}
    assert passed(template_engine).rendered(entry, lose=lambda _, error: pytest.fail(str(error))) == {
        "vars": {"a": "x z", "d": "", "e": "1"}
    }


def test_keys_are_rendered(template_engine: Engine) -> None:
    """At any depth; two that become one are refused."""
    entry = {"vars": {"s": "abc", "{{ .vars.s }}": {"k-{{ .vars.s | upper }}": ["{{ .vars.s }}"]}}}
    assert passed(template_engine).rendered(entry)["vars"] == {"s": "abc", "abc": {"k-ABC": ["abc"]}}
    with pytest.raises(EstateError, match='mapping key "abc" already defined'):
        passed(template_engine).rendered({"vars": {"s": "abc", "abc": 1, "{{ .vars.s }}": 2}})


def test_what_has_no_template_is_the_same_object(template_engine: Engine) -> None:
    """Entries and sub-maps without templates are shared; what comes from code is not rendered."""
    plain = {"a": ["b", {"c": 1}]}
    entry = {"vars": {"shared": plain, "t": "{{ .settings.a }}"}, "settings": plain, "component_info": {"x": "{{ not ours }}"}}
    found = passed(template_engine).rendered(entry)
    assert found["vars"]["shared"] is plain
    assert found["settings"] is plain
    assert found["component_info"] is entry["component_info"]
    untouched = {"vars": plain, "component_info": {"x": "{{ not ours }}"}}
    assert passed(template_engine).rendered(untouched) is untouched


def test_what_writing_changes_changes_without_templates_too() -> None:
    """A leading line end of a block is lost, whether or not templates are switched on; a leading tab can't be read back."""
    entry = {"vars": {"script": "\n#!/bin/sh\n", "t": "{{ .vars.x }}"}}
    assert passed(None, enabled=False).rendered(entry) == {"vars": {"script": "#!/bin/sh\n", "t": "{{ .vars.x }}"}}
    assert passed(None).rendered({"vars": {"script": "\n#!/bin/sh\n"}}) == {"vars": {"script": "#!/bin/sh\n"}}
    with pytest.raises(EstateError, match="found a tab character"):
        passed(None).rendered({"vars": {"script": "\tx\ny"}})


def test_texts_are_rendered_as_often_as_the_settings_say(template_engine: Engine) -> None:
    """With two evaluations, templates in values are rendered, from the same data; type and quotes are decided at the end."""
    entry = {"vars": {"n": 5, "a": "{{ .vars.b }}", "b": "{{ .vars.c }}", "c": "{{ .vars.n }}", "d": "1{{ .vars.c }}"}}
    twice = passed(template_engine, evaluations=2).rendered(entry)
    assert twice == {"vars": {"n": 5, "a": "{{ .vars.n }}", "b": "5", "c": "5", "d": 15}}
    thrice = passed(template_engine, evaluations=3).rendered(entry)
    assert thrice["vars"]["a"] == "5"


def test_variables_of_rendered_settings_are_seen_by_the_next_evaluation(template_engine: Engine) -> None:
    """What the entry exports to its templates may itself be a template."""
    entry = {
        "vars": {"n": 5, "a": '{{ `{{ env "FOO" }}` }}'},
        "settings": {"templates": {"settings": {"env": {"FOO": "foo-{{ .vars.n }}"}}}},
    }
    assert passed(template_engine, evaluations=2).rendered(entry)["vars"]["a"] == "foo-5"


def test_delimiters_may_be_others(template_engine: Engine) -> None:
    """Then braces are text."""
    entry = {"vars": {"s": "abc", "a": "${ .vars.s | upper } {{ .vars.s }}", "b": "${ .vars.s }"}}
    found = passed(template_engine, left="${", right="}").rendered(entry)
    assert found["vars"] == {"s": "abc", "a": "ABC {{ .vars.s }}", "b": "abc"}


def test_delimiters_may_have_quotes(template_engine: Engine) -> None:
    """Then text with a single quote is written in double quotes, and the quotes of other text may begin an action."""
    rules = passed(template_engine, left="'{{", right="}}'")
    entry = {"vars": {"n": 5, "a": "'{{ .vars.n }}'", "b": "{{ .vars.n }}", "c": "it's", "d": "x {{ .vars.n }}"}}
    assert rules.rendered(entry)["vars"] == {"n": 5, "a": "5", "b": 5, "c": "it's", "d": "x {{ .vars.n }}"}


def test_components_export_variables_of_their_own(template_engine: Engine) -> None:
    """They come over those of the configuration, and those over the process'."""
    rules = passed(template_engine, environment={"HOST": "config", "OTHER": "o"})
    entry = {"vars": {"a": '{{ env "HOST" }} {{ env "OTHER" }}'}}
    assert rules.rendered(entry)["vars"]["a"] == "config o"
    assert rules.rendered(entry, variables={"HOST": "own"})["vars"]["a"] == "own o"


def test_a_round_trip_keeps_dates() -> None:
    """In a file, a date that a template makes is a date like any other."""
    found = round_trip({"a": "2024-01-{{ .d }}"}, {"d": "02"}, "f.yaml", Options(), templates=Templates(), texts=Texts())
    assert isinstance(found["a"], Timestamp)


def configuration(values: dict[str, Any]) -> AtmosConfig:
    return AtmosConfig(values=values, directory=".", base_path=".", stacks_path="stacks", sources=())


def test_settings_are_off_in_a_configuration_and_on_without_one() -> None:
    """A file that says nothing of templates has none; without any file all functions are there."""
    assert Settings.of(configuration({})) == Settings()
    written = {"enabled": True, "sprig": {"enabled": True}, "evaluations": 2, "delimiters": ["<<", ">>"], "env": {"A": "b"}}
    assert Settings.of(configuration({"templates": {"settings": written}})) == Settings(
        enabled=True, sprig=True, evaluations=2, left="<<", right=">>", environment={"A": "b"}
    )
    with pytest.raises(EstateError, match="must be an array with two string items"):
        Settings.of(configuration({"templates": {"settings": {"delimiters": ["<<"]}}}))


pieces = st.sampled_from(
    [
        *(f"{{{{ .vars.{name} }}}}" for name in (*VARS, "nope", "s.x")),
        *(
            "{{- .vars.s -}}",
            "{{ .vars.s | upper }}",
            "{{ if .vars.n }}x{{ end }}",
            "{{ `{{ .vars.s }}` }}",
            '{{ "q" }}',
            "{{/* c */}}",
        ),
        *(
            "{{ if true }}",
            "{{ end }}",
            "{{ $x := 1 }}{{ $x }}",
            "{{ $x }}",
            '{{ define "k" }}d{{ end }}',
            '{{ template "k" }}',
            "{{",
        ),
        *("{{ range $i := until 2 }}\n- {{ $i }}{{ end }}", "\n  ", "\n\n", ": ", " #", "it's"),
        *" a-:#'\"1.!\t{~<=\\\n\x85\u2028é",
    ]
)
generated = st.lists(pieces, min_size=1, max_size=4).map("".join)
entries = st.fixed_dictionaries(
    {
        "vars": st.builds(
            lambda below: {**VARS, **below}, st.dictionaries(generated, generated | st.lists(generated, max_size=2), max_size=3)
        )
    }
)


@given(entries, st.integers(1, 2))
@settings(max_examples=400)
def test_scalar_by_scalar_is_the_whole_document(template_engine: Engine, entry: dict[str, Any], evaluations: int) -> None:
    """Whatever stands in an entry, the shortcut gives what writing, rendering and reading all of it gives, or the same error."""

    def outcome(render: Any) -> Any:
        try:
            return render()
        except EstateError as error:
            return error.message

    rules = passed(template_engine, evaluations=evaluations)
    whole = Renderer(
        rules.templates,
        entry,
        Options(missing="default", environment=rules.environment),
        name="describe-stacks-all-sections",
        evaluations=evaluations,
    )
    assert outcome(lambda: rules.rendered(entry)) == outcome(lambda: whole.document(entry))


@pytest.mark.parametrize(
    ("section", "path", "words"),
    [
        ({"x{{ .vars.n }}": 1, "x5": 2}, ("env", "x5"), 'mapping key "x5" already defined'),
        ({"{{ .vars.s.x }}": 1}, ("env", "{{ .vars.s.x }}"), "can't evaluate field x"),
    ],
)
def test_keys_that_can_t_be_rendered_cost_themselves_alone(
    template_engine: Engine, section: dict[str, Any], path: tuple[str, ...], words: str
) -> None:
    """Lenient reading tells them with their path and renders the rest; strict reading refuses the entry."""
    entry = {"vars": {**VARS, "good": "{{ .vars.s }}"}, "env": section}
    lost: dict[tuple[str | int, ...], str] = {}
    found = passed(template_engine).rendered(entry, lose=lambda at, error: lost.update({at: error.message}))
    assert found["vars"]["good"] == "abc"
    assert list(lost) == [path]
    assert words in lost[path]
    with pytest.raises(EstateError):
        passed(template_engine).rendered(entry)


def test_settings_of_templates_that_don_t_decode_are_lost_or_refused(template_engine: Engine) -> None:
    """The rest of the entry renders all the same where reading is lenient."""
    entry = {"vars": {**VARS, "good": "{{ .vars.s }}"}, "settings": {"templates": []}}
    lost: list[tuple[str | int, ...]] = []
    found = passed(template_engine).rendered(entry, lose=lambda at, _: lost.append(at))
    assert (found["vars"]["good"], lost) == ("abc", [("settings", "templates")])
    with pytest.raises(EstateError, match="'templates' expected a map or struct"):
        passed(template_engine).rendered(entry)
