"""What stacks deploy, and what of it needs what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.records import Scope
from catalog.store.compile.fixed import fixed
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
