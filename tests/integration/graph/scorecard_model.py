"""Scorecards once more, plainly: the same questions asked of rows in memory, one after the other.

What speaks for a service or a team is written down a second time here, on purpose without looking at how the statement does it.
`reader` is a viewer's reading of the world's rows (see `graph_reference`).
"""

from __future__ import annotations

from decimal import Decimal

from catalog.store.compile.sources import scorecard

TITLES = {
    "service": {check.name: check.title for check in scorecard.SERVICE_CHECKS},
    "team": {check.name: check.title for check in scorecard.TEAM_CHECKS},
}


def card(reader, row) -> dict:
    """The score and the checks of a service or a team, as the graph shows them."""
    checks = {"service": _service, "team": _team}[row.source](reader, row)
    listed = [
        {"name": name, "title": TITLES[row.source][name], "passed": passed, "detail": detail} for name, passed, detail in checks
    ]
    passed = sum(1 for check in listed if check["passed"])
    return {"score": float(round(Decimal(passed) / len(listed), 4)), "checks": listed}


def _service(reader, row):
    store = reader.store
    owner = store.one(row["owner_id"])
    parts = sorted(store.where("service_component", service_id=row["id"]), key=lambda part: part["ordinal"])
    strange = [part["name"] for part in parts if not _seen(reader, store.one(part["component_id"]))]
    runs = [one for one in store.where("service_instance", service_id=row["id"]) if reader.sees(one)]
    running = [one for one in runs if one["state"] != "DECOMMISSIONED"]
    incomplete = sorted({one["name"] for one in running if one["state"] != "COMPLETE"})
    of_all = {one["id"] for one in store.where("service_instance", service_id=row["id"])}
    made_of = {one["instance_id"] for one in store.rows["service_instance_component"] if one["service_instance_id"] in of_all}
    instances = [store.one(identity) for identity in sorted(made_of)]
    estimates = [store.one(row[name]) for name in ("cost_estimate_id", "computed_cost_estimate_id")]

    yield "owner", owner is not None, owner and owner["slug"]
    yield "description", _says(row["description"]), None
    yield "category", row["category"] is not None, row["category"]
    yield "lifecycle", row["lifecycle_stated"], row["lifecycle"].lower()
    yield "tier", row["tier"] is not None, None if row["tier"] is None else str(row["tier"])
    yield "links", len(row["links"]) > 0, None
    yield "cost", any(one and one["status"] == "KNOWN" for one in estimates), None
    yield from _budget(reader, row, row["owner_id"], instances)
    if parts:
        yield "components", not strange, _told(strange)
    if row["lifecycle"] == "PRODUCTION":
        yield "running", bool(running), None
    if running:
        yield "complete", not incomplete, _told(incomplete)
    yield from _reading(reader, instances)


def _team(reader, row):
    store = reader.store
    instances = store.where("component_instance", team_id=row["id"])
    owned = [one for one in instances if one["removed_at"] is None and reader.sees(one)]
    fallen = [one for one in owned if one["owner_source"] in ("ORGANIZATION_DEFAULT", "CODEOWNERS_WILDCARD")]
    counted = [one for one in owned if one["enabled"] and not one["abstract"]]
    unknown = [one for one in counted if one["monthly"] is None]
    services = [one for one in store.where("service", owner_id=row["id"]) if one["lifecycle"] != "RETIRED" and reader.sees(one)]
    undescribed = sorted({one["slug"] for one in services if not _says(one["description"])})
    members = store.where("person", team_id=row["id"])

    yield "members", bool(members), str(len(members))
    yield "contact", row["email"] is not None or row["chat"] is not None, None
    yield "cost_center", row["cost_center"] is not None, row["cost_center"]
    yield from _budget(reader, row, row["id"], instances)
    if counted:
        yield "cost", not unknown, f"{len(unknown)} of {len(counted)} unknown" if unknown else None
    if owned:
        yield "evidence", not fallen, f"{len(fallen)} of {len(owned)} by default" if fallen else None
    if services:
        yield "described_services", not undescribed, _told(undescribed)
    yield from _reading(reader, instances)


def _budget(reader, row, team, instances):
    """Set, and kept as far as that is known; for admins and for those whose money it is."""
    if not reader.scope.is_admin and team not in reader.own_teams:
        return
    budget, currency = row["budget"], row["budget_currency"]
    yield "budget", budget is not None, None if budget is None else f"{_amount(budget)} {currency}"
    counted = [
        one for one in instances if one["enabled"] and not one["abstract"] and one["removed_at"] is None and reader.sees(one)
    ]
    spent = sum((one["monthly"] for one in counted if one["currency"] == currency and one["monthly"] is not None), Decimal(0))
    known = all(one["monthly"] is not None and one["currency"] == currency for one in counted)
    if budget is not None and (spent > budget or (counted and known)):
        yield "within_budget", spent <= budget, f"{_amount(spent)} of {_amount(budget)} {currency}"


def _reading(reader, instances):
    """Read to the end and without errors; of what isn't there nothing is asked."""
    store = reader.store
    there = [one for one in instances if one["removed_at"] is None and reader.sees(one)]
    if not there:
        return
    stale = sorted({one["name"] for one in there if one["state"] == "STALE"})
    estates = [store.one(identity) for identity in {one["estate_id"] for one in there}]
    unread = sorted({one["name"] for one in estates if reader.sees(one) and _last_state(store, one) not in (None, "SUCCEEDED")})
    told = [f"{what}: {_told(names)}" for what, names in (("stale", stale), ("not read to the end", unread)) if names]
    yield "fresh", not told, "; ".join(told) or None
    errors = [
        one
        for one in store.where("diagnostic", severity="ERROR")
        if reader.sees(one)
        and any(one["stack_id"] == item["stack_id"] and one["component_name"] in (None, item["name"]) for item in there)
    ]
    yield "no_errors", not errors, f"{len(errors)} error{'s' if len(errors) > 1 else ''}" if errors else None


def _last_state(store, estate):
    ended = [
        one
        for one in store.where("index_run", estate_id=estate["id"])
        if one["state"] in ("SUCCEEDED", "HELD", "FAILED") and not one["backfill"]
    ]
    return max(ended, key=lambda one: (one["started_at"], one["id"]))["state"] if ended else None


def _seen(reader, row):
    return row is not None and reader.sees(row)


def _says(description):
    return bool((description or "").strip(" "))


def _told(names):
    shown = ", ".join(names[:10])
    return (shown + (f", and {len(names) - 10} more" if len(names) > 10 else "")) or None


def _amount(value):
    return format(value.normalize(), "f")
