"""Who sees which rows: one predicate for each kind of source that has a rule of its own.

A viewer sees a row when one of their grants does. Rows of a tenant carry tenant and owning team; everything else is visible through
such rows, or by being public, or the viewer's own. Aliases inside (x, y, z) never meet those of the compiler, which end in digits.
"""

from __future__ import annotations

from catalog.store.compile.sight import Viewer


def tenant_row(viewer: Viewer, a: str) -> str:
    """Stacks, instances, environments, service instances: their tenant and their owning team are admitted."""
    return viewer.rows(f"{a}.tenant_id", f"{a}.team_id")


def estate(viewer: Viewer, a: str) -> str:
    """An estate is visible when one of its stacks is, or a request in it."""
    return of_estate(viewer, f"{a}.id")


def estate_part(viewer: Viewer, a: str) -> str:
    """Runs and workflows are visible with their estate."""
    return of_estate(viewer, f"{a}.estate_id")


def of_estate(viewer: Viewer, estate_id: str) -> str:
    """The rule of an estate that an expression names."""
    if viewer.everything:
        return "true"
    if viewer.nothing:
        return "false"
    return (
        f"(exists(select from stack x where x.estate_id = {estate_id} and {tenant_row(viewer, 'x')})"
        f" or exists(select from provisioning_request x where x.estate_id = {estate_id} and {request(viewer, 'x')}))"
    )


def request(viewer: Viewer, a: str) -> str:
    """A request is visible when its target would be, or the viewer made it or may decide it."""
    if viewer.everything:
        return "true"
    return f"({viewer.rows(f'{a}.tenant_id', owner_of_request(a))} or {a}.requester_id = {viewer.me} or {_decides(viewer, a)})"


def decidable(viewer: Viewer, a: str) -> str:
    """Whether a request waits for approval and the viewer, who did not make it, may decide about its target or what it affects."""
    target = viewer.may_approve(f"{a}.tenant_id", owner_of_request(a))
    return f"({a}.state = 'AWAITING_APPROVAL' and {a}.requester_id <> {viewer.me} and ({target} or {_decides(viewer, a)}))"


def _decides(viewer: Viewer, a: str) -> str:
    may = viewer.may_approve("v.tenant_id", "v.team_id")
    if may == "false":
        return may
    return (
        f"exists(select from jsonb_array_elements(coalesce({a}.preview->'affected', '[]')) u"
        f" join component_instance v on v.id = u->>'instanceId' where {may})"
    )


def owner_of_request(a: str) -> str:
    """The team that owns what a request is about, perhaps null."""
    return (
        f"coalesce((select z.team_id from component_instance z where z.id = {a}.instance_id),"
        f" (select z.team_id from environment z where z.id = {a}.environment_id))"
    )


def diagnostic(viewer: Viewer, a: str) -> str:
    """Those of a stack follow it; those of none are for viewers without restriction."""
    if viewer.everything:
        return "true"
    return f"exists(select from stack x where x.id = {a}.stack_id and {tenant_row(viewer, 'x')})"


def change(viewer: Viewer, a: str) -> str:
    """A change follows the instance it is about."""
    team = f"(select x.team_id from component_instance x where x.id = coalesce({a}.instance_id, {a}.previous_id))"
    return viewer.rows(f"{a}.tenant_id", team)


def manifest(viewer: Viewer, a: str) -> str:
    """A manifest is visible when a visible stack is made of it, directly or by imports: a path may name another tenant."""
    if viewer.everything:
        return "true"
    return (
        f"{a}.id in (with recursive used(id) as (select x.manifest_id from stack x where {tenant_row(viewer, 'x')}"
        " union select y.imported_id from manifest_import y join used on y.manifest_id = used.id) select id from used)"
    )


def component(viewer: Viewer, a: str) -> str:
    """A component follows its instances; one that nobody uses follows its estate."""
    if viewer.everything:
        return "true"
    return (
        f"(exists(select from component_instance x where x.component_id = {a}.id and {tenant_row(viewer, 'x')})"
        f" or (not exists(select from component_instance x where x.component_id = {a}.id)"
        f" and {of_estate(viewer, f'{a}.estate_id')}))"
    )


def configuration(viewer: Viewer, a: str) -> str:
    """A document is visible through an instance that has it."""
    if viewer.everything:
        return "true"
    return f"exists(select from component_instance x where x.config_hash = {a}.hash and {tenant_row(viewer, 'x')})"


