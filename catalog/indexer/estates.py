"""Registers estates: those that `seeds/estates.yaml` names, and directories or Git repositories named by hand.

A Git estate is read from a managed bare repository below `CATALOG_HOME`; a plain directory is read where it lies and never written.
`managed: true` in the seeds copies a directory into a repository of the catalog's own, once.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from catalog.config import Config
from catalog.errors import Invalid, NotFound, Unavailable, WrongUse
from catalog.gitops.remotes import split
from catalog.gitops.repository import Repository
from catalog.indexer import seed_principals
from catalog.indexer import seeds as seed_files
from catalog.indexer.seed_files import DEFAULT_POLL, DEFAULT_REMOVAL_LIMIT
from catalog.indexer.seed_values import DEFAULT_CURRENCY, EstateSeed
from catalog.records import Estate, Organization
from catalog.store import estates
from catalog.store.database import Database
from catalog.values import global_id

GIT, DIRECTORY = "git", "directory"
# A directory has no branches; positions count its readings.
NO_REF = "-"


async def registered(database: Database) -> Sequence[Estate]:
    """Every registered estate, by name."""
    async with database.session() as session:
        return await estates.all_of_them(session)


async def find(database: Database, name: str) -> Estate:
    """The estate of that name; raises NotFound."""
    async with database.session() as session:
        estate = await estates.find(session, name)
    if estate is None:
        raise NotFound(f"there is no estate {name!r}", hint="register it in seeds/estates.yaml or index its directory or URL")
    return estate


async def register_seeds(database: Database, config: Config, directory: Path | None = None) -> tuple[str, ...]:
    """Register what `estates.yaml` of a seeds directory (default: the configured one) names; return the estates' names.

    Repositories are made or cloned where they are missing; principals of `teams.yaml` are written with what they may.

    Raises Invalid, with file and line, when the file can't be read.
    """
    place = directory or config.seeds
    if place is None:
        return ()
    said = await asyncio.to_thread(seed_files.load, place)
    if "estates.yaml" in said.broken:
        problem = next(item for item in said.diagnostics if item.code == "SEED_BROKEN" and "estates.yaml" in item.message)
        raise Invalid(problem.message, hint=problem.hint, location=problem.location)
    for seed in said.estates:
        currency = next((item.currency for item in said.organizations if item.name == seed.organization), DEFAULT_CURRENCY)
        estate = await asyncio.to_thread(_from_seed, seed, config, place)
        await _write(database, estate, seed.organization, currency)
    await seed_principals.register(database, said)
    return tuple(seed.name for seed in said.estates)


async def register(
    database: Database,
    config: Config,
    target: str,
    *,
    config_path: str | None = None,
    revision: str | None = None,
    name: str | None = None,
) -> str:
    """Register what a command names and return the estate's name: an estate known already, a directory, or a Git repository.

    `config_path` is the directory of atmos.yaml inside it: several of one repository are several estates. A directory that holds a
    repository is read as Git when a revision is asked for, else as it lies there.
    """
    async with database.session() as session:
        if await estates.find(session, target) is not None:
            return target
    address, as_git = await asyncio.to_thread(_address, target, revision)
    chosen = name or _named_after(address, config_path)
    async with database.session() as session:
        taken = await estates.find(session, chosen)
    if taken is not None and address_of(address) not in {taken.url, taken.path}:
        chosen = f"{chosen}-{hashlib.blake2b(address.encode(), digest_size=3).hexdigest()}"
    estate = await asyncio.to_thread(_ad_hoc, chosen, address, config, config_path=config_path, as_git=as_git)
    await _write(database, estate, chosen, DEFAULT_CURRENCY)
    return chosen


def address_of(url: str) -> str:
    """An address as it may be stored and shown: without credentials."""
    return split(url)[0]


def repository(config: Config, estate: Estate) -> Repository:
    """The managed repository of a Git estate."""
    place = Path(estate.path) if estate.path else config.repositories / f"{estate.name}.git"
    return Repository(place, estate.ref, token=config.secret(estate.credentials))


async def _write(database: Database, estate: Estate, organization: str, currency: str) -> None:
    async with database.session() as session:
        home = Organization(id=global_id("Organization", organization), name=organization, currency=currency)
        if await estates.register(session, estate, home):
            await session.commit()


def _from_seed(seed: EstateSeed, config: Config, seeds: Path) -> Estate:
    path = (seeds / seed.path).resolve() if seed.path is not None else None
    if path is not None and not path.is_dir():
        raise Invalid(f"the estate {seed.name} lies at {path}, where there is no directory", location=seed.location)
    is_git = path is None or seed.managed or _is_repository(path)
    if is_git:
        place = config.repositories / f"{seed.name}.git"
        url = None if seed.managed else seed.url or str(path)
        _ensure(Repository(place, seed.ref, token=config.secret(seed.credentials)), url, path, seed.include or None)
        ref, location = seed.ref, str(place)
    else:
        ref, location, url = NO_REF, str(path), None
    shown = None if url is None else address_of(url)
    estate = _described(seed.name, seed.organization, location, url=shown, ref=ref, config_path=seed.config_path)
    estate.directory, estate.executor, estate.workflows = seed.directory, seed.executor, seed.workflows
    estate.removal_limit, estate.web_url, estate.webhook_secret = seed.removal_limit, seed.web_url, seed.webhook_secret
    estate.poll, estate.credentials = (seed.poll, seed.credentials) if url is not None else (None, None)
    return estate


def _ad_hoc(name: str, address: str, config: Config, *, config_path: str | None, as_git: bool) -> Estate:
    if not as_git:
        return _described(name, name, address, url=None, ref=NO_REF, config_path=config_path)
    place = config.repositories / f"{name}.git"
    ref = _cloned(place, address)
    estate = _described(name, name, str(place), url=address_of(address), ref=ref, config_path=config_path)
    estate.poll = DEFAULT_POLL
    return estate


def _cloned(place: Path, address: str) -> str:
    """Clone unless it is there; return the branch: `main`, else `master`."""
    for ref in ("main", "master"):
        try:
            _ensure(Repository(place, ref), address, None, None)
            Repository(place, ref).head()
        except Unavailable as error:
            failure = error
        else:
            return ref
    raise failure


def _ensure(repository: Repository, url: str | None, source: Path | None, include: Sequence[str] | None) -> None:
    """Make the managed repository unless it is there: a clone of the address, else the directory as its first commit.

    One that is there follows an address that has changed.
    """
    if repository.exists():
        if url is not None and repository.remote() != address_of(url):
            repository.follow(url)
        return
    if url is not None:
        repository.clone(url)
    elif source is not None:
        repository.init_from(source, "Put the estate into the catalog's own repository", include=include)


def _described(name: str, organization: str, path: str, *, url: str | None, ref: str, config_path: str | None) -> Estate:
    is_git = ref != NO_REF
    return Estate(
        id=global_id("Estate", name),
        name=name,
        organization_id=global_id("Organization", organization),
        kind=GIT if is_git else DIRECTORY,
        url=url,
        path=path,
        ref=ref,
        directory=".",
        config_path=config_path,
        writable=is_git,
        executor="terraform",
        workflows={},
        removal_limit=DEFAULT_REMOVAL_LIMIT,
        web_url=None,
    )


def _address(target: str, revision: str | None) -> tuple[str, bool]:
    """Where a target lies, and whether it is read through Git."""
    path = Path(target)
    if path.is_dir():
        return str(path.resolve()), revision is not None or _is_bare(path)
    if not _is_url(target):
        raise NotFound(f"{target!r} is neither an estate, nor a directory, nor the address of a Git repository")
    return target, True


def _is_url(target: str) -> bool:
    return "://" in target or target.endswith(".git") or re.match(r"[\w.-]+@[\w.-]+:", target) is not None


def _is_repository(path: Path) -> bool:
    return (path / ".git").exists() or _is_bare(path)


def _is_bare(path: Path) -> bool:
    return (path / "HEAD").is_file() and (path / "objects").is_dir()


def _named_after(target: str, config_path: str | None) -> str:
    """A name from the last part of a path or address; a configuration of several adds its own."""
    base = re.split(r"[/:]", target.rstrip("/"))[-1]
    parts = [base.removesuffix(".git"), *([Path(config_path).name] if config_path else [])]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(parts)).strip("-.")
    if not name:
        raise WrongUse(f"no estate can be named after {target!r}", hint="register it in seeds/estates.yaml with a name")
    return name
