import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.cost import infracost, price_book
from catalog.cost.estimates import Candidate, Project, match
from catalog.errors import Invalid
from catalog.records import CostStatus

TOTALS = [
    ("azure_firewall_out.json", "4018.65"),
    ("breakdown_format_json.json", "1361.3075"),
    ("comment_backoff_retry_infracost.json", "3027.528"),
    ("diff_with_compare_to_prior.json", "2045.92"),
    ("diff_with_infracost_json_current.json", "1303.28"),
]


@pytest.mark.shared
@pytest.mark.parametrize(("name", "total"), TOTALS)
def test_infracost_s_own_outputs_add_up_to_their_totals_to_the_last_digit(shared, name, total):
    """Whatever version wrote the file, projects, and the items within them, come to the total that it says."""
    sample = shared / "samples" / "infracost" / name
    if not sample.is_file():
        pytest.skip("the samples of Infracost are not on this machine")

    projects = [one.estimated for one in infracost.read(sample.read_text(encoding="utf-8")).projects]

    assert sum(one.monthly for one in projects) == Decimal(total)
    assert all(sum(item.monthly for item in one.items if item.monthly is not None) == one.monthly for one in projects)
    assert not any(one.reason for one in projects)


def resource(*costs, **more):
    return {"name": "r", "resourceType": "t", "costComponents": [{"name": "c", "monthlyCost": cost} for cost in costs], **more}


def one(breakdown, **more):
    said = {"projects": [{"name": "p", "breakdown": breakdown, **more}]}
    return infracost.read(json.dumps(said)).projects[0]


def test_a_diff_is_read_as_what_will_be():
    """Of a diff, the breakdown is the estimate; what was and what changes is not added to it."""
    said = {
        "name": "p",
        "pastBreakdown": {"resources": [resource("1")]},
        "diff": {"resources": [resource("4")]},
        "breakdown": {"resources": [resource("5")]},
    }

    [project] = infracost.read(json.dumps({"projects": [said]})).projects

    assert project.estimated.monthly == 5


@pytest.mark.parametrize(
    ("breakdown", "more", "status", "monthly", "unsupported"),
    [
        ({"resources": []}, {}, CostStatus.KNOWN, Decimal(0), 0),
        ({"resources": [resource("1", "2")]}, {}, CostStatus.KNOWN, Decimal(3), 0),
        ({"resources": [resource("1", None)]}, {}, CostStatus.PARTIAL, Decimal(1), 1),
        ({"resources": [resource(None)]}, {}, CostStatus.UNKNOWN, None, 1),
        ({"resources": [resource(None)], "totalMonthlyCost": "0"}, {}, CostStatus.UNKNOWN, None, 1),
        ({"resources": [resource("0")], "totalMonthlyCost": "0"}, {}, CostStatus.KNOWN, Decimal(0), 0),
        ({"resources": [], "totalMonthlyCost": "0"}, {"summary": {"unsupportedResourceCounts": {"x": 2}}}, CostStatus.UNKNOWN, None, 1),
        ({"resources": [resource("1")]}, {"summary": {"noPriceResourceCounts": {"aws_iam_role": 2}}}, CostStatus.KNOWN, Decimal(1), 0),
        ({"resources": [{"name": "r", "costComponents": [{"name": "c", "monthlyCost": "1", "priceNotFound": True}]}]}, {}, CostStatus.UNKNOWN, None, 1),
        ({"resources": [resource("1", subresources=[resource("2")])]}, {}, CostStatus.KNOWN, Decimal(3), 0),
    ],
)  # fmt: skip
def test_what_is_not_known_is_a_status_and_named_never_zero(breakdown, more, status, monthly, unsupported):
    """Lines without price or usage, and resources that Infracost doesn't know, make an estimate partial or unknown."""
    estimated = one(breakdown, **more).estimated

    assert (estimated.status, estimated.monthly, len(estimated.unsupported)) == (status, monthly, unsupported)


def test_resources_that_do_not_come_to_the_file_s_total_are_told_of():
    """A total that its parts contradict is partial, and says both sums."""
    estimated = one({"resources": [resource("1")], "totalMonthlyCost": "2"}).estimated

    assert (estimated.status, estimated.monthly, estimated.reason) == (
        CostStatus.PARTIAL, Decimal(2), "the resources come to 1, the file says 2",
    )  # fmt: skip


def test_text_behind_the_json_is_left_out_and_half_of_the_json_is_refused():
    """Older versions print more than JSON; a file that is cut off is none."""
    whole = json.dumps({"projects": [{"name": "p", "breakdown": {"resources": []}}]})

    assert len(infracost.read(f"{whole}\nErr: a warning").projects) == 1
    for broken in (whole[:-5], "", "[]", "{}", '{"projects": [], "currency": "COINS"}'):
        with pytest.raises(Invalid):
            infracost.read(broken)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("name", "breakdown", "resources", "costComponents", "subresources", "monthlyCost", "metadata", "summary")
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=3))
def test_whatever_a_project_is_it_is_read_or_rejected(projects):
    """No shape of a project is an error that nobody expected."""
    assert len(infracost.read(json.dumps({"projects": projects})).projects) == len(projects)


