"""Governance: policies and their verdicts, what people did, and the applications that services run as."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from catalog.graph import enums, names
from catalog.graph.declarations import choice, column, one, reads_from
from catalog.graph.enums import described
from catalog.graph.nodes import Node
from catalog.records import ApplicationHealth, DecisionPoint

described(
    DecisionPoint,
    "When a policy is asked.",
    REQUEST="When something is asked for.",
    PLAN="When it is known what terraform would do.",
    APPROVAL="When somebody decides.",
    APPLY="Right before it is done.",
    INDEX="When an estate was read.",
)
described(
    ApplicationHealth,
    "How an application is, as Argo CD says.",
    HEALTHY="All of it is well.",
    PROGRESSING="It is on its way to be well.",
    DEGRADED="Part of it fails.",
    MISSING="Part of it isn't there.",
    UNKNOWN="Nobody can tell.",
)


@reads_from("policy")
@strawberry.type(description="A policy: what requests and instances are held to.")
class Policy(Node):
    name: str = column("name", "Its name.")
    package: str = column("package", "The package that it is written in.")
    title: str | None = column("title", "Its title.")
    description: str | None = column("description", "What it is for.")
    severity: enums.Severity = column("severity", "How bad a failure is: ERROR denies, anything less only warns.")
    source: str = column("source", "Its text.")
    compliance: float | None = column(
        "compliance", "The share of the instances in sight whose last verdict passed, from 0 to 1; null where none was judged."
    )


@reads_from("policy_evaluation")
@strawberry.type(description="One verdict, stored with what is needed to replay it.")
class PolicyEvaluation(Node):
    policy: Policy = one("policy", "The policy.")
    point: DecisionPoint = column("point", "When it was asked.")
    passed: bool = column("passed", "Whether it passed.")
    message: str | None = column("message", "What it said.")
    instance: names.ComponentInstanceType | None = one("instance", "The instance that was judged.")
    request: names.ProvisioningRequestType | None = one("request", "The request that was judged.")
    input_digest: str = column("input_digest", "The digest of what was judged.")
    bundle_digest: str = column("bundle_digest", "The digest of all the policies that judged.")
    milliseconds: float = column("milliseconds", "How long it took.")
    evaluated_at: datetime = column("evaluated_at", "When.")


@reads_from("audit_event")
@strawberry.type(description="What somebody did. Each event is sealed with the hash of the one before; for admins, and one's own.")
class AuditEvent(Node):
    sequence: int = column("sequence", "Counted up without gaps.")
    at: datetime = column("at", "When.")
    actor: str = column("actor", "The name of who did it.")
    action: str = column("action", "What was done: the mutation's name, or the command's where it was done on the database itself.")
    subject: Node | None = choice("subject_id", "What it was done to, where it is still there and may be seen.")
    detail: JSON = column("detail", "More of it, without secrets.")
    hash: str = column("hash", "SHA-256, in hex, of this event and the hash of the one before.")


@reads_from("application")
@strawberry.type(description="An Argo CD Application.")
class Application:
    name: str = column("name", "Its name.")
    cluster: str | None = column("cluster", "The cluster that it runs in.")
    namespace: str | None = column("namespace", "The namespace that it runs in.")
    repository: str | None = column("repository", "The repository that it is deployed from.")
    path: str | None = column("path", "Where in the repository.")
    revision: str | None = column("revision", "The revision that is deployed.")
    health: ApplicationHealth = column("health", "How it is.")
    manifest: JSON = column("manifest", "The whole Application.")
