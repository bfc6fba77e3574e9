"""The recipes answer, on the example estate and for what they say that they cost."""

import outside
import pytest

from catalog.web import recipes


def answered(catalog, recipe):
    """The answer, None while the catalog still reads what a preview needs."""
    answer = catalog.ask(recipe.document, recipe.variables)
    return None if "NOT_READY" in codes(answer) else answer


def codes(answer) -> list[str]:
    """What payloads say that went wrong."""
    values = (answer.get("data") or {}).values()
    return [error["code"] for value in values if isinstance(value, dict) for error in value.get("errors", ())]


@pytest.mark.acceptance
@pytest.mark.parametrize("recipe", recipes.recipes(), ids=lambda recipe: recipe.name)
def test_a_recipe_answers_for_its_price(catalog, recipe):
    """Each runs as it stands within a person's limits, finds what it asks for by name, and costs what it says."""
    answer = outside.eventually(lambda: answered(catalog, recipe))
    assert "errors" not in answer
    assert all(value is not None for value in answer["data"].values()), answer
    assert codes(answer) == []
    assert answer["extensions"]["cost"]["requested"] == recipe.cost
