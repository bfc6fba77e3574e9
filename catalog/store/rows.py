"""Rows as plain tuples, one type for each record that the indexer writes in bulk: the fields are the record's columns, in order.

Tuples because COPY takes tuples and because a hundred thousand of them must cost little; JSON columns hold JSON text.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from sqlmodel import SQLModel

from catalog import records


def _row(record: type[SQLModel]) -> Any:
    table = record.__table__  # type: ignore[attr-defined]
    names = [column.name for column in table.columns if column.identity is None]
    return namedtuple(f"{record.__name__}Row", names)  # noqa: PYI024 — fields come from the record


OrganizationRow = _row(records.Organization)
TenantRow = _row(records.Tenant)
TeamRow = _row(records.Team)
PersonRow = _row(records.Person)
EnvironmentRow = _row(records.Environment)
ServiceRow = _row(records.Service)
ServiceComponentRow = _row(records.ServiceComponent)
ServiceInstanceRow = _row(records.ServiceInstance)
ServiceInstanceComponentRow = _row(records.ServiceInstanceComponent)
ManifestRow = _row(records.Manifest)
ManifestImportRow = _row(records.ManifestImport)
StackRow = _row(records.Stack)
StackVersionRow = _row(records.StackVersion)
ComponentRow = _row(records.Component)
ConfigurationRow = _row(records.Configuration)
ComponentInstanceRow = _row(records.ComponentInstance)
InstanceVersionRow = _row(records.InstanceVersion)
DependencyRow = _row(records.Dependency)
DiagnosticRow = _row(records.DiagnosticRecord)
ChangeRow = _row(records.Change)
WorkflowRow = _row(records.Workflow)
CostEstimateRow = _row(records.CostEstimate)
CostImportRow = _row(records.CostImport)
CostItemRow = _row(records.CostItem)
