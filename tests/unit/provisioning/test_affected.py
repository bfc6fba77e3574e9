"""What differs between two readings of an estate."""

from catalog.provisioning import affected
from catalog.stacks.resolved import ResolvedDependency, ResolvedEstate, ResolvedInstance, ResolvedStack


def instance(name, *, stack="dev", abstract=False, **sections):
    return ResolvedInstance(
        stack=stack, type="terraform", name=name, component=name, sections=sections, abstract=abstract, enabled=True, locked=False,
        bases=(), manifest=f"stacks/{stack}.yaml", location=None,
    )  # fmt: skip


def estate(*instances, edges=()):
    names = dict.fromkeys(one.stack for one in instances)
    stacks = tuple(
        ResolvedStack(
            name=name,
            manifest=f"stacks/{name}.yaml",
            vars={},
            settings={},
            metadata={},
            instances=tuple(one for one in instances if one.stack == name),
        )
        for name in names
    )
    dependencies = tuple(
        ResolvedDependency(
            source=("dev", "terraform", source), target=("dev", "terraform", target), kind="DECLARED", via="x", location=None
        )
        for source, target in edges
    )
    return ResolvedEstate(
        stacks=stacks, manifests=(), dependencies=dependencies, unresolved_dependencies={}, workflows=(), diagnostics=(), broken=frozenset(),
        broken_instances=frozenset(), component_base_paths={}, provenance=lambda *_: (),
    )  # fmt: skip


def test_nothing_changed_nothing_is_affected():
    """Two equal readings affect nothing."""
    assert affected.between(estate(instance("vpc", vars={"a": 1})), estate(instance("vpc", vars={"a": 1}))) == ()


def test_reasons_are_atmos_words_in_its_order():
    """Each section that differs is a reason; metadata first, settings last, and what Atmos doesn't compare is none."""
    old = instance("vpc", vars={"a": 1}, settings={}, metadata={}, hooks={})
    new = instance("vpc", vars={"a": 2}, settings={"x": 1}, metadata={"y": 1}, hooks={"z": 1})
    (found,) = affected.between(estate(old), estate(new))
    assert found.reasons == ("stack.metadata", "stack.vars", "stack.settings")


def test_what_is_gone_is_deleted():
    """An instance of the first reading only is deleted and has no section any more."""
    (found,) = affected.between(estate(instance("vpc", vars={})), estate())
    assert (found.deleted, found.reasons, found.section_hash) == (True, ("deleted",), None)


def test_abstract_instances_are_left_out():
    """Nothing deploys an abstract instance, so nothing affects it."""
    assert (
        affected.between(
            estate(instance("base", abstract=True, vars={"a": 1})), estate(instance("base", abstract=True, vars={"a": 2}))
        )
        == ()
    )


def test_the_target_is_named_even_when_nothing_changes():
    """Applying what stands there already still names what is applied."""
    same = estate(instance("vpc", vars={}))
    (found,) = affected.between(same, same, always=[("dev", "terraform", "vpc")])
    assert found.reasons == ()


def test_dependents_are_counted_through():
    """Dependents of dependents count, each once, also in a circle."""
    edges = [("eks", "vpc"), ("app", "eks"), ("rds", "vpc"), ("app", "rds"), ("vpc", "app")]
    new = estate(instance("vpc", vars={"a": 1}), edges=edges)
    (found,) = affected.between(estate(instance("vpc", vars={})), new)
    assert found.dependents == 3


def test_levels_follow_the_edges():
    """What depends on something comes after it; a circle is not waited for."""
    keys = [("dev", "terraform", name) for name in ("app", "eks", "vpc", "a", "b")]
    edges = estate(edges=[("eks", "vpc"), ("app", "eks"), ("a", "b"), ("b", "a"), ("vpc", "elsewhere")]).dependencies
    names = [tuple(name for _, _, name in level) for level in affected.levels(keys, edges)]
    assert names == [("vpc",), ("eks",), ("app",), ("a", "b")]
