"""Notices that what an estate is read from has changed: files by the operating system's own notices, remote branches by asking.

A directory is watched with all that is in it, a repository on this machine by its refs, a remote one is asked at its interval. Seeds
that lie beside are watched with each. Noticing too much costs a run that finds nothing; what happens while nobody can look (a
directory that is replaced by another) counts as a change.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from catalog.config import Config
from catalog.errors import CatalogError, Unavailable
from catalog.indexer import estates
from catalog.indexer.seed_files import DEFAULT_POLL
from catalog.records import Estate
from catalog.stacks.tree import SKIPPED_DIRECTORIES

_log = logging.getLogger(__name__)

# Editors write a file in several steps, and a checkout many files: a change counts once nothing more has come for the one time, or
# when the other has passed.
_QUIET, _LONGEST = 100, 2_000  # milliseconds
_AGAIN = 1.0  # seconds until a place that can't be watched is tried again
_LOOK = 5_000  # milliseconds between looks whether a place is still the same
_REFS = ("refs", "reftable", "packed-refs", "HEAD")

Changed = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A directory that is watched with all below it; `only` names what counts, by its first part, and `without` what doesn't."""

    path: Path
    only: tuple[str, ...] = ()
    without: tuple[Path, ...] = ()

    def counts(self, path: str) -> bool:
        """Whether a change of a path is one of the estate's."""
        full = Path(path)
        if not full.is_relative_to(self.path) or any(full.is_relative_to(other) for other in self.without):
            return False
        parts = full.relative_to(self.path).parts
        if self.only:
            return bool(parts) and parts[0] in self.only and not path.endswith(".lock")
        return SKIPPED_DIRECTORIES.isdisjoint(parts)


async def watch(estate: Estate, config: Config, changed: Changed, shutdown: asyncio.Event) -> None:
    """Call `changed` once watching has begun, and then whenever the estate may read differently, until `shutdown` is set.

    Raises Unavailable when the operating system can't watch.
    """
    async with asyncio.TaskGroup() as tasks:
        for place in _places(estate, config):
            tasks.create_task(_watch_files(place, changed, shutdown))
        if estate.kind != estates.DIRECTORY:
            tasks.create_task(_watch_branch(estate, config, changed, shutdown))


def _places(estate: Estate, config: Config) -> list[Place]:
    """The directories of which every file counts."""
    places = [Place(path=config.seeds.resolve())] if config.seeds is not None else []
    if estate.kind == estates.DIRECTORY:
        places.append(Place(path=Path(estate.path or ".").resolve(), without=(config.home.resolve(),)))
    return places


async def _watch_files(place: Place, changed: Changed, shutdown: asyncio.Event) -> None:
    async for noticed in _notices(place, shutdown):
        if noticed:
            changed()


async def _watch_branch(estate: Estate, config: Config, changed: Changed, shutdown: asyncio.Event) -> None:
    """Look where the branch is whenever its repository stirs, and at an interval."""
    repository = estates.repository(config, estate)
    local = await asyncio.to_thread(local_repository, estate)
    looks = _notices(Place(path=local, only=_REFS), shutdown) if local else _ticks(float(estate.poll or DEFAULT_POLL), shutdown)
    seen: str | None = ""
    async for _ in looks:
        try:
            tip: str | None = await asyncio.to_thread(repository.remote_head)
        except CatalogError as error:
            _log.warning("the repository of %s can't be asked: %s", estate.name, error)
            tip = seen or None
        if tip != seen:
            changed()
        seen = tip


def local_repository(estate: Estate) -> Path | None:
    """The Git directory that an estate's branch lives in, where that is on this machine."""
    address = estate.url or estate.path or "."
    parts = urlsplit(address)
    path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(address)
    for place in (path / ".git", path):
        if (place / "HEAD").is_file() and (place / "objects").is_dir():
            return place.resolve()
    return None


async def _ticks(seconds: float, shutdown: asyncio.Event) -> AsyncGenerator[bool]:
    """Yield at once, and then at an interval."""
    while not shutdown.is_set():
        yield False
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(shutdown.wait(), seconds)


async def _notices(place: Place, shutdown: asyncio.Event) -> AsyncGenerator[bool]:
    """Yield True when watching has begun, and for changes that count; False now and then when there were none.

    A place that goes away, or that another takes the place of, is watched again as soon as it is there.
    """
    while not shutdown.is_set():
        identity = await asyncio.to_thread(_identity, place.path)
        if identity is not None:
            async with contextlib.aclosing(_until_gone(place, shutdown)) as until_gone:
                async for noticed in until_gone:
                    yield noticed
                    if await asyncio.to_thread(_identity, place.path) != identity:
                        break
        if await asyncio.to_thread(_identity, place.path) is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(shutdown.wait(), _AGAIN)


class _Stop:
    """The event that ends one watch: when everything ends, or when its own end is near."""

    def __init__(self, shutdown: asyncio.Event) -> None:
        self._shutdown = shutdown
        self._own = False

    def is_set(self) -> bool:
        return self._own or self._shutdown.is_set()

    def set(self) -> None:
        self._own = True


async def _until_gone(place: Place, shutdown: asyncio.Event) -> AsyncGenerator[bool]:
    from watchfiles import awatch  # noqa: PLC0415 — only those who watch need it

    stop = _Stop(shutdown)
    options: dict[str, Any] = {"debounce": _LONGEST, "step": _QUIET, "rust_timeout": _LOOK, "yield_on_timeout": True}
    batches = awatch(
        place.path,
        watch_filter=lambda _, path: place.counts(path),
        stop_event=stop,
        ignore_permission_denied=True,
        **options,
    )
    following = asyncio.ensure_future(anext(batches))
    try:
        await asyncio.sleep(0)  # its first step begins to watch; what happens from then on is noticed
        yield True
        while True:
            yield bool(await following)
            following = asyncio.ensure_future(anext(batches))
    except (StopAsyncIteration, FileNotFoundError):
        return  # it is told to end, or the place went away just now
    except OSError as error:
        raise Unavailable(
            f"{place.path} can't be watched: {error}",
            hint="raise fs.inotify.max_user_watches, or set WATCHFILES_FORCE_POLLING=1 to look at every file instead",
        ) from error
    finally:
        stop.set()
        await asyncio.wait([following])
        if not following.cancelled():
            following.exception()  # has been told, or belongs to a watch that nobody waits for


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
