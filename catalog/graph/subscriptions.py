"""What can be followed: requests, runs of the indexer and changes of the catalog, as events that carry a sequence."""

from datetime import datetime

import strawberry

from catalog.graph import enums, names
from catalog.graph.declarations import Argument, column, events, one
from catalog.graph.filters import ChangeWhere

_SEQUENCE = "Where the event stands: `after` resumes behind it."


@strawberry.type(description="Something that happened to a request. What is shown of the request is how it stands now.")
class ProvisioningEvent:
    sequence: int = column("sequence", f"{_SEQUENCE} It counts within the request.")
    at: datetime = column("at", "When it happened.")
    request: names.ProvisioningRequestType = strawberry.field(description="The request, as it stands now.")
    kind: enums.ProvisioningEventKind = column("kind", "What it is about.")
    step: str | None = column("step", "The name of the step that it is about.")
    line: names.LogLineType | None = one("line", "The line that was said; for LOG.")


@strawberry.type(description="That a run of the indexer entered a state, or how far it has come.")
class IndexRunEvent:
    sequence: int = column("sequence", f"{_SEQUENCE} It counts over the runs of all estates.")
    run: names.IndexRunType = strawberry.field(description="The run, as it stands now.")
    done: int = column("done", "How many stacks have been read.")
    total: int | None = column("total", "How many there are; null until that is known.")


@strawberry.type(description="That a run changed an instance.")
class CatalogEvent:
    sequence: int = column("sequence", f"{_SEQUENCE} It counts over the changes of all estates, those out of sight included.")
    change: names.ChangeType = strawberry.field(description="What changed.")


_AFTER = Argument(
    type=int | None,
    description="Behind which sequence to begin: 0 for everything there is. From now on unless given.",
)


@strawberry.type(
    description="Events as they come, over `graphql-transport-ws` or server-sent events. Each carries a sequence; `after` resumes"
    " behind one, so that nothing is missed while a client is away. Only events of what the viewer may see at that moment are told."
)
class Subscription:
    provisioning_request: ProvisioningEvent = events(
        "request_events",
        "What happens to a request; ends with it.",
        id=Argument(type=strawberry.ID, description="The request's global id.", path=("id",)),
        after=_AFTER,
    )
    index_run: IndexRunEvent = events(
        "run_events",
        "What becomes of runs of the indexer.",
        estate=Argument(
            type=str | None, description="Only runs of the estate of that name; of all unless given.", path=("estate", "name")
        ),
        after=_AFTER,
    )
    catalog_changes: CatalogEvent = events(
        "change_events",
        "What runs change, instance by instance. What a run told of the past is no event.",
        where=ChangeWhere,
        after=_AFTER,
    )
