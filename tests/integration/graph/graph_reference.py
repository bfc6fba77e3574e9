"""The graph once more, plainly: every table in memory, graphql-core's own execution, and rules written a second time in Python.

It is what compiled reads are held against. Slow and simple on purpose; it shares the declarations of the fields (which column a field
shows), nothing of the compiler: links, orders, filters, pages and visibility are told again here.
"""

from __future__ import annotations

import contextlib
import functools
import graphlib
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import graph_search
import scorecard_model
from graphql import GraphQLError, build_schema, execute_sync, get_named_type, parse
from sqlalchemy.dialects.postgresql import JSONB

from catalog import records
from catalog.graph import declarations, schema, selectors
from catalog.graph.compiler import declaration, source_of
from catalog.graph.declarations import FILTERS, Kind
from catalog.records import Role
from catalog.values import ID_PREFIXES

OURS = schema.graphql_schema()
PLAIN = build_schema(schema.sdl())
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FINAL = {str(state) for state in records.FINAL_STATES}
TYPES = {
    source_of(kind): name
    for name, kind in OURS.type_map.items()
    if hasattr(getattr(kind, "extensions", {}).get("strawberry-definition", None), "origin")
    and hasattr(kind, "interfaces")
    and source_of(kind)
}


@dataclass(eq=False)
class Row:
    """A row of a source: its columns, and those of the edge it was reached by."""

    source: str
    data: dict[str, Any]
    edge: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name):
        return self.data[name]

    def get(self, name):
        return self.data.get(name)


TABLES = {
    "organization": "organization", "tenant": "tenant", "environment": "environment", "team": "team", "person": "person",
    "estate": "estate", "estate_remote": "estate_remote", "index_run": "index_run", "diagnostic": "diagnostic", "change": "change", "manifest": "manifest",
    "workflow": "workflow", "stack": "stack", "component": "component", "config": "config", "component_instance": "component_instance",
    "service": "service", "service_component": "service_component", "service_instance": "service_instance",
    "cost_estimate": "cost_estimate", "provisioning_request": "provisioning_request", "approval": "approval",
    "request_step": "request_step", "step_log": "log_line", "principal": "principal", "principal_grant": "grant",
    "policy": "policy", "policy_evaluation": "policy_evaluation", "audit_event": "audit_event", "application": "application",
    "access_token": "access_token", "manifest_import": "manifest_import", "dependency": "dependency",
    "service_instance_component": "service_instance_component", "team_member": "team_member",
    "cost_item": "cost_item", "charge": "charge", "allocation": "allocation", "kpi": "kpi", "exchange_rate": "exchange_rate", "kpi_point": "kpi_point",
}  # fmt: skip


class Store:
    """Every table in memory."""

    def __init__(self, rows: dict[str, list[Row]]) -> None:
        self.rows = rows
        self.by_id = {row["id"]: row for listed in rows.values() for row in listed if isinstance(row.get("id"), str)}
        self.configs = {row["hash"]: row for row in rows["config"]}

    @classmethod
    async def load(cls, database) -> Store:
        """Read every table."""
        rows: dict[str, list[Row]] = {}
        async with database.connection() as connection:
            for table, source in TABLES.items():
                kinds = records.metadata.tables[table].columns
                found = await connection.fetch(f'select * from "{table}"')
                rows[source] = [
                    Row(
                        source,
                        {
                            name: json.loads(value)
                            if value is not None and isinstance(kinds[name].type, JSONB) and isinstance(value, str)
                            else value
                            for name, value in dict(record).items()
                        },
                    )
                    for record in found
                ]
        return cls(rows)

    def one(self, identity):
        """The row of an id."""
        return self.by_id.get(identity)

    def where(self, source, **columns):
        """Rows whose columns equal."""
        return [row for row in self.rows[source] if all(row[name] == value for name, value in columns.items())]


