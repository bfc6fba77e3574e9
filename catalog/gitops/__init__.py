"""Estates in Git: bare repositories that the catalog reads as trees and changes by commits.

May import `errors`, `values`, `config` and, for the shape of a tree, `stacks`. Everything goes through the git program's
plumbing in a clean environment: no work tree, no prompts, no hooks, nobody's configuration. A change is a set of whole
files, so that a moved branch needs no textual rebase: the same files are set upon the new tip, unless one of them moved too.
"""

from __future__ import annotations

from catalog.gitops.commits import CATALOG, Commit, Signature
from catalog.gitops.repository import Repository
from catalog.gitops.trees import GitTree

__all__ = ["CATALOG", "Commit", "GitTree", "Repository", "Signature"]