CANDIDATES = [
    Candidate(id="1", stack="plat-dev", name="vpc", path="components/terraform/vpc", workspace="plat-dev"),
    Candidate(id="2", stack="plat-prod", name="vpc", path="components/terraform/vpc", workspace="plat-prod"),
    Candidate(id="3", stack="plat-dev", name="eks", path="components/terraform/eks", workspace="plat-dev-eks"),
]


@pytest.mark.parametrize(
    ("project", "found"),
    [
        (Project(name="plat-dev-vpc"), "1"),
        (Project(name="plat-prod/vpc"), "2"),
        (Project(name="x", paths=("components/terraform/eks",)), "3"),
        (Project(name="x", paths=("/home/ci/shop/components/terraform/eks/",)), "3"),
        (Project(name="x", paths=("components/terraform/eks/plan.json",)), "3"),
        (Project(name="x", paths=("components/terraform/vpc",), workspace="plat-prod"), "2"),
        (Project(name="x", paths=("components/terraform/eks",), workspace="default"), "3"),
    ],
)
def test_a_project_is_found_by_name_else_by_path_and_workspace(project, found):
    """What names the instance best counts."""
    assert match(project, CANDIDATES).id == found


@pytest.mark.parametrize(
    "project",
    [
        Project(name="x", paths=("components/terraform/vpc",)),
        Project(name="x", paths=("components/terraform/vpc",), workspace="elsewhere"),
        Project(name="x", paths=("terraform-eks",)),
        Project(name="x", paths=(".",)),
    ],
)
def test_a_project_that_may_be_several_or_none_is_nobody_s(project):
    """Nothing is guessed."""
    assert isinstance(match(project, CANDIDATES), str)


BOOK = {
    "prices": {
        "currency": "EUR",
        "resources": [
            {"resource_type": "aws_instance", "match": {"instance_type": "m5.large"}, "unit": "hours", "price": "0.096"},
            {"resource_type": "aws_ebs_volume", "unit": "GB", "price": "0.08", "quantity": "size"},
            {"resource_type": "terraform_data", "price": 0},
        ],
    }
}


def plan(*resources, child=()):
    return {"planned_values": {"root_module": {"resources": list(resources), "child_modules": [{"resources": list(child)}]}}}


def planned(kind, **attributes):
    return {"address": f"{kind}.this", "mode": "managed", "type": kind, "values": attributes}


def test_a_price_book_prices_the_resources_of_a_plan():
    """Hours count for a month's 730, attributes say how many units there are, and modules are looked into."""
    estimated = price_book.estimate(
        price_book.read(BOOK),
        plan(
            planned("aws_instance", instance_type="m5.large"),
            planned("terraform_data"),
            child=[planned("aws_ebs_volume", size=100)],
        ),
    )

    assert (estimated.status, estimated.currency, estimated.monthly) == (CostStatus.KNOWN, "EUR", Decimal("78.080"))
    assert [item.monthly for item in estimated.items] == [Decimal("70.080"), Decimal(0), Decimal("8.00")]


@pytest.mark.parametrize(
    ("resources", "monthly", "unsupported"),
    [
        ([planned("aws_instance", instance_type="x1")], None, ("aws_instance (1): the price book doesn't know it",)),
        (
            [planned("terraform_data"), planned("aws_rds"), planned("aws_rds")],
            Decimal(0),
            ("aws_rds (2): the price book doesn't know it",),
        ),
        ([planned("aws_ebs_volume", size=None)], None, ("aws_ebs_volume (1): the price book doesn't know it",)),
        ([], Decimal(0), ()),
    ],
)
def test_what_the_price_book_does_not_know_is_named_never_free(resources, monthly, unsupported):
    """Free is what is written with a price of 0."""
    estimated = price_book.estimate(price_book.read(BOOK), plan(*resources))

    assert (estimated.monthly, estimated.unsupported) == (monthly, unsupported)


@pytest.mark.parametrize(
    "book",
    [
        {},
        {"prices": {"currency": "COINS", "resources": []}},
        {"prices": {"currency": "USD", "resources": [{"resource_type": "x"}]}},
        {"prices": {"currency": "USD", "resources": [{"resource_type": "x", "price": -1}]}},
        {"prices": {"currency": "USD", "resources": [{"resource_type": "x", "price": "cheap"}]}},
        {"prices": {"currency": "USD", "resources": [{"resource_type": "x", "price": 1, "prise": 2}]}},
    ],
)
def test_a_price_book_that_does_not_hold_is_refused(book):
    """A price that can't be read never becomes another one."""
    with pytest.raises(Invalid):
        price_book.read(book)
