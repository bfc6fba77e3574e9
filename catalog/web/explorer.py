"""GraphiQL as a page: its files are the package's own, its first tabs the example documents beside this module, its shelf the recipes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from catalog import errors
from catalog.portal import pages
from catalog.records import ANONYMOUS
from catalog.web import authentication, envelope, recipes

EXAMPLES = Path(__file__).parent / "examples"


def wanted(request: Request) -> bool:
    """Whether a browser asks for a page rather than a program for data."""
    return "text/html" in request.headers.get("accept", "") and "query" not in request.query_params


async def page(request: Request) -> Response:
    """The page for whoever is signed in; everybody else is sent to sign in first, since nothing would answer them."""
    try:
        known = await authentication.viewer(request) != ANONYMOUS
    except errors.Unauthenticated:
        known = False
    if not known:
        return authentication.forget(RedirectResponse("/sign-in", status_code=303))
    data = {"url": request.url_for("graphql").path, "tabs": tabs(), "recipes": shelf()}
    return HTMLResponse(pages.explorer(data), headers={"Content-Security-Policy": envelope.EXPLORER_POLICY})


@cache
def tabs() -> tuple[dict[str, str], ...]:
    """The example documents, in the order of their names: `query`, and `variables` where a file of that name lies beside it."""
    return tuple(_tab(file) for file in sorted(EXAMPLES.glob("*.graphql")))


@cache
def shelf() -> tuple[dict[str, Any], ...]:
    """The recipes, persona after persona: `heading` and its `recipes`, each a `title`, a `text` and what a tab holds."""
    return tuple(
        {"heading": heading, "recipes": [_card(recipe) for recipe in recipes.recipes() if recipe.persona == persona]}
        for persona, heading in recipes.PERSONAS.items()
    )


def _card(recipe: recipes.Recipe) -> dict[str, str]:
    variables = {"variables": json.dumps(recipe.variables, indent=2)} if recipe.variables else {}
    return {"title": recipe.title, "text": recipe.text, "query": recipe.document} | variables


def _tab(file: Path) -> dict[str, str]:
    variables = file.with_suffix(".json")
    tab = {"query": file.read_text(encoding="utf-8")}
    if variables.exists():
        tab["variables"] = json.dumps(json.loads(variables.read_text(encoding="utf-8")), indent=2)
    return tab
