"""Sources of scorecards: what speaks for a service or a team, as checks over what the viewer may see, each passed or not.

A check is a row of a table below: when it applies, when it is passed, and a detail for people. What doesn't apply (nothing runs yet,
no budget is set) is neither listed nor counted, and the score is the share of the others that are passed. Facts that several checks
look at are gathered once, in FROM items `m` and `f`; the other aliases are letters that those of the compiler never meet.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalog.store.compile.source import Source, ToOne, element_source, elements, fraction, text, truth

_SHOWN = 10  # names in a detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: conditions over the row `{a}` and its facts, and a text about what was found."""

    name: str
    title: str
    passed: str
    applies: str = "true"
    detail: str = "null"


def _card(checks: tuple[Check, ...], *facts: str) -> ToOne:
    listed = ", ".join(
        f"({number}, '{check.name}', '{check.title}', {check.applies}, coalesce({check.passed}, false), ({check.detail})::text)"
        for number, check in enumerate(checks)
    )
    rows = (
        "(select round(avg(k.passed::int), 4) as score, jsonb_agg(jsonb_build_object("
        "'name', k.name, 'title', k.title, 'passed', k.passed, 'detail', k.detail) order by k.n) as checks"
        f" from {' cross join '.join(facts)} cross join lateral (values {listed}) as k(n, name, title, applies, passed, detail)"
        " where k.applies)"
    )
    return ToOne(target="scorecard", rows=rows, proven=True)


def _names(name: str, rows: str) -> str:
    """The names of some rows, in order, each once."""
    return f"array(select distinct {name} {rows} order by 1)"


def _told(names: str) -> str:
    """A list of names as a detail: the first of them, and how many more; null for none."""
    return (
        f"nullif(array_to_string(({names})[1:{_SHOWN}], ', ') || case when cardinality({names}) > {_SHOWN}"
        f" then ', and ' || (cardinality({names}) - {_SHOWN}) || ' more' else '' end, '')"
    )


# ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

_OF_SERVICE = (
    "i.id in (select x.instance_id from service_instance_component x join service_instance y on y.id = x.service_instance_id"
    " where y.service_id = {a}.id)"
)
_OF_TEAM = "i.team_id = {a}.id"
_SEEN = "i.removed_at is null and {sees_component_instance_i}"
_COUNTED = "not i.abstract and i.enabled"
_RUNNING = "from service_instance y where y.service_id = {a}.id and y.state <> 'DECOMMISSIONED' and {sees_service_instance_y}"
_INCOMPLETE = f"{_RUNNING} and y.state <> 'COMPLETE'"
_SERVICES = "from service v where v.owner_id = {a}.id and v.lifecycle <> 'RETIRED' and {sees_service_v}"
_UNDESCRIBED = f"{_SERVICES} and coalesce(btrim(v.description), '') = ''"
_LAST_STATE = (
    "(select r.state from index_run r where r.estate_id = u.id and not r.backfill and r.state in ('SUCCEEDED', 'HELD', 'FAILED')"
    " order by r.started_at desc, r.id desc limit 1)"
)


def _made_of(link: str) -> str:
    """What the instances in sight tell, all in one look at them: money in the budget's currency, evidence, freshness, places."""
    counts = {
        "unpriced": f"{_COUNTED} and (i.monthly is null or i.currency is distinct from {{a}}.budget_currency)",
        "unknown": f"{_COUNTED} and i.monthly is null",
        "counted": _COUNTED,
        "owned": "true",
        "fallen": "i.owner_source in ('ORGANIZATION_DEFAULT', 'CODEOWNERS_WILDCARD')",
    }
    counted = ", ".join(f"count(*) filter (where {condition}) as {name}" for name, condition in counts.items())
    return (
        f"(select {counted},"
        f" coalesce(sum(i.monthly) filter (where {_COUNTED} and i.currency = {{a}}.budget_currency), 0) as spent,"
        " coalesce(array_agg(distinct i.name order by i.name) filter (where i.state = 'STALE'), '{{}}') as stale,"
        " array_agg(distinct i.estate_id) as estates, array_agg(distinct i.stack_id) as stacks"
        f" from component_instance i where {link} and {_SEEN}) m"
    )


def _reading(link: str) -> str:
    """Estates in sight whose last run didn't end well, and ERROR diagnostics about an instance or about its whole stack."""
    unread = _names("u.name", f"from estate u where u.id = any(m.estates) and {{sees_estate_u}} and {_LAST_STATE} <> 'SUCCEEDED'")
    about = f"exists (select from component_instance i where i.stack_id = d.stack_id and i.name = d.component_name and {link} and {_SEEN})"
    return (
        f"{unread} as unread, (select count(*) from diagnostic d where d.severity = 'ERROR' and d.stack_id = any(m.stacks)"
        f" and {{sees_diagnostic_d}} and (d.component_name is null or {about})) as errors"
    )


_SERVICE_FACTS = (
    "lateral (select"
    " (select t.slug from team t where t.id = {a}.owner_id) as owner,"
    " array(select p.name from service_component p left join component c on c.id = p.component_id and {sees_component_c}"
    " where p.service_id = {a}.id and c.id is null order by p.ordinal) as strange,"
    " (select count(*) from service_component p where p.service_id = {a}.id) as parts,"
    f" (select count(*) {_RUNNING}) as running,"
    f" {_names('y.name', _INCOMPLETE)} as incomplete,"
    f" {_reading(_OF_SERVICE)}) f"
)
_TEAM_FACTS = (
    "lateral (select"
    " (select count(*) from person p where p.team_id = {a}.id) as members,"
    f" (select count(*) {_SERVICES}) as services,"
    f" {_names('v.slug', _UNDESCRIBED)} as undescribed,"
    f" {_reading(_OF_TEAM)}) f"
)


# ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _budget(team: str) -> tuple[Check, Check]:
    """Whether a budget is set and kept: for those whose money it is, the team `team`, and for admins."""
    shown = f"({{admin}} or {team} = any({{my_teams}}))"
    return (
        Check(
            name="budget",
            title="Has a budget",
            applies=shown,
            passed="{a}.budget is not null",
            detail="trim_scale({a}.budget) || ' ' || {a}.budget_currency",
        ),
        Check(
            name="within_budget",
            title="Costs no more than its budget",
            applies=f"{shown} and {{a}}.budget is not null and (m.spent > {{a}}.budget or (m.counted > 0 and m.unpriced = 0))",
            passed="m.spent <= {a}.budget",
            detail="trim_scale(m.spent) || ' of ' || trim_scale({a}.budget) || ' ' || {a}.budget_currency",
        ),
    )


_FRESH = Check(
    name="fresh",
    title="Is shown as Git says now",
    applies="m.owned > 0",
    passed="cardinality(m.stale) = 0 and cardinality(f.unread) = 0",
    detail=f"nullif(concat_ws('; ', 'stale: ' || {_told('m.stale')}, 'not read to the end: ' || {_told('f.unread')}), '')",
)
_NO_ERRORS = Check(
    name="no_errors",
    title="Is configured without errors",
    applies="m.owned > 0",
    passed="f.errors = 0",
    detail="case when f.errors > 0 then f.errors || case f.errors when 1 then ' error' else ' errors' end end",
)
SERVICE_CHECKS = (
    Check(name="owner", title="Has an owner", passed="f.owner is not null", detail="f.owner"),
    Check(name="description", title="Says what it is for", passed="coalesce(btrim({a}.description), '') <> ''"),
    Check(name="category", title="Has a category", passed="{a}.category is not null", detail="{a}.category"),
    Check(name="lifecycle", title="Says where it is in its life", passed="{a}.lifecycle_stated", detail="lower({a}.lifecycle)"),
    Check(name="tier", title="Says how critical it is", passed="{a}.tier is not null", detail="{a}.tier"),
    Check(name="links", title="Links to where one can read more", passed="jsonb_array_length({a}.links) > 0"),
    Check(
        name="cost",
        title="Its cost is known",
        passed="exists (select from cost_estimate e where e.id in ({a}.cost_estimate_id, {a}.computed_cost_estimate_id)"
        " and e.status = 'KNOWN')",
    ),
    *_budget("{a}.owner_id"),
    Check(
        name="components",
        title="Its parts are components that are known",
        applies="f.parts > 0",
        passed="cardinality(f.strange) = 0",
        detail=_told("f.strange"),
    ),
    Check(name="running", title="Runs somewhere", applies="{a}.lifecycle = 'PRODUCTION'", passed="f.running > 0"),
    Check(
        name="complete",
        title="Has all its parts wherever it runs",
        applies="f.running > 0",
        passed="cardinality(f.incomplete) = 0",
        detail=_told("f.incomplete"),
    ),
    _FRESH,
    _NO_ERRORS,
)
TEAM_CHECKS = (
    Check(name="members", title="Says who is in it", passed="f.members > 0", detail="f.members"),
    Check(name="contact", title="Says how to reach it", passed="coalesce({a}.email, {a}.chat) is not null"),
    Check(name="cost_center", title="Has a cost centre", passed="{a}.cost_center is not null", detail="{a}.cost_center"),
    *_budget("{a}.id"),
    Check(
        name="cost",
        title="The cost of what it owns is known",
        applies="m.counted > 0",
        passed="m.unknown = 0",
        detail="case when m.unknown > 0 then m.unknown || ' of ' || m.counted || ' unknown' end",
    ),
    Check(
        name="evidence",
        title="What it owns says so itself",
        applies="m.owned > 0",
        passed="m.fallen = 0",
        detail="case when m.fallen > 0 then m.fallen || ' of ' || m.owned || ' by default' end",
    ),
    Check(
        name="described_services",
        title="Its services say what they are for",
        applies="f.services > 0",
        passed="cardinality(f.undescribed) = 0",
        detail=_told("f.undescribed"),
    ),
    _FRESH,
    _NO_ERRORS,
)

SERVICE = _card(SERVICE_CHECKS, _made_of(_OF_SERVICE), _SERVICE_FACTS)
TEAM = _card(TEAM_CHECKS, _made_of(_OF_TEAM), _TEAM_FACTS)
SOURCES = (
    Source(
        name="scorecard",
        rows="",
        columns={"score": fraction("{a}.score", nullable=False)},
        relations={"checks": elements("scorecard_check", "{a}.checks")},
    ),
    element_source(
        name="scorecard_check",
        columns={
            "name": text("{a}.v->>'name'", nullable=False),
            "title": text("{a}.v->>'title'", nullable=False),
            "passed": truth("({a}.v->>'passed')::bool"),
            "detail": text("{a}.v->>'detail'"),
        },
    ),
)
