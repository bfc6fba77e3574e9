"""The reference reader's rules of money: what is charged and where it landed, sums over months, reports, and measures."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import graph_reference
from graph_reference import (
    CHECKED,
    COLUMNS,
    DEFAULTS,
    KEYS,
    MANY,
    ONES,
    Row,
    amount,
    budget_of,
    currency_of,
    elements,
    linked,
    nullable,
    of_service,
    of_service_instance,
    service_budget,
)
from graphql import GraphQLError, get_named_type

from catalog import records


class Reader(graph_reference.Reader):
    """One viewer's reading of the store, with its money."""

    def execute(self, document, variables, operation_name=None):
        """Run an operation through graphql-core, in exact decimals."""
        with localcontext(prec=200):
            return super().execute(document, variables, operation_name)

    def rate(self, source, target, day=None) -> Decimal | None:
        """What one unit of a currency is worth in another by the rates of a day; None where nothing tells."""
        if source == target or None in (source, target):
            return None if source is None else Decimal(1)
        day, known = day or datetime.now(UTC).date(), {}
        for row in sorted(self.store.rows["exchange_rate"], key=lambda one: one["day"]):
            if row["day"] <= day:
                known[row["base"], row["currency"]] = row["rate"]
        legs = {(there, here): (Decimal(1), rate) for (here, there), rate in known.items()} | {
            pair: (rate, Decimal(1)) for pair, rate in known.items()
        }
        ways = [legs[source, target]] if (source, target) in legs else []
        for via in sorted({there for here, there in legs if here == source and (there, target) in legs}):
            (one, of), (other, by) = legs[source, via], legs[via, target]
            ways.append((one * other, of * by))
        if not ways:
            return None
        worth, of = ways[0]
        return worth if of == 1 else (worth / of).quantize(Decimal(1).scaleb(-30), ROUND_HALF_UP)

    def worth(self, amount, source, target, day=None) -> Decimal | None:
        """An amount in another currency."""
        rate = self.rate(source, target, day)
        return None if amount is None or rate is None else amount * rate

    def months(self, period) -> list[date]:
        """The first days of the months that a period touches: the current one unless given."""
        today = datetime.now(UTC).date()
        first, last = today, today
        if period is not None:
            first, last = date.fromisoformat(period["from"]), date.fromisoformat(period["to"]) - timedelta(days=1)
        numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
        return [date(number // 12, number % 12 + 1, 1) for number in numbers]

    def kpis(self, period) -> list[Row]:
        """Measures with the points of some months, or all."""
        made = []
        for row in self.store.rows["kpi"] if self.scope.grants else ():
            points = sorted(self.store.where("kpi_point", name=row["name"]), key=lambda one: one["at"])
            if period is not None:
                points = [one for one in points if one["at"].replace(day=1) in self.months(period)]
            last = points[-1].data if points else {"value": None, "sample_size": 0}
            better = {"HIGHER_IS_BETTER": Decimal.__ge__, "LOWER_IS_BETTER": Decimal.__le__}[row["direction"]]
            met = None if last["value"] is None or row["target"] is None else better(last["value"], row["target"])
            trend = [{"at": one["at"].isoformat(), "value": one["value"] and float(one["value"])} for one in points]
            measured = {"value": last["value"], "sample_size": last["sample_size"], "met": met, "trend": trend}
            made.append(Row("kpi", row.data | measured))
        return sorted(made, key=lambda one: (one["ordinal"], one["name"]))

    def resolve(self, parent, info, **given):
        """Resolve any field; of measures, the argument decides which points there are."""
        if parent is not None and getattr(parent, "source", None) == "query" and info.field_name == "kpis":
            return self.kpis(given.get("period"))
        return super().resolve(parent, info, **given)

    def report(self, made, given) -> Row:
        """A cost report."""
        months = self.months(given.get("period"))
        currency = given.get("currency") or self._usual_currency()
        where = get_named_type(made.args["where"].type)
        facts = [*self._expected(currency), *self._charged(currency, months)]
        facts = [fact for fact in facts if given.get("where") is None or self.holds(fact, where, given["where"])]
        if lacking := min(((fact["currency"], fact["day"]) for fact in facts if fact["lacks"]), default=None):
            raise GraphQLError(
                f"no exchange rate from {lacking[0]} to {currency} on {lacking[1]} is known: seeds/rates.csv tells them"
            )
        dimensions, groups = given["groupBy"], defaultdict(Sums)
        for fact in facts:
            for month in months if "MONTH" in dimensions and fact["month"] is None else [fact["month"]]:
                groups[tuple(KEY_RULES[name](self, fact, month) for name in dimensions)].add(fact)
        times = 1 if "MONTH" in dimensions else len(months)
        rows = [self._row(dimensions, key, sums, currency, times) for key, sums in groups.items()]
        return Row(
            "cost_report",
            {
                "currency": currency,
                "rows": rows,
                "total": self._sum(facts, currency, months),
                "unallocated_share": share_of(rows, "actual") if any(row["actual"] for row in rows) and total_of(rows, "actual") else share_of(rows, "estimated"),
            },
        )  # fmt: skip

    def _usual_currency(self):
        seen = Counter(one["currency"] for one in self.store.rows["organization"] if self.sees(one))
        return min(seen, key=lambda one: (-seen[one], one), default="USD")

    def _expected(self, currency):
        """What instances in sight are expected to cost a month."""
        for one in counted(self.store.rows["component_instance"]):
            if not self.sees(one):
                continue
            stack, worth = self.store.one(one["stack_id"]), self.worth(one["monthly"], one["currency"], currency)
            services = [
                service for service in self.store.rows["service"] if self.sees(service) and one in of_service(self, service)
            ]
            service = min(services, key=lambda found: (found["slug"], found["id"]), default=None)
            yield Row(
                "cost_fact",
                {
                    **{name: stack[name] for name in ("organization_id", "environment_id", "account", "region")},
                    **{name: one[name] for name in ("tenant_id", "team_id", "stack_id", "component_id")},
                    "service_id": service["id"] if service else None,
                    "month": None, "estimated": worth, "actual": None, "unknown": int(worth is None), "instances": 1, "lacks": False,
                },
            )  # fmt: skip

    def _charged(self, currency, months):
        """What charges in sight came to."""
        for one in self.store.rows["allocation"]:
            if not (self.sees(one) and one["month"] in months):
                continue
            worth = self.worth(one["amount"], one["currency"], currency, one["day"])
            tenant, stack, environment, instance, service = (
                self.store.one(one[f"{name}_id"]) for name in ("tenant", "stack", "environment", "instance", "service")
            )
            places = [place for place in (stack, environment) if place is not None]
            yield Row(
                "cost_fact",
                {
                    **{name: one[name] for name in ("tenant_id", "team_id", "stack_id", "environment_id", "month")},
                    **{name: next((place[name] for place in places if place[name] is not None), None) for name in ("account", "region")},
                    "organization_id": tenant and tenant["organization_id"], "component_id": instance and instance["component_id"],
                    "service_id": service["id"] if service and self.sees(service) else None,
                    "currency": one["currency"], "day": one["day"],
                    "estimated": None, "actual": worth, "unknown": 0, "instances": 0, "lacks": worth is None,
                },
            )  # fmt: skip

    def _row(self, dimensions, key, sums, currency, times) -> Row:
        values, ids = zip(*key, strict=True)
        estimated = None if sums.estimated is None else sums.estimated * times
        keys = [
            {"dimension": name, "value": value, "id": identity} for name, (value, identity) in zip(dimensions, key, strict=True)
        ]
        return Row(
            "cost_report_row",
            {
                "keys": keys, "currency": currency, "estimated": estimated, "actual": sums.actual,
                "variance": None if estimated is None or sums.actual is None else sums.actual - estimated,
                "unknown_instances": sums.unknown, "instances": sums.instances, "unowned": None in values,
                "budget": self._budget(dimensions, key, currency, times),
                "place": "\x01".join("1" if value is None else f"0{value}" for value in values),
                "ids": ",".join(identity or "" for identity in ids),
            },
        )  # fmt: skip

    def _budget(self, dimensions, key, currency, times):
        own = [(name, identity) for name, (_, identity) in zip(dimensions, key, strict=True) if name != "MONTH"]
        if len(own) != 1 or own[0][0] not in {"TENANT", "TEAM", "SERVICE"}:
            return None
        thing = self.store.one(own[0][1])
        if thing is None:
            return None
        told = service_budget(self, thing) if thing.source == "service" else budget_of(self, thing)
        return None if told is None else self.worth(told * times, thing["budget_currency"], currency)

    def _sum(self, facts, currency, months) -> Row:
        sums = Sums.of(facts)
        hidden = any(not self.sees(one) for one in counted(self.store.rows["component_instance"]))
        hidden = hidden or any(one["month"] in months and not self.sees(one) for one in self.store.rows["allocation"])
        return summary(sums, facts, currency, months, partial=hidden, budget=None)


@dataclass
class Sums:
    """What some facts come to; None where nothing is known."""

    estimated: Decimal | None = None
    actual: Decimal | None = None
    unknown: int = 0
    instances: int = 0
    facts: list[Any] = field(default_factory=list)

    @classmethod
    def of(cls, facts) -> Sums:
        """The sums of facts."""
        made = cls()
        for fact in facts:
            made.add(fact)
        return made

    def add(self, fact) -> None:
        """Count one fact."""
        for name in ("estimated", "actual"):
            if fact[name] is not None:
                setattr(self, name, (getattr(self, name) or Decimal(0)) + fact[name])
        self.unknown += fact["unknown"]
        self.instances += fact["instances"]


def counted(instances):
    """Real, enabled instances that still exist."""
    return [one for one in instances if not one["abstract"] and one["enabled"] and one["removed_at"] is None]


def summary(sums, facts, currency, months, *, partial, budget) -> Row:
    """Sums as a cost summary."""
    by_month = [
        {"month": month.isoformat(), "estimated": sums.estimated, "actual": Sums.of([fact for fact in facts if fact["month"] == month]).actual, "currency": currency}
        for month in months
    ]  # fmt: skip
    return Row(
        "cost_summary",
        {
            "currency": currency, "estimated": None if sums.estimated is None else sums.estimated * len(months), "actual": sums.actual,
            "unknown_instances": sums.unknown, "partial": partial, "budget": None if budget is None else budget * len(months), "by_month": by_month,
        },
    )  # fmt: skip


def summed(reader, given, instances, charged, currency, budget=None) -> Row:
    """A cost summary over instances, and over the parts of charges whose columns equal (`charged`) or that are named."""
    months = reader.months(given.get("period"))
    parts = charged if isinstance(charged, list) else reader.store.where("allocation", **charged)
    parts = [one for one in parts if one["month"] in months]
    there = counted(instances)
    seen = [one for one in there if reader.sees(one)]
    expected = [reader.worth(one["monthly"], one["currency"], currency) for one in seen]
    known = [one for one in parts if reader.sees(one)]
    charges = [(one["month"], reader.worth(one["amount"], one["currency"], currency, one["day"])) for one in known]
    facts = [
        {"month": None, "estimated": worth, "actual": None, "unknown": int(worth is None), "instances": 1} for worth in expected
    ] + [{"month": month, "estimated": None, "actual": worth, "unknown": 0, "instances": 0} for month, worth in charges]
    partial = len(seen) < len(there) or len(known) < len(parts) or any(worth is None for _, worth in charges)
    return summary(Sums.of(facts), facts, currency, months, partial=partial, budget=budget)


def total_of(rows, name):
    """The sum of what rows know, None where nothing is."""
    known = [row[name] for row in rows if row[name] is not None]
    return sum(known) if known else None


def share_of(rows, name):
    """The part of the sum that stands in rows with a null key."""
    whole = total_of(rows, name)
    if not whole:
        return None
    part = total_of([row for row in rows if row["unowned"]], name) or Decimal(0)
    return float((part / whole).quantize(Decimal("0.000001"), ROUND_HALF_UP)) + 0.0  # never -0.0


def _thing(key, column="name", *, seen=False):
    def rule(reader, fact, _month):
        found = reader.store.one(fact[key])
        if found is None or found.get("hidden") or (seen and not reader.sees(found)):
            return None, None
        return found[column], found["id"]

    return rule


def _value_of(key, column, *, seen=False):
    def rule(reader, fact, _month):
        found = reader.store.one(fact[key])
        found = None if found is not None and seen and not reader.sees(found) else found
        return (found and found[column]), None

    return rule


KEY_RULES = {
    "ORGANIZATION": _thing("organization_id"),
    "TENANT": _thing("tenant_id", seen=True),
    "TEAM": _thing("team_id", "slug", seen=True),
    "SERVICE": _thing("service_id", "slug"),
    "ENVIRONMENT": _thing("environment_id", seen=True),
    "ACCOUNT": lambda _r, fact, _month: (fact["account"], None),
    "REGION": lambda _r, fact, _month: (fact["region"], None),
    "STACK": _thing("stack_id"),
    "COMPONENT": _thing("component_id"),
    "CATEGORY": _value_of("component_id", "category"),
    "COST_CENTER": _value_of("team_id", "cost_center", seen=True),
    "MONTH": lambda _r, _fact, month: (f"{month:%Y-%m}", None),
}


def _own(reader, row, currency, budget):
    return reader.worth(budget, row["budget_currency"], currency)


def _of_organization(instances, charged, budget=None):
    """The cost of something of an organisation."""

    def rule(reader, row, given):
        currency = currency_of(reader, row["organization_id"], given)
        told = None if budget is None else _own(reader, row, currency, budget(reader, row))
        return summed(reader, given, instances(reader, row), charged(reader, row), currency, told)

    return rule


def _instances(**columns):
    return lambda reader, row: reader.store.where("component_instance", **{name: row[key] for name, key in columns.items()})


def _in_environment(reader, row):
    instances = reader.store.rows["component_instance"]
    return [one for one in instances if reader.store.one(one["stack_id"])["environment_id"] == row["id"]]


def _landed(name):
    return lambda _reader, row: {name: row["id"]}


def _of_service_instance(reader, row, given):
    instances = of_service_instance(reader, row)
    ids = {one["id"] for one in instances}
    parts = [one for one in reader.store.rows["allocation"] if one["instance_id"] in ids]
    currency = currency_of(reader, reader.store.one(row["environment_id"])["organization_id"], given)
    return summed(reader, given, instances, parts, currency)


def _of_instance(reader, row, given):
    organization = reader.store.one(reader.store.one(row["stack_id"])["organization_id"])
    currency = given.get("currency") or row["currency"] or organization["currency"]
    return summed(reader, given, [row], {"instance_id": row["id"]}, currency)


def _status(key, budget):
    """How a budget stands."""

    def rule(reader, row, given):
        monthly, currency = budget(reader, row), row["budget_currency"]
        if monthly is None:
            return None
        months, parts = reader.months(given.get("period")), reader.store.where("allocation", **{key: row["id"]})
        worths = [
            (one["day"], reader.worth(one["amount"], one["currency"], currency, one["day"])) for one in parts if reader.sees(one)
        ]
        spent = _known([worth for day, worth in worths if day.replace(day=1) in months])
        whole = monthly * len(months)
        linear, as_last = _forecasts(worths, months, spent)
        return Row(
            "budget_status",
            {
                "budget": whole, "spent": spent, "committed": _reserved(reader, key, row, currency, months), "currency": currency,
                "forecast": linear, "forecast_as_last": as_last, "exceeded": spent is not None and spent > whole,
            },
        )  # fmt: skip

    return rule


def _known(worths):
    return sum(worths, Decimal(0)) if worths and None not in worths else None


def _reserved(reader, key, row, currency, months):
    """What requests under way in sight would add."""
    waiting = [
        one
        for one in reader.store.where("provisioning_request", **{key: row["id"]})
        if one["state"] not in graph_reference.FINAL and reader.sees(one)
    ]
    deltas = [(one["preview"] or {}).get("costDelta") for one in waiting]
    adds = [told and reader.worth(max(Decimal(told["amount"]), Decimal(0)), told["currency"], currency) for told in deltas]
    return None if None in adds else sum(adds, Decimal(0)) * len(months)


def _forecasts(worths, months, spent):
    """What will have been spent: as the days so far, and as the last month went on after the same day."""
    today = datetime.now(UTC).date()
    month = today.replace(day=1)
    coming = len([one for one in months if one >= month])
    if not coming:
        return spent, spent
    former = (month - timedelta(days=1)).replace(day=1)
    near = [(day, worth) for day, worth in worths if former <= day <= today]
    now, last = [one for one in near if one[0] >= month], [one for one in near if one[0] < month]
    past = [worth for day, worth in worths if day.replace(day=1) in months and day < month]
    before = _known(past) or Decimal(0)
    if not now or None in [worth for _, worth in near]:
        return None, None
    so_far, until = sum(worth for _, worth in now), max(day for day, _ in now).day
    days = ((month + timedelta(days=31)).replace(day=1) - month).days
    whole = sum((worth for _, worth in last), Decimal(0))
    part = sum((worth for day, worth in last if day.day <= until), Decimal(0))
    expected = [so_far * days / until, so_far * whole / part if part > 0 else None]
    return tuple(None if one is None else (before + coming * one).quantize(Decimal("0.01"), ROUND_HALF_UP) for one in expected)


def _amount(name, currency="currency"):
    return lambda _reader, row, _given: amount(row[name], row[currency])


def _charges_of(reader, row):
    parts = [one for one in reader.store.where("allocation", instance_id=row["id"]) if reader.sees(one)]
    return [reader.store.one(one) for one in {part["charge_id"] for part in parts}]


def _items(reader, row):
    return [] if row.get("holds") is False else reader.store.where("cost_item", estimate_id=row["id"])


def _history(reader, row):
    """Each estimate that the estate's branch had for the instance, where it became another one, and each that was imported."""
    estimates = reader.store.where("cost_estimate", subject_id=row["id"])
    declared = next((one for one in estimates if one["source"] not in IMPORTED), None)
    columns = records.metadata.tables["cost_estimate"].columns.keys()
    imported = [
        Row("cost_estimate_once", {name: one.data[name] for name in columns} | {"holds": True}, {"from_number": 0})
        for one in estimates
        if one["source"] in IMPORTED
    ]
    estate, former, made = reader.store.one(row["estate_id"]), None, []
    versions = [one for one in reader.store.versions["component_instance"].get(row["id"], ()) if one["ref"] == estate["ref"]]
    for version in sorted(versions, key=lambda one: one["from_number"]):
        holds = version["row"] is None
        told = declared if holds else version["estimate"]
        if told is None or told["source"] in IMPORTED:
            continue
        data = {name: told.data[name] for name in columns}
        if data != former:
            moments = [
                run["committed_at"] or run["started_at"]
                for run in reader.store.where(
                    "index_run", estate_id=estate["id"], ref=version["ref"], number=version["from_number"]
                )
                if run["state"] == "SUCCEEDED"
            ]
            since = data["estimated_at"] or min(moments, default=None)
            edge = {"from_number": version["from_number"]}
            made.append(Row("cost_estimate_once", data | {"estimated_at": since, "holds": holds}, edge))
        former = data
    return [*made, *imported]


IMPORTED = {"INFRACOST", "PRICE_BOOK"}
ESTIMATES = ("cost_estimate", "cost_estimate_once")
CHECKED |= {("cost_fact", name) for name in ("service", "environment", "team", "tenant")}
CHECKED |= {("allocation", name) for name in ("instance", "environment", "team")}
ONES |= {
    **{(source, "location"): lambda r, row, _g: r.location(row["file"], row["line"]) for source in ESTIMATES},
    **{(source, name): _amount(name) for source in ESTIMATES for name in ("monthly", "low", "high")},
    ("cost_item", "monthly"): _amount("monthly"),
    **{(source, name): _amount(name) for source in ("cost_summary", "cost_report_row") for name in ("estimated", "actual", "budget")},
    ("cost_report_row", "variance"): _amount("variance"),
    ("cost_summary", "variance"): lambda _r, row, _g: None if row["actual"] is None or row["estimated"] is None else amount(row["actual"] - row["estimated"], row["currency"]),
    **{("monthly_cost", name): _amount(name) for name in ("estimated", "actual")},
    **{("budget_status", name): _amount(name) for name in ("budget", "spent", "committed", "forecast", "forecast_as_last")},
    **{("charge", name): _amount(name) for name in ("billed", "effective", "contracted")},
    ("charge", "list"): _amount("listed"),
    ("allocation", "amount"): _amount("amount"),
    ("cost_report", "total"): lambda _r, row, _g: row["total"],
    ("preview_document", "budget"): lambda r, row, g: _status("team_id", budget_of)(r, r.store.one(row["team_id"]), g),
    ("team", "budget_status"): _status("team_id", budget_of),
    ("tenant", "budget_status"): _status("tenant_id", budget_of),
    ("service", "budget_status"): _status("service_id", service_budget),
    ("stack", "cost"): _of_organization(_instances(stack_id="id"), _landed("stack_id")),
    ("tenant", "cost"): _of_organization(_instances(tenant_id="id"), _landed("tenant_id"), budget_of),
    ("environment", "cost"): _of_organization(_in_environment, _landed("environment_id")),
    ("team", "cost"): _of_organization(_instances(team_id="id"), _landed("team_id"), budget_of),
    ("service", "cost"): _of_organization(of_service, _landed("service_id"), service_budget),
    ("service_instance", "cost"): _of_service_instance,
    ("component_instance", "cost"): _of_instance,
}  # fmt: skip
MANY |= {
    ("query", "charges"): lambda r, _row: r.store.rows["charge"],
    **{(source, "items"): _items for source in ESTIMATES},
    ("cost_summary", "by_month"): lambda _r, row: elements("monthly_cost", row["by_month"]),
    ("cost_report", "rows"): lambda _r, row: row["rows"],
    ("cost_report_row", "keys"): lambda _r, row: elements("cost_key", row["keys"]),
    ("charge", "allocations"): linked("allocation", "charge_id"),
    ("component_instance", "charges"): _charges_of,
    ("component_instance", "cost_history"): _history,
    ("kpi", "trend"): lambda _r, row: elements("kpi_point", row["trend"]),
}
COLUMNS |= {
    ("charge", "allocated"): lambda r, row: any(one["tenant_id"] is not None for one in r.store.where("allocation", charge_id=row["id"])),
    **{("kpi", name): lambda _r, row, name=name: None if row[name] is None else float(row[name]) for name in ("baseline", "target", "value")},
}  # fmt: skip
DEFAULTS |= {
    "charge": [("latest", False)], "cost_item": [("ordinal", False)], "allocation": [("ordinal", False)], "kpi": [("ordinal", False)],
    "monthly_cost": [("n", False)], "cost_key": [("n", False)], "kpi_point": [("n", False)], "cost_report_row": [("key", False)],
}  # fmt: skip
KEYS |= {
    ("charge", "latest"): lambda _r, row: [(row["period_start"], False, True), (row["id"], False, True)],
    ("cost_estimate", "latest"): lambda _r, row: [
        (row["estimated_at"] or datetime.fromtimestamp(0, UTC), False, True),
        (row.edge["from_number"], False, True),
        (row["id"], False, True),
    ],
    ("cost_report_row", "key"): lambda _r, row: [(row["place"], False, False)],
    **{("cost_report_row", name): lambda _r, row, name=name: nullable(row[name], Decimal(0)) for name in ("estimated", "actual", "variance")},
}  # fmt: skip
