"""Charges: what providers billed, and where it landed."""

from datetime import datetime
from decimal import Decimal

import strawberry
from strawberry.scalars import JSON

from catalog.graph import names
from catalog.graph.declarations import column, items, one, page, reads_from
from catalog.graph.nodes import Connection, Money, Node


@reads_from("charge")
@strawberry.type(description="A charge as its provider billed it, in the columns of FOCUS, and why it landed where it did.")
class Charge(Node):
    period_start: datetime = column("period_start", "When what is charged for began.")
    period_end: datetime = column("period_end", "When it was over.")
    category: str = column("category", "The kind of charge, such as `Usage` or `Tax`.")
    provider: str | None = column("provider", "Who billed it.")
    service_name: str | None = column("service_name", "The provider's service.")
    resource_id: str | None = column("resource_id", "The provider's id of the resource.")
    region_id: str | None = column("region_id", "The provider's id of the region.")
    billed: Money = one("billed", "What was billed.")
    effective: Money = one("effective", "What it costs when prepayments are spread: this is what is allocated.")
    contracted: Money | None = one("contracted", "What it would have cost by negotiated prices.")
    tags: JSON = column("tags", "Its tags.")
    allocations: list[names.AllocationType] = items("allocations", "The parts of it that the viewer may see.")
    list: Money | None = one("list", "What it would have cost by list prices.")
    billing_period_start: datetime = column("billing_period_start", "When the period began that it was billed in.")
    billing_period_end: datetime = column("billing_period_end", "When that period was over.")
    billing_account_id: str | None = column("billing_account_id", "The account that is billed.")
    billing_account_name: str | None = column("billing_account_name", "What that account is called.")
    sub_account_id: str | None = column("sub_account_id", "The account below it that caused the charge.")
    sub_account_name: str | None = column("sub_account_name", "What that account is called.")
    charge_class: str | None = column("charge_class", "`Correction` where it corrects what an earlier billing period said.")
    description: str | None = column("description", "What it is for, in the provider's words.")
    publisher: str | None = column("publisher", "Who made what is charged for.")
    invoice_issuer: str | None = column("invoice_issuer", "Who sends the invoice.")
    service_category: str | None = column("service_category", "What kind of service it is, such as `Compute`.")
    resource_name: str | None = column("resource_name", "What the resource is called.")
    resource_type: str | None = column("resource_type", "The provider's kind of resource.")
    sku_id: str | None = column("sku_id", "The provider's id of what is sold.")
    pricing_quantity: Decimal | None = column("pricing_quantity", "How much of it is priced.")
    pricing_unit: str | None = column("pricing_unit", "In which unit that is counted.")
    consumed_quantity: Decimal | None = column("consumed_quantity", "How much of it was used.")
    consumed_unit: str | None = column("consumed_unit", "In which unit that is counted.")


@reads_from("allocation")
@strawberry.type(description="The part of a charge that landed somewhere, and why; all parts of a charge add up to `effective`.")
class Allocation:
    instance: names.ComponentInstanceType | None = one("instance", "The instance that caused it.")
    environment: names.EnvironmentType | None = one("environment", "The environment that it belongs to.")
    team: names.TeamType | None = one("team", "The team that pays for it.")
    share: Decimal = column("share", "Its part of the charge, from 0 to 1.")
    amount: Money = one("amount", "How much that is.")
    rule: str = column("rule", "The rule that put it there.")
    reason: str = column("reason", "Why that rule holds.")


@reads_from("cost_import")
@strawberry.type(description="What became of an import of costs.")
class ImportReport:
    rows: int = column("rows", "How many rows were read.")
    accepted: int = column("accepted", "How many were taken.")
    replaced: int = column("replaced", "How many of these took the place of what was imported before.")
    rejected: Connection[names.RejectedRowType] = page("rejected", "The rows that were not taken.")


@reads_from("rejected_row")
@strawberry.type(description="A row that was not taken.")
class RejectedRow:
    row: int = column("row", "Its number, counted from 1.")
    reason: str = column("reason", "What is wrong.")
    column: str | None = column("column", "The column that is wrong.")