class Reader:
    """One viewer's reading of the store."""

    def __init__(self, store: Store, scope: records.Scope) -> None:
        self.store = store
        self.scope = scope
        self.all = scope.is_unrestricted
        self.own_teams = set(scope.member_of).union(*(grant.teams or () for grant in scope.grants))
        self.own_tenants = set().union(*(grant.tenants or () for grant in scope.grants))
        self._seen: dict[int, bool] = {}

    # ── visibility ───────────────────────────────────────────────────────────────────────────────────────────────────

    def sees(self, row: Row) -> bool:
        """Whether the viewer sees a row."""
        rule = getattr(self, f"_sees_{row.source}", None)
        if rule is None:
            return True
        if id(row.data) not in self._seen:
            self._seen[id(row.data)] = bool(rule(row))
        return self._seen[id(row.data)]

    def admits(self, tenant, team, roles=tuple(Role)) -> bool:
        """Whether one grant's every set admits."""
        return any(
            grant.role in roles
            and (grant.tenants is None or tenant in grant.tenants)
            and (grant.teams is None or team is None or team in grant.teams)
            for grant in self.scope.grants
        )

    def _tenant_row(self, row):
        return self.admits(row["tenant_id"], row["team_id"])

    _sees_stack = _sees_component_instance = _sees_environment = _sees_service_instance = _tenant_row

    def _sees_estate(self, row):
        return self.all or any(
            self.sees(one) for source in ("stack", "provisioning_request") for one in self.store.where(source, estate_id=row["id"])
        )

    def _of_estate(self, row):
        return self.sees(self.store.one(row["estate_id"]))

    _sees_index_run = _sees_workflow = _sees_policy = _of_estate

    def _sees_policy_evaluation(self, row):
        about, request = self.store.one(row["instance_id"]), self.store.one(row["request_id"])
        team = about["team_id"] if about else None
        return self.admits(row["tenant_id"], team) or (request is not None and self.sees(request))

    def _sees_audit_event(self, row):
        return self.scope.is_admin or (row["actor_id"] is not None and row["actor_id"] == self.scope.principal_id)

    def _sees_diagnostic(self, row):
        return self.all or (row["stack_id"] is not None and self.sees(self.store.one(row["stack_id"])))

    def _sees_change(self, row):
        about = self.store.one(row["instance_id"] or row["previous_id"])
        return self.admits(row["tenant_id"], about["team_id"] if about else None)

    def _sees_manifest(self, row):
        if self.all:
            return True
        return row["id"] in self._used_manifests

    @functools.cached_property
    def _used_manifests(self):
        used, queue = set(), [stack["manifest_id"] for stack in self.store.rows["stack"] if self.sees(stack)]
        while queue:
            manifest = queue.pop()
            if manifest not in used:
                used.add(manifest)
                queue += [one["imported_id"] for one in self.store.where("manifest_import", manifest_id=manifest)]
        return used

    def _sees_component(self, row):
        instances = self.store.where("component_instance", component_id=row["id"])
        return self.all or any(self.sees(one) for one in instances) or (not instances and self._of_estate(row))

    def _sees_organization(self, row):
        if self.all:
            return True
        mine = [self.store.one(one) for one in self.own_tenants | self.own_teams]
        seen = [one for source in ("stack", "environment") for one in self.store.rows[source] if self.sees(one)]
        return any(one["organization_id"] == row["id"] for one in (*mine, *seen))

    def _sees_tenant(self, row):
        if row["hidden"]:
            return False
        return (
            self.all
            or row["id"] in self.own_tenants
            or any(self.sees(one) for source in ("stack", "environment") for one in self.store.where(source, tenant_id=row["id"]))
        )

    def _sees_team(self, row):
        if self.all or row["id"] in self.own_teams:
            return True
        owned = [
            one
            for source in ("stack", "component_instance", "environment", "service_instance", "provisioning_request")
            for one in self.store.where(source, team_id=row["id"])
        ]
        return any(self.sees(one) for one in (*owned, *self.store.where("service", owner_id=row["id"])))

    def _sees_service(self, row):
        if not self.scope.grants:
            return False
        return (
            self.all or row["public"] or any(self.sees(one) for one in self.store.where("service_instance", service_id=row["id"]))
        )

    def _sees_cost_estimate(self, row):
        return self.all or self.sees(self.store.one(row["subject_id"]))

    def _sees_allocation(self, row):
        return self.scope.is_admin if row["tenant_id"] is None else self.admits(row["tenant_id"], row["team_id"])

    def _sees_charge(self, row):
        return self.scope.is_admin or any(self.sees(one) for one in self.store.where("allocation", charge_id=row["id"]))

    def _sees_kpi(self, _row):
        return bool(self.scope.grants)

    def owner(self, request):
        """The team that owns what a request is about."""
        for name in ("instance_id", "environment_id"):
            about = self.store.one(request[name])
            if about and about["team_id"]:
                return about["team_id"]
        return None

    def _decides(self, request):
        roles = (Role.APPROVER, Role.ADMIN)
        listed = [self.store.one(one["instanceId"]) for one in (request["preview"] or {}).get("affected", ())]
        return any(one and self.admits(one["tenant_id"], one["team_id"], roles) for one in listed)

    def _sees_provisioning_request(self, row):
        return (
            self.all
            or self.admits(row["tenant_id"], self.owner(row))
            or row["requester_id"] == self.scope.principal_id
            or self._decides(row)
        )

    def decidable(self, row):
        """Whether the viewer may decide about a request."""
        roles = (Role.APPROVER, Role.ADMIN)
        mine = self.scope.principal_id is None or row["requester_id"] == self.scope.principal_id
        return (
            row["state"] == "AWAITING_APPROVAL"
            and not mine
            and (self.admits(row["tenant_id"], self.owner(row), roles) or self._decides(row))
        )

    def _sees_principal(self, row):
        return self.scope.is_admin or row["id"] == self.scope.principal_id

    def _sees_access_token(self, row):
        return row["kind"] == "API" and (self.scope.is_admin or row["principal_id"] == self.scope.principal_id)

    # ── columns ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def column(self, row: Row, name: str) -> Any:
        """The value of a column."""
        if name.startswith("config."):
            document = self.store.configs[row["config_hash"]]["document"]
            return document if name == "config.document" else document.get(name[7:], {})
        rule = COLUMNS.get((row.source, name))
        return rule(self, row) if rule else row[name]

    def total(self, instances):
        """What instances in sight cost."""
        counted = [
            one for one in instances if not one["abstract"] and one["enabled"] and one["removed_at"] is None and self.sees(one)
        ]
        return sum((one["monthly"] for one in counted if one["monthly"] is not None), Decimal(0))

    def location(self, file, line=None, column=None, estate=None, revision=None):
        """A place, with its link into a revision: that of the rows unless given."""
        if file is None:
            return None
        url = None
        if estate is not None and self.store.one(estate)["web_url"]:
            revision = revision or last_run(self, self.store.one(estate), "SUCCEEDED")["revision"]
            template = self.store.one(estate)["web_url"]
            url = (
                template.replace("{revision}", revision).replace("{path}", file).replace("{line}", str(1 if line is None else line))
            )
        return Row("location", {"file": file, "line": line, "column": column, "url": url})

    # ── resolving ────────────────────────────────────────────────────────────────────────────────────────────────────

    def execute(self, document: str, variables, operation_name=None):
        """Run an operation through graphql-core."""
        return execute_sync(
            PLAIN,
            parse(document),
            root_value=Row("query", {}),
            variable_values=variables,
            operation_name=operation_name,
            field_resolver=self.resolve,
            type_resolver=lambda row, _info, _kind: TYPES[row.source],
        )

    def resolve(self, parent, info, **given):
        """Resolve any field."""
        if isinstance(parent, Page):
            if info.field_name == "facets":
                return self.facets(parent.listed, info.parent_type.name.removesuffix("Connection"), **given)
            return parent.part(info.field_name)
        if isinstance(parent, dict):
            return parent[info.field_name]
        kind, name = OURS.type_map[info.parent_type.name], info.field_name
        made = kind.fields[name]
        declared = declaration(made)
        match declared:
            case declarations.Column():
                return shown(
                    self.column(parent, declared.name)
                    if not parent.edge or info.parent_type.name != "DependencyEdge"
                    else parent.edge[declared.name]
                )
            case declarations.One() if info.parent_type.name == "DependencyEdge":
                return parent.edge["location"]
            case declarations.One():
                return self.one(parent, declared.relation, given)
            case declarations.Items():
                rows = self.many(parent, declared.relation)
                if rows is None:
                    return None
                rows = [
                    row
                    for row in rows
                    if all(
                        row[DECLARED_PATH.get(name, name)] == value
                        for name, value in given.items()
                        if value is not None and name != "period"
                    )
                ]
                target = source_of(get_named_type(made.type))
                return ordered(
                    self,
                    rows,
                    target,
                    default_order(parent.source, declared.relation, target),
                    tie_of(parent.source, declared.relation),
                )[0]
            case declarations.Paged():
                return self.page(parent, declared, made, given)
            case declarations.Lookup():
                return self.lookup(declared, made, given)
            case declarations.ById():
                return self.by_id(declared, given)
            case declarations.Choice():
                return self._node(parent[declared.column])
            case declarations.Report():
                return self.report(made, given)
            case declarations.Computed():
                return COMPUTED[info.parent_type.name, name](self, parent)
        raise AssertionError(name)

    def one(self, row, relation, given):
        """A to-one relation."""
        rule = ONES.get((row.source, relation)) or ONES.get(("", relation))
        if rule:
            return rule(self, row, given)
        key = {
            "maintainer": "maintainer_id",
            "owner": "owner_id",
            "registered_by": "registered_by_id",
            "previous": "previous_id",
        }.get(relation, f"{relation}_id")
        found = self.store.one(row[key])
        if found is None or (found.source == "tenant" and found["hidden"]):
            return None
        return None if (row.source, relation) in CHECKED and not self.sees(found) else found

    def many(self, row, relation):
        """The rows of a to-many relation that are seen and still there, in any order."""
        rows = MANY[(row.source, relation)](self, row)
        if rows is None:
            return None
        unruled = (row.source, relation) in {
            ("principal", "member_of"),
            ("grant", "teams"),
            ("grant", "tenants"),
            ("manifest", "imports"),
        }
        return [one for one in rows if one.get("removed_at") is None and (unruled or self.sees(one))]

    def by_id(self, declared, given):
        """Things by global ids."""

        def find(identity):
            found = self.store.one(identity)
            known = found is not None and found.source in TYPES and identity.split("_")[0] in ID_PREFIXES.values()
            return found if known and self.sees(found) else None

        if declared.viewer:
            return find(self.scope.principal_id)
        return [find(one) for one in given["ids"]] if declared.many else find(given["id"])

    def lookup(self, declared, made, given):
        """The one row that answers to a human reference."""
        return self.only(self.many(Row("query", {}), declared.relation), declared, made, given)

    def only(self, rows, declared, made, given):
        """The one of some rows that the arguments of a look-up mean."""
        for name, argument in declared.arguments.items():
            value = given.get(declarations_name(name))
            if value is None:
                continue
            rows = [row for row in rows if self.reached(row, argument.path) == (value.value if hasattr(value, "value") else value)]
        if len(rows) > 1:
            thing = re.sub(r"(?<!^)([A-Z])", r" \1", get_named_type(made.type).name).lower()
            raise GraphQLError(f"several {thing}s answer to that name: say more", extensions={"code": "AMBIGUOUS"})
        return rows[0] if rows else None

    def reached(self, row, path):
        """What a path of relations and a column leads to; None behind what isn't seen."""
        for step in path[:-1]:
            found = self.related(row, step)
            row = found[0] if found else None
            if row is None:
                return None
        return self.column(row, path[-1])

    def ways(self, _row):
        """All edges among instances."""
        return self.store.rows["dependency"]

    def end(self, _row, one, there, depth):
        """The instance at one end of an edge, reached from a row."""
        return edge(self, one, there, depth)

    def related(self, row, relation):
        """Where a filter's relation leads, seen by the viewer."""
        if (row.source, relation) in MANY:
            return self.many(row, relation)
        if relation == "config":
            return [Row("config_of", self.store.configs[row["config_hash"]]["document"])]
        if relation == "principal":
            return [self.store.one(row["requester_id"])]
        found = self.one(row, relation, {})
        return [found] if found else []

    def page(self, parent, declared, made, given):
        """One page of a connection."""
        relation = next(
            (one.instead for name, one in declared.arguments.items() if one.instead and given.get(name)), declared.relation
        )
        if relation == "search":
            rows = [Row("search_hit", found) for found in graph_search.hits(self, given["query"], given.get("kinds"))]
        elif relation == declared.relation:
            rows = self.many(parent, relation)
        else:
            rows = reached(self, parent, relation, given.get("kind"))
        target = source_of(get_named_type(get_named_type(made.type).fields["nodes"].type))
        if "where" in given and given["where"] is not None:
            where = get_named_type(made.args["where"].type)
            rows = [row for row in rows if self.holds(row, where, given["where"])]
        for name, argument in declared.arguments.items():
            value = given.get(name)
            if value is not None and argument.path == ("edge_kind",):
                rows = [row for row in rows if row.edge["kind"] == value]
        order = [(one["field"].lower(), one["direction"] == "DESC") for one in given.get("orderBy") or ()]
        order = order or default_order(parent.source, relation, target)
        listed, keys = ordered(self, rows, target, order, tie_of(parent.source, relation))
        return Page(listed, keys, given)

    def facets(self, rows, kind, *, by, limit=50):
        """How many rows have which value, the most frequent first."""
        counted = Counter(pair for row in rows for pair in FACETS[kind, by](self, row))
        order = sorted(
            counted.items(),
            key=lambda one: (-one[1], *((told is None, "" if told is None else told.encode()) for told in one[0])),
        )
        shown = order[: 50 if limit is None else limit]
        return [{"value": value, "node": self._node(identity), "count": count} for (value, identity), count in shown]

    def _node(self, identity):
        """The thing of an id, where it may be seen itself: a row's stack may show no more than its name."""
        found = self.store.one(identity)
        return found if found is not None and self.sees(found) else None

    # ── filters ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def holds(self, row, kind, where) -> bool:
        """Whether a row fulfils a filter."""
        return all(self._field(row, kind, name, value) for name, value in where.items())

    def _field(self, row, kind, name, value):
        if value is None:
            return True
        if name == "and":
            return all(self.holds(row, kind, one) for one in value)
        if name == "or":
            return any(self.holds(row, kind, one) for one in value)
        if name == "not":
            return not self.holds(row, kind, value)
        made = kind.fields[name]
        declared = made.extensions["strawberry-definition"].metadata[FILTERS]
        inner = get_named_type(made.type)
        if asks_nothing(declared, inner, value):
            return True
        rows = [row]
        for relation in declared.path:
            rows = [found for one in rows for found in self.related(one, relation)]
        return any(self._matches(one, declared, inner, value) for one in rows)

    def _matches(self, row, declared, inner, value):
        if declared.kind is Kind.NESTED:
            return self.holds(row, inner, value)
        if declared.kind is Kind.JSON:
            return json_holds(row.data.get(declared.column, {}), value)
        held = self.column(row, declared.column)
        match declared.kind:
            case Kind.TEXT | Kind.NUMBER:
                return all(compares(name, held, wanted) for name, wanted in value.items())
            case Kind.ONE_OF:
                return held in value
            case Kind.IS | Kind.FLAG:
                return held == value
            case Kind.HAS:
                return value in held
            case Kind.PRESENCE:
                return (held is not None) == value
            case Kind.PERIOD:
                return held.date().replace(day=1) in self.months(value)
            case Kind.SELECTOR:
                return all(labelled(held, one) for one in selectors.parse(value))


