"""A past for the synthetic world: what its stacks and instances were at the positions that its runs read. Deterministic.

Things came and went, changed hands, tenants, prices and edges; some never changed, so that their own rows tell their past; a line that
nobody follows any more told another story. A team that owned something is known no more.
"""

from __future__ import annotations

import json
import random
from typing import Any

from graph_world import at

LOST_TEAM = "tea_00000000000000000000000000000000"
ASIDE = "main@0000"
# Stacks that became what they are with the second commit; the other one was of the tenant of the first.
TURNED, MOVED = "core-00-staging", "plat-01-staging"
# Runs beside those of the world, whose positions are 0, 1 and (failed) 2; one is of a line whose revision begins as one of theirs.
MORE_RUNS = (
    # id, estate's index, ref, number, revision, state, minutes of commit and of start
    ("run_side", 0, ASIDE, 1, "0" * 7 + "a" * 33, "SUCCEEDED", 0.75, 90),
    ("run_again", 0, "main", 1, "01" * 20, "SUCCEEDED", 1, 40),
    ("run_late", 0, "main", 3, "03" * 20, "SUCCEEDED", 3, 50),
    ("run_asked", 0, "main", 4, "04" * 20, "QUEUED", 4, 60),
    ("run_far", 1, "-", 9, None, "SUCCEEDED", None, 70),
)


async def load(database) -> None:
    """Write the versions of everything that the world holds, and the runs that read them."""
    rnd = random.Random(11)
    async with database.connection() as connection:
        await _runs(connection)
        past = _Past(
            rnd,
            stacks=await _rows(connection, "stack"),
            instances=await _rows(connection, "component_instance"),
            estimates=await _rows(connection, "cost_estimate"),
            edges=await _edges(connection),
        )
        past.tell()
        await connection.executemany(
            "insert into stack_version (stack_id, ref, from_number, to_number, content_hash, row) values ($1, $2, $3, $4, 'h', $5)",
            past.stack_versions,
        )
        await connection.executemany(
            "insert into instance_version (instance_id, ref, from_number, to_number, content_hash, config_hash, row, estimate, edges)"
            " values ($1, $2, $3, $4, 'h', $5, $6, $7, $8)",
            past.instance_versions,
        )


async def _runs(connection) -> None:
    estates = [
        row[0] for row in await connection.fetch("select id from estate where name in ('acme-infra', 'globex-infra') order by name")
    ]
    for identity, estate, ref, number, revision, state, committed, started in MORE_RUNS:
        await connection.execute(
            "insert into index_run (id, estate_id, ref, number, revision, state, committed_at, started_at, backfill, manifests, stacks,"
            " component_instances, added, changed, removed, unchanged) values ($1, $2, $3, $4, $5, $6, $7, $8, true, 0, 0, 0, 0, 0, 0, 0)",
            identity,
            estates[estate],
            ref,
            number,
            revision,
            state,
            committed and at(committed),
            at(started),
        )


async def _rows(connection, table: str) -> dict[str, dict[str, Any]]:
    return {
        row[0]: json.loads(row[1]) for row in await connection.fetch(f"select id, to_jsonb(t)::text from {table} t order by id")
    }


async def _edges(connection) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in await connection.fetch("select to_jsonb(d)::text from dependency d order by source_id, target_id, via"):
        edge = json.loads(row[0])
        found.setdefault(edge["source_id"], []).append(edge)
    return found


