"""What a service costs as the sum of its parts."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from catalog.store.services import computed

AMOUNTS = st.one_of(st.none(), st.decimals(min_value=0, max_value=10**6, places=4))
PARTS = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(("USD", "EUR")), AMOUNTS), max_size=8)


@given(PARTS)
def test_the_sum_is_exact_and_what_is_unknown_is_named(parts) -> None:
    """A number only where at least one part has one and all of them share a currency; unknown parts are named, never zero."""
    row = computed("svc_1", parts)

    known = [(currency, amount) for _, currency, amount in parts if amount is not None]
    unknown = [name for name, _, amount in parts if amount is None]
    assert row.unsupported == unknown
    if len({currency for currency, _ in known}) == 1:
        assert (row.monthly, row.currency) == (sum((amount for _, amount in known), Decimal(0)), known[0][0])
        assert row.status == ("PARTIAL" if unknown else "KNOWN")
        assert (row.reason is None) == (not unknown)
    else:
        assert (row.status, row.monthly, row.currency) == ("UNKNOWN", None, None)
        assert row.reason
