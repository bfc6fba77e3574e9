"""The reference reader's way into the past: which position is meant, which versions held there, and what hangs on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import graph_money
import graph_reference
from graph_money import summed
from graph_reference import ONES, Row, currency_of
from graphql import GraphQLError
from sqlalchemy.dialects.postgresql import JSONB

from catalog import records

VERSIONS = {
    "stack": ("stack_version", "stack_id"),
    "component_instance": ("instance_version", "instance_id"),
}
ESTIMATE = "select (jsonb_populate_record(null::cost_estimate, estimate)).* from instance_version where {place}"


@dataclass(frozen=True)
class Position:
    """Where in an estate's history is read."""

    estate_id: str
    ref: str
    number: int
    revision: str | None


@dataclass(eq=False)
class PastRow(Row):
    """What a row was at a position."""

    position: Position | None = None
    version: dict[str, Any] | None = None


class Store(graph_reference.Store):
    """Every table in memory, and every version."""

    versions: dict[str, dict[str, list[dict[str, Any]]]]

    @classmethod
    async def load(cls, database) -> Store:
        """Read every table, and of every version what its rows said."""
        made = await super().load(database)
        made.versions = {}
        async with database.connection() as connection:
            for source, (table, key) in VERSIONS.items():
                listed = made.versions[source] = {}
                for version in await connection.fetch(f"select * from {table}"):
                    listed.setdefault(version[key], []).append(await _version(connection, source, key, version))
        return made

    def then(self, source: str, identity: str, position: Position, edge=None) -> PastRow | None:
        """What a thing was at a position, None when it wasn't."""
        present = self.one(identity)
        if present is None or present["estate_id"] != position.estate_id:
            return None
        for version in self.versions[source].get(identity, ()):
            ends = version["to_number"]
            if (
                version["ref"] == position.ref
                and version["from_number"] <= position.number
                and (ends is None or ends > position.number)
            ):
                data = version["data"] if version["row"] is not None else present.data
                return PastRow(source, data, edge or {}, position, version)
        return None

    def all_then(self, source: str, position: Position) -> list[PastRow]:
        """Everything that was at a position."""
        found = (self.then(source, identity, position) for identity in self.versions[source])
        return [row for row in found if row is not None]

    def edges_then(self, row: PastRow) -> list[dict[str, Any]]:
        """The edges from an instance at its position."""
        if row.version["row"] is None:
            return [one.data for one in self.where("dependency", source_id=row["id"])]
        return row.version["edges"]


async def _version(connection, source, key, version) -> dict[str, Any]:
    made = dict(version)
    if version["row"] is None:
        return made
    place, bound = f"{key} = $1 and ref = $2 and from_number = $3", (version[key], version["ref"], version["from_number"])
    table = VERSIONS[source][0]
    row = await connection.fetchrow(f"select (jsonb_populate_record(null::{source}, row)).* from {table} where {place}", *bound)
    made["data"] = _plain(source, row)
    if source == "component_instance":
        made["edges"] = json.loads(version["edges"])
        told = await connection.fetchrow(ESTIMATE.format(place=place), *bound)
        made["estimate"] = Row("cost_estimate", _plain("cost_estimate", told) | {"holds": False}) if version["estimate"] else None
    return made


def _plain(table, row) -> dict[str, Any]:
    kinds = records.metadata.tables[table].columns
    return {
        name: json.loads(value) if isinstance(kinds[name].type, JSONB) and isinstance(value, str) else value
        for name, value in dict(row).items()
    }


