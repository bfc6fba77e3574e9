"""Writes docs/recipes/*.md from the recipes that GraphiQL shows: `python docs/recipes.py`. A test compares them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from catalog.web import recipes

PLACE = Path(__file__).parent / "recipes"
HEAD = """# Recipes: {heading}

Written by `docs/recipes.py` from `catalog/web/recipes/{persona}`. They answer on the example estate as they stand; put your own names
into the variables. GraphiQL has them under *Recipes*. What a recipe costs is counted in [points](../graph.md#limits): a person has
10,000 for an operation.
"""


def pages() -> dict[str, str]:
    """Every page by its file's name."""
    return {f"{persona}.md": page(persona, heading) for persona, heading in recipes.PERSONAS.items()}


def page(persona: str, heading: str) -> str:
    """The recipes of one persona."""
    own = (section(recipe) for recipe in recipes.recipes() if recipe.persona == persona)
    return "\n".join([HEAD.format(persona=persona, heading=heading), *own])


def section(recipe: recipes.Recipe) -> str:
    """One recipe: its question, what it tells and costs, the document and its variables."""
    return "\n".join(parts(recipe))


def parts(recipe: recipes.Recipe) -> Iterator[str]:
    """The lines of a section."""
    yield f"## {recipe.title}\n\n{recipe.text} *{recipe.cost} points.*\n\n```graphql\n{recipe.operation.strip()}\n```\n"
    if recipe.variables:
        yield f"```json\n{json.dumps(recipe.variables, indent=2)}\n```\n"


if __name__ == "__main__":
    PLACE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (PLACE / name).write_text(text, encoding="utf-8")
