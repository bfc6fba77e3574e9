"""`catalog search TEXT`: what answers to some words, best first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from catalog.cli import output, remote

# Each kind: what the graph calls it, what is asked of it, and the paths of what names it and of what tells it from others of that name.
_KINDS: dict[str, tuple[str, str, str, str]] = {
    "service": ("Service", "slug title organization { name }", "slug", "organization.name"),
    "component": ("Component", "name estate { name }", "name", "estate.name"),
    "instance": ("ComponentInstance", "name stack { name }", "name", "stack.name"),
    "stack": ("Stack", "name estate { name }", "name", "estate.name"),
    "team": ("Team", "slug title organization { name }", "slug", "organization.name"),
    "environment": ("Environment", "name region tenant { name }", "name", "tenant.name"),
    "request": ("ProvisioningRequest", "number componentName stackName", "number", "stackName"),
    "workflow": ("Workflow", "name file estate { name }", "name", "file"),
}
_ENUM = {
    name: "".join(f"_{letter}" if letter.isupper() else letter for letter in row[0]).strip("_").upper()
    for name, row in _KINDS.items()
}
_BY_TYPE = {row[0]: (name, *row[2:]) for name, row in _KINDS.items()}
_NODE = " ".join(f"... on {type_} {{ {selection} }}" for type_, selection, *_ in _KINDS.values())
_SELECTION = f"score highlight node {{ __typename ... on Node {{ id }} {_NODE} }}"
_COLUMNS = ("kind", "name", "in", "score", "found:highlight")


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--kind", "kinds", type=click.Choice(list(_KINDS)), multiple=True, help="Only these; may be given again.")
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="How many at most; 0 for all.")
@output.format_option()
@remote.options
def search(*, text: Sequence[str], kinds: Sequence[str], limit: int, format_: str, url: str | None, token: str | None) -> None:
    """Find things by words, the best answer first.

    Each word must be there, as a word or as the beginning of one; slips of the pen are forgiven in longer ones. Words in double quotes
    (which the shell must leave alone) stand there as they are: catalog search '"flow logs" prod'.
    """
    arguments = {
        "query": ("String!", " ".join(text)),
        "kinds": ("[SearchKind!]", [_ENUM[kind] for kind in kinds] or None),
    }
    hits = list(remote.connect(url, token).nodes("search", _SELECTION, arguments, limit))
    output.rows([_row(hit) for hit in hits], _COLUMNS, format_)


def _row(hit: dict[str, Any]) -> dict[str, Any]:
    node = dict(hit["node"])
    kind, name, place = _BY_TYPE[node.pop("__typename")]
    first, *rest = place.split(".")
    within = node[first]
    for step in rest:
        within = within and within[step]
    return {"kind": kind, "name": node[name], "in": within, "score": hit["score"], "highlight": hit["highlight"], "node": node}
