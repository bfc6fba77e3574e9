"""What a search finds."""

from typing import Annotated

import strawberry

from catalog.graph import names
from catalog.graph.declarations import choice, column, reads_from

SearchResult = Annotated[
    names.ServiceType
    | names.ComponentType
    | names.ComponentInstanceType
    | names.StackType
    | names.TeamType
    | names.EnvironmentType
    | names.ProvisioningRequestType
    | names.WorkflowType,
    strawberry.union("SearchResult", description="Anything that can be found by words."),
]


@reads_from("search_hit")
@strawberry.type(description="One thing that answers to a search.")
class SearchHit:
    node: SearchResult = choice("id", "The thing.")
    score: float = column(
        "score",
        "How well it answers, at most 1: above 0.9 its name is what was asked, above 0.8 it begins with it, above 0.7 it has all the words,"
        " above 0.6 name and text have them together; below that, words count that are written much alike.",
    )
    highlight: str | None = column(
        "highlight",
        "Its name, or the part of its text where the words are, with each found word in «». Plain text: escape it before it becomes HTML,"
        " and then put marks in place of «».",
    )
