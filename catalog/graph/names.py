"""The object types by name, for fields that lead to them: types lead to each other in circles, so each is looked up when needed."""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from catalog.graph.access import AccessToken, Grant, Principal
    from catalog.graph.charges import Allocation, Charge, ImportReport, RejectedRow
    from catalog.graph.costs import BudgetStatus, CostEstimate, CostItem, CostSummary, MonthlyCost
    from catalog.graph.estates import Change, Diagnostic, Estate, IndexRun, Manifest, ValueChange, Workflow, WorkflowStep
    from catalog.graph.governance import Application, AuditEvent, Policy, PolicyEvaluation
    from catalog.graph.kpis import Kpi, KpiPoint
    from catalog.graph.organizations import Environment, Organization, Person, Team, Tenant
    from catalog.graph.provisioning import (
        AffectedInstance,
        Approval,
        LogLine,
        PlanLevel,
        PolicyVerdict,
        ProvisioningPlan,
        ProvisioningPreview,
        ProvisioningRequest,
        RenderedFile,
        RequestStep,
    )
    from catalog.graph.reports import CostKey, CostReport, CostReportRow
    from catalog.graph.search import SearchHit
    from catalog.graph.services import Link, Scorecard, ScorecardCheck, Service, ServiceComponent, ServiceInstance
    from catalog.graph.stacks import (
        Component,
        ComponentInput,
        ComponentInstance,
        ComponentOutput,
        InputValidation,
        ModuleCall,
        Ownership,
        OwnershipCount,
        OwnershipCoverage,
        ProviderRequirement,
        Stack,
        Unowned,
        UnownedCount,
    )

