"""Imported estimates of instances: matched, shown before what metadata says, kept through index runs, and with a history."""

import json
from decimal import Decimal

import pytest

from catalog.cost import imports
from catalog.records import CostFormat

SHOWN = """select s.name || '-' || i.name, i.cost_status, i.monthly, e.source from component_instance i join stack s on s.id = i.stack_id
    left join cost_estimate e on e.id = i.cost_estimate_id where i.removed_at is null order by 1"""
HISTORY = """select e.source, e.monthly, e.superseded_at is null from cost_estimate e join component_instance i on i.id = e.subject_id
    join stack s on s.id = i.stack_id where s.name = 'plat-dev' and i.name = 'eks' order by e.estimated_at"""


def component(name, monthly):
    return {"name": name, "unit": "hours", "monthlyQuantity": "730", "monthlyCost": monthly}


def project(name, *monthly, total=None, **metadata):
    resource = {
        "name": "aws_eks_cluster.this",
        "resourceType": "aws_eks_cluster",
        "costComponents": [component(f"part {number}", one) for number, one in enumerate(monthly)],
    }
    summed = sum((Decimal(one) for one in monthly if one is not None), Decimal(0))
    return {
        "name": name,
        "metadata": metadata,
        "breakdown": {"resources": [resource], "totalMonthlyCost": total or str(summed)},
    }


@pytest.fixture
async def indexed(catalog, place):
    """The small estate, read."""
    await catalog.index(place.path)
    return catalog


@pytest.fixture
def take(indexed, tmp_path):
    """Import a file of Infracost."""

    async def call(*projects, at="2026-05-01T00:00:00Z", body=None, currency="USD"):
        path = tmp_path / "infracost.json"
        said = {"version": "0.2", "currency": currency, "timeGenerated": at, "projects": list(projects)}
        path.write_text(body or json.dumps(said))
        async with indexed.database.session() as session:
            source = imports.Source(path=path, name="infracost.json", format=CostFormat.INFRACOST)
            report = await imports.take(session, source)
            await session.commit()
        return report

    return call


async def test_a_project_is_found_by_its_name_and_goes_before_what_metadata_says(indexed, take):
    """Infracost's word is the instance's cost, with its items, whatever the estate declares."""
    report = await take(project("plat-dev-eks", "73.000000000000001"), project("plat-prod-vpc", "10", "5.5"))

    assert (report.rows, report.accepted, report.replaced, report.rejected) == (2, 2, 0, 0)
    assert report.totals == (("USD", Decimal("88.500000000000001")),)
    assert await indexed.ask(SHOWN) == [
        ("plat-dev-eks", "KNOWN", Decimal("73.000000000000001"), "INFRACOST"),
        ("plat-dev-vpc", "KNOWN", Decimal(50), "INSTANCE_METADATA"),
        ("plat-prod-vpc", "KNOWN", Decimal("15.5"), "INFRACOST"),
    ]
    assert await indexed.ask("select name, unit, monthly_quantity, monthly from cost_item order by monthly") == [
        ("aws_eks_cluster.this: part 1", "hours", 730, Decimal("5.5")),
        ("aws_eks_cluster.this: part 0", "hours", 730, Decimal(10)),
        ("aws_eks_cluster.this: part 0", "hours", 730, Decimal("73.000000000000001")),
    ]


async def test_index_runs_leave_imported_estimates_in_their_place(indexed, take, place):
    """Neither an edit of the instance nor one of its declared cost takes away what was imported."""
    await take(project("plat-dev-eks", "73"), project("plat-prod-vpc", "10"))
    place.write({
        "stacks/orgs/dev.yaml": (place.path / "stacks/orgs/dev.yaml").read_text().replace("small", "large"),
        "stacks/catalog/vpc.yaml": (place.path / "stacks/catalog/vpc.yaml").read_text().replace("$50", "$60"),
    })  # fmt: skip

    await indexed.index(place.path)

    assert await indexed.ask(SHOWN) == [
        ("plat-dev-eks", "KNOWN", 73, "INFRACOST"),
        ("plat-dev-vpc", "KNOWN", 60, "INSTANCE_METADATA"),
        ("plat-prod-vpc", "KNOWN", 10, "INFRACOST"),
    ]


async def test_a_later_estimate_supersedes_an_earlier_one_which_stays_as_history(indexed, take):
    """A trend is kept; an older file that comes late is history at once, and the same file twice is one estimate."""
    await take(project("plat-dev-eks", "70"), at="2026-05-01T00:00:00Z")
    report = await take(project("plat-dev-eks", "80"), at="2026-06-01T00:00:00Z")
    await take(project("plat-dev-eks", "60"), at="2026-04-01T00:00:00Z")
    await take(project("plat-dev-eks", "80"), at="2026-06-01T00:00:00Z")

    assert report.replaced == 1
    assert await indexed.ask(HISTORY) == [("INFRACOST", 60, False), ("INFRACOST", 70, False), ("INFRACOST", 80, True)]
    assert (await indexed.ask(SHOWN))[0][2] == 80


async def test_what_has_no_price_is_named_and_never_zero(indexed, take):
    """A line without usage makes an estimate partial; a project without any price tells nothing, and hides nothing."""
    await take(project("plat-dev-eks", "73", None), project("plat-dev-vpc", None, total="0"))

    assert await indexed.ask("select status, monthly, unsupported, reason from cost_estimate where source = 'INFRACOST' order by 1") == [
        ("PARTIAL", 73, ["aws_eks_cluster.this: part 1: no price or usage is known"], None),
        ("UNKNOWN", None, ["aws_eks_cluster.this: part 0: no price or usage is known"], "nothing has a price"),
    ]  # fmt: skip
    assert (await indexed.ask(SHOWN))[1] == ("plat-dev-vpc", "KNOWN", 50, "INSTANCE_METADATA")


async def test_projects_that_are_nobody_s_are_refused_with_what_would_name_them(indexed, take):
    """A project is never put onto the wrong instance: several that fit, none, and one that comes twice are told of."""
    report = await take(
        project("unnamed", "1", path="components/terraform/vpc"),
        project("elsewhere", "1", path="modules/other"),
        project("by path", "7", path="/builds/shop/components/terraform/eks"),
        project("plat-dev-eks", "8"),
        {"name": "broken"},
        project("failed", "1", errors=[{"code": 1, "message": "no plan"}]),
    )

    assert (report.rows, report.accepted, report.rejected) == (6, 1, 5)
    told = await indexed.ask('select "row", reason from rejected_row order by ordinal')
    assert told == [
        (1, "'unnamed' may be plat-dev-vpc, plat-prod-vpc: name the project <stack>-<component>"),
        (
            2,
            "no instance is 'elsewhere': name the project <stack>-<component>, or run it in the component's directory and workspace",
        ),
        (4, "project 3 is of plat-dev-eks already"),
        (5, "project 'broken' has no breakdown of its resources"),
        (6, "Infracost failed on project 'failed': no plan"),
    ]


async def test_services_cost_what_their_parts_are_estimated_at(indexed, take):
    """What a part costs by an import is what its service costs."""
    await take(project("plat-dev-eks", "73"))

    assert await indexed.ask(
        "select e.status, e.monthly from service v join cost_estimate e on e.id = v.computed_cost_estimate_id"
    ) == [("KNOWN", 123)]