def organization(viewer: Viewer, a: str) -> str:
    """The organisations of the viewer's tenants and teams, and of visible rows."""
    if viewer.everything:
        return "true"
    return (
        f"(exists(select from tenant x where x.organization_id = {a}.id and x.id = any({viewer.my_tenants}))"
        f" or exists(select from team x where x.organization_id = {a}.id and x.id = any({viewer.my_teams}))"
        f" or exists(select from stack x where x.organization_id = {a}.id and {tenant_row(viewer, 'x')})"
        f" or exists(select from environment x where x.organization_id = {a}.id and {tenant_row(viewer, 'x')}))"
    )


def tenant(viewer: Viewer, a: str) -> str:
    """The viewer's own tenants and those of visible rows; the hidden one of an estate never."""
    if viewer.everything:
        return f"not {a}.hidden"
    return (
        f"(not {a}.hidden and ({a}.id = any({viewer.my_tenants})"
        f" or exists(select from stack x where x.tenant_id = {a}.id and {tenant_row(viewer, 'x')})"
        f" or exists(select from environment x where x.tenant_id = {a}.id and {tenant_row(viewer, 'x')})))"
    )


def team(viewer: Viewer, a: str) -> str:
    """The viewer's own teams and those of visible rows."""
    if viewer.everything:
        return "true"
    owned = "".join(
        f" or exists(select from {table} x where x.team_id = {a}.id and {tenant_row(viewer, 'x')})"
        for table in ("stack", "component_instance", "environment", "service_instance")
    )
    return (
        f"({a}.id = any({viewer.my_teams}){owned}"
        f" or exists(select from service x where x.owner_id = {a}.id and {service(viewer, 'x')})"
        f" or exists(select from provisioning_request x where x.team_id = {a}.id and {request(viewer, 'x')}))"
    )


def service(viewer: Viewer, a: str) -> str:
    """A service is public, or one of its instances is visible."""
    if viewer.everything:
        return "true"
    if viewer.nothing:
        return "false"
    return f"({a}.public or exists(select from service_instance y where y.service_id = {a}.id and {tenant_row(viewer, 'y')}))"


def estimate(viewer: Viewer, a: str) -> str:
    """An estimate follows what it is about."""
    if viewer.everything:
        return "true"
    return (
        f"case {a}.subject_kind"
        f" when 'ComponentInstance' then exists(select from component_instance x where x.id = {a}.subject_id and {tenant_row(viewer, 'x')})"
        f" when 'Component' then exists(select from component w where w.id = {a}.subject_id and {component(viewer, 'w')})"
        f" when 'Service' then exists(select from service w where w.id = {a}.subject_id and {service(viewer, 'w')})"
        f" else false end"
    )


def allocation(viewer: Viewer, a: str) -> str:
    """A part of a charge follows what it landed on; what landed nowhere is for admins."""
    if viewer.nothing:
        return "false"
    if viewer.everything:
        return f"({a}.tenant_id is not null or {viewer.admin})"
    return f"({a}.tenant_id is not null and {tenant_row(viewer, a)})"


def charge(viewer: Viewer, a: str) -> str:
    """A charge is visible through a part of it; one that was never parted is for admins."""
    return f"({viewer.admin} or exists(select from allocation u where u.charge_id = {a}.id and {allocation(viewer, 'u')}))"


def measure(viewer: Viewer, a: str) -> str:
    """What the platform is measured by is for everybody who may see anything."""
    del a
    return "false" if viewer.nothing else "true"


def evaluation(viewer: Viewer, a: str) -> str:
    """A verdict follows the instance it is about; one on a request is also for whoever sees that."""
    if viewer.everything:
        return "true"
    team = f"(select x.team_id from component_instance x where x.id = {a}.instance_id)"
    asked = f"exists(select from provisioning_request w where w.id = {a}.request_id and {request(viewer, 'w')})"
    return f"({viewer.rows(f'{a}.tenant_id', team)} or {asked})"


def audit(viewer: Viewer, a: str) -> str:
    """What one did oneself; all of it for admins."""
    return f"({viewer.admin} or {a}.actor_id = {viewer.me})"


def principal(viewer: Viewer, a: str) -> str:
    """Oneself; all of them for admins."""
    return f"({viewer.admin} or {a}.id = {viewer.me})"


def token(viewer: Viewer, a: str) -> str:
    """One's own tokens; all of them for admins."""
    return f"({a}.kind = 'API' and ({viewer.admin} or {a}.principal_id = {viewer.me}))"


def admins(viewer: Viewer, a: str) -> str:
    """What only admins see."""
    del a
    return viewer.admin
