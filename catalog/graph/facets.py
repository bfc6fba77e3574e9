"""What lists can be counted by. The name of an enum's value, in lower case, is the name of the source's facet."""

from enum import StrEnum

from catalog.graph.enums import described


class ComponentInstanceFacet(StrEnum):
    """What component instances can be counted by."""

    TYPE = "TYPE"
    COMPONENT = "COMPONENT"
    CATEGORY = "CATEGORY"
    STACK = "STACK"
    TENANT = "TENANT"
    ENVIRONMENT = "ENVIRONMENT"
    REGION = "REGION"
    TEAM = "TEAM"
    STATE = "STATE"
    COST_STATUS = "COST_STATUS"


class ServiceFacet(StrEnum):
    """What services can be counted by."""

    CATEGORY = "CATEGORY"
    LIFECYCLE = "LIFECYCLE"
    TIER = "TIER"
    TEAM = "TEAM"
    TAG = "TAG"


class StackFacet(StrEnum):
    """What stacks can be counted by."""

    TENANT = "TENANT"
    ENVIRONMENT = "ENVIRONMENT"
    ACCOUNT = "ACCOUNT"
    STAGE = "STAGE"
    REGION = "REGION"
    TEAM = "TEAM"


described(
    ComponentInstanceFacet,
    "What component instances can be counted by.",
    TYPE="By their type.",
    COMPONENT="By the component whose code they use.",
    CATEGORY="By the category of that component.",
    STACK="By their stack.",
    TENANT="By their tenant.",
    ENVIRONMENT="By the environment of their stack.",
    REGION="By the region of their stack.",
    TEAM="By the team that owns them.",
    STATE="By whether they are what Git says now.",
    COST_STATUS="By what is known of their cost.",
)
described(
    ServiceFacet,
    "What services can be counted by.",
    CATEGORY="By their category.",
    LIFECYCLE="By where they are in their lives.",
    TIER="By their tier.",
    TEAM="By the team that owns them.",
    TAG="By their tags: a service counts for each of its tags, and one without any under null.",
)
described(
    StackFacet,
    "What stacks can be counted by.",
    TENANT="By their tenant.",
    ENVIRONMENT="By their environment.",
    ACCOUNT="By their account.",
    STAGE="By their stage.",
    REGION="By their region.",
    TEAM="By the team that owns them.",
)
