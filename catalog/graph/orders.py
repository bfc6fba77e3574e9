"""The orders that lists offer. The name of an enum's value, in lower case, is the name of the source's order."""

from enum import StrEnum, auto

import strawberry

from catalog.graph.declarations import given
from catalog.graph.enums import OrderDirection, described

_FIELD = "By what."
_DIRECTION = "Which way."


class _Upper(StrEnum):
    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        del start, count, last_values
        return name


class EnvironmentOrderField(_Upper):
    """What environments are ordered by."""

    NAME = auto()


class TeamOrderField(_Upper):
    """What teams are ordered by."""

    SLUG = auto()
    TITLE = auto()
    MONTHLY_COST = auto()


class ServiceOrderField(_Upper):
    """What services are ordered by."""

    SLUG = auto()
    TITLE = auto()
    CATEGORY = auto()
    TIER = auto()
    MONTHLY_COST = auto()


class ComponentOrderField(_Upper):
    """What components are ordered by."""

    NAME = auto()
    CATEGORY = auto()
    INSTANCES = auto()
    MONTHLY_COST = auto()


class StackOrderField(_Upper):
    """What stacks are ordered by."""

    NAME = auto()
    INSTANCES = auto()
    MONTHLY_COST = auto()


class ComponentInstanceOrderField(_Upper):
    """What component instances are ordered by."""

    NAME = auto()
    STACK = auto()
    MONTHLY_COST = auto()
    CHANGED_AT = auto()


class ProvisioningRequestOrderField(_Upper):
    """What provisioning requests are ordered by."""

    NUMBER = auto()
    CREATED_AT = auto()
    UPDATED_AT = auto()


class CostReportOrderField(_Upper):
    """What rows of a cost report are ordered by."""

    KEY = auto()
    ESTIMATED = auto()
    ACTUAL = auto()
    VARIANCE = auto()


_BY = {
    "NAME": "By name.",
    "SLUG": "By slug.",
    "TITLE": "By title.",
    "CATEGORY": "By category; none comes last.",
    "TIER": "By tier; none comes last.",
    "STACK": "By the name of its stack.",
    "INSTANCES": "By the number of component instances that the viewer may see.",
    "MONTHLY_COST": "By what the viewer may see of its estimated cost a month; unknown comes last where it is no sum.",
    "CHANGED_AT": "By the time of the last change.",
    "NUMBER": "By number.",
    "CREATED_AT": "By the time it was asked for.",
    "UPDATED_AT": "By the time it last moved.",
    "KEY": "By the values of the keys, one after the other; null comes after all others.",
    "ESTIMATED": "By what is estimated; unknown comes last.",
    "ACTUAL": "By what was charged; unknown comes last.",
    "VARIANCE": "By how much what was charged exceeds the estimate; unknown comes last.",
}
for _enum in (
    EnvironmentOrderField,
    TeamOrderField,
    ServiceOrderField,
    ComponentOrderField,
    StackOrderField,
    ComponentInstanceOrderField,
    ProvisioningRequestOrderField,
    CostReportOrderField,
):
    described(_enum, (_enum.__doc__ or "").strip(), **{member.name: _BY[member.name] for member in _enum})


@strawberry.input(description="An order of environments.")
class EnvironmentOrder:
    field: EnvironmentOrderField = given(_FIELD)
    direction: OrderDirection = given(_DIRECTION, default=OrderDirection.ASC)


@strawberry.input(description="An order of teams.")
class TeamOrder:
    field: TeamOrderField = given(_FIELD)
    direction: OrderDirection = given(_DIRECTION, default=OrderDirection.ASC)


@strawberry.input(description="An order of services.")
class ServiceOrder:
    field: ServiceOrderField = given(_FIELD)
    direction: OrderDirection = given(_DIRECTION, default=OrderDirection.ASC)


@strawberry.input(description="An order of components.")
class ComponentOrder:
    field: ComponentOrderField = given(_FIELD)
    direction: OrderDirection = given(_DIRECTION, default=OrderDirection.ASC)


@strawberry.input(description="An order of stacks.")
class StackOrder:
    field: StackOrderField = given(_FIELD)
    direction: OrderDirection = given(_DIRECTION, default=OrderDirection.ASC)


@strawberry.input(description="An order of component instances.")
class ComponentInstanceOrder:
    field: ComponentInstanceOrderField = given(_FIELD)
    direction: OrderDirection = given(_DIRECTION, default=OrderDirection.ASC)


@strawberry.input(description="An order of provisioning requests.")
class ProvisioningRequestOrder:
    field: ProvisioningRequestOrderField = given(_FIELD)
    direction: OrderDirection = given(_DIRECTION, default=OrderDirection.ASC)


@strawberry.input(description="An order of the rows of a cost report.")
class CostReportOrder:
    field: CostReportOrderField = given(_FIELD)
    direction: OrderDirection = given(_DIRECTION, default=OrderDirection.ASC)