def asks_nothing(declared, inner, value):
    """Whether a condition asks nothing: everything in it is absent, or null where null asks nothing."""
    match declared.kind:
        case Kind.NESTED:
            return all(field_asks_nothing(inner, name, given) for name, given in value.items())
        case Kind.TEXT | Kind.NUMBER:
            return all(given is None and name != "eq" for name, given in value.items())
        case Kind.JSON:
            return "eq" not in value and value.get("isNull") is None
        case Kind.SELECTOR:
            return not value.strip()
    return False


def field_asks_nothing(kind, name, given):
    """The same for a field of a nested filter."""
    if given is None:
        return True
    if name in {"and", "or", "not"}:
        return False
    made = kind.fields[name]
    return asks_nothing(made.extensions["strawberry-definition"].metadata[FILTERS], get_named_type(made.type), given)


def compares(name, held, wanted):
    """One operator of a filter."""
    if name == "isNull":
        return wanted is None or (held is None) == wanted
    if wanted is None:
        return held is None if name == "eq" else True
    if isinstance(held, datetime):
        wanted = datetime.fromisoformat(wanted)
    if isinstance(held, Decimal) or (
        name in {"gt", "gte", "lt", "lte"} and isinstance(wanted, str) and not isinstance(held, datetime | type(None))
    ):
        wanted = Decimal(wanted)
    if name == "ne":
        return held != wanted
    if held is None:
        return False
    return {
        "eq": lambda: held == wanted,
        "in": lambda: held in wanted,
        "contains": lambda: ascii_lower(wanted) in ascii_lower(held),
        "startsWith": lambda: held.startswith(wanted),
        "gt": lambda: held > wanted,
        "gte": lambda: held >= wanted,
        "lt": lambda: held < wanted,
        "lte": lambda: held <= wanted,
    }[name]()


