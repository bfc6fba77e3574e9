"""What stacks deploy, and what of it needs what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.records import Scope
from catalog.store.compile.fixed import fixed
from catalog.store.compile.source import last_good
from catalog.store.compile.sources.cost import COUNTED
from catalog.store.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """One instance that is deployed: what it needs are the ids of other ones of its stack."""

    id: str
    name: str
    needs: tuple[str, ...]


# Two look-ups by index for each instance; the order is the one in which equals are applied.
_DEPLOYED = (
    "select coalesce(json_agg(json_build_array(q.stack_id, q.id, q.name, q.needs) order by q.name, q.id), '[]')::text from ("
    "select i.stack_id, i.id, i.name, array("
    "select distinct d.target_id from dependency d join component_instance n on n.id = d.target_id where d.source_id = i.id"
    " and n.stack_id = i.stack_id and d.target_id <> i.id order by 1) as needs"
    " from component_instance i where i.stack_id = any({arg_stacks}) and " + COUNTED + " and {sees_component_instance_i}) q"
)


async def deployed(reader: Reader, scope: Scope, stacks: Sequence[str]) -> dict[str, list[Deployed]]:
    """Return what a viewer sees of what stacks deploy, by the stack's id, ordered by name: real, enabled instances that exist.

    What is needed and not among them (disabled, abstract, out of sight) is named all the same. Raises Unavailable.
    """
    statement, values = fixed(_DEPLOYED, scope, {"stacks": ("text[]", list(stacks))})
    found: dict[str, list[Deployed]] = {stack: [] for stack in stacks}
    text = await reader.fetch_text(statement.sql, values, generic=statement.generic, key="the order of stacks")
    for stack, identity, name, needs in json.loads(text):
        found[stack].append(Deployed(id=identity, name=name, needs=tuple(needs)))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What tells where an instance is written: its estate, the revision that it is shown as of, its manifest, type and name."""

    estate_id: str
    revision: str | None
    manifest: str
    type: str
    name: str


# An instance whose stack can't be read now is what it was when it was read last: there its version began. Several manifests may make
# one stack: the document names its own.
_WRITTEN = (
    "select coalesce(json_object_agg(i.id, json_build_array(x.id, case when i.state = 'FRESH' then "
    + last_good("revision", "x")
    + " else (select r.revision from instance_version v join index_run r on r.estate_id = x.id and r.ref = v.ref"
    " and r.number = v.from_number and r.state = 'SUCCEEDED' where v.instance_id = i.id order by v.from_number desc limit 1) end,"
    " coalesce((select n.path from manifest n where n.estate_id = x.id and n.top_level"
    " and right('/' || regexp_replace(n.path, '\\.ya?ml(\\.tmpl)?$', ''), length(c.document->>'atmos_manifest') + 1)"
    " = '/' || (c.document->>'atmos_manifest') order by n.id <> m.id, n.path limit 1), m.path), i.type, i.name)), '{{}}')::text"
    " from component_instance i join estate x on x.id = i.estate_id join stack s on s.id = i.stack_id"
    " join manifest m on m.id = s.manifest_id left join config c on c.hash = i.config_hash"
    " where i.id = any({arg_ids}) and {sees_component_instance_i}"
)
_PATHS = (
    "select coalesce(json_agg(json_build_array(m.estate_id, m.path)), '[]')::text from manifest m"
    " where m.estate_id = any({arg_estates}) and m.path = any({arg_paths}) and {sees_manifest_m}"
)


async def written(reader: Reader, scope: Scope, ids: Sequence[str]) -> dict[str, Written]:
    """Return where instances are written that a viewer sees, by id. Raises Unavailable."""
    statement, values = fixed(_WRITTEN, scope, {"ids": ("text[]", list(ids))})
    text = await reader.fetch_text(statement.sql, values, generic=statement.generic, key="where instances are written")
    names = ("estate_id", "revision", "manifest", "type", "name")
    return {identity: Written(**dict(zip(names, told, strict=True))) for identity, told in json.loads(text).items()}


async def visible_manifests(reader: Reader, scope: Scope, estates: Sequence[str], paths: Sequence[str]) -> set[tuple[str, str]]:
    """Return which manifests of estates a viewer sees, as (estate, path). Raises Unavailable."""
    statement, values = fixed(_PATHS, scope, {"estates": ("text[]", list(estates)), "paths": ("text[]", list(paths))})
    text = await reader.fetch_text(statement.sql, values, generic=statement.generic, key="which manifests are visible")
    return {(estate, path) for estate, path in json.loads(text)}
