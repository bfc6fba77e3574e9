"""`asOf`: at which position of its estate's history a look-up reads, named by a time, a run or a revision."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from catalog.graph import conditions
from catalog.graph.declarations import Argument, given
from catalog.graph.faults import bad_input
from catalog.graph.tracing import Traced, Value, Variables, is_null
from catalog.store.selection import AsOf, Condition, Fault, Moment

_SHORTEST = 7  # of a revision that is cut short, as Git writes it
_TYPES = {Moment.TIME: "timestamptz", Moment.RUN: "text", Moment.REVISION: "text"}
_MISSING = {
    Moment.TIME: "nothing had been indexed by then",
    Moment.RUN: "no run with that id has succeeded",
    Moment.REVISION: "that revision was never indexed: `catalog index --revision` reads it",
}


@strawberry.input(
    description="A position in an estate's history: exactly one of these. What was never indexed is an error with code NOT_INDEXED,"
    " never a guess."
)
class AsOfInput:
    time: datetime | None = given(
        "What the estate's branch was at that time: the furthest commit made until then that was indexed (for a directory: what was"
        " read until then)."
    )
    run: strawberry.ID | None = given("What that run read; it must have succeeded.")
    revision: str | None = given("That Git revision: all of it, or as many of its first digits as tell it apart, 7 at least.")


AS_OF = Argument(
    type=AsOfInput | None,
    description="As it was then, with what hangs on it: instances, their configuration, owners, estimates and dependencies. Components,"
    " teams, environments, tenants, manifests and requests are shown as they are now. Now unless given.",
)


def position(slots: conditions.Slots, value: Traced | None, of_run: Condition, climb: int, key: str) -> AsOf:
    """Return where a look-up reads; `of_run` is asked of the runs in question. Raises Rejected."""
    assert isinstance(value, dict)
    told = {name: one for name, one in value.items() if not is_null(one)}
    if len(told) != 1:
        raise bad_input("`asOf` takes exactly one of time, run and revision", key)
    ((name, one),) = told.items()
    assert isinstance(one, Value)
    moment = Moment(name)

    def read(variables: Variables) -> Any:
        given = conditions.sendable(one.read(variables))
        return _revision(given, key) if moment is Moment.REVISION else given

    return AsOf(
        moment=moment,
        value=slots.slot(_TYPES[moment], read),
        condition=of_run,
        missing=Fault(code="NOT_INDEXED", message=_MISSING[moment], climb=climb),
        ambiguous=Fault(code="AMBIGUOUS", message="several revisions begin so: say more", climb=climb),
    )


def of_runs(declared: Mapping[str, Argument]) -> Mapping[str, Argument]:
    """Those arguments of a look-up that ask something of its estate, and so of the runs that read it."""
    return {name: argument for name, argument in declared.items() if argument.path[:1] == ("estate",)}


def _revision(given: str, key: str) -> str:
    if len(given) < _SHORTEST:
        raise bad_input(f"a revision is at least {_SHORTEST} digits long", key)
    return given.lower()
