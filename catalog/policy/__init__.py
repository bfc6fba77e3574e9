"""Policies: a protocol, and a small engine of rules written as data.

May import `store`, `stacks` and what lies below; today it needs only `errors`. The decision that shaped it: whatever engine
evaluates, it fails closed: an error, or a path that names nothing where something is required, is a verdict that didn't pass.
"""

from catalog.policy.engine import Engine, Verdict
from catalog.policy.rules import Rules

__all__ = ["Engine", "Rules", "Verdict"]
