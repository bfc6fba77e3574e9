"""What functions give that ask for others: outputs of components, stores, git, secrets; and in which words they fail."""

from __future__ import annotations

from typing import Any

import pytest
from given import Given

from catalog.engines.template import Engine
from catalog.errors import EstateError, NotGiven, NotProvisioned
from catalog.stacks import functions, outputs
from catalog.stacks.functions import Here
from catalog.stacks.lookup import Deferred

STATIC = {"remote_state_backend_type": "static", "remote_state_backend": {"id": "vpc-1", "later": Deferred("!exec x")}}


class Locked(Given):
    """A world whose states and repository can't be read."""

    def state(self, target: object) -> Any:
        raise EstateError(f"access denied to {type(target).__name__}")

    def git(self, fact: str) -> str:
        raise EstateError(f"no repository has a {fact}")


def described(component: str, stack: str, function: str) -> dict[str, Any]:
    del function
    entries: dict[str, dict[str, Any]] = {"static": STATIC, "plain": {}, "odd": {"remote_state_backend_type": "static"}}
    if component == "unborn":
        raise NotProvisioned("its own function has no state")
    if component == "secretive":
        raise NotGiven("x")
    if component not in entries:
        raise EstateError(f"no {component} in {stack}", code="UNKNOWN_COMPONENT")
    return entries[component]


def here(**more: Any) -> Here:
    lookup = Given(outputs={"dev/plain": {"a": {"b": 1}}, "prod/plain": {"a": 2}}, stores={"s": {"k": None, "dev/c/k": {"q": 5}}})
    return Here(**{"component": "c", "stack": "dev", "describe": described, "lookup": lookup, **more})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("!terraform.state static id", "vpc-1"),
        ("!terraform.output static .id", "vpc-1"),
        ("!terraform.state plain .a.b", 1),
        ("!terraform.state plain prod a", 2),
        ("!terraform.output plain prod a", 2),
        ("!terraform.output plain gone", None),
        ("!terraform.output plain '.gone // \"x\"'", "x"),
        ("!terraform.state unborn '.a // \"x\"'", "x"),
        ("!terraform.state odd '.a // \"x\"'", "x"),
        ("!terraform.output unborn '.a // \"x\"'", "x"),
        ("!store s c k | query .q", 5),
        ("!store s c gone | default d", "d"),
        ("!store.get s k | default d", "d"),
        ("!store.get s gone | default d", "d"),
        ("!store.get s dev/c/k | query .q", 5),
        ("!store.get s k | default", "invalid parameters after pipe: !store.get s k | default"),
        ("!store.get s", "invalid YAML function: !store.get s"),
    ],
)
def test_what_others_give(text: str, found: Any, template_engine: Engine) -> None:
    """A static remote state answers from the manifests, everything else is the lookup's; `//` and `default` stand in for nothing."""
    assert functions.value(text, here(query=template_engine.query)) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("!terraform.state none id", "failed to describe component `none` in stack `dev`"),
        ("!terraform.state static gone", "output `gone` does not exist for component `static` in stack `dev`"),
        ("!terraform.state static '.id | nope'", "failed to read Terraform state for component `static`"),
        ("!terraform.state plain '.a | nope'", "failed to evaluate terraform backend variable .a | nope for component `plain`"),
        ("!terraform.state odd a", "terraform state not provisioned for component `odd` in stack `dev`"),
        ("!terraform.state odd '.a // nope('", "failed to evaluate YQ default"),
        (
            "!terraform.output none id",
            "for component none in stack dev, output id: failed to describe component: component(none, dev): no none in dev",
        ),
        ("!terraform.output unborn id", "output id: component(unborn, dev) failed: its own function has no state"),
        ("!store x c k", "Store x not found"),
        ("!store s c gone", "Failed to get key gone. Error: no such key"),
        ("!store ", "invalid Atmos YAML function: !store"),
        ("!store.get x k", "store not found: x"),
        ("!store.get s gone", "for key gone: no such key"),
        ("!store.get ", "invalid Atmos YAML function: !store.get"),
        ("!secret ", "secret name cannot be empty"),
        ("!secret S | path", 'invalid modifier " path"'),
        ("!secret S | other x", 'unknown modifier "other"'),
        ("!emulator e", 'expects `<ref> <key>`, got "e"'),
        ("!git.sha", "failed to get repository info"),
    ],
)
def test_what_others_can_t_give_is_told(text: str, words: str, template_engine: Engine) -> None:
    """The words name the function's part that failed, and who was asked."""
    with pytest.raises(EstateError) as raised:
        functions.value(text, here(query=template_engine.query))
    assert words in raised.value.message


def test_a_state_that_can_t_be_read_is_no_state_that_isn_t_there() -> None:
    """Access that is denied is an error, and no default stands in for it; git's default does."""
    with pytest.raises(EstateError, match=r"failed to read Terraform state for component `plain`(?s:.*)access denied"):
        functions.value("!terraform.state plain '.a // 1'", here(lookup=Locked()))
    with pytest.raises(EstateError, match="no repository has a branch"):
        functions.value("!git.branch", here(lookup=Locked()))
    assert functions.value("!git.branch main", here(lookup=Locked())) == "main"


@pytest.mark.parametrize(
    "text",
    [
        "!terraform.state static later",
        "!terraform.output static later",
        "!terraform.state secretive id",
        "!terraform.output secretive id",
        "!terraform.state static '.id | upcase'",
        "!terraform.state plain '.a | keys'",
        "!terraform.state unborn '.a // 1'",
    ],
)
def test_what_rests_on_something_unknown_is_unknown(text: str) -> None:
    """An output that isn't known yet, a component that may not be described, an expression that nobody is there to evaluate."""
    found = functions.value(text, here())
    assert isinstance(found, Deferred)
    assert found == text


@pytest.mark.parametrize(("mode", "found"), [("warn", "(computed)"), ("silent", "(computed)")])
def test_what_has_no_state_yet_is_computed_where_errors_are_no_errors(mode: str, found: str) -> None:
    """Only strict reading refuses it."""
    entry = {"vars": {"x": "!terraform.state odd a"}}
    assert functions.evaluated(entry, here(error_mode=mode)) == {"vars": {"x": found}}
    with pytest.raises(NotProvisioned):
        functions.evaluated(entry, here())


def test_halves_of_characters_are_replaced() -> None:
    """JSON can write them, and Go's reader doesn't keep them; whole pairs stay, in keys and lists too."""
    assert functions.decoded('{"\\ud800k": ["\\ud83d\\ude00", "\\udc00", 1]}') == {"\ufffdk": ["\U0001f600", "\ufffd", 1]}


def test_sensitive_values_of_what_is_no_state_are_none() -> None:
    """Whoever masks them needs no error of its own."""
    assert outputs.read_sensitive(b"") == outputs.read_sensitive(b"[1]") == outputs.read_sensitive(b"{") == []
