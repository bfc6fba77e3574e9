"""`catalog confirm`: decide on a run of the indexer that is held, through the graph, as the owner of a token."""

from __future__ import annotations

import click

from catalog import errors
from catalog.cli import output, remote

_RUN = "id state askedRevision revision removed heldReason decidedBy error estate { name }"
_COLUMNS = ("run:id", "estate.name", "state", "removed", "decidedBy")
_DOCUMENT = (
    "mutation Confirm($input: ConfirmIndexRunInput!) { confirmIndexRun(input: $input)"
    f" {{ run {{ {_RUN} }} errors {{ code message path }} }} }}"
)


@click.command()
@click.argument("run")
@click.option("--reject", is_flag=True, help="Refuse it: the run fails, and nothing is removed.")
@click.option("--reason", "-m", help="Why it is refused.")
@output.format_option()
@remote.options
def confirm(*, run: str, reject: bool, reason: str | None, format_: str, url: str | None, token: str | None) -> None:
    """Let a held run remove what it was held for.

    A worker reads the estate again: if exactly the same would be removed, it is; if more, the run is held once more. `catalog get
    runs` lists runs with their states.
    """
    if reason is not None and not reject:
        raise errors.WrongUse("--reason says why a run is refused", hint="add --reject")
    client = remote.connect(url, token)
    decided = client.mutate(_DOCUMENT, "confirmIndexRun", {"input": {"id": run, "accept": not reject, "reason": reason}})["run"]
    if format_ in output.DOCUMENT_FORMATS:
        output.document(decided, format_)
    else:
        output.rows([decided], _COLUMNS, format_)
