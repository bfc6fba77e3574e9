"""The recipes answer, on the example estate and for what they say that they cost."""

import outside
import pytest

from catalog.web import recipes

# What the example estate may have nothing of: requests, faults, charges and what is measured come with use.
MAY_BE_EMPTY = {
    "what-became-of-my-requests",
    "which-requests-are-stuck",
    "what-waits-for-my-decision",
    "how-long-do-requests-take",
    "what-has-no-price",
    "what-nobody-pays",
    "what-has-drifted",
    "what-is-going-away",
    "do-we-meet-our-targets",
}


def shows(value) -> bool:
    """Whether an answer has a row of anything."""
    if isinstance(value, dict):
        return any(shows(inner) for inner in value.values())
    return isinstance(value, list) and bool(value)


def answered(catalog, recipe):
    """The answer, None while the catalog still reads what it is about: components are read after the estate."""
    answer = catalog.ask(recipe.document, recipe.variables)
    if "errors" in answer or shows(answer["data"]):
        return None if "NOT_READY" in codes(answer) else answer
    return answer if recipe.name in MAY_BE_EMPTY else None


def codes(answer) -> list[str]:
    """What payloads say that went wrong."""
    values = (answer.get("data") or {}).values()
    return [error["code"] for value in values if isinstance(value, dict) for error in value.get("errors", ())]


@pytest.mark.acceptance
@pytest.mark.parametrize("recipe", recipes.recipes(), ids=lambda recipe: recipe.name)
def test_a_recipe_answers_for_its_price(catalog, recipe):
    """Each runs as it stands within a person's limits, finds what it asks for by name, shows something, and costs what it says."""
    answer = outside.eventually(lambda: answered(catalog, recipe))
    assert "errors" not in answer
    assert all(value is not None for value in answer["data"].values()), answer
    assert codes(answer) == []
    assert answer["extensions"]["cost"]["requested"] == recipe.cost
