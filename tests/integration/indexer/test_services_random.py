"""Services after any sequence of edits: what runs where, what is missing and what it costs equals a plain model of the rows.

CATALOG_RANDOM_SERVICES sets how many sequences are tried (default 3).
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from decimal import Decimal

import pytest

from catalog.access import principals
from catalog.provisioning import services
from catalog.provisioning.services import Definition, Part
from catalog.records import Role

NAMES = ("vpc", "eks", "rds", "dns", "extra", "elsewhere")
STACKS = ("a", "b", "c", "d", "e")
STEPS = 30
INSTANCES = """select i.id, i.name, i.monthly, i.currency, i.abstract, i.enabled, i.component_id, s.environment_id, g.document ->> 'component'
    from component_instance i join stack s on s.id = i.stack_id join config g on g.hash = i.config_hash where i.state <> 'REMOVED'"""
COMPONENTS = """select c.name, c.id, e.monthly, e.currency from component c left join cost_estimate e on e.id = c.cost_estimate_id
    where c.removed_at is null"""
PARTS = "select v.id, v.slug, p.name, p.component_id from service v left join service_component p on p.service_id = v.id order by v.slug, p.ordinal"
RUNNING = """select v.slug, i.environment_id, i.state, i.missing,
    array(select c.instance_id from service_instance_component c where c.service_instance_id = i.id order by 1)
    from service_instance i join service v on v.id = i.service_id"""
COMPUTED = "select v.slug, e.status, e.monthly, e.unsupported from service v left join cost_estimate e on e.id = v.computed_cost_estimate_id"


WAYS = ("plain", "plain", "plain", "type: abstract", "enabled: false")
COSTS = (None, 10, 10, 20)


def instance(rnd):
    """What an instance is: of which component, how, at what cost, with which variable."""
    return {"component": rnd.choice((None, *NAMES)), "way": rnd.choice(WAYS), "cost": rnd.choice(COSTS), "a": rnd.randint(0, 3)}


def manifest(name, instances):
    """The text of a stack."""
    lines = [f"vars: {{namespace: acme, tenant: plat, stage: {name}, region: r1}}", "components:", "  terraform:"]
    for one, said in instances.items():
        about = [f"component: {said['component']}"] if said["component"] else []
        about += [said["way"]] if said["way"] != "plain" else []
        about += [f"custom: {{cost_estimate: ${said['cost']}}}"] if said["cost"] else []
        lines.append(f"    {one}: {{metadata: {{{', '.join(about)}}}, vars: {{a: {said['a']}}}}}")
    return "\n".join(lines) + "\n"


def offers(rnd):
    """Seeds of some services with some parts."""
    parts = {slug: ", ".join(rnd.sample(NAMES, rnd.randint(0, 4))) for slug in rnd.sample(("one", "two", "three", "four"), 3)}
    return "services:\n" + "".join(f"  {slug}: {{components: {{infrastructure: [{said}]}}}}\n" for slug, said in parts.items())


def step(rnd, place, stacks):
    """One small edit: of an instance, a stack, the seeds, the mapping, or a component's code."""
    chance = rnd.random()
    if chance < 0.5:
        name = rnd.choice(sorted(stacks))
        said = stacks[name][rnd.choice(sorted(stacks[name]))]
        key = rnd.choice(sorted(said))
        said[key] = instance(rnd)[key]
    elif chance < 0.65:
        name = rnd.choice(sorted(stacks))
        one = rnd.choice(NAMES)
        if one in stacks[name] and len(stacks[name]) > 1:
            del stacks[name][one]
        else:
            stacks[name][one] = instance(rnd)
    elif chance < 0.7:
        name = rnd.choice(STACKS)
        if stacks.pop(name, None) is not None and stacks:
            place.remove(f"stacks/orgs/{name}.yaml")
            return
        stacks[name] = {one: instance(rnd) for one in rnd.sample(NAMES, 3)}
    elif chance < 0.8:
        place.write({"seeds/services.yaml": offers(rnd)})
        return
    elif chance < 0.9:
        mapped = f"{{atmos_stack: plat-{rnd.choice(STACKS)}, idp_context: {{environment: {rnd.choice(('x', 'y'))}}}}}"
        place.write({"seeds/tenants.yaml": f"tenant_mapping: {mapped}\n"})
        return
    else:
        code = place.path / f"components/terraform/{rnd.choice(('extra', 'rds', 'vpc'))}/component.yaml"
        code.unlink() if code.exists() else place.write({str(code.relative_to(place.path)): "cost_estimate: $7\n"})
        return
    place.write({f"stacks/orgs/{name}.yaml": manifest(name, stacks[name])})


