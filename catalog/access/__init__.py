"""Who asks, and what they may: principals with grants and memberships, tokens, and the `Scope` of a viewer.

May import `store`, `records`, `config`, `errors` and `values`. The decision that shaped it: a viewer is a plain value
(`records.Scope`) that `store` compiles into predicates; nobody asks the database again whether a row may be seen.
"""

from catalog.access import names, principals, seeding, tokens, viewers

__all__ = ["names", "principals", "seeding", "tokens", "viewers"]