class Reader(graph_money.Reader):
    """One viewer's reading of the store, of the past too."""

    store: Store

    def lookup(self, declared, made, given):
        """The one row that answers to a human reference, as it is or as it was."""
        asked = given.get("asOf") or {}
        if not asked:
            return super().lookup(declared, made, given)
        positions = self.positions(asked, given.get("estate"))
        source = {"stacks": "stack", "component_instances": "component_instance"}[declared.relation]
        rows = [row for position in positions for row in self.store.all_then(source, position) if self.sees(row)]
        return self.only([row for row in rows if row["removed_at"] is None], declared, made, given)

    def positions(self, asked, estate) -> list[Position]:
        """The positions that are meant, one of each estate in sight."""
        ((name, value),) = ((name, value) for name, value in asked.items() if value is not None)
        runs = [
            run
            for run in self.store.rows["index_run"]
            if run["state"] == "SUCCEEDED"
            and self.sees(run)
            and (estate is None or self.store.one(run["estate_id"])["name"] == estate)
            and self._meant(run, name, value)
        ]
        own = {run["id"]: run["ref"] == self.store.one(run["estate_id"])["ref"] for run in runs}
        furthest: dict[Any, Row] = {}
        for run in sorted(runs, key=lambda run: (own[run["id"]], run["number"])):
            furthest[(run["estate_id"], run["revision"] if name == "revision" else None)] = run
        if not furthest:
            raise GraphQLError(MISSING[name], extensions={"code": "NOT_INDEXED"})
        if len(furthest) > len({estate for estate, _ in furthest}):
            raise GraphQLError("several revisions begin so: say more", extensions={"code": "AMBIGUOUS"})
        return [Position(run["estate_id"], run["ref"], run["number"], run["revision"]) for run in furthest.values()]

    def _meant(self, run, name, value) -> bool:
        if name == "run":
            return run["id"] == value
        if name == "revision":
            return (run["revision"] or "").startswith(value.lower())
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return run["ref"] == self.store.one(run["estate_id"])["ref"] and (run["committed_at"] or run["started_at"]) <= moment

    def column(self, row, name):
        """The value of a column."""
        if isinstance(row, PastRow) and name == "hidden_dependencies":
            near = {one["target_id"] for one in self.store.edges_then(row)}
            near |= {
                other["id"]
                for other in self.store.all_then("component_instance", row.position)
                if row["id"] in {one["target_id"] for one in self.store.edges_then(other)}
            }
            ends = (self.store.then("component_instance", identity, row.position) for identity in near)
            return sum(1 for end in ends if end is not None and end["removed_at"] is None and not self.sees(end))
        return super().column(row, name)

    def resolve(self, parent, info, **given):
        """Resolve any field; the order of a stack is told of the present only."""
        if isinstance(parent, PastRow) and info.field_name == "applyOrder":
            raise GraphQLError("the order of a stack is told of the present only (leave out `asOf`)")
        return super().resolve(parent, info, **given)

    def one(self, row, relation, given):
        """A to-one relation."""
        if isinstance(row, PastRow) and (row.source, relation) in PAST_ONES:
            return PAST_ONES[(row.source, relation)](self, row, given)
        told = row.get("row")
        if isinstance(told, PastRow) and relation == "location":
            return self.location(told["owner_file"], told["owner_line"], None, told["estate_id"], revision=told.position.revision)
        return super().one(row, relation, given)

    def many(self, row, relation):
        """The rows of a to-many relation that are seen and still there, in any order."""
        rule = PAST_MANY.get((row.source, relation)) if isinstance(row, PastRow) else None
        if rule is None:
            return super().many(row, relation)
        return [one for one in rule(self, row) if one["removed_at"] is None and self.sees(one)]

    def ways(self, row):
        """All edges among instances, of the present or of a row's position."""
        if not isinstance(row, PastRow):
            return super().ways(row)
        everything = self.store.all_then("component_instance", row.position)
        return [one for other in everything for one in self.store.edges_then(other)]

    def end(self, row, one, there, depth):
        """The instance at one end of an edge, as the row sees it."""
        if not isinstance(row, PastRow):
            return super().end(row, one, there, depth)
        location = self.location(one["file"], one["line"], one["column"], row["estate_id"], revision=row.position.revision)
        edge = {"kind": one["kind"], "via": one["via"], "location": location, "depth": depth}
        return self.store.then("component_instance", one[there], row.position, edge)


MISSING = {
    "time": "nothing had been indexed by then",
    "run": "no run with that id has succeeded",
    "revision": "that revision was never indexed: `catalog index --revision` reads it",
}


def _neighbours(here, there):
    def rule(reader, row):
        ends = (reader.end(row, one, there, 1) for one in reader.ways(row) if one[here] == row["id"])
        return [end for end in ends if end is not None]

    return rule


def _instances(reader, row):
    return [one for one in reader.store.all_then("component_instance", row.position) if one["stack_id"] == row["id"]]


def _ownership(name):
    def rule(reader, row, given):
        lost = row["team_id"] is not None and reader.store.one(row["team_id"]) is None
        seen = PastRow(row.source, row.data | {"team_id": None} if lost else row.data, {}, row.position, row.version)
        return ONES[("", name)](reader, seen, given)

    return rule


def _estimate(reader, row, _given):
    if row.version["row"] is None:
        return reader.store.one(row["cost_estimate_id"])
    return row.version["estimate"]


PAST_ONES = {
    **{(source, name): _ownership(name) for source in VERSIONS for name in ("ownership", "unowned")},
    ("stack", "cost"): lambda r, row, given: summed(
        r, given, _instances(r, row), {"stack_id": row["id"]}, currency_of(r, row["organization_id"], given)
    ),
    ("component_instance", "stack"): lambda r, row, _given: r.store.then("stack", row["stack_id"], row.position),
    ("component_instance", "cost_estimate"): _estimate,
    ("component_instance", "cost"): lambda r, row, given: summed(
        r,
        given,
        [row],
        {"instance_id": row["id"]},
        given.get("currency") or row["currency"] or r.store.one(r.store.one(row["stack_id"])["organization_id"])["currency"],
    ),
}
PAST_MANY = {
    ("stack", "instances"): _instances,
    ("component_instance", "depends_on"): _neighbours("source_id", "target_id"),
    ("component_instance", "dependents"): _neighbours("target_id", "source_id"),
}
