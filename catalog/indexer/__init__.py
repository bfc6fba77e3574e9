"""Turns estates and seeds into rows: resolution → snapshot → difference → one transaction.

May import `access`, `cost`, `gitops`, `store`, `stacks`, `records` and what lies below; knows nothing of `provisioning`, its
neighbour. The decision that shaped it: everything up to the difference is pure values, so the same commit and the same seeds give
the same rows in every database; only `run` touches the world, and what it writes is proportional to what changed.
"""
