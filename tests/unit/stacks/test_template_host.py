"""What templates ask beyond their data is answered by the lookup, and refused where nobody may answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from given import Given

from catalog.errors import EstateError, NotGiven, UnknownStore
from catalog.stacks.lookup import Deferred, Nothing, Target
from catalog.stacks.merging import Map
from catalog.stacks.template_host import UNKNOWN, TemplateHost

ENTRIES: dict[str, Map] = {
    "net/vpc": {"vars": {"cidr": "10.0.0.0/16"}, "component_info": {"component_type": "terraform"}},
    "chart": {"vars": {"a": 1}, "component_info": {"component_type": "helmfile"}},
    "static": {"remote_state_backend_type": "static", "remote_state_backend": {"id": "s-1"}},
}


class World(Given):
    """A lookup that also knows files and datasources: each datasource answers with what it was asked."""

    def file(self, path: str) -> bytes | None:
        return {"code/a.txt": b"caf\xc3\xa9 \xff", "/etc/motd": b"hello"}.get(path)

    def datasource(self, alias: str, address: str, arguments: tuple[str, ...]) -> Any:
        if address.startswith("broken:"):
            raise EstateError("no such host")
        return [alias, address, *arguments]


class Unprovisioned(Given):
    """A lookup for which Terraform fails."""

    def outputs(self, target: Target) -> Mapping[str, Any] | None:
        raise EstateError(f"{target.component} has no state", code="OUTPUT", hint="Apply it.")


def describe(component: str, stack: str, text: str) -> Map:
    if component == "secret":
        raise NotGiven(text)
    if stack == "broken":
        raise EstateError("it is broken", code="TEMPLATE")
    if component not in ENTRIES:
        raise EstateError(f"no {component}", code="UNKNOWN_COMPONENT", hint="Look again.")
    return ENTRIES[component]


def host(lookup: Any = None, **more: Any) -> TemplateHost:
    options = {
        "describe": describe,
        "resolve": lambda text: Deferred(text) if text.startswith("!exec") else {"of": text},
        "datasources": {"known": {"url": "https://x/y"}, "asked": {"url": "https://x/y?a=b"}, "odd": {"url": 5}},
        "directory": "code",
        "is_enabled": True,
        **more,
    }
    return TemplateHost(lookup or World(outputs={"dev/net/vpc": {"id": "vpc-1"}}), **options)


def test_another_component_comes_with_its_outputs() -> None:
    """Terraform's with what it has put out, others without; a static backend gives its own values."""
    asked = host()
    assert asked("atmos.Component", ["net/vpc", "dev"]) == {**ENTRIES["net/vpc"], "outputs": {"id": "vpc-1"}}
    assert asked("atmos.Component", ["net/vpc", "prod"])["outputs"] == {}
    assert asked("atmos.Component", ["chart", "dev"]) is ENTRIES["chart"]
    assert asked("atmos.Component", ["static", "dev"])["outputs"] == {"id": "s-1"}
    assert not asked.lacks_outputs
    assert "outputs" not in ENTRIES["net/vpc"]


def test_outputs_that_nobody_gives_are_marked() -> None:
    """The entry stays of use; what is rendered from the outputs can be told from an answer."""
    asked = host(Nothing())
    found = asked("atmos.Component", ["net/vpc", "dev"])
    assert found["vars"] == {"cidr": "10.0.0.0/16"}
    assert found["outputs"] == f'{UNKNOWN}atmos.Component "net/vpc" "dev".outputs'
    assert asked.lacks_outputs


def test_a_disabled_component_gets_nothing_of_others() -> None:
    """Every section is empty, and nobody is asked."""
    found = host(is_enabled=False)("atmos.Component", ["none", "dev"])
    assert found["outputs"] == found["vars"] == found["settings"] == {}


