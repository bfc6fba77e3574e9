"""Cost before and after."""

from decimal import Decimal

from catalog.provisioning import costs
from catalog.provisioning.affected import Affected
from catalog.stacks.resolved import ResolvedInstance
from catalog.values import Money


def key(name):
    return ("dev", "terraform", name)


def touched(name):
    return Affected(
        stack="dev", type="terraform", name=name, component=name, reasons=(), deleted=False, dependents=0, section_hash=""
    )


def priced(name, metadata, *, enabled=True):
    return ResolvedInstance(
        stack="dev", type="terraform", name=name, component=name, sections={"metadata": metadata}, abstract=False, enabled=enabled, locked=False,
        bases=(), manifest="x", location=None,
    )  # fmt: skip


def change(before, after, indexed=None):
    names = dict.fromkeys([*before, *after])
    return costs.change(
        [touched(name) for name in names],
        {key(name): priced(name, metadata) for name, metadata in before.items()},
        {key(name): priced(name, metadata) for name, metadata in after.items()},
        indexed={key(name): value for name, value in (indexed or {}).items()},
        currency="USD",
    )


def dollars(text):
    return Money(amount=Decimal(text), currency="USD")


def test_the_custom_estimate_wins():
    """`metadata.custom.cost_estimate` is read first, then `metadata.cost_estimate`."""
    found = change(
        {"vpc": {"cost_estimate": "$10/month"}}, {"vpc": {"cost_estimate": "$10/month", "custom": {"cost_estimate": "$50/month"}}}
    )
    assert (found.before, found.after, found.delta) == (dollars("10"), dollars("50"), dollars("40"))


def test_unknown_is_counted_and_never_zero():
    """An instance whose cost nobody knows, or nobody can read, is counted; the sum of nothing known is null."""
    found = change({"vpc": {}}, {"vpc": {"cost_estimate": "a lot"}})
    assert (found.before, found.after, found.delta, found.unknown) == (None, None, None, 1)


def test_the_index_fills_in():
    """What declares no cost costs what the index says: a component's file or registry may know."""
    assert change({"vpc": {}}, {"vpc": {}}, {"vpc": dollars("7")}).after == dollars("7")


def test_a_new_instance_cost_nothing_before():
    """What wasn't there is known to cost nothing: it is no unknown."""
    found = change({"vpc": {"cost_estimate": 5}}, {"vpc": {"cost_estimate": 5}, "eks": {"cost_estimate": 70}})
    assert (found.before, found.after, found.unknown) == (dollars("5"), dollars("75"), 0)


def test_currencies_are_not_added():
    """Amounts of two currencies have no sum here."""
    assert change({"a": {"cost_estimate": "$1"}, "b": {"cost_estimate": "€1"}}, {}).before is None


def test_a_disabled_instance_costs_nothing():
    """Disabling an instance takes its cost away."""
    found = costs.change(
        [touched("vpc")],
        {key("vpc"): priced("vpc", {"cost_estimate": 5})},
        {key("vpc"): priced("vpc", {"cost_estimate": 5}, enabled=False)},
        indexed={},
        currency="USD",
    )
    assert (found.before, found.after, found.unknown) == (dollars("5"), None, 0)


def test_amounts_are_text():
    """Money leaves as text without trailing zeros or exponents."""
    assert [costs.money(dollars(text)) for text in ("1000", "1.50", "0.0", "-40")] == [
        {"amount": amount, "currency": "USD"} for amount in ("1000", "1.5", "0", "-40")
    ]
