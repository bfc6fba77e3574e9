"""What an operation may cost, judged before Postgres is touched, by kind of principal. Each refusal names the limit and its size.

Introspection is exempt from depth and nodes.

The cost of an operation is counted in points, before it runs and from what it says alone: one for the operation, one for each list that
is read (a list below a list is read once for each row of that one), one for ten rows. What is dearer to read costs more: see `OPENS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalog.graph.faults import Rejected, error
from catalog.records import PrincipalKind, Scope

MAX_PAGE = 100
DEFAULT_PAGE = 20
MAX_FACETS = 100
DEFAULT_FACETS = 50
MAX_IDS = 100
MAX_LIST = 1_000
MAX_OBJECTS = 100
TOKENS = 4  # of a document that was not known before, for one point
SECONDS = 10.0  # for a whole operation

OPERATION = 1  # points of any operation
COUNT = 2  # points of counting a list
FACETS = 5  # points of counting a list by a value
INTROSPECTION = 1_000  # graphql-core takes 60 ms for what tools ask, as much as a thousand rows and more
RESOLVED = 10  # points of a mutation, whatever it shows
PREVIEW = 50
OPENS = {"search": 10, "cost_report": 20}  # points of reading a list or a report, where it isn't one


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one operation may ask for."""

    nodes: int
    cost: int
    depth: int = 20
    aliases: int = 15
    root_fields: int = 10
    directives: int = 20
    tokens: int = 2_000
    fields: int = 2_000  # once fragments are put in: no more than a document without them could say
    repeated: int = 100  # fields that are merged with one of the same response key
    document: int = 64 * 1024
    mutations: int = 1

    @property
    def per_minute(self) -> int:
        """The points of a minute."""
        return 10 * self.cost

    @property
    def refusal(self) -> int:
        """The points of a request that is refused after it was read: what nobody's program sends a hundred times a minute."""
        return self.cost // 10


ANONYMOUS = Limits(nodes=1_000, cost=1_000)
PERSON = Limits(nodes=20_000, cost=10_000)
SERVICE = Limits(nodes=100_000, cost=50_000)
# Depth, aliases and the rest are the same for everybody, so that a document is judged once.
OF_DOCUMENT = PERSON


def of(scope: Scope) -> Limits:
    """Return the limits of a viewer."""
    if scope.principal_id is None and not scope.grants:
        return ANONYMOUS
    return SERVICE if scope.kind is PrincipalKind.SERVICE else PERSON


def too_much(code: str, what: str, found: int, allowed: int) -> Rejected:
    """The refusal of an operation that exceeds a limit."""
    return Rejected(error(code, f"{found} {what}, at most {allowed} are allowed", limit=allowed, found=found))
