"""Plans compare equal exactly when they intend the same, and never hold a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog.executors import Job, Plan, planning

SECRET = {"$redacted": planning.Redactor(b"key", "x").hidden("hunter2")["$redacted"]}


def job(**changes: Any) -> Job:
    places = {"checkout": Path("/estate"), "private": Path("/private"), "state": Path("/state")}
    names = {"component_path": "components/terraform/db", "component": "db", "stack": "dev", "workspace": "dev"}
    return Job(**{**places, **names, "redaction_key": b"key", **changes})


def resource(address: str, actions: list[str], **change: Any) -> dict[str, Any]:
    return {
        "address": address,
        "type": address.split(".", maxsplit=1)[0],
        "change": {"actions": actions, "before": None, "after": None, **change},
    }


def plan(*resources: dict[str, Any], **document: Any) -> Plan:
    return planning.canonical({"resource_changes": list(resources), **document}, job())


def after(**change: Any) -> Any:
    return plan(resource("a.b", ["create"], **change)).changes[0]["after"]


@pytest.mark.parametrize(
    ("actions", "action", "counts"),
    [
        (["create"], "create", (1, 0, 0, 0)),
        (["update"], "update", (0, 1, 0, 0)),
        (["delete", "create"], "replace", (0, 0, 1, 0)),
        (["create", "delete"], "replace", (0, 0, 1, 0)),
        (["delete"], "delete", (0, 0, 0, 1)),
        (["forget"], "forget", (0, 0, 0, 0)),
    ],
)
def test_each_action_has_its_name_and_count(actions: list[str], action: str, counts: tuple[int, ...]) -> None:
    """What terraform says in pairs of actions, people and policies read as one word."""
    found = plan(resource("aws_vpc.this", actions))

    assert [change["action"] for change in found.changes] == [action]
    assert (found.create, found.update, found.replace, found.delete) == counts
    assert found.resource_types == ("aws_vpc",)


def test_what_does_not_change_is_left_out() -> None:
    """Resources without change and data sources that are read later are no changes."""
    found = plan(resource("a.b", ["no-op"]), resource("data.c.d", ["read"]))

    assert (found.changes, found.resource_types) == ((), ())


def test_order_and_moment_of_planning_change_nothing() -> None:
    """The same intention made at another time, listed in another order, has the same digest."""
    first, second = (
        [resource("a.one", ["create"], after={"at": moment, "n": 1}), resource("a.two", ["delete"], before={"n": 2})]
        for moment in ("2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z")
    )

    assert plan(*first, timestamp="2026-01-01T00:00:00Z").digest == plan(*reversed(second), timestamp="2026-02-02T00:00:00Z").digest


def test_another_value_is_another_digest() -> None:
    """Whatever an approval could have been refused for is bound by the digest, secrets included."""
    digests = {
        plan(resource("a.b", ["create"], after={"password": secret, "size": size}, after_sensitive={"password": True})).digest
        for secret, size in (("hunter2", 1), ("hunter3", 1), ("hunter2", 2))
    }

    assert len(digests) == 3


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"after": "hunter2", "after_sensitive": True}, SECRET),
        ({"after": {"a": "hunter2", "b": 1}, "after_sensitive": {"a": True}}, {"a": SECRET, "b": 1}),
        ({"after": [{"a": "hunter2"}], "after_sensitive": [{"a": True}]}, [{"a": SECRET}]),
        (
            {"after": {"db_password": "hunter2", "password": "", "secret": True}},
            {"db_password": SECRET, "password": "", "secret": True},
        ),
        ({"after": {"a": 1}, "after_unknown": {"id": True}}, {"a": 1, "id": planning.UNKNOWN}),
        ({"after": {"a": {}}, "after_unknown": {"a": {"id": True}, "c": False}}, {"a": {"id": planning.UNKNOWN}}),
        ({"after": ["x"], "after_unknown": [False, True]}, ["x", planning.UNKNOWN]),
        ({"after": None, "after_unknown": True, "after_sensitive": True}, planning.UNKNOWN),
    ],
)
def test_secrets_are_hashes_and_unknown_values_are_marked(change: dict[str, Any], expected: Any) -> None:
    """Values that terraform or their name call secret are hidden at any depth; what only the apply will tell is said to be so."""
    assert after(**change) == expected


def test_outputs_are_changes_that_are_not_counted() -> None:
    """An output that changes shows in the plan and is bound by its digest, but is no resource."""
    found = plan(
        output_changes={
            "url": {"actions": ["create"], "before": None, "after": "x"},
            "token": {"actions": ["create"], "after": "y"},
        }
    )

    assert [change["address"] for change in found.changes] == ["output.token", "output.url"]
    assert set(found.changes[0]["after"]) == {"$redacted"}
    assert found.create == 0


def test_the_difference_between_plans_is_told_change_by_change() -> None:
    """Who approved one plan can read what another does instead."""
    approved = plan(resource("a.b", ["create"], after={"n": 1})).changes
    current = plan(resource("a.b", ["create"], after={"n": 2})).changes

    assert planning.difference(approved, current) == (
        'no longer planned: create a.b → {"n":1}',
        'now planned: create a.b → {"n":2}',
    )


def test_every_marked_secret_of_a_plan_is_known_for_masking() -> None:
    """Whatever terraform marks sensitive, before or after, is masked in the log from then on."""
    document = {
        "resource_changes": [
            resource(
                "a.b",
                ["update"],
                before={"a": ["one", {"b": "two"}]},
                before_sensitive={"a": True},
                after=[{"c": "three"}],
                after_sensitive=[{"c": True}],
            )
        ],
        "output_changes": {"x": {"actions": ["create"], "before": None, "after": 4444, "after_sensitive": True}},
    }

    assert planning.secrets_of(document) == {"one", "two", "three", "4444"}
