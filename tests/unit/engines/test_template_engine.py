"""The template engine: Go's answers and errors to the letter, in a sandbox that sees what is handed in and nothing else."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalog.engines.rendering import Options
from catalog.engines.template import Engine
from catalog.errors import EstateError, NotGiven

DATA = {
    "n": 5,
    "f": 1.5,
    "whole": 1.0,
    "big": 10000000,
    "huge": 2**64 - 1,
    "m": {"b": [1, 2], "a": 1},
    "z": None,
    "s": "it's",
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{{ .n }} {{ .f }} {{ .whole }} {{ .big }} {{ .huge }}", "5 1.5 1 10000000 18446744073709551615"),
        ('{{ printf "%T %T" .n .f }}', "int float64"),
        ("{{ .m }} {{ .m.b }} {{ .z }}", "map[a:1 b:[1 2]] [1 2] <no value>"),
        ("{{ .s | upper | quote }}", '"IT\'S"'),
        ("{{ toJson .m }}", '{"a":1,"b":[1,2]}'),
        ("{{ toYAML .m }}", "a: 1\nb:\n  - 1\n  - 2\n"),
        ('{{ toJSON .whole }} {{ toJson .whole }} {{ toJSON "<a>" }}', '1.0 1 "\\u003ca\\u003e"'),
        ('{{ printf "%T %T" (index (jsonArray "[1]") 0) (index (fromJson "[1]") 0) }}', "int float64"),
        ('{{ csvByRow "a,b\\n1,2" }} {{ csvByColumn "" "1,2" }}', "[map[a:1 b:2]] map[A:[1] B:[2]]"),
        (
            '{{ (net.ParseIPPrefix "10.1.2.0/24").IP }} {{ (net.ParseIPPrefix "10.1.2.0/24").Range }}',
            "10.1.2.0 10.1.2.0-10.1.2.255",
        ),
        ('{{ (net.ParseIPRange "10.0.0.1-10.0.0.9").From }}', "10.0.0.1"),
        ('{{ crypto.SHA224Bytes "x" | base64.Encode }}', "VKL3+Spfl12Alq93oSbt2n2mDFqocu8bhxcBrg=="),
        ('{{ define "a" }}<{{ . }}>{{ end }}{{ template "a" .n }}', "<5>"),
        ('{{ .s | strings.Slug }} {{ semverCompare "^1.2" "1.3.0" }} {{ filepath.Base "/a/b" }}', "its true b"),
        ('{{ strings.Title "hello world" }}', "Hello World"),
        ('{{ "a,b" | strings.Split "," | coll.Reverse }}', "[b a]"),
        ("{{ math.Add 1 2 }} {{ math.Max 1 2.5 }} {{ math.Seq 3 }}", "3 2.5 [1 2 3]"),
        ('{{ conv.ToInt "42" }} {{ conv.Join .m.b "-" }}', "42 1-2"),
        ('{{ (data.JSON "{\\"a\\": {\\"b\\": true}}").a.b }}', "true"),
        ('{{ regexp.Replace "a+" "x" "caat" }} {{ path.Base "/a/b.c" }}', "cxt b.c"),
        ('{{ base64.Encode "hi" }} {{ crypto.SHA1 "hi" }}', "aGk= c22b5f9178342609428d6f51b2c5af4c0bde6a42"),
        ('{{ test.Ternary "yes" "no" true }} {{ uuid.Nil }}', "yes 00000000-0000-0000-0000-000000000000"),
        ('{{ (time.Parse time.RFC3339 "2024-01-02T03:04:05Z").Year }}', "2024"),
        (
            '{{ dateInZone "2006-01-02 15:04" (toDate "2006-01-02T15:04:05Z07:00" "2024-07-01T12:00:00Z") "America/New_York" }}',
            "2024-07-01 08:00",
        ),
        ('{{ collectKeys .m }} {{ net.ParseIP "10.0.0.1" }}', "[a b] 10.0.0.1"),
        # On a name that both have, sprig's function counts: its `join` takes the separator first.
        ('{{ join "-" .m.b }} {{ default "d" .z }}', "1-2 d"),
    ],
)
def test_templates_render_as_in_go(template_engine: Engine, text: str, wanted: str) -> None:
    """Numbers keep their type, maps print in key order, and each namespace answers as its own library does."""
    assert template_engine.render(text, "t", DATA) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{{ .nope }}", 'template: a/b.yaml:1:3: executing "a/b.yaml" at <.nope>: map has no entry for key "nope"'),
        ("{{ .n.x }}", 'template: a/b.yaml:1:5: executing "a/b.yaml" at <.n.x>: can\'t evaluate field x in type interface {}'),
        ("\n{{ nope }}", 'template: a/b.yaml:2: function "nope" not defined'),
        ("{{ if }}", "template: a/b.yaml:1: missing value for if"),
        ('{{ fail "stop" }}', 'template: a/b.yaml:1:3: executing "a/b.yaml" at <fail "stop">: error calling fail: stop'),
        ("{{ div 1 0 }}", "runtime error: integer divide by zero"),
        ('{{ template "a" }}', 'template "a" not defined'),
        ('{{ json "x" }}', "Unable to unmarshal object x: yaml: unmarshal errors:"),
        ('{{ net.CIDRHost 2 "10.0.0.0/8" }}', "error calling CIDRHost: experimental function, but experimental mode not enabled"),
    ],
)
def test_errors_are_go_s_own(template_engine: Engine, text: str, wanted: str) -> None:
    """What is wrong with a template is told in the words that people find when they search for them."""
    with pytest.raises(EstateError) as failed:
        template_engine.render(text, "a/b.yaml", DATA)
    assert wanted in failed.value.message
    assert failed.value.code == "TEMPLATE"


def test_options_decide_on_missing_keys_functions_and_delimiters(template_engine: Engine) -> None:
    """Each of the switches in a configuration has the effect that Atmos gives it."""
    assert template_engine.render("{{ .nope.deeper }}", "t", DATA, Options(missing="default")) == "<no value>"
    assert template_engine.render("[[ .n ]]{{ .n }}", "t", DATA, Options(left="[[", right="]]")) == "5{{ .n }}"
    with pytest.raises(EstateError, match='function "upper" not defined'):
        template_engine.render("{{ upper .s }}", "t", DATA, Options(sprig=False))
    with pytest.raises(EstateError, match='function "strings" not defined'):
        template_engine.render("{{ strings.Trim .s }}", "t", DATA, Options(gomplate=False))
    assert template_engine.render('{{ join .m.b "-" }}', "t", DATA, Options(sprig=False)) == "1-2"


@pytest.mark.parametrize(
    "text", ['{{ env "HOME" }}', '{{ getenv "HOME" }}', '{{ expandenv "$HOME" }}', '{{ file.Read "/etc/hostname" }}']
)
def test_nothing_of_the_machine_is_seen_unless_handed_in(template_engine: Engine, text: str) -> None:
    """A template that asks for a variable or a file is deferred where none is given."""
    with pytest.raises(NotGiven):
        template_engine.render(text, "t", {})


def test_variables_that_are_handed_in_are_seen(template_engine: Engine) -> None:
    """Only these: others are empty."""
    options = Options(environment={"A": "1"})
    text = '{{ env "A" }}{{ env "HOME" }}{{ getenv "B" "two" }}{{ expandenv "<$A>" }}'
    assert template_engine.render(text, "t", {}, options) == "1two<1>"


@pytest.mark.parametrize(
    "text", ["{{ now }}", "{{ uuidv4 }}", "{{ randAlpha 5 }}", "{{ time.Now }}", "{{ random.Number }}", '{{ genPrivateKey "rsa" }}']
)
def test_what_differs_from_run_to_run_is_deferred_when_asked_for(template_engine: Engine, text: str) -> None:
    """A pure rendering gives the same text on any machine at any time, or says that it can't."""
    with pytest.raises(NotGiven):
        template_engine.render(text, "t", {}, Options(pure=True))


