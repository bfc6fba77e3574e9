"""The schema against the public contract: whatever we expose has the contract's name and shape."""

from __future__ import annotations

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
)

from catalog.graph.schema import graphql_schema

# What the schema adds to the contract on purpose.
ADDED = {
    "ComponentInstance.changedAt",
    "ComponentInstance.dependsOn(transitive:)",
    "DependencyEdge.depth",
    "Provenance.component",
} | {
    # Runs say where they read, who decided on them and why they failed; estates why they are read-only and what their remote said.
    *(f"IndexRun.{name}" for name in ("ref", "number", "askedRevision", "author", "decidedBy", "error", "backfill")),
    *(f"Estate.{name}" for name in ("readOnlyReason", "remoteAskedAt", "remoteRevision", "remoteError")),
    "ConfirmIndexRunInput.reason",
    # Components say which modules and which Terraform they need, what their variables are held to, and what is deprecated.
    *(f"Component.{name}" for name in ("modules", "requiredVersion")),
    *(f"ComponentInput.{name}" for name in ("validations", "deprecated")),
    *("ComponentOutput.deprecated", "InputValidation", "ModuleCall"),
    *("Service.location", "Team.location"),  # where the seeds define them: what is changed there, not here
    # Estates count what has an owner by its evidence, and what has none by the reason, which each row tells too.
    *("Estate.stackOwnership", "Estate.instanceOwnership", "Stack.unowned", "ComponentInstance.unowned"),
    *("ImportCostsInput.name", "ImportCostsInput.currency"),  # what corrections come under; OpenCost says none
    # Budgets stand for tenants and services as for teams, and are foretold in two ways.
    *("BudgetStatus.forecastAsLastMonth", "Tenant.budgetStatus", "Service.budgetStatus"),
    # Charges say all that files of FOCUS say of them and is kept, so that they can be exported as such.
    *(
        f"Charge.{name}"
        for name in (
            "billingPeriodStart",
            "billingPeriodEnd",
            "billingAccountId",
            "billingAccountName",
            "subAccountId",
            "subAccountName",
            "chargeClass",
            "description",
            "publisher",
            "invoiceIssuer",
            "serviceCategory",
            "resourceName",
            "resourceType",
            "skuId",
            "pricingQuantity",
            "pricingUnit",
            "consumedQuantity",
            "consumedUnit",
        )
    ),
    *("OwnershipCount", "OwnershipCoverage", "Unowned", "UnownedCount", "UnownedReason"),
}


def differences(contract, ours):
    """Every type, field, argument and value of ours that the contract has otherwise or not at all."""
    found = []
    for name, kind in ours.type_map.items():
        if name.startswith("__"):
            continue
        expected = contract.type_map.get(name)
        if expected is None:
            found += [] if name in ADDED else [f"{name} is not in the contract"]
        elif not isinstance(kind, type(expected)):
            found.append(f"{name} is another kind of type")
        elif isinstance(kind, GraphQLEnumType):
            if list(kind.values) != list(expected.values):
                found.append(f"{name}: {list(kind.values)} instead of {list(expected.values)}")
        elif isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)):
            found += of_fields(name, expected, kind)
    return found


def of_fields(name, expected, kind):
    found = []
    for field_name, field in kind.fields.items():
        place = f"{name}.{field_name}"
        wanted = expected.fields.get(field_name)
        if wanted is None:
            found += [] if place in ADDED else [f"{place} is not in the contract"]
            continue
        if str(field.type) != str(wanted.type):
            found.append(f"{place}: {field.type} instead of {wanted.type}")
        if isinstance(kind, GraphQLInputObjectType):
            continue
        for argument_name, argument in field.args.items():
            wanted_argument = wanted.args.get(argument_name)
            if wanted_argument is None:
                added = f"{place}({argument_name}:)"
                found += [] if added in ADDED else [f"{added} is not in the contract"]
            elif str(argument.type) != str(wanted_argument.type):
                found.append(f"{place}({argument_name}:): {argument.type} instead of {wanted_argument.type}")
        found += [
            f"{place}({missing}:) is missing and required"
            for missing, argument in wanted.args.items()
            if missing not in field.args and str(argument.type).endswith("!")
        ]
    if isinstance(kind, GraphQLInputObjectType):
        found += [
            f"{name}.{missing} is missing and required"
            for missing, field in expected.fields.items()
            if missing not in kind.fields and str(field.type).endswith("!")
        ]
    return found


def missing(contract, ours):
    """What of the contract isn't there yet."""
    found = []
    for name, kind in contract.type_map.items():
        if name not in ours.type_map:
            found.append(name)
        elif hasattr(kind, "fields"):
            mine = ours.type_map[name]
            for field_name, field in kind.fields.items():
                if field_name not in mine.fields:
                    found.append(f"{name}.{field_name}")
                elif hasattr(field, "args"):
                    found += [f"{name}.{field_name}({arg}:)" for arg in field.args if arg not in mine.fields[field_name].args]
    return found


@pytest.mark.shared
def test_what_we_expose_is_what_the_contract_says(shared, capsys) -> None:
    """No name of the schema differs from the contract in shape; what is still missing is printed."""
    contract = build_schema((shared / "design" / "schema-contract.graphql").read_text())
    ours = graphql_schema()
    with capsys.disabled():
        print("\nof the contract, not there yet:", ", ".join(missing(contract, ours)))
    assert differences(contract, ours) == []
