"""Policies in Rego: who is asked when, and that everything but a clear yes denies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from catalog.engines.rego import Found, RegoEngine
from catalog.errors import Invalid, Unavailable
from catalog.policy import Rego, bundle, policies
from catalog.records import DecisionPoint
from catalog.values import Severity

NOW = datetime(2026, 12, 20, 12, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[3] / "stacks/schemas/opa"


def example() -> bundle.Bundle:
    return bundle.read({str(path.relative_to(EXAMPLE)): path.read_bytes() for path in EXAMPLE.rglob("*") if path.is_file()})


def judged(engine: RegoEngine, text: str, document: Mapping[str, Any] | None = None) -> list[tuple[bool, Severity, str | None]]:
    held = bundle.read({"p.rego": text.encode()})
    verdicts = Rego(engine, held, DecisionPoint.REQUEST, now=NOW).evaluate(document or {})
    return [(verdict.passed, verdict.severity, verdict.message) for verdict in verdicts]


@pytest.mark.parametrize(
    ("rules", "verdicts"),
    [
        ('deny contains "no" if true', [(False, Severity.ERROR, "no")]),
        ('deny contains "no" if false', [(True, Severity.ERROR, None)]),
        ('deny contains {"msg": "no", "code": 7} if true', [(False, Severity.ERROR, "no")]),
        ('warn contains "hm" if true', [(False, Severity.WARNING, "hm")]),
        ('warn contains "hm" if false', [(True, Severity.WARNING, None)]),
        (
            'deny contains x if some x in ["a", "b"]\nwarn contains "c" if true',
            [(False, Severity.ERROR, "a"), (False, Severity.ERROR, "b"), (False, Severity.WARNING, "c")],
        ),
        ("allow if true", [(True, Severity.ERROR, None)]),
        ("allow if input.nothing", [(False, Severity.ERROR, "it is not allowed")]),
        ('allow := "yes"', [(False, Severity.ERROR, "it is not allowed")]),
        ("deny if true", [(False, Severity.ERROR, "deny is no collection of messages: true")]),
        ('deny := "no"', [(False, Severity.ERROR, 'deny is no collection of messages: "no"')]),
        ("default deny := false\ndeny if input.x", [(True, Severity.ERROR, None)]),
        ("violation contains 1 if true", []),
    ],
)
def test_only_a_clear_yes_passes(rego_engine: RegoEngine, rules: str, verdicts: list[tuple[bool, Severity, str | None]]) -> None:
    """A denial, a missing permission and a value of the wrong shape deny; a package without such rules is no policy."""
    assert judged(rego_engine, f"package p\n\n{rules}\n") == verdicts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("package p\n\ndeny contains", "p.rego"),
        ('package p\n\ndeny contains "x" if http.send({})', "undefined function http.send"),
        ('package p\n\ndeny contains "x" if to_number(input.x) > 1', "to_number"),
    ],
)
def test_what_can_t_be_evaluated_denies(rego_engine: RegoEngine, text: str, said: str) -> None:
    """Neither a slip of the pen nor a refused argument lets anything through."""
    ((passed, severity, message),) = judged(rego_engine, text, {"x": "one"})

    assert (passed, severity) == (False, Severity.ERROR)
    assert said in str(message)


def test_a_policy_is_asked_at_its_points_alone(rego_engine: RegoEngine) -> None:
    """Where the annotation says; without one, at requests; and at every point where it says what nobody understands."""
    held = bundle.read(
        {
            "a.rego": b"# METADATA\n# custom: {points: [index, PLAN]}\npackage a\n\ndeny contains 1 if false",
            "b.rego": b"package b\n\ndeny contains 1 if false",
            "c.rego": b"# METADATA\n# custom: {points: [PLAN, RQUEST]}\npackage c\n\ndeny contains 1 if false",
            "b_test.rego": b"package b_test\n\ndeny contains 1 if false",
        }
    )
    asked = {point: [one.policy for one in Rego(rego_engine, held, point).evaluate({})] for point in DecisionPoint}

    assert asked == {
        DecisionPoint.REQUEST: ["b", "c"],
        DecisionPoint.PLAN: ["a", "c"],
        DecisionPoint.APPROVAL: ["c"],
        DecisionPoint.APPLY: ["c"],
        DecisionPoint.INDEX: ["a", "c"],
    }


def test_a_server_without_answer_denies(rego_engine: RegoEngine) -> None:
    """Each policy that was to be asked says so; an answer that lacks one is no answer either."""
    held = bundle.read({"a.rego": b"package a\n\ndeny contains 1 if false", "b.rego": b"package b\n\ndeny contains 1 if false"})

    def gone(paths: Sequence[str], document: Mapping[str, Any]) -> Mapping[str, Found]:
        raise Unavailable("no answer")

    def half(paths: Sequence[str], document: Mapping[str, Any]) -> Mapping[str, Found]:
        return {"data.a": Found(value={"deny": []}, defined=True)}

    assert [(one.passed, one.message) for one in Rego(rego_engine, held, DecisionPoint.REQUEST, remote=gone).evaluate({})] == [
        (False, "no answer"),
        (False, "no answer"),
    ]
    assert [one.passed for one in Rego(rego_engine, held, DecisionPoint.REQUEST, remote=half).evaluate({})] == [True, False]


def test_the_moment_is_part_of_the_input(rego_engine: RegoEngine) -> None:
    """So a server is told it as well, and a freeze begins and ends where it says."""
    frozen = {"stage": "prod"}
    asked = [
        [
            one.passed
            for one in Rego(rego_engine, example(), DecisionPoint.APPLY, now=now).evaluate(frozen)
            if one.policy == "governance.freeze"
        ]
        for now in (NOW, datetime(2027, 1, 4, 8, tzinfo=UTC))
    ]

    assert asked == [[False], [True]]


def test_the_example_s_policies_pass_their_own_tests(rego_engine: RegoEngine) -> None:
    """Each is there with a title and points, has tests, and they pass."""
    held = example()
    outcomes = rego_engine.test(held.digest, held.files, held.data)
    known = policies(rego_engine, held)

    assert {one.outcome for one in outcomes} == {"PASSED"}
    assert {f"{one.package}_test" for one in known} == {one.package for one in outcomes}
    assert all(one.title and one.points for one in known)


def test_data_stands_under_the_names_of_its_directories() -> None:
    """As in OPA's bundles; a name given twice, and what is no map, are refused with the file."""
    held = bundle.read({"data.yaml": b"a: 1", "x/data.json": b'{"b": 2}', "x/notes.txt": b"-", "x/y/data.yaml": b"c: 3"})

    assert held.data == {"a": 1, "x": {"b": 2, "y": {"c": 3}}}
    for files in ({"data.yaml": b"a: 1", "data.json": b'{"a": 2}'}, {"data.yaml": b"[1]"}, {"data.json": b"{"}):
        with pytest.raises(Invalid, match=r"data\.(json|yaml)"):
            bundle.read(files)


def test_a_bundle_is_named_by_its_content() -> None:
    """Another text or other data is another digest, and what was stored is the same bundle again."""
    held = bundle.read({"a.rego": b"package a"})

    assert bundle.from_document(held.document()) == held
    assert len({held.digest, bundle.read({"a.rego": b"package b"}).digest, bundle.read({"b.rego": b"package a"}).digest}) == 3