def test_the_host_answers_and_may_render_meanwhile(template_engine: Engine) -> None:
    """What `atmos.Component` gives may itself come from a template."""

    def host(function: str, arguments: list[str]) -> dict[str, str]:
        return {"id": template_engine.render("{{ .f }}:{{ .a | upper }}", "inner", {"f": function, "a": arguments[0]})}

    found = template_engine.render('{{ (atmos.Component "vpc" .n).id }}', "t", {"n": "dev"}, host=host)
    assert found == "atmos.Component:VPC"


def test_an_error_of_the_host_is_the_template_s(template_engine: Engine) -> None:
    """It carries the host's words, and a deferral stays one."""

    def refuses(*_: object) -> None:
        raise EstateError("no such store")

    def postpones(*_: object) -> None:
        raise NotGiven("later")

    with pytest.raises(EstateError, match="error calling Store: no such store"):
        template_engine.render('{{ atmos.Store "a" "b" "c" "d" }}', "t", {}, host=refuses)
    with pytest.raises(NotGiven):
        template_engine.render('{{ atmos.Store "a" "b" "c" "d" }}', "t", {}, host=postpones)


def test_what_a_template_changes_is_gone_with_it(template_engine: Engine) -> None:
    """Sprig's `set` and `merge` change the data for the rest of the template, and for no other."""
    data = {"m": {"a": {"b": 1}}}
    text = '{{ $_ := set .m.a "b" 2 }}{{ $_ := merge .m (dict "c" 3) }}{{ .m }}'
    assert template_engine.render(text, "t", data) == "map[a:map[b:2] c:3]"
    assert template_engine.render("{{ .m }} {{ .m | toJson }}", "t", data) == 'map[a:map[b:1]] {"a":{"b":1}}'


