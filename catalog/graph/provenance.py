"""Which file and line set a value."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import strawberry
from strawberry.scalars import JSON

from catalog.errors import CatalogError, Invalid, NotFound
from catalog.graph.declarations import Argument
from catalog.graph.nodes import SourceLocation
from catalog.indexer.provenance import Readings, Subject, Word
from catalog.records import Estate
from catalog.store import estates, instances
from catalog.store.instances import Written

if TYPE_CHECKING:
    from catalog.graph.acting import Acting

WEIGHT = 10  # rows that one answer counts for
_NO_REVISION = "-"  # of a row of the past: a directory was read
LONGEST = 1_000  # characters of a path
PATH = Argument(type=str, description="Of what: `vars.tags.team`, `vars.list[0]`, or a whole section as `vars`.")


@strawberry.type(description="What one layer says about a value. `location` is null for what no file sets.")
class Provenance:
    value: JSON | None = strawberry.field(description="What it says, as it is written; secrets redacted.")
    location: SourceLocation | None = strawberry.field(description="Where it says so.")
    import_chain: list[str] = strawberry.field(
        description="The files by which it was imported, the stack's manifest first; without those that the viewer may not see."
    )
    layer: str = strawberry.field(
        description="Which layer: global, type, base, component, overrides, or computed for what no file sets."
    )
    component: str | None = strawberry.field(description="The base or the component whose layer it is.")


async def provenance(acting: "Acting", rows: Sequence[Any], *, path: str) -> Mapping[Any, list[Provenance] | CatalogError]:
    """Return what set the value at a path of each instance, the last word first, without files that the viewer may not see."""
    if not path or len(path) > LONGEST:
        wrong = Invalid(f"a path has between 1 and {LONGEST:,} characters", code="BAD_USER_INPUT", path=("path",))
        return dict.fromkeys(rows, wrong)
    reader, scope = acting.database.reader, acting.scope
    places = await instances.written(reader, scope, list(dict.fromkeys(row.id for row in rows)))
    async with acting.database.session() as session:
        known = {estate.id: estate for estate in await estates.all_of_them(session)}
    found = {row: await _words(acting.readings, known, places.get(row.id), row.revision, path) for row in rows}
    files = {file for words in found.values() if not isinstance(words, CatalogError) for word in words for file in _files(word)}
    seen = await instances.visible_manifests(reader, scope, list(known), sorted(files)) if files else set()
    return {
        row: words if isinstance(words, CatalogError) else _shown(words, known[places[row.id].estate_id], places[row.id], row, seen)
        for row, words in found.items()
    }


async def _words(
    readings: Readings, known: Mapping[str, Estate], place: Written | None, revision: str | None, path: str
) -> Sequence[Word] | CatalogError:
    if place is None:
        return NotFound("the instance is gone")
    if revision == _NO_REVISION:
        return NotFound("the files of a directory are not kept as they were", code="NOT_RESOLVED", hint="leave out `asOf`")
    subject = Subject(
        estate=known[place.estate_id],
        revision=revision or place.revision,
        manifest=place.manifest,
        kind=place.type,
        name=place.name,
    )
    try:
        return await asyncio.to_thread(readings.words, subject, path)
    except CatalogError as error:
        return error  # of this instance alone: the others of the answer stand


def _shown(words: Iterable[Word], estate: Estate, place: Written, row: Any, seen: set[tuple[str, str]]) -> list[Provenance]:
    revision = row.revision or place.revision or estate.ref
    return [
        Provenance(
            value=word.value,
            location=_location(word, estate, revision),
            import_chain=[file for file in word.imports if (estate.id, file) in seen],
            layer=word.layer,
            component=word.component,
        )
        for word in words
        if word.location is None or (estate.id, word.location.file) in seen
    ]


def _location(word: Word, estate: Estate, revision: str) -> SourceLocation | None:
    if word.location is None:
        return None
    file, line = word.location.file, word.location.line
    link = estate.web_url
    if link is not None:
        link = link.replace("{revision}", revision).replace("{path}", file).replace("{line}", str(line or 1))
    return SourceLocation(file=file, line=line, url=link, column=word.location.column)


def _files(word: Word) -> Iterable[str]:
    return (*word.imports, *([] if word.location is None else [word.location.file]))
