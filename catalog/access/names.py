"""From the names people write, `platform` or `fnx/platform`, to ids."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from catalog import errors


def resolve(kind: str, names: Iterable[str], known: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return the ids of named things, each a name or `organisation/name`, among the known (organisation, name, id).

    Raises NotFound, with what was perhaps meant, and Ambiguous when several organisations have that name.
    """
    return [_resolve(kind, name, known) for name in dict.fromkeys(names)]


def _resolve(kind: str, name: str, known: Sequence[tuple[str, str, str]]) -> str:
    found = {f"{organization}/{own}": id_ for organization, own, id_ in known if name in (own, f"{organization}/{own}")}
    if not found:
        raise errors.NotFound(f"there is no {kind} {name!r}", hint=did_you_mean(name, [own for _, own, _ in known]), path=(kind,))
    if len(found) > 1:
        raise errors.Ambiguous(
            f"{kind} {name!r} is in several organisations",
            candidates=tuple(sorted(found)),
            hint="write organisation/name",
            path=(kind,),
        )
    return next(iter(found.values()))


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint that names what was perhaps meant, or what there is; None when there is nothing."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"there are {', '.join(names[:10])}" if names else None
