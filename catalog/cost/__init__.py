"""Money and time as people write them: text, numbers and maps become exact amounts a month, and seconds.

May import `store`, `stacks`, `records` and what lies below; today it needs only `errors`. The decision that shaped it: the
grammars are strict, everything is Decimal, and what can't be read raises `Invalid` so that the caller reports it and the
cost stays unknown: nothing is ever guessed, and nothing unreadable becomes zero.
"""

from catalog.cost.duration import parse_duration
from catalog.cost.money import Estimate, parse_band, parse_money

__all__ = ["Estimate", "parse_band", "parse_duration", "parse_money"]