def ascii_lower(text):
    """Lower case as the collation C knows it."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def labelled(labels, requirement):
    """One requirement of a label selector."""
    held = labels.get(requirement.key)
    return {
        "includes": held is not None and held == requirement.values[0],
        "key_in": held is not None and held in requirement.values,
        "key_not_in": held not in requirement.values,
        "key_exists": requirement.key in labels,
        "key_absent": requirement.key not in labels,
    }[str(requirement.op)]


def json_holds(document, asked):
    """A filter on a JSON document."""
    held: Any = document
    for step in selectors.path(asked["path"]):
        if isinstance(held, dict):
            held = held.get(step)
        elif isinstance(held, list) and step.isdigit() and int(step) < len(held):
            held = held[int(step)]
        else:
            held = None
    secret = "$redacted" in json.dumps(held)
    results = []
    if asked.get("isNull") is not None:
        results.append(held is None if asked["isNull"] else held is not None and not secret)
    if "eq" in asked:
        results.append(
            held is None if asked["eq"] is None else held == asked["eq"] and type(held) is type(asked["eq"]) and not secret
        )
    return all(results)


def shown(value):
    """A column as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value


def declarations_name(name):
    """The graph's name of an argument."""
    return name


# ── facets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _plainly(column):
    """A value of the row itself."""
    return lambda _reader, row: [(None if row[column] is None else str(row[column]), None)]


def _thing(relation, column="name"):
    """A thing that the row leads to."""

    def pairs(reader, row):
        found = reader.one(row, relation, {})
        return [(found[column], found["id"]) if found else (None, None)]

    return pairs


def _of_stack(pairs):
    """What the row's stack has."""
    return lambda reader, row: pairs(reader, reader.one(row, "stack", {}))


def _category(reader, row):
    found = reader.one(row, "component", {})
    return [(found["category"] if found else None, None)]


FACETS = {
    ("ComponentInstance", "TYPE"): _plainly("type"),
    ("ComponentInstance", "COMPONENT"): _thing("component"),
    ("ComponentInstance", "CATEGORY"): _category,
    ("ComponentInstance", "STACK"): _thing("stack"),
    ("ComponentInstance", "TENANT"): _thing("tenant"),
    ("ComponentInstance", "ENVIRONMENT"): _of_stack(_thing("environment")),
    ("ComponentInstance", "REGION"): _of_stack(_plainly("region")),
    ("ComponentInstance", "TEAM"): _thing("team", "slug"),
    ("ComponentInstance", "STATE"): _plainly("state"),
    ("ComponentInstance", "COST_STATUS"): _plainly("cost_status"),
    ("Stack", "TENANT"): _thing("tenant"),
    ("Stack", "ENVIRONMENT"): _thing("environment"),
    ("Stack", "ACCOUNT"): _plainly("account"),
    ("Stack", "STAGE"): _plainly("stage"),
    ("Stack", "REGION"): _plainly("region"),
    ("Stack", "TEAM"): _thing("team", "slug"),
    ("Service", "CATEGORY"): _plainly("category"),
    ("Service", "LIFECYCLE"): _plainly("lifecycle"),
    ("Service", "TIER"): _plainly("tier"),
    ("Service", "TEAM"): _thing("owner", "slug"),
    ("Service", "TAG"): lambda _reader, row: [(tag, None) for tag in row["tags"]] or [(None, None)],
}


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Page:
    """One page of a list, and its parts by name."""

    def __init__(self, rows, keys, given):
        self.listed, count = rows, len(rows)
        cursors = [bare(key) for key in keys]
        low, high = 0, count
        after, before = given.get("after"), given.get("before")
        if after is not None:
            low = bisect(keys, after, inclusive=False)
        if before is not None:
            high = bisect(keys, before, inclusive=True)
        span = list(range(low, max(low, high)))
        last = given.get("last")
        if last is not None:
            kept = span[max(0, len(span) - last) :]
            self._next, self._previous = before is not None, len(span) > last
        else:
            size = 20 if given.get("first") is None else given["first"]
            kept = span[:size]
            self._next, self._previous = len(span) > size, after is not None
        self._rows = [rows[place] for place in kept]
        self._cursors = [cursors[place] for place in kept]

    def part(self, name):
        """A part of the connection, of its page info or of an edge."""
        match name:
            case "nodes":
                return self._rows
            case "edges":
                return [EdgeOf(row, cursor) for row, cursor in zip(self._rows, self._cursors, strict=True)]
            case "totalCount":
                return len(self.listed)
            case "pageInfo":
                return {
                    "hasNextPage": self._next,
                    "hasPreviousPage": self._previous,
                    "startCursor": self._cursors[0] if self._cursors else None,
                    "endCursor": self._cursors[-1] if self._cursors else None,
                }
        raise AssertionError(name)


class EdgeOf(Page):
    """One edge."""

    def __init__(self, row, cursor):
        self._row, self._cursor = row, cursor

    def part(self, name):
        """A field of the edge."""
        return {
            "node": self._row,
            "cursor": self._cursor,
            **{key: self._row.edge.get(key) for key in ("kind", "via", "location", "depth")},
        }[name]


def bare(key):
    """A cursor without its tag: the keys alone."""
    return json.dumps([plain_key(one[0]) for one in key])


def plain_key(value):
    """A sort key as JSON."""
    if isinstance(value, datetime):
        return (value - EPOCH) // (datetime.resolution)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value


def decoded(cursor):
    """A compiled cursor without its tag, comparable with a bare one."""

    def canonical(value):
        return (
            format(Decimal(value).normalize(), "f") if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value) else value
        )

    return json.dumps([canonical(one) for one in json.loads(bytes.fromhex(cursor[16:]))])


def bisect(keys, cursor, *, inclusive):
    """How many rows stand ahead of (or at) a cursor."""
    wanted = json.loads(decoded(cursor))

    def ahead(key):
        for (value, descending), other in zip(key, wanted, strict=True):
            mine, bound = plain_key(value), other
            if isinstance(value, Decimal):
                mine, bound = Decimal(mine), Decimal(other)
            if mine != bound:
                return (mine < bound) != descending
        return not inclusive

    return sum(1 for key in keys if ahead(key))


