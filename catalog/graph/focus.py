"""Charges as a file of FOCUS 1.2: which list, and what its columns are called there.

What the catalog doesn't keep of a charge (unit prices, commitments) isn't there; the columns that FOCUS requires and importers look for
are, so that a file which is imported again holds the same charges.
"""

from __future__ import annotations

from collections.abc import Mapping

NAME = "focus"
LIST = "charges"
# In the order of the columns: what each is called, and the path of its values in a charge.
COLUMNS: Mapping[str, str] = {
    "BilledCost": "billed.amount",
    "BillingAccountId": "billingAccountId",
    "BillingAccountName": "billingAccountName",
    "BillingCurrency": "billed.currency",
    "BillingPeriodEnd": "billingPeriodEnd",
    "BillingPeriodStart": "billingPeriodStart",
    "ChargeCategory": "category",
    "ChargeClass": "chargeClass",
    "ChargeDescription": "description",
    "ChargePeriodEnd": "periodEnd",
    "ChargePeriodStart": "periodStart",
    "ConsumedQuantity": "consumedQuantity",
    "ConsumedUnit": "consumedUnit",
    "ContractedCost": "contracted.amount",
    "EffectiveCost": "effective.amount",
    "InvoiceIssuerName": "invoiceIssuer",
    "ListCost": "list.amount",
    "PricingQuantity": "pricingQuantity",
    "PricingUnit": "pricingUnit",
    "ProviderName": "provider",
    "PublisherName": "publisher",
    "RegionId": "regionId",
    "ResourceId": "resourceId",
    "ResourceName": "resourceName",
    "ResourceType": "resourceType",
    "ServiceCategory": "serviceCategory",
    "ServiceName": "serviceName",
    "SkuId": "skuId",
    "SubAccountId": "subAccountId",
    "SubAccountName": "subAccountName",
    "Tags": "tags",
}
TITLES = {path: title for title, path in COLUMNS.items()}
