"""A small synthetic catalog with everything that tempts a reader: hidden tenants, removed and stale rows, unknown costs, unowned rows,
redacted values, equal names in two estates, edges across tenants, requests in every mood. Deterministic.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from catalog import records
from catalog.records import ANONYMOUS, GrantScope, PrincipalKind, Role, Scope
from catalog.values import global_id

EPOCH = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
REGIONS = (None, "eu-west-2", "us-east-1", "gbl")
STAGES = ("dev", "staging", "prod")
COMPONENTS = ("vpc", "eks", "rds", "dns", "iam")


def at(minutes: float) -> datetime:
    """A moment so many minutes after the beginning of the world."""
    return EPOCH + timedelta(minutes=minutes)


class World:
    """The rows of the world, in the order of their foreign keys."""

    def __init__(self, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.rows: list[records.SQLModel] = []
        self.teams: dict[str, str] = {}
        self.tenants: dict[str, str] = {}
        self.stacks: list[records.Stack] = []
        self.instances: list[records.ComponentInstance] = []
        self.environments: list[records.Environment] = []
        self.components: dict[tuple[str, str], str] = {}
        self._organizations()
        self._principals()
        self._estates()
        self._services()
        self._requests()
        self._governance()
        self._registrations()
        self._charges()

    def add(self, *rows):
        """Keep rows and return the last."""
        self.rows += rows
        return rows[-1]

    # ── what the organisation says ───────────────────────────────────────────────────────────────────────────────────

    def _organizations(self) -> None:
        for name, currency in (("acme", "USD"), ("globex", "EUR")):
            self.add(records.Organization(id=global_id("Organization", name), name=name, title=name.title(), currency=currency))
        for organization, name, hidden in (
            ("acme", "core", False),
            ("acme", "plat", False),
            ("globex", "main", False),
            ("acme", "\x1facme-infra", True),
        ):
            made = self.add(
                records.Tenant(
                    id=global_id("Tenant", organization, name),
                    organization_id=global_id("Organization", organization),
                    name="acme-infra" if hidden else name,
                    title=None if hidden else f'The "{name}" ténant\n',
                    hidden=hidden,
                    budget=Decimal("99.5") if name == "plat" else None,
                    budget_currency="USD" if name == "plat" else None,
                )
            )
            self.tenants["hidden" if hidden else name] = made.id
        for organization, slug, budget in (
            ("acme", "platform", Decimal("1000.50")),
            ("acme", "payments", None),
            ("acme", "web", Decimal(20)),
            ("globex", "ops", Decimal("7.125")),
            ("globex", "web", None),
        ):
            key = slug if slug not in self.teams else f"{organization}-{slug}"
            made = self.add(
                records.Team(
                    id=global_id("Team", organization, slug),
                    organization_id=global_id("Organization", organization),
                    slug=slug,
                    title=f"Team {slug}",
                    email=f"{slug}@{organization}.test" if budget else None,
                    cost_center="CC-1" if slug == "platform" else None,
                    platform=slug == "platform",
                    budget=budget,
                    budget_currency="USD" if budget else None,
                    aliases=[],
                    file="seeds/teams.yaml" if budget else None,
                    line=3 if budget else None,
                )
            )
            self.teams[key] = made.id
        for slug, team in self.teams.items():
            for name in ("Ada", "Bob"):
                self.add(
                    records.Person(id=f"per_{slug}_{name}", team_id=team, name=name, email=f"{name.lower()}@{slug}.test", role=None)
                )

    def _principals(self) -> None:
        for name, team in (
            ("admin", "platform"),
            ("plat", None),
            ("pay", "payments"),
            ("pair", None),
            ("asker", "web"),
            ("main", None),
        ):
            self.add(
                records.Principal(
                    id=global_id("Principal", f"{name}@acme.test"),
                    name=name,
                    email=f"{name}@acme.test",
                    kind="PERSON",
                    created_at=EPOCH,
                )
            )
            if team:
                self.add(records.TeamMember(principal_id=global_id("Principal", f"{name}@acme.test"), team_id=self.teams[team]))
        for name, scope in self.viewers().items():
            if scope.principal_id is None:
                continue
            for grant in scope.grants:
                self.add(
                    records.Grant(
                        principal_id=scope.principal_id,
                        role=grant.role,
                        teams=sorted(grant.teams) if grant.teams is not None else None,
                        tenants=sorted(grant.tenants) if grant.tenants is not None else None,
                    )
                )
            for kind in ("API", "SESSION"):
                self.add(
                    records.AccessToken(
                        id=global_id("AccessToken", name, kind),
                        principal_id=scope.principal_id,
                        kind=kind,
                        name=f"{name}'s",
                        prefix="atc_abcdef",
                        hash=f"{name}{kind}".encode(),
                        created_at=at(len(name)),
                    )
                )

    def _governance(self) -> None:
        requests = [row for row in self.rows if isinstance(row, records.ProvisioningRequest)]
        self.add(records.PolicyInput(digest="d0", document={}))
        self.add(
            records.PolicyBundle(
                digest="b0", content={"rules": [{"name": "tags", "path": "vars.tags", "is": "present", "message": "no tag"}]}
            )
        )
        estates = sorted({instance.estate_id for instance in self.instances})
        policies = [global_id("Policy", estate, name) for estate in estates for name in ("tags", "cost")]
        for number, policy in enumerate(policies):
            self.add(
                records.Policy(
                    id=policy,
                    estate_id=estates[number // 2],
                    package="acme.rules",
                    name=("tags", "cost")[number % 2],
                    title="Tagged" if number % 2 else None,
                    severity="ERROR" if number % 2 else "WARNING",
                    source="package acme.rules",
                )
            )
        for number in range(60):
            instance, request = self.instances[number * 3 % len(self.instances)], requests[number % len(requests)]
            of_request = number % 4 == 0
            self.add(
                records.PolicyEvaluation(
                    id=global_id("PolicyEvaluation", str(number)),
                    tenant_id=request.tenant_id if of_request else instance.tenant_id,
                    policy_id=policies[number % len(policies)],
                    point="REQUEST" if of_request else "INDEX",
                    passed=number % 3 > 0,
                    message=None if number % 3 else "no tag",
                    instance_id=None if of_request else instance.id,
                    request_id=request.id if of_request else None,
                    input_digest="d0",
                    bundle_digest="b0",
                    milliseconds=number / 4,
                    evaluated_at=at(number // 2),
                )
            )
        for number in range(24):
            name = ("admin", "plat", "pay", "asker")[number % 4]
            self.add(
                records.AuditEvent(
                    sequence=number + 1,  # as the chain will count it
                    id=str(number),
                    at=EPOCH,
                    actor_id=global_id("Principal", f"{name}@acme.test"),
                    actor=name,
                    action=("approveRequest", "cancelRequest")[number % 2],
                    subject_id=requests[number % len(requests)].id if number % 5 else None,
                    detail={"number": number},
                    previous_hash="",
                    hash="",
                )
            )
        for number, one in enumerate([row for row in self.rows if isinstance(row, records.ServiceInstance)][:6]):
            self.add(
                records.Application(
                    service_instance_id=one.id,
                    name=f"app-{number % 2}",
                    cluster="main",
                    health="HEALTHY",
                    manifest={"kind": "Application"},
                )
            )

    def viewers(self) -> dict[str, Scope]:
        """The viewers of the world: unrestricted, of tenants, of teams, of pairs, of nothing, nobody."""

        def scope(name, *grants, member_of=()):
            return Scope(
                principal_id=global_id("Principal", f"{name}@acme.test"),
                name=name,
                email=f"{name}@acme.test",
                kind=PrincipalKind.PERSON,
                grants=tuple(
                    GrantScope(
                        role=role,
                        teams=None if teams is None else frozenset(self.teams[team] for team in teams),
                        tenants=None if tenants is None else frozenset(self.tenants[tenant] for tenant in tenants),
                    )
                    for role, teams, tenants in grants
                ),
                member_of=frozenset(self.teams[team] for team in member_of),
            )

        return {
            "admin": scope("admin", (Role.ADMIN, None, None), member_of=("platform",)),
            "plat": scope("plat", (Role.VIEWER, None, ("plat",))),
            "pay": scope("pay", (Role.APPROVER, ("payments",), None), member_of=("payments",)),
            "pair": scope("pair", (Role.APPROVER, ("web", "platform"), ("core",)), (Role.VIEWER, None, ("main",))),
            "asker": scope("asker", (Role.REQUESTER, ("web",), ("plat",)), member_of=("web",)),
            "main": scope("main", (Role.VIEWER, None, ("main",))),
            "nothing": Scope(
                principal_id=None, name="nothing", email=None, kind=PrincipalKind.PERSON, grants=(), member_of=frozenset()
            ),
            "anonymous": ANONYMOUS,
        }

    # ── what Git says ────────────────────────────────────────────────────────────────────────────────────────────────

    def _estates(self) -> None:
        for number, (organization, name) in enumerate((("acme", "acme-infra"), ("globex", "globex-infra"))):
            self._estate(number, organization, name)
        self._dependencies()
        self._changes()

    def _estate(self, number: int, organization: str, name: str) -> None:
        estate = self.add(
            records.Estate(
                id=global_id("Estate", name),
                name=name,
                organization_id=global_id("Organization", organization),
                kind="git",
                url=None if number else "https://git.test/acme.git",
                path=f"/repositories/{name}",
                ref="main",
                directory=".",
                writable=not number,
                executor="terraform",
                removal_limit=50,
                web_url=None if number else "https://git.test/{revision}/{path}#L{line}",
            )
        )
        if not number:
            self.add(records.EstateRemote(estate_id=estate.id, next_at=at(1), asked_at=at(0), revision="a" * 40, error="no answer"))
        for run in range(3 + number):
            self.add(
                records.IndexRun(
                    id=f"run_{number:02}{run:02}",
                    estate_id=estate.id,
                    ref="main",
                    number=run,
                    revision=f"{number}{run}" * 20,
                    author="Ada",
                    committed_at=at(run),
                    state="FAILED" if run == 2 else "SUCCEEDED",
                    started_at=at(run * 10 + 0.5),
                    finished_at=at(run * 10 + 1) if run < 3 else None,
                    manifests=5,
                    stacks=4,
                    component_instances=20,
                    added=run,
                )
            )
        self._manifests(estate)
        self._components(estate, organization)
        tenants = ("core", "plat", "hidden") if not number else ("main",)
        for tenant in tenants:
            for stage in STAGES:
                self._environment(organization, tenant, stage)
        for place in range(8 if not number else 4):
            self._stack(estate, organization, tenants[place % len(tenants)], place)
        self._diagnostics(estate, number)
        for workflow in ("apply", "plan", "provision"):
            self.add(
                records.Workflow(
                    id=global_id("Workflow", name, "w.yaml", workflow),
                    estate_id=estate.id,
                    name=workflow,
                    file="w.yaml",
                    description=None if workflow == "plan" else f"To {workflow}",
                    governed=workflow == "provision",
                    parameters={"type": "object"},
                    steps=[
                        {"name": "a", "kind": "ATMOS", "tool": None, "command": "terraform plan vpc", "stack": "x"},
                        {"name": "b", "kind": "PLAN", "tool": "terraform"},
                    ],
                    content_hash="h",
                )
            )

    def _manifests(self, estate) -> None:
        paths = ("mixins/region.yaml", "mixins/stage.yaml", *(f"orgs/{number}.yaml" for number in range(8)))
        ids = {path: global_id("Manifest", estate.name, path) for path in paths}
        for path in paths:
            self.add(
                records.Manifest(
                    id=ids[path], estate_id=estate.id, path=f"stacks/{path}", content_hash="h", top_level=path.startswith("orgs")
                )
            )
        imports = [(path, ("mixins/stage.yaml",)) for path in paths[2:6]] + [("mixins/stage.yaml", ("mixins/region.yaml",))]
        for path, imported in imports:
            for ordinal, target in enumerate(imported):
                self.add(records.ManifestImport(manifest_id=ids[path], ordinal=ordinal, imported_id=ids[target]))
        self._paths = ids

    def _components(self, estate, organization: str) -> None:
        for name in (*COMPONENTS, "unused", "gone"):
            estimate = self._estimate("Component", global_id("Component", estate.name, "TERRAFORM", name), self.random)
            made = self.add(
                records.Component(
                    id=global_id("Component", estate.name, "TERRAFORM", name),
                    estate_id=estate.id,
                    type="TERRAFORM" if name != "dns" else "HELMFILE",
                    name=name,
                    path=f"components/terraform/{name}",
                    title=None if name == "vpc" else f'{name} \\ "quoted"',
                    category=None if name == "eks" else ("networking" if name == "vpc" else "Database"),
                    category_derived=name == "rds",
                    provisioning_time=300 if name == "vpc" else None,
                    cost_estimate_id=estimate,
                    maturity="STABLE" if name == "vpc" else None,
                    maintainer_id=self.teams["platform"] if name == "vpc" else None,
                    inputs=[
                        {
                            "name": "enabled",
                            "type": "bool",
                            "default": True,
                            "required": False,
                            "sensitive": False,
                            "nullable": True,
                        },
                        {
                            "name": "cidr",
                            "type": "string",
                            "required": True,
                            "deprecated": "use cidrs",
                            "validations": [
                                {"condition": 'var.cidr != ""', "error_message": 'Say "which".'},
                                {"condition": "can(cidrhost(var.cidr, 0))", "error_message": "No range."},
                            ],
                        },
                    ],
                    outputs=[{"name": "id", "description": "the id", "sensitive": True}] if name != "iam" else [],
                    providers=[{"name": "aws", "source": "hashicorp/aws", "version": "~> 5.0"}],
                    modules=[
                        {"name": "this", "source": "cloudposse/label/null", "version": "0.25.0"},
                        {"name": "local", "source": "./modules/local", "version": None},
                    ]
                    if name == "vpc"
                    else [],
                    required_version=">= 1.5" if name == "vpc" else None,
                    input_schema={"type": "object", "properties": {"cidr": {"type": "string"}}},
                    content_hash="h",
                    removed_at=at(1) if name == "gone" else None,
                )
            )
            self.components[(estate.name, name)] = made.id

    def _estimate(self, kind: str, subject: str, rnd: random.Random, currency: str = "USD") -> str | None:
        status = rnd.choice(("KNOWN", "KNOWN", "PARTIAL", "UNKNOWN", None))
        if status is None:
            return None
        amount = Decimal(rnd.choice(("0", "12.5", "100", "0.0416000000", "73.0000000001")))
        made = self.add(
            records.CostEstimate(
                id=global_id("CostEstimate", subject),
                subject_kind=kind,
                subject_id=subject,
                status=status,
                currency=currency,
                monthly=amount if status == "KNOWN" else None,
                low=amount if status == "PARTIAL" else None,
                high=amount + 1 if status == "PARTIAL" else None,
                reason="no price" if status == "UNKNOWN" else None,
                unsupported=["aws_x"] if status == "UNKNOWN" else [],
                source="INSTANCE_METADATA",
                file="stacks/a.yaml" if status == "KNOWN" else None,
                line=3 if status == "KNOWN" else None,
                estimated_at=at(5.00001) if status != "UNKNOWN" else None,
            )
        )
        return made.id

    def _environment(self, organization: str, tenant: str, stage: str) -> None:
        region = self.random.choice(REGIONS)
        self.environments.append(
            self.add(
                records.Environment(
                    id=global_id("Environment", organization, tenant, "", stage, region or ""),
                    organization_id=global_id("Organization", organization),
                    tenant_id=self.tenants[tenant],
                    name=stage,
                    kind={"dev": "DEVELOPMENT", "staging": "STAGING", "prod": "PRODUCTION"}[stage],
                    account=f"{tenant}-{stage}" if stage != "dev" else None,
                    stage=stage,
                    region=region,
                    team_id=self.random.choice((None, self.teams["platform"], self.teams["payments"])),
                )
            )
        )

    def _stack(self, estate, organization: str, tenant: str, place: int) -> None:
        rnd = self.random
        name = "twin" if place == 2 else f"{tenant}-{place:02}-{rnd.choice(STAGES)}"
        environment = rnd.choice([one for one in self.environments if one.tenant_id == self.tenants[tenant]])
        team = rnd.choice((None, "platform", "payments", "web", "payments"))
        stack = self.add(
            records.Stack(
                id=global_id("Stack", estate.name, name),
                estate_id=estate.id,
                tenant_id=self.tenants[tenant],
                organization_id=global_id("Organization", organization),
                environment_id=environment.id if place != 3 else None,
                manifest_id=self._paths[f"orgs/{place}.yaml"],
                name=name,
                namespace=organization,
                account=environment.account,
                stage=environment.stage,
                region=environment.region,
                labels={"tier": rnd.choice(("web", "data")), **({"legacy": "yes"} if place % 3 == 0 else {})},
                tags=[f"t{place % 2}", "all"],
                vars={"namespace": organization, "n": place},
                state=("REMOVED" if place == 6 else "STALE" if place == 5 else "FRESH"),
                team_id=self.teams[team] if team else None,
                # What names nobody is kept on rows without an owner.
                owner_source="TAG" if team else "CODEOWNERS" if place % 2 else None,
                owner_value=team or (f'ghost "{place % 3}"' if place % 2 else None),
                owner_file=f"stacks/orgs/{place}.yaml" if team == "payments" else None,
                owner_line=place if team == "payments" else None,
                row_hash="h",
                content_hash="h",
                removed_at=at(3) if place == 6 else None,
            )
        )
        self.stacks.append(stack)
        for count in range(rnd.randint(3, 7)):
            self._instance(estate, stack, count)

    def _instance(self, estate, stack, count: int) -> None:
        rnd = self.random
        base = COMPONENTS[count % len(COMPONENTS)]
        name = base if count < len(COMPONENTS) else f"{base}-{count}"
        kind = rnd.choice(("TERRAFORM", "TERRAFORM", "TERRAFORM", "HELMFILE"))
        identity = global_id("ComponentInstance", estate.name, stack.name, kind, name)
        document = {
            "vars": {
                "cidr": f"10.{rnd.randint(0, 3)}.0.0/16",
                "list": [{"port": rnd.choice((80, 443))}],
                "tags": {"a.b": "c"},
                "n": None,
            },
            "settings": {"spacelift": {"enabled": rnd.random() < 0.5}, "secret": {"$redacted": "abc"}},
            "env": {"X": "1"},
            "metadata": {"component": base},
            "backend": {"bucket": "b"},
            "providers": {},
            **({"overrides": {"vars": {}}} if count == 1 else {}),
        }
        digest = f"cfg_{rnd.randint(0, 10**9)}"
        self.add(records.Configuration(hash=digest, document=document))
        currency = rnd.choice(("USD", "USD", "EUR"))
        estimate = self._estimate("ComponentInstance", identity, rnd, currency)
        found = next((row for row in self.rows if isinstance(row, records.CostEstimate) and row.id == estimate), None)
        team = rnd.choice((None, stack.team_id, self.teams["web"]))
        removed = stack.removed_at or (at(4) if rnd.random() < 0.1 else None)
        self.instances.append(
            self.add(
                records.ComponentInstance(
                    id=identity,
                    estate_id=estate.id,
                    tenant_id=stack.tenant_id,
                    stack_id=stack.id,
                    component_id=self.components[(estate.name, base)] if rnd.random() < 0.9 else None,
                    type=kind,
                    name=name,
                    abstract=rnd.random() < 0.1,
                    enabled=rnd.random() < 0.9,
                    locked=rnd.random() < 0.1,
                    state="REMOVED" if removed else stack.state,
                    inherits=["base", 'odd "name"'] if count == 0 else [],
                    workspace=f"{stack.name}-{name}",
                    labels=stack.labels | {"c": base},
                    unresolved_dependencies=["{{ .x }}"] if count == 2 else [],
                    config_hash=digest,
                    team_id=team,
                    owner_source="STACK_METADATA" if team else "REVIEWERS" if count % 2 else None,
                    owner_value="x" if team else f"nobody {count % 3}" if count % 2 else None,
                    owner_file=None,
                    cost_estimate_id=estimate,
                    cost_status=found.status if found else "UNKNOWN",
                    monthly=found.monthly if found else None,
                    currency=found.currency if found else None,
                    drift=rnd.choice(("UNKNOWN", "IN_SYNC", "DRIFTED")),
                    changed_at=at(rnd.randint(0, 20) + rnd.choice((0, 0.5, 0.000001))),
                    content_hash="h",
                    removed_at=removed,
                )
            )
        )

    def _diagnostics(self, estate, number: int) -> None:
        stacks = [stack for stack in self.stacks if stack.estate_id == estate.id]
        for place in range(6):
            stack = stacks[place % len(stacks)] if place % 2 else None
            self.add(
                records.DiagnosticRecord(
                    id=global_id("Diagnostic", estate.name, str(place)),
                    estate_id=estate.id,
                    run_id=f"run_{number:02}00",
                    severity=("ERROR", "WARNING", "INFO")[place % 3],
                    code=("IMPORT_MISSING", "YAML")[place % 2],
                    message=f"it \u2028 broke\t{place}",
                    hint=None if place else "fix it",
                    file=f"stacks/orgs/{place // 2}.yaml" if place < 5 else None,
                    line=place if 0 < place < 5 else None,
                    column=1 if place == 2 else None,
                    stack_id=stack.id if stack else None,
                    component_name="vpc" if place == 3 else None,
                    since=at(place),
                )
            )

    def _dependencies(self) -> None:
        rnd = self.random
        seen = set()
        for _ in range(120):
            source, target = rnd.choice(self.instances), rnd.choice(self.instances)
            via = rnd.choice(("settings.depends_on", "metadata.depends_on", "!terraform.state"))
            if (source.id, target.id, via) in seen or source.id == target.id:
                continue
            seen.add((source.id, target.id, via))
            self.add(
                records.Dependency(
                    source_id=source.id,
                    target_id=target.id,
                    via=via,
                    kind="INFERRED" if via.startswith("!") else "DECLARED",
                    file="stacks/d.yaml" if rnd.random() < 0.5 else None,
                    line=7,
                    column=3,
                )
            )

    def _changes(self) -> None:
        for number, instance in enumerate(self.instances):
            if number % 2:
                continue
            stack = next(stack for stack in self.stacks if stack.id == instance.stack_id)
            run = "run_0001" if instance.estate_id == global_id("Estate", "acme-infra") else "run_0101"
            self.add(
                records.Change(
                    id=global_id("Change", run, instance.id),
                    estate_id=instance.estate_id,
                    run_id=run,
                    tenant_id=instance.tenant_id,
                    kind=("ADDED", "CHANGED", "REMOVED", "RENAMED")[number % 4 if number % 8 else 3],
                    instance_id=None if number % 10 == 0 else instance.id,
                    previous_id=self.instances[number - 1].id if number % 8 == 0 and number else None,
                    stack_name=stack.name,
                    component_type=instance.type,
                    component_name=instance.name,
                    values=[
                        {"path": "vars.cidr", "before": "a", "after": {"b": [1, None]}},
                        {"path": "vars.x", "before": None, "after": 2},
                    ][: number % 3],
                    author="Ada" if number % 4 else None,
                    revision="00" * 20,
                    at=at(number // 4),
                )
            )

    # ── services and requests ────────────────────────────────────────────────────────────────────────────────────────

    def _services(self) -> None:
        for number, (organization, slug, public) in enumerate(
            (
                ("acme", "shop", True),
                ("acme", "vault", False),
                ("acme", "ghost", False),
                ("globex", "shop", False),
                ("globex", "open", True),
            )
        ):
            identity = global_id("Service", organization, slug)
            estimate = self._estimate("Service", identity, self.random)
            self.add(
                records.Service(
                    id=identity,
                    organization_id=global_id("Organization", organization),
                    slug=slug,
                    title=f"The {slug}",
                    category=None if number == 1 else "application",
                    lifecycle="PRODUCTION" if number else "EXPERIMENTAL",
                    tier=None if number == 2 else number,
                    owner_id=None if number == 2 else self.teams["payments" if number < 2 else "ops"],
                    cost_estimate_id=estimate,
                    tags=["x", "y"][:number],
                    links=[{"title": "Docs", "url": "https://docs.test"}] if number == 0 else [],
                    public=public,
                    source="SEEDS",
                    file="seeds/services.yaml" if number < 3 else None,
                    line=number if number < 2 else None,
                )
            )
            for ordinal, name in enumerate(("vpc", "rds", "nowhere")[: number + 1]):
                self.add(
                    records.ServiceComponent(
                        service_id=identity,
                        ordinal=ordinal,
                        name=name,
                        layer="APPLICATION" if ordinal == 1 else "INFRASTRUCTURE",
                        role=None if ordinal else "network",
                        component_id=self.components.get(("acme-infra", name)),
                    )
                )
            if slug == "ghost":
                continue
            for environment in self.environments[number::3]:
                self._service_instance(identity, slug, environment)

    def _service_instance(self, service: str, slug: str, environment) -> None:
        made = self.add(
            records.ServiceInstance(
                id=global_id("ServiceInstance", service, environment.id),
                tenant_id=environment.tenant_id,
                service_id=service,
                environment_id=environment.id,
                name=f"{slug}-{environment.name}",
                team_id=self.random.choice((None, self.teams["payments"], self.teams["web"])),
                state=self.random.choice(("COMPLETE", "PARTIAL")),
                missing=["rds"] if self.random.random() < 0.5 else [],
            )
        )
        pool = [instance for instance in self.instances if instance.tenant_id == environment.tenant_id]
        for instance in self.random.sample(pool, min(4, len(pool))):
            self.add(records.ServiceInstanceComponent(service_instance_id=made.id, instance_id=instance.id))

    def _requests(self) -> None:
        states = ("SUCCEEDED", "AWAITING_APPROVAL", "FAILED", "REJECTED", "AWAITING_APPROVAL", "SUCCEEDED", "PLANNING")
        requesters = ("asker", "admin", "pay", "asker", "plat")
        for number, state in enumerate(states):
            instance = self.instances[number * 5]
            stack = next(stack for stack in self.stacks if stack.id == instance.stack_id)
            other = self.instances[(number * 11 + 3) % len(self.instances)]
            identity = global_id("ProvisioningRequest", str(number))
            requester = global_id("Principal", f"{requesters[number % len(requesters)]}@acme.test")
            self.add(
                records.ProvisioningRequest(
                    id=identity,
                    estate_id=instance.estate_id,
                    tenant_id=instance.tenant_id,
                    action="APPLY_COMPONENT",
                    state=state,
                    workflow_id=global_id("Workflow", "acme-infra", "w.yaml", "provision") if number % 2 else None,
                    environment_id=stack.environment_id,
                    instance_id=instance.id,
                    stack_name=stack.name,
                    component_type=instance.type,
                    component_name=instance.name,
                    target=f"{instance.id}",
                    team_id=self.teams["web" if number % 2 else "platform"],
                    requester_id=requester,
                    parameters={"tags": {"n": number}},
                    executor="terraform",
                    preview=_preview(instance, other, number) if number else None,
                    plan=_plan(number) if number % 3 == 0 else None,
                    digest="d" * 8,
                    required_approvals=1,
                    may_approve=["admin"],
                    created_at=at(100 + number // 2),
                    updated_at=at(200 - number),
                    finished_at=at(103 + number) if state in ("SUCCEEDED", "FAILED") else None,
                )
            )
            self._steps(identity, requester, number)

    def _registrations(self) -> None:
        """Some service instances were registered by requests, also by ones about another tenant."""
        made = [row for row in self.rows if isinstance(row, records.ServiceInstance)]
        asked = [row for row in self.rows if isinstance(row, records.ProvisioningRequest)]
        for number, row in enumerate(made[::2]):
            row.registered_by_id = asked[number % len(asked)].id
        for number, request in enumerate(asked):
            request.environment_id = self.environments[number % len(self.environments)].id
            request.service_id = [row.id for row in self.rows if isinstance(row, records.Service)][number % 5]

    def _steps(self, identity: str, requester: str, number: int) -> None:
        for ordinal, kind in enumerate(("PLAN", "APPROVAL_GATE", "PROVISION")):
            self.add(
                records.RequestStep(
                    request_id=identity,
                    ordinal=ordinal,
                    name=kind.lower(),
                    kind=kind,
                    tool="terraform" if ordinal != 1 else None,
                    state=("SUCCEEDED", "WAITING", "PENDING")[ordinal],
                    attempt=1 if ordinal < 2 else 0,
                    started_at=at(ordinal) if ordinal < 2 else None,
                    result={"ok": [True, 1.5]} if ordinal == 0 else None,
                )
            )
            for line in range(number if ordinal == 0 else 0):
                self.add(
                    records.StepLog(
                        request_id=identity, sequence=line, ordinal=0, at=at(line), stream="STDOUT", text=f"line\x1b[0m {line}"
                    )
                )
        decider = global_id(
            "Principal", "pay@acme.test" if requester != global_id("Principal", "pay@acme.test") else "admin@acme.test"
        )
        if number % 2:
            self.add(
                records.Approval(
                    request_id=identity,
                    requester_id=requester,
                    principal_id=decider,
                    decision="APPROVED",
                    comment=None,
                    digest="d" * 8,
                    void=number == 3,
                    at=at(150),
                )
            )

    # ── money ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _charges(self) -> None:
        """Charges of some months, whole and shared, of what is owned, unowned, gone, and of nobody; and measures without values."""
        rnd = random.Random(11)
        parts = {row.instance_id: row.service_instance_id for row in self.rows if isinstance(row, records.ServiceInstanceComponent)}
        services = {row.id: row.service_id for row in self.rows if isinstance(row, records.ServiceInstance)}
        for base, currency, day, rate in (
            ("USD", "EUR", date(2026, 1, 1), "0.9"),
            ("USD", "EUR", date(2026, 1, 17), "0.9170000001"),
            ("USD", "EUR", date(2026, 2, 20), "0.87"),
            ("EUR", "CHF", date(2026, 1, 1), "0.95"),
            ("EUR", "CHF", date(2026, 2, 9), "1.03"),
            ("GBP", "USD", date(2026, 2, 9), "1.3"),  # before that day: nothing tells
        ):
            self.add(records.ExchangeRate(base=base, currency=currency, day=day, rate=Decimal(rate)))
        months = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1), datetime.now(UTC).date().replace(day=1)]
        billed = {"billing_period_start": at(0), "billing_period_end": at(1000)}
        self.add(
            records.CostImport(
                id="imp_1", file="aws.csv", format="FOCUS_CSV", imported_at=at(1), rows=62, accepted=60, replaced=0
            )
        )  # fmt: skip
        self.add(records.ChargeBatch(id="bat_1", file="aws.csv", import_id="imp_1", **billed))
        for number in range(60):
            currency = "EUR" if number % 9 == 0 else "USD"
            month = months[number % len(months)]
            landed = rnd.sample(self.instances, number % 4)
            amounts = [Decimal(rnd.choice(("0.1", "12.345678901", "7", "-3", "0"))) for _ in landed]
            rest = Decimal("1.5") if number % 5 == 0 else None
            effective = sum(amounts, rest or Decimal(0))
            charge = self.add(
                records.Charge(
                    id=global_id("Charge", "aws", str(number)),
                    batch_id="bat_1",
                    **billed,
                    period_start=datetime(month.year, month.month, 1 + number % 28, tzinfo=UTC),
                    period_end=datetime(month.year, month.month, 1 + number % 28, 12, tzinfo=UTC),
                    category="Usage" if number % 7 else "Tax",
                    provider=("AWS", "Microsoft", None)[number % 3],
                    service_name="Amazon EC2" if number % 2 else None,
                    resource_id=f"i-{number // 2}" if number % 3 else None,
                    region_id="eu-west-2",
                    currency=currency,
                    billed=effective,
                    effective=effective,
                    listed=effective + 1 if number % 2 else None,
                    contracted=None,
                    tags={"n": number % 3, "cidr": "10.1.0.0/16"} if number % 2 else {},
                )
            )
            whole = effective or Decimal(1)
            for ordinal, (instance, amount) in enumerate(zip(landed, amounts, strict=True)):
                stack = next(stack for stack in self.stacks if stack.id == instance.stack_id)
                # What an instance belonged to then need not be what it belongs to now.
                team = self.teams[("payments", "globex-web")[number % 2]] if number % 3 == 1 and not ordinal else instance.team_id
                self.add(
                    records.Allocation(
                        charge_id=charge.id, ordinal=ordinal, day=charge.period_start.date(), month=month, tenant_id=instance.tenant_id, team_id=team,
                        environment_id=stack.environment_id, stack_id=stack.id, instance_id=instance.id if ordinal < 2 else None,
                        service_id=services.get(parts.get(instance.id)), share=(amount / whole).quantize(Decimal("0.0001")), amount=amount,
                        currency=currency, rule="tag", reason=f"tag n={number}",
                    )
                )  # fmt: skip
            if rest is not None:
                self.add(
                    records.Allocation(
                        charge_id=charge.id, ordinal=9, day=charge.period_start.date(), month=month, share=(rest / whole).quantize(Decimal("0.0001")), amount=rest,
                        currency=currency, rule="rest", reason="nobody's",
                    )
                )  # fmt: skip
        for ordinal, name in enumerate(("time-to-provision", "owned-share")):
            self.add(
                records.Kpi(
                    name=name, ordinal=9 - ordinal, title=name.title(), description="", statement="select 1" if ordinal else "",
                    population="", unit="minutes", direction="LOWER_IS_BETTER", baseline=Decimal(2880) if ordinal else None, target=Decimal("0.5"),
                )
            )  # fmt: skip
        for number, day in enumerate((date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 1))):
            self.add(
                records.KpiPoint(
                    name="owned-share", at=day, value=None if number == 1 else Decimal(number) / 4, sample_size=0 if number == 1 else number
                )
            )  # fmt: skip
        for number, estimate in enumerate([row for row in self.rows if isinstance(row, records.CostEstimate)][:12]):
            for ordinal in range(number % 4):
                self.add(
                    records.CostItem(
                        estimate_id=estimate.id, ordinal=ordinal, name=f"item {ordinal}", resource_type="aws_x" if ordinal else None,
                        unit="hours", monthly_quantity=Decimal(730) if ordinal else None, monthly=Decimal("0.5") if number % 2 else None,
                        currency="USD",
                    )
                )  # fmt: skip


def _preview(instance, other, number: int) -> dict:
    affected = [
        {
            "instanceId": one.id,
            "stackName": "s",
            "componentType": one.type,
            "componentName": one.name,
            "deleted": False,
            "reasons": ["stack.vars"],
            "dependents": place,
        }
        for place, one in enumerate((instance, other))
    ]
    return {
        "digest": "d" * 8,
        "files": [{"path": "stacks/a.yaml", "content": "a: 1\n", "diff": "--- a\n+++ b\n"}],
        "affected": affected[: number % 3],
        "costBefore": {"amount": "12.5", "currency": "USD"},
        "costAfter": {"amount": "100", "currency": "USD"} if number % 2 else None,
        "costDelta": None,
        "unknownInstances": number,
        "verdicts": [{"policy": "tags", "passed": False, "severity": "WARNING", "message": None}],
        "requiresApproval": True,
        "mayApprove": ["admin", "pay"],
    }


def _plan(number: int) -> dict:
    return {
        "digest": "p" * 8,
        "levels": [
            {
                "instances": ["a"],
                "planned": True,
                "resourceTypes": ["terraform_data"],
                "changes": [{"address": "x"}],
                "bounds": None,
            }
        ],
        "create": number,
        "update": 1,
        "replace": 0,
        "delete": 0,
        "costDelta": {"amount": "1", "currency": "USD"},
        "costCeiling": None,
    }


async def load(database, world: World) -> None:
    """Write the world's rows."""
    async with database.session() as session:
        for row in world.rows:
            session.add(row)
            await session.flush()
        await session.commit()