def ordered(reader, rows, target, order, tie):
    """Rows in order, and their keys: (value, descending) each."""

    def keys(row):
        made = []
        for name, descending in order:
            for value, fixed, natural in KEYS.get((target, name), lambda _reader, row, name=name: [(row[name], False, False)])(
                reader, row
            ):
                made.append((value, natural if fixed else natural != descending))
        turned = bool(order) and order[-1][1]
        return made + [(value, turned) for value in tie(row)]

    def compare(one, other):
        for (mine, descending), (theirs, _) in zip(one[0], other[0], strict=True):
            if mine != theirs:
                return -1 if (mine < theirs) != descending else 1
        return 0

    listed = sorted(((keys(row), row) for row in rows), key=functools.cmp_to_key(compare))
    return [row for _, row in listed], [key for key, _ in listed]


NAMED = {"rows": "ids", "kpis": "name"}  # what stands for an id, in lists of things that have none


def tie_of(source, relation):
    """What makes the order of a list unique."""
    if relation in {"depends_on", "dependents"}:
        return lambda row: [row["id"], row.edge["via"]]
    if relation in {
        "values",
        "affected",
        "log",
        "inputs",
        "outputs",
        "providers",
        "modules",
        "sources",
        "reasons",
        "validations",
        "steps",
        "files",
        "levels",
        "verdicts",
        "links",
        "checks",
        "approvals",
        "grants",
        "imports",
        "audit",
        "audit_log",
        "applications",
        "items",
        "by_month",
        "keys",
        "allocations",
        "trend",
        "charges",
        "cost_history",
    }:
        return lambda row: []
    if (source, relation) == ("service", "components"):
        return lambda row: []
    if relation in NAMED:
        return lambda row: [row[NAMED[relation]]]
    return lambda row: [row["id"]]


def default_order(source, relation, target):
    """The order of a list when none is asked for."""
    if (source, relation) == ("manifest", "imports"):
        return [("import_ordinal", False)]
    if relation in {"all_depends_on", "all_dependents"}:
        return [("depth", False), ("name", False)]
    if relation == "cost_history":
        return [("latest", False)]
    return DEFAULTS.get(target, [("name", False)])


DEFAULTS = {
    "search_hit": [("best", False)],
    "team": [("slug", False)], "service": [("slug", False)], "index_run": [("started_at", False)], "diagnostic": [("place", False)],
    "change": [("at", False)], "manifest": [("path", False)], "value_change": [("n", False)], "affected_instance": [("n", False)],
    "log_line": [("sequence", False)], "provisioning_request": [("latest", False)], "access_token": [("created_at", False)],
    "component_input": [("n", False)], "component_output": [("n", False)], "provider_requirement": [("n", False)],
    "ownership_count": [("n", False)], "unowned_count": [("n", False)], "module_call": [("n", False)], "input_validation": [("n", False)],
    "workflow_step": [("n", False)], "rendered_file": [("n", False)], "plan_level": [("n", False)], "policy_verdict": [("n", False)],
    "link": [("n", False)], "scorecard_check": [("n", False)], "service_component": [("ordinal", False)], "request_step": [("ordinal", False)],
    "approval": [("at", False)], "grant": [("id", False)], "policy_evaluation": [("latest", False)], "audit_event": [("latest", False)],
}  # fmt: skip


def nullable(value, zero):
    """The two keys of a column that may be null: unknown comes last either way."""
    return [(value is None, True, False), (zero if value is None else value, False, False)]


KEYS = {
    ("policy", "name"): lambda _r, row: [(row["package"], False, False), (row["name"], False, False)],
    ("policy_evaluation", "latest"): lambda _r, row: [(row["evaluated_at"], False, True)],
    ("audit_event", "latest"): lambda _r, row: [(row["sequence"], False, True)],
    ("application", "name"): lambda _r, row: [(row["name"], False, False), (row["id"], False, False)],
    ("search_hit", "best"): lambda _r, row: [(row["rank"], False, False), (row["name"], False, False)],
    ("index_run", "started_at"): lambda _r, row: [(row["started_at"], False, True)],
    ("access_token", "created_at"): lambda _r, row: [(row["created_at"], False, True)],
    ("change", "at"): lambda _r, row: [(row["at"], False, True)],
    ("provisioning_request", "latest"): lambda _r, row: [(row["created_at"], False, True)],
    ("diagnostic", "place"): lambda _r, row: [
        (row["file"] is None, False, False),
        (row["file"] or "", False, False),
        (row["line"] or 0, False, False),
    ],
    ("workflow", "name"): lambda _r, row: [(row["name"], False, False), (row["file"], False, False)],
    ("manifest", "import_ordinal"): lambda _r, row: [(row.edge["ordinal"], False, False)],
    ("approval", "at"): lambda _r, row: [(row["at"], False, False), (row["id"], False, False)],
    ("stack", "instances"): lambda r, row: [(counted(r, "stack_id", row), False, False)],
    ("component", "instances"): lambda r, row: [(counted(r, "component_id", row), False, False)],
    ("stack", "monthly_cost"): lambda r, row: [(r.total(r.store.where("component_instance", stack_id=row["id"])), False, False)],
    ("component", "monthly_cost"): lambda r, row: [
        (r.total(r.store.where("component_instance", component_id=row["id"])), False, False)
    ],
    ("team", "monthly_cost"): lambda r, row: [(r.total(r.store.where("component_instance", team_id=row["id"])), False, False)],
    ("service", "monthly_cost"): lambda r, row: [(r.total(of_service(r, row)), False, False)],
    ("component_instance", "depth"): lambda _r, row: [(row.edge["depth"], False, False)],
    ("component_instance", "monthly_cost"): lambda _r, row: nullable(row["monthly"], Decimal(0)),
    ("component_instance", "stack"): lambda r, row: [(r.store.one(row["stack_id"])["name"], False, False)],
    ("component", "category"): lambda _r, row: nullable(row["category"], ""),
    ("service", "category"): lambda _r, row: nullable(row["category"], ""),
    ("service", "tier"): lambda _r, row: nullable(row["tier"], 0),
}


def counted(reader, key, row):
    """How many instances in sight hang on a row."""
    return sum(
        1 for one in reader.store.where("component_instance", **{key: row["id"]}) if one["removed_at"] is None and reader.sees(one)
    )


def of_service(reader, row):
    """The component instances of a service."""
    made = {one["id"] for one in reader.store.where("service_instance", service_id=row["id"])}
    found = {one["instance_id"] for one in reader.store.rows["service_instance_component"] if one["service_instance_id"] in made}
    return [reader.store.one(one) for one in found]


def service_budget(reader, row):
    """What a service may cost, for its team and for admins."""
    return row["budget"] if reader.scope.is_admin or row["owner_id"] in reader.own_teams else None


def request_schema(reader, row):
    """What a request for a service may set: the variables of each of its parts in sight."""
    properties = {}
    for part in sorted(reader.store.where("service_component", service_id=row["id"]), key=lambda one: one["ordinal"]):
        component = reader.store.one(part["component_id"])
        if component is None or component["removed_at"] is not None or not reader.sees(component) or part["name"] in properties:
            continue
        schema = {name: value for name, value in component["input_schema"].items() if name not in ("required", "$schema")}
        said = {"title": component["title"] or component["name"], "description": part["role"] or component["description"]}
        properties[part["name"]] = schema | {name: value for name, value in said.items() if value is not None}
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "title": row["title"],
        "additionalProperties": False,
        "properties": properties,
    }
    return as_postgres_orders(made)