@pytest.mark.parametrize(
    ("component", "stack", "lookup", "words"),
    [
        ("none", "dev", None, "failed to describe component: atmos.Component(none, dev): no none"),
        ("net/vpc", "broken", None, "atmos.Component(net/vpc, broken) failed: it is broken"),
        ("net/vpc", "dev", Unprovisioned(), "atmos.Component(net/vpc, dev) failed to get terraform outputs: net/vpc has no state"),
    ],
)
def test_failures_name_the_component_that_was_asked_for(component: str, stack: str, lookup: Any, words: str) -> None:
    """With the reason, and its code and hint where it has them."""
    with pytest.raises(EstateError) as raised:
        host(lookup)("atmos.Component", [component, stack])
    assert raised.value.message == words
    assert raised.value.code in ("UNKNOWN_COMPONENT", "TEMPLATE", "OUTPUT")


def test_what_nobody_answers_is_not_given() -> None:
    """A function that isn't known here, another component's, and one whose text stays."""
    for function, arguments in (("aws.Account", []), ("atmos.Component", ["secret", "dev"]), ("atmos.Resolve", ["!exec date"])):
        with pytest.raises(NotGiven):
            host()(function, arguments)
    assert host()("atmos.Resolve", ["!env HOME"]) == {"of": "!env HOME"}


def test_stores_answer_by_stack_component_and_key() -> None:
    """A value that isn't there is null, a store that isn't there an error."""
    asked = host(Given(stores={"ssm": {"dev/vpc/id": "v"}}))
    assert asked("atmos.Store", ["ssm", "dev", "vpc", "id"]) == "v"
    assert asked("atmos.Store", ["ssm", "dev", "vpc", "none"]) is None
    with pytest.raises(UnknownStore):
        asked("atmos.Store", ["none", "dev", "vpc", "id"])


def test_datasources_are_found_by_alias_or_address() -> None:
    """Arguments are handed on; text is asked for as text; an alias that nobody defined is refused."""
    asked = host()
    assert asked("datasource", ["known", 1]) == ["known", "https://x/y", "1"]
    assert asked("atmos.GomplateDatasource", ["known"]) == asked("ds", ["known"]) == ["known", "https://x/y"]
    assert asked("ds", ["file:///a"]) == ["file:///a", "file:///a"]
    assert asked("ds", ["odd"]) == ["odd", ""]
    assert asked("include", ["known", "p"]) == ["known", "https://x/y?type=text/plain", "p"]
    assert asked("include", ["asked"]) == ["asked", "https://x/y?a=b&type=text/plain"]
    with pytest.raises(EstateError, match="Undefined datasource 'none'"):
        asked("ds", ["none"])


def test_templates_define_datasources() -> None:
    """For the rest of the template alone; one that is configured stays what it is."""
    configured: dict[str, Any] = {"known": {"url": "https://x/y"}}
    asked = host(datasources=configured)
    assert asked("datasourceExists", ["mine"]) is False
    assert asked("defineDatasource", ["mine", "file:///m"]) == asked("defineDatasource", ["known", "file:///k"]) == ""
    assert asked("datasourceExists", ["mine"]) is True
    assert asked("listDatasources", []) == ["known", "mine"]
    assert (asked("ds", ["mine"])[1], asked("ds", ["known"])[1]) == ("file:///m", "https://x/y")
    assert list(configured) == ["known"]


def test_reachable_is_what_can_be_read() -> None:
    """A failure is an answer, nobody to ask is none."""
    asked = host()
    assert asked("datasourceReachable", ["known"]) is True
    assert asked("datasourceReachable", ["broken:///x"]) is False
    assert asked("datasourceReachable", ["none"]) is False
    with pytest.raises(NotGiven):
        host(Nothing())("datasourceReachable", ["known"])


def test_files_are_read_from_the_templates_directory() -> None:
    """Relative paths begin there, absolute ones don't; bytes that are no text are replaced."""
    asked = host()
    assert asked("file.Read", ["./a.txt"]) == "café \ufffd"
    assert asked("file.Read", ["/etc/motd"]) == "hello"
    assert (asked("file.Exists", ["a.txt"]), asked("file.Exists", ["b.txt"])) == (True, False)
    with pytest.raises(EstateError, match=r"open b\.txt: no such file or directory"):
        asked("file.Read", ["b.txt"])
