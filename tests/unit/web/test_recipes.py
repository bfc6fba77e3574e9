"""The recipes as the package ships them: what they claim of themselves."""

import importlib.util
from pathlib import Path

import pytest
from graphql import get_operation_ast

from catalog.graph import plans, schema
from catalog.web import explorer, recipes

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_there_is_something_for_everybody():
    """Every persona has recipes of their own; they are thirty at least, and no two have one title or one name."""
    found = recipes.recipes()
    assert len(found) >= 30
    assert {recipe.persona for recipe in found} == set(recipes.PERSONAS)
    assert len({recipe.title for recipe in found}) == len({recipe.name for recipe in found}) == len(found)


@pytest.mark.parametrize("recipe", recipes.recipes(), ids=lambda recipe: recipe.name)
def test_a_recipe_is_one_named_operation_with_its_variables(recipe):
    """Each holds to the schema, has one operation that has a name, and a value for every variable that it must have."""
    prepared = plans.prepare(schema.graphql_schema(), recipe.document)
    operation = get_operation_ast(prepared.document)
    assert operation is not None
    assert operation.name is not None
    plans.coerce(schema.graphql_schema(), operation, recipe.variables)
    known = {definition.variable.name.value for definition in operation.variable_definitions or ()}
    assert set(recipe.variables) <= known


def test_the_shelf_of_graphiql_holds_all_of_them():
    """GraphiQL is handed every recipe, document and variables, under its persona's heading."""
    shelf = explorer.shelf()
    assert [group["heading"] for group in shelf] == list(recipes.PERSONAS.values())
    assert [card["query"] for group in shelf for card in group["recipes"]] == [recipe.document for recipe in recipes.recipes()]


def test_the_pages_are_current():
    """docs/recipes/*.md are what `python docs/recipes.py` writes today."""
    spec = importlib.util.spec_from_file_location("written_recipes", DOCS / "recipes.py")
    written = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(written)
    assert {file.name: file.read_text() for file in (DOCS / "recipes").glob("*.md")} == written.pages()