def as_postgres_orders(value):
    """A JSON value with its keys as jsonb keeps them: by length, then by bytes."""
    if isinstance(value, list):
        return [as_postgres_orders(one) for one in value]
    if isinstance(value, dict):
        return {key: as_postgres_orders(value[key]) for key in sorted(value, key=lambda key: (len(key.encode()), key.encode()))}
    return value


def of_service_instance(reader, row):
    """The component instances of a service instance."""
    return [
        reader.store.one(one["instance_id"])
        for one in reader.store.where("service_instance_component", service_instance_id=row["id"])
    ]


# ── derived columns and relations ────────────────────────────────────────────────────────────────────────────────────


def last_run(reader, row, *states):
    """The latest run of an estate; of given states: that its rows are from."""
    runs = reader.store.where("index_run", estate_id=row["id"])
    found = [one for one in runs if not states or (one["state"] in states and not one["backfill"])]
    return max(found, key=lambda one: (one["started_at"], one["id"])) if found else None


def remote(reader, row, name):
    """What polling knows of an estate's remote."""
    found = reader.store.where("estate_remote", estate_id=row["id"])
    return found[0][name] if found else None


def elements(source, listed):
    """The elements of a JSON array as rows."""
    return [
        Row(
            source,
            {
                "default": None,
                "description": None,
                "type": "any",
                "required": False,
                "sensitive": False,
                "nullable": True,
                "deprecated": None,
                "tool": None,
                "command": None,
                "stack": None,
                "source": None,
                "version": None,
                **one,
                "n": place + 1,
            },
        )
        for place, one in enumerate(listed or ())
    ]


def neighbours(reader, row):
    """How many neighbours are out of sight."""
    ends = {one["target_id"] for one in reader.store.where("dependency", source_id=row["id"])} | {
        one["source_id"] for one in reader.store.where("dependency", target_id=row["id"])
    }
    return sum(1 for end in map(reader.store.one, ends) if end["removed_at"] is None and not reader.sees(end))


def edges(reader, row, here, there):
    """Dependencies with their edges."""
    return [reader.end(row, one, there, 1) for one in reader.store.where("dependency", **{here: row["id"]})]


def edge(reader, one, there, depth):
    """The instance at one end of a dependency, reached by it."""
    target = reader.store.one(one[there])
    location = reader.location(one["file"], one["line"], one["column"], target["estate_id"])
    return Row("component_instance", target.data, {"kind": one["kind"], "via": one["via"], "location": location, "depth": depth})


def apply_order(reader, row):
    """The order of a stack, by Python's own sorter; it goes on as far as cycles let it."""
    deployed = [
        one
        for one in reader.store.where("component_instance", stack_id=row["id"], removed_at=None, abstract=False, enabled=True)
        if reader.sees(one)
    ]
    deployed.sort(key=lambda one: (one["name"], one["id"]))
    known = {one["id"] for one in deployed}
    needs = {
        one["id"]: sorted({found["target_id"] for found in reader.store.where("dependency", source_id=one["id"])} & known)
        for one in deployed
    }
    sorter, levels = graphlib.TopologicalSorter(needs), []
    with contextlib.suppress(graphlib.CycleError):
        sorter.prepare()
    while ready := sorter.get_ready():
        levels.append([one for one in deployed if one["id"] in ready])
        sorter.done(*ready)
    rings = [[reader.store.one(one)["name"] for one in ring] for ring in rings_of(needs)]
    return {"levels": levels, "truncated": False, "cycles": rings}


def rings_of(needs):
    """A shortest ring through the first thing of each set of things that need each other."""
    told, rings = set(), []
    for start in needs:
        ways = {start: [start]}
        for thing in (queue := [start]):
            for other in needs[thing]:
                if other not in ways:
                    ways[other] = [*ways[thing], other]
                    queue.append(other)
        if start not in told and (closing := [way for thing, way in ways.items() if start in needs[thing]]):
            rings.append(closing[0])
            told |= {thing for way in closing for thing in way}
            told |= {thing for thing in ways if leads_to(needs, thing, start)}
    return rings


def leads_to(needs, thing, end):
    """Whether one thing needs another, in any number of steps."""
    known = {thing}
    for one in (queue := [thing]):
        queue += [other for other in needs[one] if other not in known]
        known |= set(needs[one])
    return end in known


def reached(reader, row, relation, kind):
    """What is reached in any number of steps, breadth first, each instance by the first edge that leads to it."""
    here, there = {"all_depends_on": ("source_id", "target_id"), "all_dependents": ("target_id", "source_id")}[relation]
    found, known, frontier, depth = [], {row["id"]}, {row["id"]}, 0
    while frontier:
        depth += 1
        ways = [one for one in reader.ways(row) if one[here] in frontier and kind in (None, one["kind"])]
        frontier = set()
        for one in sorted(ways, key=lambda one: (one[there], one["via"], one[here])):
            end = reader.end(row, one, there, depth)
            if end is not None and end["id"] not in known and end["removed_at"] is None and reader.sees(end):
                known.add(end["id"])
                frontier.add(end["id"])
                found.append(end)
    return found


def currency_of(reader, organization_id, given):
    """The currency of a summary."""
    return given.get("currency") or reader.store.one(organization_id)["currency"]


def spanning(reader, row):
    """The stacks made of a manifest, directly or by imports."""
    reached, queue = set(), [row["id"]]
    while queue:
        manifest = queue.pop()
        if manifest not in reached:
            reached.add(manifest)
            queue += [one["manifest_id"] for one in reader.store.where("manifest_import", imported_id=manifest)]
    return [one for one in reader.store.rows["stack"] if one["manifest_id"] in reached]


def amount(value, currency):
    """Money, where there is an amount."""
    return None if value is None else Row("money", {"amount": Decimal(value), "currency": currency})


def money_in(document, name):
    """Money of a document."""
    found = (document or {}).get(name)
    return amount(found["amount"], found["currency"]) if found else None


ROLES = [str(role) for role in Role]


def stuck(reader, row):
    """Whether a request should move and doesn't."""
    heard = [row["updated_at"], *(one["at"] for one in reader.store.where("log_line", request_id=row["id"]))]
    moving = {"PENDING", "PREVIEWING", "PLANNING", "APPROVED", "PROVISIONING", "DEPLOYING"}
    silent = max(heard) < datetime.now(UTC) - timedelta(minutes=10)
    return row["state"] == "APPLY_UNKNOWN" or (row["state"] in moving and silent)


def compliance(reader, row):
    """The share of instances whose last verdict passed."""
    last = {}
    for one in sorted(reader.store.where("policy_evaluation", policy_id=row["id"]), key=lambda one: one["id"], reverse=True):
        known = last.get(one["instance_id"])
        if one["instance_id"] is not None and reader.sees(one) and (known is None or known["evaluated_at"] <= one["evaluated_at"]):
            last[one["instance_id"]] = one
    return sum(one["passed"] for one in last.values()) / len(last) if last else None