def test_whatever_the_host_raises_ends_the_rendering(template_engine: Engine) -> None:
    """An error that is no estate's comes out as it is, and the next rendering works."""

    def fails(*_: object) -> None:
        raise ZeroDivisionError("a fault")

    def gives_up(*_: object) -> None:
        raise EstateError("not read here", code="DEFERRED")

    with pytest.raises(ZeroDivisionError, match="a fault"):
        template_engine.render('{{ atmos.Store "a" "b" "c" "d" }}', "t", {}, host=fails)
    with pytest.raises(NotGiven, match=r"atmos\.Resolve"):
        template_engine.render('{{ atmos.Resolve "!env A" }}', "t", {}, host=gives_up)
    assert template_engine.render("{{ .a | upper }}", "t", {"a": "x"}) == "X"


def test_time_that_the_host_takes_is_not_the_template_s(engine_cache: Path) -> None:
    """A slow answer is waited for; a template that then runs away still ends."""
    engine = Engine(engine_cache, deadline=0.2)

    def answers_slowly(*_: object) -> str:
        threading.Event().wait(0.6)
        return "late"

    text = '{{ atmos.Resolve "x" }}'
    assert engine.render(text, "t", {}, host=answers_slowly) == "late"
    with pytest.raises(EstateError, match="no answer within"):
        engine.render(text + "{{ range until 10000 }}{{ range until 100000 }}{{ end }}{{ end }}", "t", {}, host=answers_slowly)


def test_a_runaway_template_that_the_host_renders_ends_both(engine_cache: Path) -> None:
    """The instance is gone for the outer one too; the next rendering has a fresh one."""
    engine = Engine(engine_cache, deadline=0.3)

    def runs_away(*_: object) -> str:
        return engine.render("{{ range until 10000 }}{{ range until 100000 }}{{ end }}{{ end }}", "inner", {})

    with pytest.raises((EstateError, RuntimeError), match="gave up"):
        engine.render('{{ atmos.Resolve "x" }}', "t", {}, host=runs_away)
    assert engine.render("{{ .a }}", "t", {"a": 1}) == "1"


def test_threads_share_the_engine(template_engine: Engine) -> None:
    """Each rendering sees its own data and its own host."""

    def render(number: int) -> str:
        text = '{{ .n }} {{ atmos.Resolve "x" }}'
        return "".join(template_engine.render(text, "t", {"n": number}, host=lambda *_: number) for _ in range(20))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(render, range(8))) == [f"{number} {number}" * 20 for number in range(8)]


