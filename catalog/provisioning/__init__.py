"""Governed provisioning: requests, the table of states and moves, the steps of a workflow and what each does.

May import the rooms below `indexer | provisioning`. The decision that shaped it: rows are the state. A worker reads them, decides
purely what is next, writes its intent, acts, writes the outcome; so a job may be delivered twice, or to another machine, and a
crash leaves a known intent behind, never a guess.
"""

__all__ = ["advance", "lifecycle", "preview", "requests", "workflow"]
