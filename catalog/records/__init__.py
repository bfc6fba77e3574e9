"""The vocabulary of the catalog, as SQLModel records. May import `config`, `errors` and `values` only.

The decision that shaped it: rows are narrow and keyed by global ids (the hash of a kind and its natural key), wide documents are
content-addressed beside them, and promises such as "one active request per target" are constraints, not code.
"""

from sqlmodel import SQLModel

from catalog.records.access import (
    ANONYMOUS,
    SYSTEM,
    AccessToken,
    Grant,
    GrantScope,
    Principal,
    PrincipalKind,
    Role,
    Scope,
    TeamMember,
)
from catalog.records.cost import CostEstimate, CostSource, CostStatus
from catalog.records.estate import (
    Change,
    ChangeKind,
    Component,
    ComponentInstance,
    ComponentType,
    Configuration,
    Dependency,
    DependencyKind,
    DiagnosticRecord,
    DriftState,
    Estate,
    FreshnessState,
    IndexRun,
    IndexRunState,
    InstanceVersion,
    Manifest,
    ManifestImport,
    Maturity,
    OwnershipSource,
    Stack,
    Workflow,
)
from catalog.records.organization import (
    Environment,
    EnvironmentKind,
    Lifecycle,
    Organization,
    Person,
    Service,
    ServiceComponent,
    ServiceInstance,
    ServiceInstanceComponent,
    ServiceInstanceState,
    ServiceLayer,
    ServiceSource,
    Team,
    Tenant,
)
from catalog.records.provisioning import (
    FINAL_STATES,
    Approval,
    ApprovalDecision,
    Idempotency,
    LogStream,
    ProvisioningAction,
    ProvisioningRequest,
    RequestState,
    RequestStep,
    StepKind,
    StepLog,
    StepState,
)

metadata = SQLModel.metadata

__all__ = [
    "ANONYMOUS", "FINAL_STATES", "SYSTEM", "AccessToken", "Approval", "ApprovalDecision", "Change", "ChangeKind", "Component",
    "ComponentInstance", "ComponentType", "Configuration", "CostEstimate", "CostSource", "CostStatus", "Dependency", "DependencyKind",
    "DiagnosticRecord", "DriftState", "Environment", "EnvironmentKind", "Estate", "FreshnessState", "Grant", "GrantScope", "Idempotency",
    "IndexRun", "IndexRunState", "InstanceVersion", "Lifecycle", "LogStream", "Manifest", "ManifestImport", "Maturity", "Organization",
    "OwnershipSource", "Person", "Principal", "PrincipalKind", "ProvisioningAction", "ProvisioningRequest", "RequestState", "RequestStep",
    "Role", "Scope", "Service", "ServiceComponent", "ServiceInstance", "ServiceInstanceComponent", "ServiceInstanceState", "ServiceLayer",
    "ServiceSource", "Stack", "StepKind", "StepLog", "StepState", "Team", "TeamMember", "Tenant", "Workflow", "metadata",
]
