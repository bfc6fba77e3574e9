"""A small deterministic catalog in a real Postgres, and the viewers of it: the graph's test world with rows that tempt a writer of text.

Names and values hold quotes, backslashes, control characters, line separators and letters beyond ASCII; a team's only tie to a viewer
is a public service; a request is about nothing that exists; an estate has never been read.
"""

from __future__ import annotations

from decimal import Decimal

import graph_world
from graph_world import at

from catalog import records
from catalog.records import GrantScope, PrincipalKind, Role, Scope
from catalog.values import global_id

ODD = 'odd "näme" \\ \x01\x1f\x7f\u2028 é💥 </script> \t\n\r end'


class Synthetic(graph_world.World):
    """The rows, in the order of their foreign keys, and `viewers()`."""

    def __init__(self, seed: int = 7) -> None:
        super().__init__(seed)
        self._odd_rows()
        self._empty_estate()
        self._idle_request()

    def viewers(self) -> dict[str, Scope]:
        """Those of the world, and one who sees everything without being an admin."""
        reader = Scope(
            principal_id=global_id("Principal", "plat@acme.test"),
            name="reader",
            email="reader@acme.test",
            kind=PrincipalKind.PERSON,
            grants=(GrantScope(role=Role.VIEWER, teams=None, tenants=None),),
        )
        return super().viewers() | {"reader": reader}

    def _odd_rows(self) -> None:
        first = next(stack for stack in self.stacks if stack.tenant_id == self.tenants["plat"])
        identity = global_id("ComponentInstance", "odd")
        document = {
            "vars": {ODD: ODD, "list": [{"port": 443}], "big": 12345678901234567890, "half": 1.50},
            "settings": {},
            "x": [ODD],
        }
        self.add(records.Configuration(hash="cfg_odd", document=document))
        self.add(
            records.CostEstimate(
                id=global_id("CostEstimate", identity),
                subject_kind="ComponentInstance",
                subject_id=identity,
                status="PARTIAL",
                currency="EUR",
                monthly=Decimal("0.0000000001"),
                low=Decimal(0),
                high=Decimal("99999999999999999.9999999999"),
                reason=ODD,
                unsupported=[ODD, ""],
                source="INFRACOST",
            )
        )
        self.instances.append(
            self.add(
                records.ComponentInstance(
                    id=identity,
                    estate_id=first.estate_id,
                    tenant_id=first.tenant_id,
                    stack_id=first.id,
                    type="CUSTOM",
                    name=ODD,
                    abstract=False,
                    enabled=True,
                    locked=True,
                    state="STALE",
                    inherits=[ODD],
                    labels={ODD: ODD, "c": "é"},
                    unresolved_dependencies=[ODD],
                    config_hash="cfg_odd",
                    cost_estimate_id=global_id("CostEstimate", identity),
                    cost_status="PARTIAL",
                    monthly=Decimal("0.0000000001"),
                    currency="EUR",
                    changed_at=at(3.1234567),
                    content_hash="h",
                    owner_source="TAG",
                    team_id=self.teams["web"],
                    owner_value=ODD,
                    owner_file=f"stacks/{ODD}.yaml",
                    owner_line=4,
                )
            )
        )
        for other in self.instances[:3]:
            for source, target in ((identity, other.id), (other.id, identity)):
                self.add(
                    records.Dependency(source_id=source, target_id=target, via=ODD, kind="DECLARED", file="stacks/odd.yaml", line=1)
                )
        self.add(
            records.Team(
                id=global_id("Team", "globex", "far"),
                organization_id=global_id("Organization", "globex"),
                slug="far",
                title=f"Über {ODD}",
                platform=False,
                aliases=[],
            ),
            records.Service(
                id=global_id("Service", "globex", "far"),
                organization_id=global_id("Organization", "globex"),
                slug="far",
                title="ÜBERBLICK",
                description=ODD,
                lifecycle="DEPRECATED",
                owner_id=global_id("Team", "globex", "far"),
                tags=[ODD],
                links=[{"title": ODD, "url": ODD}],
                public=True,
                source="CATALOG",
            ),
        )

    def _empty_estate(self) -> None:
        self.add(
            records.Estate(
                id=global_id("Estate", "empty"),
                name="empty",
                organization_id=global_id("Organization", "globex"),
                kind="directory",
                path="/somewhere",
                ref="-",
                directory=".",
                writable=False,
                executor="dry_run",
                removal_limit=50,
            )
        )

    def _idle_request(self) -> None:
        """One about a service that isn't there yet, asked by who sees nothing else of it."""
        service = next(row for row in self.rows if isinstance(row, records.Service) and row.slug == "vault")
        self.add(
            records.ProvisioningRequest(
                id=global_id("ProvisioningRequest", "idle"),
                estate_id=global_id("Estate", "empty"),
                tenant_id=self.tenants["main"],
                action="PROVISION_SERVICE",
                state="PENDING",
                service_id=service.id,
                environment_id=next(one.id for one in self.environments if one.tenant_id == self.tenants["main"]),
                target="idle",
                team_id=global_id("Team", "globex", "far"),
                requester_id=global_id("Principal", "asker@acme.test"),
                justification=ODD,
                parameters={ODD: [ODD, None, 1.5, True]},
                executor="dry_run",
                created_at=at(100),
                updated_at=at(100),
            )
        )
