import gc

import pytest

from catalog.indexer import snapshot
from catalog.indexer.component_facts import ComponentFacts
from catalog.indexer.reuse import reusable
from catalog.indexer.seed_values import Seeds
from catalog.stacks.resolved import ResolvedStack

SUBJECT = snapshot.Subject(estate="shop", organization="acme", redaction_key=b"k" * 32, secret_keys="(password|token)$")
COMPONENTS = {("TERRAFORM", "components/terraform/vpc"): ComponentFacts(type="TERRAFORM", path="components/terraform/vpc")}


def take(resolved, previous=None):
    return snapshot.take(resolved, Seeds(), COMPONENTS, SUBJECT, previous=previous)


@pytest.fixture
def make(written):
    """A stack of one instance whose size tells what version of the stack it is."""
    return lambda name, size: written.stack(name, written.instance(name, "vpc", vars={"size": size}))


def test_nothing_of_stacks_that_are_made_anew_is_held(written, make):
    """When an edit reaches every stack, no stack of the last reading outlives what the next snapshot may take over."""
    kept = reusable(take(written.estate(make("dev", "before"), make("prod", "before"))), written.estate(make("dev", "after")))
    gc.collect()
    alive = [
        item
        for item in gc.get_objects()
        if type(item) is ResolvedStack and item.instances[0].sections["vars"] == {"size": "before"}
    ]
    assert not kept.parts
    assert not alive


def test_a_stack_that_is_the_same_is_taken_over(written, make):
    """What remains is the part that it was, and the snapshot made with it equals one made from nothing."""
    same = make("dev", "before")
    before = take(written.estate(same, make("prod", "before")))
    resolved = written.estate(same, make("prod", "after"))
    after = take(resolved, reusable(before, resolved))
    assert [after.parts[key] is part for key, part in before.parts.items()] == [True, False]
    assert after == take(resolved)
    assert after.hash != before.hash