EstateType = Annotated["Estate", strawberry.lazy("catalog.graph.estates")]
IndexRunType = Annotated["IndexRun", strawberry.lazy("catalog.graph.estates")]
DiagnosticType = Annotated["Diagnostic", strawberry.lazy("catalog.graph.estates")]
ChangeType = Annotated["Change", strawberry.lazy("catalog.graph.estates")]
ValueChangeType = Annotated["ValueChange", strawberry.lazy("catalog.graph.estates")]
ManifestType = Annotated["Manifest", strawberry.lazy("catalog.graph.estates")]
WorkflowType = Annotated["Workflow", strawberry.lazy("catalog.graph.estates")]
WorkflowStepType = Annotated["WorkflowStep", strawberry.lazy("catalog.graph.estates")]
StackType = Annotated["Stack", strawberry.lazy("catalog.graph.stacks")]
ComponentType = Annotated["Component", strawberry.lazy("catalog.graph.stacks")]
ComponentInputType = Annotated["ComponentInput", strawberry.lazy("catalog.graph.stacks")]
ComponentOutputType = Annotated["ComponentOutput", strawberry.lazy("catalog.graph.stacks")]
InputValidationType = Annotated["InputValidation", strawberry.lazy("catalog.graph.stacks")]
ModuleCallType = Annotated["ModuleCall", strawberry.lazy("catalog.graph.stacks")]
ProviderRequirementType = Annotated["ProviderRequirement", strawberry.lazy("catalog.graph.stacks")]
ComponentInstanceType = Annotated["ComponentInstance", strawberry.lazy("catalog.graph.stacks")]
OwnershipType = Annotated["Ownership", strawberry.lazy("catalog.graph.stacks")]
OwnershipCoverageType = Annotated["OwnershipCoverage", strawberry.lazy("catalog.graph.stacks")]
OwnershipCountType = Annotated["OwnershipCount", strawberry.lazy("catalog.graph.stacks")]
UnownedType = Annotated["Unowned", strawberry.lazy("catalog.graph.stacks")]
UnownedCountType = Annotated["UnownedCount", strawberry.lazy("catalog.graph.stacks")]
OrganizationType = Annotated["Organization", strawberry.lazy("catalog.graph.organizations")]
TenantType = Annotated["Tenant", strawberry.lazy("catalog.graph.organizations")]
EnvironmentType = Annotated["Environment", strawberry.lazy("catalog.graph.organizations")]
TeamType = Annotated["Team", strawberry.lazy("catalog.graph.organizations")]
PersonType = Annotated["Person", strawberry.lazy("catalog.graph.organizations")]
ServiceType = Annotated["Service", strawberry.lazy("catalog.graph.services")]
ServiceComponentType = Annotated["ServiceComponent", strawberry.lazy("catalog.graph.services")]
ServiceInstanceType = Annotated["ServiceInstance", strawberry.lazy("catalog.graph.services")]
ScorecardType = Annotated["Scorecard", strawberry.lazy("catalog.graph.services")]
ScorecardCheckType = Annotated["ScorecardCheck", strawberry.lazy("catalog.graph.services")]
LinkType = Annotated["Link", strawberry.lazy("catalog.graph.services")]
CostEstimateType = Annotated["CostEstimate", strawberry.lazy("catalog.graph.costs")]
CostSummaryType = Annotated["CostSummary", strawberry.lazy("catalog.graph.costs")]
CostItemType = Annotated["CostItem", strawberry.lazy("catalog.graph.costs")]
MonthlyCostType = Annotated["MonthlyCost", strawberry.lazy("catalog.graph.costs")]
BudgetStatusType = Annotated["BudgetStatus", strawberry.lazy("catalog.graph.costs")]
ChargeType = Annotated["Charge", strawberry.lazy("catalog.graph.charges")]
AllocationType = Annotated["Allocation", strawberry.lazy("catalog.graph.charges")]
ImportReportType = Annotated["ImportReport", strawberry.lazy("catalog.graph.charges")]
RejectedRowType = Annotated["RejectedRow", strawberry.lazy("catalog.graph.charges")]
CostReportType = Annotated["CostReport", strawberry.lazy("catalog.graph.reports")]
CostReportRowType = Annotated["CostReportRow", strawberry.lazy("catalog.graph.reports")]
CostKeyType = Annotated["CostKey", strawberry.lazy("catalog.graph.reports")]
KpiType = Annotated["Kpi", strawberry.lazy("catalog.graph.kpis")]
KpiPointType = Annotated["KpiPoint", strawberry.lazy("catalog.graph.kpis")]
ProvisioningRequestType = Annotated["ProvisioningRequest", strawberry.lazy("catalog.graph.provisioning")]
RequestStepType = Annotated["RequestStep", strawberry.lazy("catalog.graph.provisioning")]
LogLineType = Annotated["LogLine", strawberry.lazy("catalog.graph.provisioning")]
ApprovalType = Annotated["Approval", strawberry.lazy("catalog.graph.provisioning")]
ProvisioningPreviewType = Annotated["ProvisioningPreview", strawberry.lazy("catalog.graph.provisioning")]
RenderedFileType = Annotated["RenderedFile", strawberry.lazy("catalog.graph.provisioning")]
AffectedInstanceType = Annotated["AffectedInstance", strawberry.lazy("catalog.graph.provisioning")]
ProvisioningPlanType = Annotated["ProvisioningPlan", strawberry.lazy("catalog.graph.provisioning")]
PlanLevelType = Annotated["PlanLevel", strawberry.lazy("catalog.graph.provisioning")]
PolicyVerdictType = Annotated["PolicyVerdict", strawberry.lazy("catalog.graph.provisioning")]
PolicyType = Annotated["Policy", strawberry.lazy("catalog.graph.governance")]
PolicyEvaluationType = Annotated["PolicyEvaluation", strawberry.lazy("catalog.graph.governance")]
AuditEventType = Annotated["AuditEvent", strawberry.lazy("catalog.graph.governance")]
ApplicationType = Annotated["Application", strawberry.lazy("catalog.graph.governance")]
SearchHitType = Annotated["SearchHit", strawberry.lazy("catalog.graph.search")]
PrincipalType = Annotated["Principal", strawberry.lazy("catalog.graph.access")]
GrantType = Annotated["Grant", strawberry.lazy("catalog.graph.access")]
AccessTokenType = Annotated["AccessToken", strawberry.lazy("catalog.graph.access")]