async def model(catalog):
    """What runs where and what it costs, told once more from the rows: every service against every environment."""
    parts, linked = defaultdict(list), defaultdict(list)
    for _, slug, name, component in await catalog.ask(PARTS):
        if name is not None:
            linked[slug].append((name, component))
            if name not in parts[slug]:
                parts[slug].append(name)
        else:
            parts[slug] = []
    named, made, costs = defaultdict(set), defaultdict(set), defaultdict(set)
    for identity, name, monthly, currency, abstract, enabled, _, environment, component in await catalog.ask(INSTANCES):
        if not abstract and enabled:
            named[environment, name].add(identity)
            made[environment, component].add(identity)
            if currency is not None:
                costs[name].add((currency, monthly))
    running = set()
    for slug, names in parts.items():
        for environment in {place for place, _ in (*named, *made)}:
            found = {name: named.get((environment, name)) or made.get((environment, name)) for name in names}
            missing = tuple(name for name in names if not found[name])
            if names and len(missing) * 2 <= len(names):
                members = tuple(sorted(set().union(*(ids for ids in found.values() if ids))))
                running.add((slug, environment, "PARTIAL" if missing else "COMPLETE", missing, members))
    components = {name: (identity, monthly) for name, identity, monthly, _ in await catalog.ask(COMPONENTS)}
    priced = {}
    for slug in parts:
        amounts = {}
        for name, component in linked[slug]:
            agreed = next(iter(costs[name]))[1] if len(costs[name]) == 1 else None
            own = next((monthly for identity, monthly in components.values() if identity == component), None)
            amounts[name] = own if agreed is None else agreed
        unknown = [name for name, amount in amounts.items() if amount is None]
        total = sum((amount for amount in amounts.values() if amount is not None), Decimal(0))
        status = "UNKNOWN" if len(unknown) == len(amounts) else "PARTIAL" if unknown else "KNOWN"
        priced[slug] = (status, None if status == "UNKNOWN" else total, unknown) if amounts else (None, None, None)
    return running, priced, {slug: [name for name, _ in found] for slug, found in linked.items()}


@pytest.mark.parametrize("seed", range(int(os.environ.get("CATALOG_RANDOM_SERVICES", "3"))))
async def test_services_follow_any_sequence_of_edits(seed, catalog, place):
    """After each run, services of the seeds and a registered one are where the model says, and cost what it says."""
    rnd = random.Random(seed)
    place.remove("stacks/orgs/dev.yaml")
    place.remove("stacks/orgs/prod.yaml")
    place.write({f"components/terraform/{name}/main.tf": "" for name in ("rds", "dns", "extra")})
    async with catalog.database.session() as session:
        made = await principals.add(session, "ada@acme.example", Role.REQUESTER)
        await session.commit()
    scope = await principals.scope_of(catalog.database, made.id)
    seen = set()
    stacks = {name: {one: instance(rnd) for one in rnd.sample(NAMES, 4)} for name in STACKS}
    place.write({f"stacks/orgs/{name}.yaml": manifest(name, said) for name, said in stacks.items()})
    place.write({"seeds/services.yaml": offers(rnd)})
    for number in range(STEPS):
        step(rnd, place, stacks)
        report = await catalog.index(place.path, confirmed=True)
        assert report.error is None
        if number == 1:
            parts = tuple(Part(name=name, layer="APPLICATION") for name in ("vpc", "dns", "extra"))
            given = Definition(slug="ours", title="Ours", owner="platform", components=parts)
            await services.register(catalog.database, scope, given, idempotency_key="k")
        running, priced, _ = await model(catalog)
        found = {
            (slug, place_, state, tuple(missing), tuple(ids)) for slug, place_, state, missing, ids in await catalog.ask(RUNNING)
        }
        assert found == running, number
        assert {row[0]: row[1:] for row in await catalog.ask(COMPUTED)} == priced, number
        seen |= {row[2] for row in found} | {row[0] for row in priced.values()}
    assert seen >= {"COMPLETE", "PARTIAL"}
