"""Policies: a protocol, OPA's own engine for policies in Rego (embedded or on a server), and a small engine of rules written as data.

May import `store`, `stacks` and what lies below. The decision that shaped it: whatever engine evaluates, it fails closed: an error,
no answer, or a path that names nothing where something is required, is a verdict that didn't pass.
"""

from catalog.policy import bundle
from catalog.policy.bundle import Bundle
from catalog.policy.engine import Engine, Verdict
from catalog.policy.rego import Rego, RegoPolicy, policies
from catalog.policy.remote import RemoteOpa
from catalog.policy.rules import Rules

__all__ = ["Bundle", "Engine", "Rego", "RegoPolicy", "RemoteOpa", "Rules", "Verdict", "bundle", "policies"]
