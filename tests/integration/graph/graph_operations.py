"""Random operations of the graph, the same for the same seed: nesting, aliases, duplicate keys, fragments, @skip and @include, variables,
literals and defaults mixed, pages in every direction, filters, orders.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_union_type,
    parse_type,
    type_from_ast,
)

from catalog.graph.schema import graphql_schema

SCHEMA = graphql_schema()
TEXTS = (
    "vpc",
    "rds",
    "dns",
    "twin",
    "web",
    "payments",
    "shop",
    "prod",
    "dev",
    "acme",
    "plat",
    "core",
    "eu-west-2",
    "a",
    "",
    "The shop",
    'q"\\',
    "é",
)
SEARCHES = (
    "vpc",
    "VPC prod",
    "shop",
    "pay",
    "paymets",
    "twin rds",
    "plat vpc",
    "tennant",
    '"The shop"',
    "dev",
    "acme",
    "c",
    "vpc-1",
    "aplly componet",
    "web data",
    "1",
    'q"\\ é',
    "",
    "networkng",
)
SELECTORS = ("tier=web", "tier!=web", "!legacy", "legacy", "tier in (web, data),c=vpc", "tier notin (web)", "c=vpc,tier=data", "")
PATHS = ("cidr", "list[0].port", 'tags["a.b"]', "n", "missing.deep", "spacelift.enabled", "secret", "list")
JSONS = ("10.1.0.0/16", 443, "c", True, False, {"$redacted": "abc"}, [{"port": 80}], None)
PERIODS = (
    {"from": "2026-01-01", "to": "2026-02-01"},
    {"from": "2026-01-31", "to": "2026-03-02"},
    {"from": "2026-02-15", "to": "2026-02-16"},
    {"from": "2025-11-30", "to": "2026-04-01"},
    {"from": "2026-03-01", "to": "2026-03-01"},  # refused
)
TIMES = ("2026-01-01T12:05:00Z", "2026-01-01T12:10:00.5+00:00", "2026-01-01T14:00:00+02:00")
POSITIONS = (
    *({"run": run} for run in ("run_0000", "run_0001", "run_0002", "run_0101", "run_0100", "run_side", "run_late", "run_far")),
    *({"revision": revision} for revision in ("0" * 40, "0101010", "0" * 7, "0" * 7 + "A", "10101010", "ffffffff", "0202020")),
    *({"time": f"2026-01-01T{time}Z"} for time in ("11:00:00", "12:00:00", "12:01:30", "12:30:00", "13:30:00")),
    {"run": None, "time": "2026-01-01T12:02:00Z"},
)
GROUPS = (
    *([one] for one in ("ORGANIZATION", "TENANT", "TEAM", "SERVICE", "ENVIRONMENT", "ACCOUNT", "STACK", "CATEGORY", "MONTH")),
    ["TEAM", "MONTH"], ["SERVICE", "MONTH"], ["TENANT", "CATEGORY"], ["COST_CENTER", "REGION", "MONTH"], ["COMPONENT", "TEAM"],
    ["TEAM", "TEAM"],  # refused
)  # fmt: skip
ROOTS_LEFT_OUT = {"affected", "previewProvisioning", "replayDecision", "rateLimit", "__schema", "__type"}


@dataclass
class Made:
    """An operation: its text, its variables, and other values for them."""

    document: str
    variables: dict[str, Any]
    cursors: list[str] = field(default_factory=list)


class Generator:
    """Makes operations out of a seed; `ids` and `cursors` are what exists."""

    left_out = frozenset({"ComponentInstance.provenance"})  # what needs the estate's files themselves

    def __init__(self, seed: int, ids: list[str], cursors: dict[str, list[str]] | None = None) -> None:
        self.random = random.Random(seed)
        self.ids = ids
        self.cursors = cursors or {}
        self.variables: dict[str, tuple[str, Any, str]] = {}
        self.fragments: dict[str, str] = {}
        self.aliases = 0
        self.directives = 0

    def operation(self) -> Made:
        """Make one operation."""
        body = self._roots()
        declared = ", ".join(f"${name}: {kind}{default}" for name, (kind, _, default) in self.variables.items())
        fragments = "\n".join(self.fragments.values())
        text = f"query Q{f'({declared})' if declared else ''} {{ {body} }}\n{fragments}"
        given = {name: value for name, (_, value, _) in self.variables.items() if value is not ABSENT}
        return Made(document=text, variables=given)

    def others(self) -> dict[str, Any]:
        """Other values for the variables of the operation: its plan may serve them, or not."""
        made = {}
        for name, (kind, value, _) in self.variables.items():
            parsed = type_from_ast(SCHEMA, parse_type(kind))
            is_cursor = isinstance(value, str) and any(value in known for known in self.cursors.values())
            if kind == "Int" or is_cursor or isinstance(value, list) or (kind in {"String", "ID"} and self.random.random() < 0.5):
                made[name] = value
            elif kind != "String" or value is not ABSENT:
                made[name] = self._input_value(parsed, 2)
            if made.get(name) is ABSENT:
                del made[name]
        return made

    # ── selections ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _roots(self) -> str:
        query = SCHEMA.query_type
        names = [name for name in query.fields if name not in ROOTS_LEFT_OUT]
        depth = self.random.randint(2, 5)
        return " ".join(
            self._field(query, self.random.choice(names), depth, "r") for _ in range(self.random.choice((1, 1, 1, 2, 3)))
        )

    def _field(self, kind, name: str, depth: int, tag: str) -> str:
        made = kind.fields[name]
        alias = ""
        if made.args or self.random.random() < 0.05:
            # A key that says where it stands never merges with another field's arguments.
            self.aliases += 1
            alias = f"k{self.aliases}{tag}: "
        arguments = self._arguments(made, f"{kind.name}.{name}")
        inner = get_named_type(made.type)
        directive = self._directive()
        if is_leaf_type(inner):
            return f"{alias}{name}{arguments}{directive}"
        return f"{alias}{name}{arguments}{directive} {{ {self._selection(inner, depth - 1)} }}"

    def _selection(self, kind, depth: int) -> str:
        if is_abstract_type(kind):
            possible = self.random.sample(list(SCHEMA.get_possible_types(kind)), self.random.randint(0, 3))
            own = [] if is_union_type(kind) else ["id"]
            parts = ["__typename", *own, *(f"... on {one.name} {{ {self._selection(one, depth)} }}" for one in possible)]
            self.random.shuffle(parts)
            return " ".join(parts)
        leaves = [name for name, made in kind.fields.items() if is_leaf_type(get_named_type(made.type))]
        inner = [name for name in kind.fields if name not in leaves and f"{kind.name}.{name}" not in self.left_out]
        count = min(len(leaves), self.random.randint(1, 5))
        parts = self.random.sample(leaves, count)
        if self.random.random() < 0.15:
            parts.append("__typename")
        if self.random.random() < 0.1 and leaves:
            parts.append(self.random.choice(leaves))  # a duplicate key
        if inner and (depth > 0 or not parts):
            for name in self.random.sample(inner, min(len(inner), self.random.choice((1, 1, 2)))):
                if self._allowed(kind.fields[name], depth):
                    parts.append(self._field(kind, name, depth, ""))
        self.random.shuffle(parts)
        if not parts:
            return "__typename"
        return self._wrapped(kind, parts)

    def _allowed(self, made, depth: int) -> bool:
        inner = get_named_type(made.type)
        deep = not is_leaf_type(inner) and depth <= 0 and not inner.name.endswith(("PageInfo", "Money"))
        return not (deep and inner.name not in {"PageInfo", "Money", "SourceLocation"}) and self.aliases < 13

    def _wrapped(self, kind, parts: list[str]) -> str:
        chance = self.random.random()
        if chance < 0.1:
            return f"... on {kind.name}{self._directive()} {{ {' '.join(parts)} }}"
        if chance < 0.2 and len(self.fragments) < 4:
            name = f"F{len(self.fragments)}"
            self.fragments[name] = ""  # its place, while it is being written
            self.fragments[name] = f"fragment {name} on {kind.name} {{ {' '.join(parts)} }}"
            return f"...{name}"
        if chance < 0.25 and "id" in kind.fields and kind.interfaces:
            return f"... on Node {{ id }} {' '.join(parts)}"
        return " ".join(parts)

    def _directive(self) -> str:
        if self.random.random() > 0.06 or self.directives > 12:
            return ""
        self.directives += 1
        name = self.random.choice(("skip", "include"))
        value = (
            self._variable("Boolean!", self.random.random() < 0.5)
            if self.random.random() < 0.6
            else self.random.choice(("true", "false"))
        )
        return f" @{name}(if: {value})"

    # ── arguments ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _arguments(self, made, place: str) -> str:
        given: dict[str, str] = {}
        names = set(made.args)
        if "first" in names:
            given |= self._page(place)
        # A cursor holds for its own list, filter and order: with another it would only be refused.
        resumed = any(given.get(bound, "null") != "null" for bound in ("after", "before"))
        if "where" in names and not resumed and self.random.random() < 0.4:
            given["where"] = self._input(made.args["where"].type, 2)
        if "orderBy" in names and not resumed and self.random.random() < 0.4:
            given["orderBy"] = self._input(made.args["orderBy"].type, 1)
        for name in names - {"first", "last", "after", "before", "where", "orderBy"}:
            kind = made.args[name].type
            if resumed and not isinstance(kind, GraphQLNonNull):
                continue
            if (
                isinstance(kind, GraphQLNonNull)
                or self.random.random() < 0.5
                or (place == "Query.provisioningRequest" and name == "number")
            ):
                given[name] = self._scalar_or_variable(kind, name, place)
        return f"({', '.join(f'{name}: {value}' for name, value in given.items())})" if given else ""

    def _page(self, place: str) -> dict[str, str]:
        given = {}
        chance = self.random.random()
        size = self.random.choice((0, 1, 2, 2, 3, 3, 5))
        name = "first" if chance < 0.75 else "last"
        written = self._variable("Int", size) if self.random.random() < 0.3 else str(size)
        given[name] = written
        for bound in ("after", "before"):
            known = self.cursors.get(place)
            if known and self.random.random() < 0.5:
                cursor = self.random.choice(known)
                given[bound] = self._variable("String", cursor) if self.random.random() < 0.5 else json.dumps(cursor)
            elif self.random.random() < 0.05:
                given[bound] = "null"
        return given

    def _input(self, kind, depth: int) -> str:
        if self.random.random() < 0.3:
            value = self._input_value(kind, depth)
            return self._variable(str(kind), value)
        return self._literal(kind, depth)

    def _literal(self, kind, depth: int) -> str:
        if isinstance(kind, GraphQLNonNull):
            return self._literal(kind.of_type, depth)
        if isinstance(kind, GraphQLList):
            return f"[{', '.join(self._literal(kind.of_type, depth) for _ in range(self.random.choice((0, 1, 1, 2))))}]"
        if isinstance(kind, GraphQLInputObjectType) and str(kind) != "PeriodInput":
            parts = []
            for name in self._fields(kind, depth):
                inner = kind.fields[name].type
                if is_leaf_type(get_named_type(inner)) and self.random.random() < 0.2:
                    parts.append(f"{name}: {self._variable(str(inner), self._input_value(inner, depth - 1, name))}")
                elif not isinstance(inner, GraphQLNonNull) and self.random.random() < 0.07:
                    parts.append(f"{name}: null")
                elif is_leaf_type(get_named_type(inner)):
                    parts.append(f"{name}: {self._written(inner, self._input_value(inner, depth - 1, name))}")
                else:
                    parts.append(f"{name}: {self._literal(inner, depth - 1)}")
            return "{" + ", ".join(parts) + "}"
        return self._written(kind, self._input_value(kind, depth))

    def _input_value(self, kind, depth: int, name: str = "") -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._input_value(kind.of_type, depth, name)
        if isinstance(kind, GraphQLList):
            return [self._input_value(kind.of_type, depth, name) for _ in range(self.random.choice((0, 1, 2)))]
        if str(kind) == "PeriodInput":
            return self.random.choice(PERIODS)
        if isinstance(kind, GraphQLInputObjectType):
            return {
                name: None
                if self.random.random() < 0.07 and not isinstance(kind.fields[name].type, GraphQLNonNull)
                else self._input_value(kind.fields[name].type, depth - 1, name)
                for name in self._fields(kind, depth)
            }
        if isinstance(kind, GraphQLEnumType):
            return self.random.choice(list(kind.values))
        return {
            "Boolean": lambda: self.random.random() < 0.5,
            "Int": lambda: self.random.randint(0, 4),
            "Decimal": lambda: self.random.choice(("0", "12.5", "100", "0.0416")),
            "DateTime": lambda: self.random.choice(TIMES),
            "JSON": lambda: self.random.choice(JSONS),
            "ID": lambda: self.random.choice(self.ids),
            "CurrencyCode": lambda: self.random.choice(("USD", "USD", "EUR", "EUR", "CHF", "GBP")),
        }.get(kind.name, lambda: self.random.choice(SELECTORS if name == "labels" else PATHS if name == "path" else TEXTS))()

    def _fields(self, kind, depth: int) -> list[str]:
        names = [
            name
            for name, made in kind.fields.items()
            if depth > 0 or (name not in {"and", "or", "not"} and is_leaf_type(get_named_type(made.type)))
        ]
        required = [name for name in names if isinstance(kind.fields[name].type, GraphQLNonNull)]
        if kind.name == "JsonFilter" or kind.name.endswith("Order"):
            optional = [name for name in names if name not in required]
            return required + self.random.sample(optional, self.random.randint(0, len(optional)))
        return self.random.sample(names, min(len(names), self.random.choice((0, 1, 1, 2))))

    def _scalar_or_variable(self, kind, name: str, place: str) -> str:
        value = self._human(name, place) if self.random.random() < 0.9 else None
        if value is None:
            named = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
            value = self._input_value(named, 0, name)
        if isinstance(value, list):
            return self._variable(str(kind), value) if self.random.random() < 0.5 else self._written(kind, value)
        if not isinstance(kind, GraphQLNonNull) and self.random.random() < 0.15:
            return self._variable(str(kind), self.random.choice((None, ABSENT)))
        return self._variable(str(kind), value) if self.random.random() < 0.4 else self._written(kind, value)

    def _human(self, name: str, place: str) -> Any:
        table = {
            "Query.stack": {
                "name": ("twin", "core-00-staging", "plat-01-staging", "core-06-prod", "hidden-05-dev"),
                "estate": ("acme-infra", "globex-infra"),
                "asOf": POSITIONS,
            },
            "Query.componentInstance": {
                "stack": ("twin", "twin", "core-00-staging", "core-06-prod", "plat-04-dev"),
                "component": ("vpc", "eks", "rds"),
                "estate": ("acme-infra", "globex-infra"),
                "asOf": POSITIONS,
            },
            "Query.component": {"name": ("vpc", "eks", "gone", "unused"), "estate": ("acme-infra", "globex-infra")},
            "Query.team": {"slug": ("web", "payments", "ops"), "organization": ("acme", "globex")},
            "Query.service": {"slug": ("shop", "vault", "ghost"), "organization": ("acme", "globex")},
            "Query.tenant": {"name": ("core", "plat", "acme-infra"), "organization": ("acme",)},
            "Query.environment": {
                "name": ("dev", "prod"),
                "organization": ("acme", "globex"),
                "tenant": ("core", "plat"),
                "region": ("gbl",),
            },
            "Query.estate": {"name": ("acme-infra", "globex-infra")},
            "Query.organization": {"name": ("acme", "globex")},
            "Query.nodes": {"ids": tuple(self.random.sample(self.ids, 4) for _ in range(2))},
            "Query.search": {"query": SEARCHES},
            "Query.provisioningRequest": {"number": (1, 2, 3, 4)},
            "Query.costReport": {"groupBy": GROUPS, "period": (*PERIODS, None)},
        }
        choices = table.get(place, {}).get(name)
        return self.random.choice(choices) if choices else None

    def _written(self, kind, value: Any) -> str:
        named = get_named_type(kind)
        if value is None:
            return "null"
        if isinstance(value, list) and named.name != "JSON":
            return f"[{', '.join(self._written(named, one) for one in value)}]"
        if isinstance(named, GraphQLEnumType):
            return str(value)
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key}: {self._written(named, one)}" for key, one in value.items() if key.isidentifier()) + "}"
        if isinstance(value, list):
            return f"[{', '.join(self._written(named, one) for one in value)}]"
        return json.dumps(value)

    def _variable(self, kind: str, value: Any) -> str:
        name = f"v{len(self.variables)}"
        default = ""
        if value is ABSENT and kind == "String" and self.random.random() < 0.5:
            default = ' = "twin"'
        self.variables[name] = (kind, value, default)
        return f"${name}"


ABSENT = object()
