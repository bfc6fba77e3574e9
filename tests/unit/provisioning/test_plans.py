"""Canonical plans: what is left of them, and what differs."""

import pytest

from catalog import values
from catalog.executors import Plan
from catalog.provisioning import plans

UNKNOWN = {"$unknown": True}
VPC = ("dev", "terraform", "vpc")


def change(action, address="a.b", after=None, instance="dev/vpc", before=None):
    return {"instance": instance, "address": address, "action": action, "before": before, "after": after}


def levels(*changes):
    return [{"instances": ["dev/vpc"], "planned": True, "resourceTypes": [], "changes": list(changes), "bounds": None}]


@pytest.mark.parametrize(
    ("left", "approved", "within"),
    [
        (change("create", after={"x": 1}), change("create", after={"x": 1}), True),
        (change("create", after={"x": 2}), change("create", after={"x": 1}), False),
        (change("create", after={"x": 2}), change("create", after={"x": UNKNOWN}), True),
        (change("create", after={"x": [1, 2]}), change("create", after={"x": [1, UNKNOWN]}), True),
        (change("create", after={"x": [1]}), change("create", after={"x": [1, UNKNOWN]}), False),
        (change("create", after={"x": 1, "y": 1}), change("create", after={"x": 1}), False),
        (change("create", after={"x": True}), change("create", after={"x": 1}), False),
        (change("create", after={"x": 1}), change("replace", after={"x": 1}), True),
        (change("replace", after={"x": 1}), change("create", after={"x": 1}), False),
        (change("update", after={"x": 1}, before={"x": 0}), change("update", after={"x": 1}, before={"x": 5}), True),
        (change("delete"), change("update", after={"x": 1}), False),
        (change("create", instance="prod/vpc"), change("create"), False),
        (change("create", address="output.x"), change("create"), True),
    ],
)
def test_what_is_left_is_within_what_was_approved(left, approved, within):
    """What comes out must be what was approved; unknowns may be anything, half a replacement is within it, a delete never is."""
    assert (plans.outside(levels(left), levels(approved)) == ()) is within


def test_what_is_outside_is_named():
    """What was not approved is named by action, address and instance."""
    assert plans.outside(levels(change("delete", "a.c")), levels()) == ("delete a.c (dev/vpc)",)


def test_outputs_are_not_counted():
    """Counts are of resources; outputs follow from them."""
    found = levels(change("create"), change("create", "output.x"), change("delete", "a.c"))
    assert plans.counts(found) == {"create": 1, "update": 0, "replace": 0, "delete": 1}
    assert plans.summary(found) == "1 to create, 1 to delete"
    assert plans.summary(levels()) == "nothing to change"


def test_one_instance_of_a_plan_is_as_its_executor_planned_it():
    """What is handed back for comparison has the digest that the executor gave it."""

    changes = ({"address": "a.b", "action": "create", "before": None, "after": {"x": 1}},)
    plan = Plan(
        changes=changes, create=1, update=0, replace=0, delete=0, digest=values.digest(list(changes)), resource_types=("a",)
    )
    level = plans.level([(VPC, plan)])
    assert plans.approved([level], VPC).digest == plan.digest
    assert plans.approved([level], ("dev", "terraform", "eks")).changes == []


def test_a_difference_says_what_goes_and_what_comes():
    """Two plans are compared change by change; when none differs, what else may is said."""
    before, after = {"levels": levels(change("create", after={"x": 1}))}, {"levels": levels(change("create", after={"x": 2}))}
    assert plans.difference(before, after) == ('no longer: create a.b (dev/vpc) {"x":1}', 'now: create a.b (dev/vpc) {"x":2}')
    assert "planned changes are the same" in plans.difference(before, before)[0]


def test_instances_of_other_types_say_so():
    """A plan names terraform instances shortly and others with their type."""
    assert [plans.name_of(key) for key in (VPC, ("dev", "helmfile", "app"))] == ["dev/vpc", "dev/helmfile/app"]