class _Past:
    """The versions, made one stack after the other: an instance is always of the tenant of its stack."""

    def __init__(self, rnd: random.Random, *, stacks, instances, estimates, edges) -> None:
        self._random = rnd
        self._stacks, self._instances, self._estimates, self._edges = stacks, instances, estimates, edges
        self._tenants = sorted({stack["tenant_id"] for stack in stacks.values()})
        self._teams = sorted({stack["team_id"] for stack in stacks.values() if stack["team_id"]})
        self._configs = sorted(instance["config_hash"] for instance in instances.values())
        self.stack_versions: list[tuple[Any, ...]] = []
        self.instance_versions: list[tuple[Any, ...]] = []

    def tell(self) -> None:
        """Tell the past of every stack on its branch, and of some on the line aside."""
        for place, stack in enumerate(self._stacks.values()):
            turn = self._random.choice((None, 1, 1, 3))  # where the stack became what it is
            turn = 1 if stack["name"] in {TURNED, MOVED} else turn
            self._stack(stack, turn, place)
            for instance in self._instances.values():
                if instance["stack_id"] == stack["id"]:
                    self._instance(instance, stack, turn)

    def _stack(self, stack, turn: int | None, place: int) -> None:
        gone = stack["removed_at"] is not None
        if turn is not None or gone:
            tenants = [tenant for tenant in self._tenants if self._same_organization(tenant, stack)]
            stack["then"] = {
                "tenant_id": self._random.choice(tenants) if stack["name"] != MOVED else self._tenant_of(TURNED),
                "team_id": self._random.choice((*self._teams, None, LOST_TEAM)),
                "tags": ["then"],
                "labels": {"tier": "then"},
                "state": "FRESH",
                "removed_at": None,
                "environment_id": None if place % 4 == 0 else stack["environment_id"],
            }
            row = {name: value for name, value in stack.items() if name not in {"then", "aside"}} | stack["then"]
            self.stack_versions.append((stack["id"], "main", 0, turn or 3, json.dumps(row)))
            stack["aside"] = place % 2 == 0 or stack["name"] == TURNED
            if stack["aside"]:
                self.stack_versions.append((stack["id"], ASIDE, 1, None, json.dumps(row | {"tags": ["aside"]})))
        if not gone:
            self.stack_versions.append((stack["id"], "main", turn or 0, None, None))

    def _tenant_of(self, name: str) -> str:
        return next(stack["tenant_id"] for stack in self._stacks.values() if stack["name"] == name)

    def _same_organization(self, tenant: str, stack) -> bool:
        return any(
            one["tenant_id"] == tenant and one["organization_id"] == stack["organization_id"] for one in self._stacks.values()
        )

    def _instance(self, instance, stack, turn: int | None) -> None:
        rnd, gone = self._random, instance["removed_at"] is not None
        then = stack.get("then")
        if then is not None and rnd.random() < 0.85:
            self._ended(instance, "main", 0, turn or 3, then["tenant_id"])
            if stack["aside"] and rnd.random() < 0.8:
                self._ended(instance, ASIDE, 1, None, then["tenant_id"])
        begins = turn or 0
        if stack["removed_at"] is not None:
            return
        if gone or rnd.random() < 0.4:
            # It changed once more, or went, under the stack as it is.
            ends = 4 if gone else 3
            if begins < ends and begins < 3:
                self._ended(instance, "main", begins, ends, stack["tenant_id"])
            begins = ends
        if not gone:
            self.instance_versions.append((instance["id"], "main", begins, None, instance["config_hash"], None, None, None))

    def _ended(self, instance, ref: str, begins: int, ends: int | None, tenant: str) -> None:
        rnd = self._random
        estimate = self._estimates.get(instance["cost_estimate_id"] or "")
        if estimate is not None:
            cost = 5.25 if estimate["status"] == "KNOWN" else None
            estimate = estimate | {"monthly": cost, "reason": "then"}
        row = instance | {
            "tenant_id": tenant,
            "team_id": rnd.choice((*self._teams, None, LOST_TEAM)),
            "config_hash": rnd.choice(self._configs),
            "enabled": rnd.random() < 0.8,
            "monthly": estimate["monthly"] if estimate else None,
            "labels": {"c": "then"},
            "state": "FRESH",
            "removed_at": None,
            "inherits": ["then"],
            "changed_at": at(rnd.randint(0, 20)).isoformat(),
        }
        edges = [edge for edge in self._edges.get(instance["id"], ()) if rnd.random() < 0.6]
        edges += [self._edge(instance["id"], target) for target in rnd.sample(sorted(self._instances), 2)]
        self.instance_versions.append(
            (
                instance["id"],
                ref,
                begins,
                ends,
                row["config_hash"],
                json.dumps(row),
                None if estimate is None else json.dumps(estimate),
                json.dumps(edges),
            )
        )

    def _edge(self, source: str, target: str) -> dict[str, Any]:
        return {
            "source_id": source,
            "target_id": target,
            "via": "settings.then",
            "kind": self._random.choice(("DECLARED", "INFERRED")),
            "file": "stacks/then.yaml" if self._random.random() < 0.5 else None,
            "line": 9,
            "column": None,
        }
