"""What lists of stacks, component instances and services can be counted by."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.store.compile.source import Facet, Source, number, plain, text

# Whoever sees a row sees its tenant (but for the hidden one of its estate), its owning team and its component.
_TENANT = Facet(
    key="{b}.tenant_id", join="left join tenant t on t.id = g.k and not t.hidden", value="t.name", id="t.id", target="tenant"
)


def _of(target: str, key: str, value: str) -> Facet:
    return Facet(key=key, join=f"left join {target} t on t.id = g.k", value=f"t.{value}", id="t.id", target=target)


def _environment(key: str, way: str = "") -> Facet:
    """By environment: the one whose id the key is, or, by `way`, the one of the stack `s` whose id the key is."""
    named = "s.environment_id" if way else "g.k"
    return Facet(
        key=key,
        join=f"{way} left join environment t on t.id = {named} and {{sees_environment_t}}",
        value="t.name",
        id="t.id",
        target="environment",
    )


_STACK_OF = "left join stack s on s.id = g.k"
_CATEGORY_OF = "left join component s on s.id = g.k"

STACK: Mapping[str, Facet] = {
    "tenant": _TENANT,
    "environment": _environment("{b}.environment_id"),
    "account": Facet(key="{b}.account"),
    "stage": Facet(key="{b}.stage"),
    "region": Facet(key="{b}.region"),
    "team": _of("team", "{b}.team_id", "slug"),
}
INSTANCE: Mapping[str, Facet] = {
    "type": Facet(key="{b}.type"),
    "component": _of("component", "{b}.component_id", "name"),
    "category": Facet(key="{b}.component_id", join=_CATEGORY_OF, value="s.category"),
    "stack": _of("stack", "{b}.stack_id", "name"),
    "tenant": _TENANT,
    "environment": _environment("{b}.stack_id", _STACK_OF),
    "region": Facet(key="{b}.stack_id", join=_STACK_OF, value="s.region"),
    "team": _of("team", "{b}.team_id", "slug"),
    "state": Facet(key="{b}.state"),
    "cost_status": Facet(key="{b}.cost_status"),
}
SERVICE: Mapping[str, Facet] = {
    "category": Facet(key="{b}.category"),
    "lifecycle": Facet(key="{b}.lifecycle"),
    "tier": Facet(key="{b}.tier"),
    "team": _of("team", "{b}.owner_id", "slug"),
    # A service counts for each of its tags, and one without any for none.
    "tag": Facet(key="u.tag", apart="left join lateral unnest({b}.tags) u(tag) on true"),
}


def past_instance(stacks: str) -> Mapping[str, Facet]:
    """What instances as they were can be counted by; `stacks` are the rows of their stacks at the position that `{b}` carries."""

    def then(column: str) -> str:
        return f"(select s.{column} from {stacks} s where s.id = {{b}}.stack_id)"

    return {**INSTANCE, "environment": _environment(then("environment_id")), "region": Facet(key=then("region"))}


SOURCES = (
    Source(
        name="facet",
        rows="",
        columns={
            "value": text("{a}.v"),
            "node": plain("{a}.i"),
            "count": number("{a}.n", nullable=False),
        },
        key="v",
    ),
)