def read_only_reason(_reference, row):
    if row["writable"]:
        return None
    if row["kind"] == "directory":
        return "a plain directory is read as it lies there and never written"
    return "its registration says that nothing is written"


COLUMNS = {
    ("estate", "repository"): lambda _r, row: row["url"] or row["path"],
    ("estate", "revision"): lambda r, row: (last_run(r, row, "SUCCEEDED") or {"revision": None})["revision"],
    ("estate", "indexed_at"): lambda r, row: (last_run(r, row, "SUCCEEDED") or {"finished_at": None})["finished_at"],
    ("estate", "read_only_reason"): read_only_reason,
    ("estate", "remote_asked_at"): lambda r, row: remote(r, row, "asked_at"),
    ("estate", "remote_revision"): lambda r, row: remote(r, row, "revision"),
    ("estate", "remote_error"): lambda r, row: remote(r, row, "error"),
    ("policy", "compliance"): compliance,
    ("provisioning_request", "stuck"): stuck,
    ("diagnostic", "docs_url"): lambda _r, row: f"/diagnostics#{row['code']}",
    ("person", "email"): lambda r, row: row["email"] if r.scope.is_admin or row["team_id"] in r.own_teams else None,
    ("principal", "roles"): lambda r, row: sorted({one["role"] for one in r.store.where("grant", principal_id=row["id"])}, key=ROLES.index),
    ("component_instance", "hidden_dependencies"): neighbours,
    ("provisioning_request", "requester"): lambda r, row: r.store.one(row["requester_id"])["name"],
    ("provisioning_request", "lead_time"): lambda _r, row: None if row["finished_at"] is None else round((row["finished_at"] - row["created_at"]).total_seconds()),
    ("provisioning_request", "mine"): lambda r, row: row["requester_id"] == r.scope.principal_id,
    ("provisioning_request", "decidable"): lambda r, row: r.decidable(row),
    ("approval", "by"): lambda r, row: r.store.one(row["principal_id"])["name"],
    ("affected_instance", "stack_name"): lambda _r, row: row["stackName"],
    ("affected_instance", "component_type"): lambda _r, row: row["componentType"],
    ("affected_instance", "component_name"): lambda _r, row: row["componentName"],
    ("preview_document", "unknown_instances"): lambda _r, row: row["unknownInstances"],
    ("preview_document", "requires_approval"): lambda _r, row: row["requiresApproval"],
    ("preview_document", "may_approve"): lambda _r, row: row["mayApprove"],
    ("plan_level", "resource_types"): lambda _r, row: row["resourceTypes"],
    ("service", "request_schema"): request_schema,
}  # fmt: skip
CHECKED = {
    ("policy_evaluation", "instance"), ("policy_evaluation", "request"),
    ("stack", "environment"), ("change", "instance"), ("change", "previous"), ("service_component", "component"),
    ("service_instance", "registered_by"), ("provisioning_request", "service"), ("provisioning_request", "environment"),
}  # fmt: skip


def budget_of(reader, row):
    """A budget, for those whose it is and for admins."""
    own = reader.own_teams if row.source == "team" else reader.own_tenants
    return row["budget"] if reader.scope.is_admin or row["id"] in own else None


def ownership(reader, row, _given):
    """An owner with its evidence."""
    if row["team_id"] is None or row["owner_source"] is None:
        return None
    return Row("ownership", {"row": row, "source": row["owner_source"], "value": row["owner_value"]})


def unowned(reader, row, given):
    """Why a row has no owner."""
    if ownership(reader, row, given):
        return None
    reason = "NO_EVIDENCE" if row["owner_source"] is None else "UNKNOWN_OWNER"
    return Row("unowned", {"row": row, "reason": reason, "source": row["owner_source"], "value": row["owner_value"]})


def coverage(source):
    """How many rows of an estate have an owner, by source, and why the others have none."""

    def rule(reader, row, given):
        rows = [one for one in reader.store.where(source, estate_id=row["id"], removed_at=None) if reader.sees(one)]
        rows = [one for one in rows if not one.get("abstract")]
        owned = Counter(one["owner_source"] for one in rows if ownership(reader, one, given))
        lacking = [unowned(reader, one, given) for one in rows if not ownership(reader, one, given)]
        reasons = Counter((one["reason"], one["source"], one["value"]) for one in lacking)
        order = sorted(reasons, key=lambda one: (-reasons[one], one[0], one[1] is not None, one[1], one[2] is not None, one[2]))
        return Row(
            "ownership_coverage",
            {
                "total": len(rows),
                "owned": sum(owned.values()),
                "unowned": len(rows) - sum(owned.values()),
                "sources": [{"source": one, "count": owned[one]} for one in map(str, records.OwnershipSource) if owned[one]],
                "reasons": [{"reason": one[0], "source": one[1], "value": one[2], "count": reasons[one]} for one in order[:100]],
            },
        )

    return rule


ONES = {
    ("", "estate"): lambda r, row, _g: r.store.one(row["estate_id"]),
    ("", "ownership"): ownership,
    ("", "unowned"): unowned,
    ("unowned", "location"): lambda r, row, _g: r.location(row["row"]["owner_file"], row["row"]["owner_line"], None, row["row"]["estate_id"]),
    ("estate", "stack_ownership"): coverage("stack"),
    ("estate", "instance_ownership"): coverage("component_instance"),
    ("", "cost_estimate"): lambda r, row, _g: r.store.one(row["cost_estimate_id"]),
    ("ownership", "team"): lambda r, row, _g: r.store.one(row["row"]["team_id"]),
    ("ownership", "location"): lambda r, row, _g: r.location(row["row"]["owner_file"], row["row"]["owner_line"], None, row["row"]["estate_id"]),
    ("estate", "last_run"): lambda r, row, _g: last_run(r, row),
    ("diagnostic", "location"): lambda r, row, _g: r.location(row["file"], row["line"], row["column"], row["estate_id"]),
    ("team", "budget"): lambda r, row, _g: amount(budget_of(r, row), row["budget_currency"]),
    ("team", "location"): lambda r, row, _g: r.location(row["file"], row["line"]),
    ("service", "location"): lambda r, row, _g: r.location(row["file"], row["line"]),
    ("tenant", "budget"): lambda r, row, _g: amount(budget_of(r, row), row["budget_currency"]),
    ("service", "computed_cost_estimate"): lambda r, row, _g: r.store.one(row["computed_cost_estimate_id"]),
    ("service", "budget"): lambda r, row, _g: amount(service_budget(r, row), row["budget_currency"]),
    ("service", "scorecard"): lambda r, row, _g: Row("scorecard", scorecard_model.card(r, row)),
    ("team", "scorecard"): lambda r, row, _g: Row("scorecard", scorecard_model.card(r, row)),
    ("component_instance", "locked_by"): lambda r, row, _g: next((one for one in r.store.where("provisioning_request", instance_id=row["id"]) if one["state"] not in FINAL and r.sees(one)), None),
    ("provisioning_request", "service_instance"): lambda r, row, _g: next((one for one in r.store.where("service_instance", registered_by_id=row["id"]) if r.sees(one)), None),
    ("provisioning_request", "preview"): lambda _r, row, _g: row["preview"] and Row("preview_document", row["preview"] | {"team_id": row["team_id"]}),
    ("provisioning_request", "plan"): lambda _r, row, _g: row["plan"] and Row("plan", row["plan"]),
    ("preview_document", "cost_before"): lambda _r, row, _g: money_in(row.data, "costBefore"),
    ("preview_document", "cost_after"): lambda _r, row, _g: money_in(row.data, "costAfter"),
    ("preview_document", "cost_delta"): lambda _r, row, _g: money_in(row.data, "costDelta"),
    ("plan", "cost_delta"): lambda _r, row, _g: money_in(row.data, "costDelta"),
    ("plan", "cost_ceiling"): lambda _r, row, _g: money_in(row.data, "costCeiling"),
    ("affected_instance", "instance"): lambda r, row, _g: (found := r.store.one(row["instanceId"])) and (found if r.sees(found) else None),
}  # fmt: skip


