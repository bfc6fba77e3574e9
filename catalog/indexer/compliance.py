"""Judges the instances of an estate by its policies, once an index run has written them: compliance is a number.

What is judged are the rows as they were indexed, so without secrets. An instance is judged again when what it says or what the policies
say has changed. Nothing waits for it: it happens behind the run, and the rows tell how far it came, so that whoever is interrupted, or
comes second, goes on there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from catalog import values
from catalog.config import Config
from catalog.engines.rego import BrokenBundle, RegoEngine
from catalog.errors import CatalogError
from catalog.indexer import estates, sources
from catalog.indexer.sources import Position
from catalog.policy import Bundle, Rego, RegoPolicy, bundle, policies
from catalog.policy.engine import Verdict, summed
from catalog.records import DecisionPoint, Estate
from catalog.stacks import atmos_config
from catalog.stacks.files import Files
from catalog.stacks.findings import Findings
from catalog.store import compliance
from catalog.store.compliance import Behind, Subject, Verdicts
from catalog.store.database import Database
from catalog.store.policies import Judgement, storable

_log = logging.getLogger(__name__)

_BATCH = 200  # instances in a transaction
_CONTEXT = ("namespace", "tenant", "environment", "stage", "region")


async def judge_all(database: Database, config: Config, engine: RegoEngine) -> None:
    """Judge what index runs wrote since it was judged last; what goes wrong with one estate is logged, and the others are judged."""
    async with database.connection() as connection:
        waiting = await compliance.behind(connection)
    for one in waiting:
        try:
            await judge(database, config, engine, one)
        except CatalogError as error:
            _log.warning("%s can't be judged by its policies: %s", one.estate, error)


async def judge(database: Database, config: Config, engine: RegoEngine, behind: Behind) -> int:
    """Judge the instances of one estate; return how many were judged. Raises CatalogError where its policies can't be read."""
    estate = await estates.find(database, behind.estate)
    held = await asyncio.to_thread(_bundle, estate, config, behind.revision)
    digest = held.digest if held.files else None
    count = 0
    if digest is not None and (digest, behind.snapshot_hash) != (behind.bundle_digest, behind.judged_snapshot):
        try:
            known = await asyncio.to_thread(policies, engine, held)
        except BrokenBundle as error:
            _log.warning("the policies of %s don't compile: %s", behind.estate, error)
            known = ()
        async with database.connection() as connection, connection.transaction():
            await compliance.declare(connection, behind, [_judgement(policy, ()) for policy in known])
        if any(DecisionPoint.INDEX in policy.points for policy in known):
            count = await _judge(database, engine, behind, held, known)
    async with database.connection() as connection:
        await compliance.done(connection, behind, digest)
    return count


async def _judge(database: Database, engine: RegoEngine, behind: Behind, held: Bundle, known: Sequence[RegoPolicy]) -> int:
    asked = [policy for policy in known if DecisionPoint.INDEX in policy.points]
    after, count = "", 0
    while True:
        async with database.connection() as connection, connection.transaction():
            if not await compliance.alone(connection, behind.estate_id):
                return count
            some = await compliance.subjects(connection, behind.estate_id, after, _BATCH)
            if not some:
                return count
            before = await compliance.judged(connection, [subject.id for subject in some])
            now = datetime.now(UTC)
            found = await asyncio.to_thread(_verdicts, engine, held, asked, behind.estate, some, before, now)
            await compliance.write(connection, behind, (held.digest, held.document()), found, now)
            count += len(found)
            after = some[-1].id


def _verdicts(
    engine: RegoEngine,
    held: Bundle,
    asked: Sequence[RegoPolicy],
    estate: str,
    some: Sequence[Subject],
    before: Mapping[str, tuple[str, str]],
    now: datetime,
) -> list[Verdicts]:
    """What the policies say of the instances that differ from what was judged."""
    rego = Rego(engine, held, DecisionPoint.INDEX, now=now, known=asked)
    result = []
    for subject in some:
        document = storable(_document(estate, subject))
        digest = values.digest(document)
        if before.get(subject.id) == (digest, held.digest):
            continue
        begun = time.perf_counter()
        said = rego.evaluate(document)
        took = round((time.perf_counter() - begun) * 1000, 3)
        judgements = [_judgement(policy, said) for policy in asked]
        result.append(Verdicts(subject=subject, document=document, digest=digest, judgements=judgements, milliseconds=took))
    return result


def _document(estate: str, subject: Subject) -> dict[str, Any]:
    variables = subject.vars if isinstance(subject.vars, Mapping) else {}
    return {
        "estate": estate,
        "stack": subject.stack,
        "component": subject.name,
        "type": subject.type,
        **{name: variables.get(name) for name in _CONTEXT},
        "team": subject.team,
        "vars": variables,
        "settings": subject.settings,
        "metadata": subject.metadata,
    }


def _judgement(policy: RegoPolicy, verdicts: Sequence[Verdict]) -> Judgement:
    verdict = summed([one for one in verdicts if one.policy == policy.package], policy.package)
    return Judgement(
        package=policy.package,
        name=policy.name,
        title=policy.title,
        description=policy.description,
        severity=policy.severity,
        source=policy.source,
        passed=verdict.passed,
        message=verdict.message,
    )


def _bundle(estate: Estate, config: Config, revision: str | None) -> Bundle:
    """The estate's policies at the revision that was indexed."""
    with sources.opened(estate, config, Position(ref=estate.ref, revision=revision)) as (_, files):
        settings = atmos_config.load(
            Files(files), "", config_path=estate.config_path, findings=Findings(strict=False), environment={}
        )
        return bundle.of(files, settings)
