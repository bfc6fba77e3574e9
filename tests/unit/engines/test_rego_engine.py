"""The Rego engine: OPA's answers and errors, in a sandbox that reaches nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.engines.rego import BrokenBundle, Found, RegoEngine
from catalog.errors import Unavailable

NOW = datetime(2026, 11, 24, 12, 30, 15, 250_000, tzinfo=UTC)
POLICY = 'package a\n\ndeny contains sprintf("%d is too much", [input.x]) if input.x > data.limit\n'


def evaluate(engine: RegoEngine, text: str, path: str = "data.a", document: object = None) -> Found:
    return engine.evaluate(text, {"a.rego": text}, {"limit": 1}, paths=[path], document=document, now=NOW)[path]


def test_packages_answer_for_an_input_and_data(rego_engine: RegoEngine) -> None:
    """A package's value is that of all its rules; what isn't there is undefined, which is no error."""
    found = rego_engine.evaluate(
        "first", {"a.rego": POLICY}, {"limit": 1}, paths=["data.a", "data.a.none"], document={"x": 2}, now=NOW
    )

    assert found == {"data.a": Found(value={"deny": ["2 is too much"]}, defined=True), "data.a.none": Found()}


@pytest.mark.parametrize("builtin", ['http.send({"method": "get", "url": "http://x"})', 'net.lookup_ip_addr("x")', "opa.runtime()"])
def test_nothing_outside_can_be_reached(rego_engine: RegoEngine, builtin: str) -> None:
    """What would use the network or read the process is no function here: the policy doesn't compile."""
    text = f"package a\n\nx := {builtin}\n"
    with pytest.raises(BrokenBundle, match=r"a\.rego:3: undefined function") as raised:
        rego_engine.packages(builtin, {"a.rego": text}, {})

    assert [(problem.code, problem.line) for problem in raised.value.problems] == [("rego_type_error", 3)]


def test_every_broken_file_is_named(rego_engine: RegoEngine) -> None:
    """A bundle with two files that don't parse names both, with their lines."""
    with pytest.raises(BrokenBundle) as raised:
        rego_engine.packages("broken", {"a.rego": "package a\n\nx = {", "b.rego": "package b\ny if", "c.rego": "package c"}, {})

    assert {(problem.file, problem.line) for problem in raised.value.problems} == {("a.rego", 3), ("b.rego", 2)}


def test_rego_before_its_first_version_is_refused(rego_engine: RegoEngine) -> None:
    """Policies are in version 1 of the language: the older form says something else in places, so it isn't guessed at."""
    with pytest.raises(BrokenBundle, match="if"):
        rego_engine.packages("old", {"a.rego": 'package a\n\ndeny[msg] { msg := "x" }\n'}, {})


def test_a_builtin_that_refuses_its_argument_is_an_error(rego_engine: RegoEngine) -> None:
    """OPA would say undefined, under which a denial falls silent; here it is an error that names the place."""
    found = evaluate(rego_engine, 'package a\n\nx := to_number("one")\n')

    assert not found.defined
    assert found.error is not None
    assert "a.rego:3" in found.error


def test_time_and_chance_are_handed_in(rego_engine: RegoEngine) -> None:
    """A decision can be made again: the clock stands where it is set, and what is random comes out the same."""
    clock = evaluate(rego_engine, "package a\n\nx := time.now_ns()\n", "data.a.x")
    chance = [evaluate(rego_engine, f'package a\n\nx := uuid.rfc4122("k{n}")\n', "data.a.x").value[:2] for n in (1, 1)]

    assert clock.value == 1_795_523_415_250_000_000
    assert chance[0] == chance[1]


def test_exact_numbers_stay_exact(rego_engine: RegoEngine) -> None:
    """Whole cents beyond what a float holds are compared exactly."""
    text = "package a\n\nmore if input.x > 9007199254740992\n"

    assert evaluate(rego_engine, text, document={"x": 9007199254740993}).value == {"more": True}
    assert evaluate(rego_engine, text, document={"x": 9007199254740992}).value == {}


def test_packages_say_what_they_are(rego_engine: RegoEngine) -> None:
    """Annotations of the package, rules of all its files."""
    files = {
        "a.rego": "# METADATA\n# title: A\n# description: About a\n# custom: {points: [INDEX]}\npackage g.a\n\ndeny contains 1 if false\n",
        "b.rego": "package g.a\n\nwarn contains 1 if false\n",
    }
    (package,) = rego_engine.packages("annotated", files, {})

    assert (package.path, package.files, package.rules) == ("g.a", ("a.rego", "b.rego"), ("deny", "warn"))
    assert (package.title, package.description, package.custom) == ("A", "About a", {"points": ["INDEX"]})


def test_tests_pass_fail_skip_and_err(rego_engine: RegoEngine) -> None:
    """Outcomes as `opa test` gives them, with what a test printed."""
    tests = (
        "package a_test\n\nimport data.a\n\n"
        'test_pass if { print("seen"); count(a.deny) == 1 with input as {"x": 2} with data.limit as 1 }\n'
        'test_fail if { print("why"); count(a.deny) == 9 }\n'
        "todo_test_later if false\n"
        'test_error if to_number("x")\n'
    )
    found = rego_engine.test("tested", {"a.rego": POLICY, "a_test.rego": tests}, {})

    assert {one.name: one.outcome for one in found} == {
        "test_pass": "PASSED",
        "test_fail": "FAILED",
        "todo_test_later": "SKIPPED",
        "test_error": "ERROR",
    }
    assert [one.printed for one in found if one.name == "test_fail"] == ["why\n"]
    assert [one.name for one in rego_engine.test("tested", {"a.rego": POLICY, "a_test.rego": tests}, {}, only="pass")] == [
        "test_pass"
    ]


def test_a_policy_without_end_is_stopped(engine_cache: Path) -> None:
    """Within the deadline, and the next call is served."""
    engine = RegoEngine(engine_cache, deadline=0.5)
    endless = "package a\n\nx := count([1 | some i in numbers.range(1, 3000); some j in numbers.range(1, 3000); i * j > 0])\n"
    with pytest.raises(Unavailable, match=r"no answer within 0\.5 s"):
        evaluate(engine, endless)

    assert evaluate(engine, POLICY, document={"x": 0}).value == {"deny": []}


def test_many_bundles_don_t_pile_up(rego_engine: RegoEngine) -> None:
    """The engine keeps the last few; an older one is read again when it is asked for, and answers the same."""
    texts = [f"package a\n\nx := {number}\n" for number in range(20)]
    first = [evaluate(rego_engine, text, "data.a.x").value for text in texts]

    assert first == list(range(20)) == [evaluate(rego_engine, text, "data.a.x").value for text in texts]