def test_every_value_of_a_manifest_reaches_the_template(template_engine: Engine) -> None:
    """Infinities, control characters, text beyond ASCII and numbers beyond 64 bits."""
    data = {
        "inf": -math.inf,
        "nan": [math.nan],
        "text": 'a"\\\x01é\u2028\n😀',
        "long": 10**30,
        "deep": {"x": [{}, [], None, True, -1]},
    }
    text = "{{ .inf }} {{ .nan }} {{ .text }} {{ .long }} {{ .deep }}"
    wanted = '-Inf [NaN] a"\\\x01é\u2028\n😀 1e+30 map[x:[map[] [] <nil> true -1]]'
    assert template_engine.render(text, "t", data) == wanted


def test_a_runaway_template_is_stopped_and_harms_nobody(engine_cache: Path) -> None:
    """Time and memory are limited, and the next rendering works."""
    engine = Engine(engine_cache, deadline=0.3, memory=128)
    with pytest.raises(EstateError, match=r"no answer within 0\.3 s"):
        engine.render("{{ range until 10000 }}{{ range until 100000 }}{{ end }}{{ end }}", "t", {})
    with pytest.raises(EstateError, match="gave up"):
        engine.render('{{ repeat 1000000000 "x" }}', "t", {})
    with pytest.raises(EstateError, match="exceeded maximum template depth"):
        engine.render('{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}', "t", {})
    assert engine.render("{{ .a }}", "t", {"a": 1}) == "1"


def test_references_are_told_where_go_alone_can_read_them(template_engine: Engine) -> None:
    """Field paths in order, inside branches too; nothing where a function of a library is used."""
    text = '{{ if eq .locals.a "x" }}{{ printf "%s" .locals.b.c }}{{ else }}{{ $.vars.d }}{{ (index .vars.e 0).f }}{{ .vars.g }}{{ end }}'
    assert template_engine.references(text, "t") == (("locals", "a"), ("locals", "b", "c"), ("vars", "g"))
    assert template_engine.references("{{ .a | lower }}", "t") is None


@pytest.mark.parametrize(
    ("expression", "value", "wanted"),
    [
        (".a.b", {"a": {"b": [1, "2"]}}, [1, "2"]),
        ('.x // "none"', {}, "none"),
        (".l[1]", {"l": [1, 2]}, 2),
        (".a", {"a": "arn:aws:x::"}, "arn:aws:x::"),
        (".l | length", {"l": [1, 2]}, 2),
        (".missing", {}, None),
        ("keys", {"b": 1, "a": 2}, ["a", "b"]),
        (".a | to_yaml", {"a": {"c": [1], "b": "x"}}, {"b": "x", "c": [1]}),
        (".a", {"a": "2"}, 2),
        ("[.a]", {"a": "2"}, ["2"]),
        (".a", {"a": "#x"}, "#x"),
        (".a", {"a": 1e300}, 1e300),
        ('.l | map(select(. > 1)) | join("-")', {"l": [1, 2, 3]}, "2-3"),
        (".a // []", {}, []),
        (".a.d | @sh", {"a": {"d": "x y"}}, "x' y'"),
    ],
)
def test_yq_expressions_give_values(template_engine: Engine, expression: str, value: object, wanted: object) -> None:
    """Typed as YAML reads what yq prints, but for texts that only look like maps."""
    assert template_engine.query(expression, value) == wanted


def test_a_bad_expression_is_told_in_yq_s_words(template_engine: Engine) -> None:
    """With the expression."""
    with pytest.raises(EstateError, match="failed to evaluate YQ expression"):
        template_engine.query(".a | (", {})


def test_assignments_are_read_as_data(template_engine: Engine) -> None:
    """Texts, whole numbers, lists and maps; a broken file is told in the parser's words."""
    assert template_engine.attributes(b'a = 1.9\nb = ["x", { c = true }]\nc = [null]', "x.tfvars") == {
        "a": 1,
        "b": ["x", {"c": True}],
        "c": [{}],
    }
    with pytest.raises(EstateError, match=r"x\.tfvars"):
        template_engine.attributes(b"a = \n", "x.tfvars")