def linked(source, key, parent_key="id"):
    """Rows of a source whose key names the parent."""
    return lambda r, row: r.store.where(source, **{key: row[parent_key]})


ROOTS = {
    "estates": "estate", "organizations": "organization", "tenants": "tenant", "environments": "environment", "teams": "team",
    "services": "service", "service_instances": "service_instance", "components": "component", "stacks": "stack",
    "component_instances": "component_instance", "workflows": "workflow", "diagnostics": "diagnostic", "changes": "change",
    "provisioning_requests": "provisioning_request", "policies": "policy", "audit_log": "audit_event", "principals": "principal", "access_tokens": "access_token",
}  # fmt: skip
MANY = {("query", name): (lambda r, _row, source=source: r.store.rows[source]) for name, source in ROOTS.items()} | {
    ("estate", "runs"): linked("index_run", "estate_id"),
    ("estate", "diagnostics"): linked("diagnostic", "estate_id"),
    ("estate", "manifests"): linked("manifest", "estate_id"),
    ("index_run", "diagnostics"): linked("diagnostic", "run_id"),
    ("index_run", "changes"): linked("change", "run_id"),
    ("change", "values"): lambda _r, row: elements("value_change", row["values"]),
    ("manifest", "imports"): lambda r, row: [Row("manifest", r.store.one(one["imported_id"]).data, {"ordinal": one["ordinal"]}) for one in r.store.where("manifest_import", manifest_id=row["id"])],
    ("manifest", "imported_by"): lambda r, row: [r.store.one(one) for one in {found["manifest_id"] for found in r.store.where("manifest_import", imported_id=row["id"])}],
    ("manifest", "stacks"): spanning,
    ("workflow", "steps"): lambda _r, row: elements("workflow_step", row["steps"]),
    ("ownership_coverage", "sources"): lambda _r, row: elements("ownership_count", row["sources"]),
    ("ownership_coverage", "reasons"): lambda _r, row: elements("unowned_count", row["reasons"]),
    ("stack", "instances"): linked("component_instance", "stack_id"),
    ("component", "inputs"): lambda _r, row: elements("component_input", row["inputs"]),
    ("component", "modules"): lambda _r, row: elements("module_call", row["modules"]),
    ("component_input", "validations"): lambda _r, row: elements("input_validation", row.data.get("validations")),
    ("component", "outputs"): lambda _r, row: elements("component_output", row["outputs"]),
    ("component", "providers"): lambda _r, row: elements("provider_requirement", row["providers"]),
    ("component", "instances"): linked("component_instance", "component_id"),
    ("component", "services"): lambda r, row: [one for one in r.store.rows["service"] if any(part["component_id"] == row["id"] for part in r.store.where("service_component", service_id=one["id"]))],
    ("component_instance", "depends_on"): lambda r, row: edges(r, row, "source_id", "target_id"),
    ("component_instance", "dependents"): lambda r, row: edges(r, row, "target_id", "source_id"),
    ("component_instance", "history"): lambda r, row: [one for one in r.store.rows["change"] if row["id"] in (one["instance_id"], one["previous_id"])],
    ("component_instance", "policy_evaluations"): linked("policy_evaluation", "instance_id"),
    ("provisioning_request", "policy_evaluations"): linked("policy_evaluation", "request_id"),
    ("provisioning_request", "audit"): linked("audit_event", "subject_id"),
    ("service_instance", "applications"): linked("application", "service_instance_id"),
    ("component_instance", "requests"): linked("provisioning_request", "instance_id"),
    ("organization", "tenants"): linked("tenant", "organization_id"),
    ("organization", "teams"): linked("team", "organization_id"),
    ("tenant", "stacks"): linked("stack", "tenant_id"),
    ("environment", "stacks"): linked("stack", "environment_id"),
    ("environment", "service_instances"): linked("service_instance", "environment_id"),
    ("team", "members"): linked("person", "team_id"),
    ("team", "services"): linked("service", "owner_id"),
    ("team", "stacks"): linked("stack", "team_id"),
    ("team", "instances"): linked("component_instance", "team_id"),
    ("team", "requests"): linked("provisioning_request", "team_id"),
    ("service", "links"): lambda _r, row: elements("link", row["links"]),
    ("scorecard", "checks"): lambda _r, row: elements("scorecard_check", row["checks"]),
    ("service", "components"): linked("service_component", "service_id"),
    ("service", "instances"): linked("service_instance", "service_id"),
    ("service_instance", "component_instances"): of_service_instance,
    ("provisioning_request", "approvals"): linked("approval", "request_id"),
    ("provisioning_request", "steps"): linked("request_step", "request_id"),
    ("request_step", "log"): lambda r, row: r.store.where("log_line", request_id=row["request_id"], ordinal=row["ordinal"]),
    ("preview_document", "files"): lambda _r, row: elements("rendered_file", row["files"]),
    ("preview_document", "affected"): lambda _r, row: elements("affected_instance", row["affected"]),
    ("preview_document", "verdicts"): lambda _r, row: elements("policy_verdict", row["verdicts"]),
    ("plan", "levels"): lambda _r, row: elements("plan_level", row["levels"]),
    ("principal", "member_of"): lambda r, row: [r.store.one(one["team_id"]) for one in r.store.where("team_member", principal_id=row["id"])],
    ("principal", "grants"): linked("grant", "principal_id"),
    ("grant", "teams"): lambda r, row: None if row["teams"] is None else [r.store.one(one) for one in row["teams"]],
    ("grant", "tenants"): lambda r, row: None if row["tenants"] is None else [r.store.one(one) for one in row["tenants"]],
}  # fmt: skip
COMPUTED = {("Stack", "applyOrder"): apply_order}
DECLARED_PATH = {"layer": "layer"}
PREFIXES = defaultdict(str, {prefix: kind for kind, prefix in ID_PREFIXES.items()})
